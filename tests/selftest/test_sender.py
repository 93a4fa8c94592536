from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from execution.selftest import sender
from execution.selftest.alerts import Alert

ALERT = Alert(0, "buy", 0.0, b'{"action": "buy"}')


class Upstream(BaseHTTPRequestHandler):
    """Answers with the statuses it was given, one per request; 0 closes the connection without an answer."""

    statuses: list[int] = []
    bodies: list[bytes] = []

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.statuses.pop(0)
        if status == 0:
            self.close_connection = True
            return
        body = b'{"signal_id": "s1"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(sender, "RESEND_AFTER_S", 0.0)
    Upstream.bodies.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("statuses", "signal_id", "sends"),
    [
        ([200], "s1", 1),
        ([503, 200], "s1", 2),
        ([0, 500, 502, 200], "s1", 4),
        ([503, 503, 503, 503, 200], None, 4),
        ([504, 200], None, 1),
        ([404, 200], None, 1),
        ([400, 200], None, 1),
    ],
)
def test_it_sends_again_as_tradingview_does(
    upstream: str, statuses: list[int], signal_id: str | None, sends: int
) -> None:
    Upstream.statuses[:] = statuses
    delivery = sender.deliver(upstream, ALERT)
    assert (delivery.signal_id, delivery.sends, delivery.last_status) == (signal_id, sends, statuses[sends - 1] or 503)
    assert Upstream.bodies == [ALERT.body] * sends


def test_a_refused_connection_is_the_proxys_503(upstream: str) -> None:
    assert sender.deliver("http://127.0.0.1:1/", ALERT) == sender.Delivery(ALERT, None, 4, 503)
