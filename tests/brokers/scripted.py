"""A WebSocket and HTTP server that does exactly what a test says, byte by byte, over real sockets."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import queue
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_T = TypeVar("_T")


def until(check: Callable[[], _T], seconds: float = 5.0) -> _T:
    """The first truthy value of `check`."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"never became true within {seconds} s")
        time.sleep(0.005)


def frame(payload: str | bytes, *, opcode: int = 1, final: bool = True) -> bytes:
    """An unmasked server frame."""
    data = payload.encode() if isinstance(payload, str) else payload
    head = bytes([opcode | (0x80 if final else 0)])
    if len(data) < 126:
        return head + bytes([len(data)]) + data
    if len(data) < 1 << 16:
        return head + b"\x7e" + struct.pack("!H", len(data)) + data
    return head + b"\x7f" + struct.pack("!Q", len(data)) + data


class Peer:
    """The server's end of one upgraded socket."""

    def __init__(self, sock: socket.socket, opened: socket.SocketIO) -> None:
        self.sock = sock
        self._reader = opened

    def send_raw(self, data: bytes) -> None:
        self.sock.sendall(data)

    def send(self, text: str | bytes) -> None:
        self.sock.sendall(frame(text))

    def receive_frame(self) -> tuple[int, bytes]:
        """Opcode and unmasked payload of the client's next frame."""
        first, second = self._exactly(2)
        assert second & 0x80, "a client must mask its frames"
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", self._exactly(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._exactly(8))[0]
        mask, data = self._exactly(4), self._exactly(size)
        return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))

    def receive(self) -> str:
        """The next text that is not a heartbeat."""
        while True:
            opcode, data = self.receive_frame()
            if opcode == 1 and data != b"[]":
                return data.decode()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._reader.close()
        self.sock.close()

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._reader.read(size - len(data))
            if not piece:
                raise ConnectionError("the client hung up")
            data += piece
        return data


class SocketServer:
    """Accepts and upgrades; `accepted` hands the peers to the test. `refuse_with` answers upgrades with a status."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tls = tls
        scheme = "ws" if tls is None else "wss"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}/v1/websocket"
        self.refuse_with: str | None = None
        self.upgrades = 0
        self.heads: list[bytes] = []
        self._peers: queue.Queue[Peer] = queue.Queue()
        self._opened: list[Peer] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def accepted(self, timeout: float = 5.0) -> Peer:
        return self._peers.get(timeout=timeout)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for peer in self._opened:
            peer.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(10)
            with contextlib.suppress(OSError):
                self._upgrade(sock if self._tls is None else self._tls.wrap_socket(sock, server_side=True))

    def _upgrade(self, sock: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        self.upgrades += 1
        self.heads.append(head)
        if self.refuse_with is not None:
            sock.sendall(f"HTTP/1.1 {self.refuse_with}\r\nContent-Length: 0\r\n\r\n".encode())
            sock.close()
            return
        key = next(
            line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()  # noqa: S324 - RFC 6455
        sock.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        peer = Peer(sock, sock.makefile("rb", buffering=0))
        self._opened.append(peer)
        self._peers.put(peer)


Answer = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]


class RestServer:
    """Answers each request by `answer(method, path with query, body, headers)`; None hangs up without a word."""

    def __init__(self, answer: Callable[[str, str, bytes, dict[str, str]], Answer | None]) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self._open: list[socket.socket] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                server._open.append(self.connection)

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.requests.append((self.command, self.path, body))
                answered = answer(self.command, self.path, body, dict(self.headers))
                if answered is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, payload, *rest = answered
                self.send_response(status)
                for name, value in (rest[0] if rest else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = handle_any

            def log_message(self, *args: object) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *args: object) -> None: ...

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.requests]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for kept_alive in self._open:
            with contextlib.suppress(OSError):
                kept_alive.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def closing_port() -> Iterator[int]:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    yield port
