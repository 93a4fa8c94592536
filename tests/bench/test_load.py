from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.load import body_of, drive, is_complete, post_of


class Door(BaseHTTPRequestHandler):
    """Answers 200, and 503 for the price 13; remembers the prices it was sent."""

    protocol_version = "HTTP/1.1"
    prices: list[str] = []

    def do_POST(self) -> None:
        price = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["price"]
        self.prices.append(price)
        body = b"unlucky" if price == "13" else b'{"signal_id": "x"}'
        self.send_response(503 if price == "13" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def door() -> Iterator[tuple[str, int]]:
    Door.prices.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield ("127.0.0.1", server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("concurrency", [1, 4, 50])
def test_every_alert_is_posted_once_and_timed(door: tuple[str, int], concurrency: int) -> None:
    url = f"http://127.0.0.1:{door[1]}/webhook/token/"
    load = drive(door, [post_of(url, body_of(price)) for price in range(20, 40)], concurrency)
    assert sorted(Door.prices) == [str(price) for price in range(20, 40)]
    assert len(load.milliseconds) == 20
    assert min(load.milliseconds) > 0
    assert load.refused == 0


def test_refusals_are_counted_and_one_is_kept(door: tuple[str, int]) -> None:
    load = drive(door, [post_of(f"http://127.0.0.1:{door[1]}", body_of(price)) for price in (12, 13, 14)], 2)
    assert (len(load.milliseconds), load.refused) == (3, 1)
    assert "unlucky" in load.a_refusal


def test_an_answer_is_complete_with_its_last_byte() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    assert is_complete(answer)
    assert not any(is_complete(answer[:length]) for length in range(len(answer)))
    assert not is_complete(b"HTTP/1.1 200 OK\r\n\r\nno length")
