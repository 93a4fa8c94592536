"""The load client, in a process of its own: one new connection per request, on raw sockets because it shares two cores.

`python -m bench.load URL --count N --concurrency C --start K` posts N alerts with the prices K, K+1, … and prints one
JSON line: milliseconds of each request from connect to the last byte of the answer, the seconds of the whole run, and
how many answers were not 200, with one of them. `--pause-ms` waits before each request.
"""

from __future__ import annotations

import argparse
import json
import re
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TIMEOUT_S = 10.0


@dataclass(slots=True)
class _Request:
    sock: socket.socket
    started: float
    answer: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class Load:
    """Milliseconds per request, `seconds` for all of them."""

    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0.0
    refused: int = 0
    a_refusal: str = ""


def post_of(url: str, body: bytes) -> bytes:
    """The bytes of one POST as TradingView sends it."""
    parts = urlsplit(url)
    head = (
        f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def body_of(price: int, action: str = "buy") -> bytes:
    """An alert; those of different prices are different alerts."""
    return json.dumps({"action": action, "ticker": "MNQ1!", "price": str(price), "contracts": "1"}).encode()


def is_complete(answer: bytes | bytearray) -> bool:
    head, separator, body = bytes(answer).partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(separator) and length is not None and len(body) >= int(length[1])


def drive(address: tuple[str, int], posts: list[bytes], concurrency: int, pause_s: float = 0.0) -> Load:
    """Send all, `concurrency` at a time. Raises TimeoutError when no answer comes any more."""
    load, waiting = Load(), _paced(posts, pause_s)
    poll, flying = select.epoll(), dict[int, _Request]()
    started = time.perf_counter()
    for _ in range(concurrency):
        _send_next(address, waiting, poll, flying)
    while flying:
        ready = poll.poll(_TIMEOUT_S)
        if not ready:
            raise TimeoutError(f"{len(flying)} requests without an answer for {_TIMEOUT_S:.0f} s")
        for number, _ in ready:
            if _read(flying[number], load):
                flying.pop(number).sock.close()
                _send_next(address, waiting, poll, flying)
    load.seconds = time.perf_counter() - started
    return load


def _paced(posts: list[bytes], pause_s: float) -> Iterator[bytes]:
    for post in posts:
        if pause_s > 0:
            time.sleep(pause_s)
        yield post


def _send_next(
    address: tuple[str, int], waiting: Iterator[bytes], poll: select.epoll, flying: dict[int, _Request]
) -> None:
    post = next(waiting, None)
    if post is None:
        return
    sock = socket.socket()
    started = time.perf_counter()
    sock.connect(address)
    sock.send(post)
    flying[sock.fileno()] = _Request(sock, started)
    poll.register(sock.fileno(), select.EPOLLIN)


def _read(request: _Request, load: Load) -> bool:
    """Whether the request is over."""
    data = request.sock.recv(65_536)
    request.answer += data
    if data and not is_complete(request.answer):
        return False
    load.milliseconds.append((time.perf_counter() - request.started) * 1000)
    if not request.answer.startswith(b"HTTP/1.1 200"):
        load.refused += 1
        load.a_refusal = bytes(request.answer[:500]).decode(errors="replace")
    return True


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench.load", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--start", type=int, required=True)
    parser.add_argument("--pause-ms", type=float, default=0)
    options = parser.parse_args(arguments)
    parts = urlsplit(options.url)
    posts = [post_of(options.url, body_of(options.start + number)) for number in range(options.count)]
    load = drive((str(parts.hostname), int(parts.port or 80)), posts, options.concurrency, options.pause_ms / 1000)
    milliseconds = [round(value, 4) for value in load.milliseconds]
    print(json.dumps({**asdict(load), "milliseconds": milliseconds}))


if __name__ == "__main__":
    main(sys.argv[1:])
