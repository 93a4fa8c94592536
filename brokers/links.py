"""One open WebSocket, non-blocking: whole messages come out, prebuilt frames go in, and nothing is guessed.

`websocket-client` does the handshake and knows the frames (its buffer keeps half a frame for the next call); this
module owns the socket, so that one thread can serve hundreds of them. Everything but `text_frame` belongs to
that one thread.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import websocket

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
TLS_RECORD_BYTES = 16 * 1024
READ_BUFFER_BYTES = 256 * 1024
_DATA_OPCODES = (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_CONT)


def text_frame(text: str | bytes) -> bytes:
    """The masked bytes of one text message; safe in any thread, so that a burst is built before it is handed over."""
    data = text.encode() if isinstance(text, str) else text
    return websocket.ABNF.create_frame(data, websocket.ABNF.OPCODE_TEXT).format()


@dataclass(slots=True)
class _Waiting:
    rest: memoryview
    begun: bool
    ticket: object | None


class _ByteSource:
    """Feeds received bytes to websocket-client's frame buffer, which asks for them as if it read a socket."""

    __slots__ = ("_at", "_data")

    def __init__(self) -> None:
        self._data = b""
        self._at = 0

    def feed(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def recv(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        if not piece:
            raise BlockingIOError
        self._at += len(piece)
        return piece


class Link:
    """An upgraded socket. `broken` holds the reason once it is; `attention` is called when the loop must look."""

    def __init__(self, sock: socket.socket, read_buffer: bytearray, attention: Callable[[Link], None]) -> None:
        sock.settimeout(0)
        self._sock = sock
        self._read_buffer = memoryview(read_buffer)
        self._attention = attention
        self._source = _ByteSource()
        self._frames = websocket.frame_buffer(self._source.recv, skip_utf8_validation=True)
        self._fragments = websocket.continuous_frame(fire_cont_frame=False, skip_utf8_validation=True)
        self._waiting: deque[_Waiting] = deque()
        self.broken: str | None = None
        self.closed = False

    def fileno(self) -> int:
        return self._sock.fileno()

    @property
    def wants_write(self) -> bool:
        return bool(self._waiting)

    def send(self, text: str) -> None:
        self.write(text_frame(text))

    def write(self, frame: bytes, ticket: object | None = None) -> bool:
        """True when the operating system took the whole frame; else the rest waits for `flush`."""
        if self._waiting or self.broken is not None:
            self._waiting.append(_Waiting(memoryview(frame), begun=False, ticket=ticket))
            return False
        sent, begun = self._send(frame)
        if sent == len(frame):
            return True
        self._waiting.append(_Waiting(memoryview(frame)[sent:], begun=begun, ticket=ticket))
        self._attention(self)
        return False

    def flush(self) -> list[object]:
        """Write what waits; the tickets whose last byte went out."""
        done: list[object] = []
        while self._waiting and self.broken is None:
            head = self._waiting[0]
            sent, begun = self._send(head.rest)
            head.rest = head.rest[sent:]
            head.begun = head.begun or begun
            if head.rest:
                break
            self._waiting.popleft()
            if head.ticket is not None:
                done.append(head.ticket)
        return done

    def read(self) -> list[bytes]:
        """Every message complete so far; sets `broken` when the socket or the protocol ended."""
        messages: list[bytes] = []
        while self.broken is None:
            data = self._receive()
            if not data:
                break
            self._source.feed(data)
            self._take_messages(messages)
            if len(data) < len(self._read_buffer) and not self._has_decrypted():
                break
        return messages

    def close(self) -> tuple[list[object], list[object]]:
        """Close the socket; the tickets that were begun, and those of which no byte left this machine."""
        self.closed = True
        if self.broken is None and not self._waiting:
            self._send(_close_frame(websocket.STATUS_NORMAL))
        self._sock.close()
        waiting = [item for item in self._waiting if item.ticket is not None]
        self._waiting.clear()
        return (
            [item.ticket for item in waiting if item.begun],
            [item.ticket for item in waiting if not item.begun],
        )

    def break_off(self, reason: str) -> None:
        """Give the link up: the loop closes it at its next look."""
        if self.broken is None:
            self.broken = reason
            self._attention(self)

    def _send(self, data: bytes | memoryview) -> tuple[int, bool]:
        """Bytes taken, and whether any may have left.

        A TLS write takes all or nothing, so what it wrote before it stopped is not known: it counts as begun. Only
        when it broke within a single record is that proof, because half a record says nothing to the other side.
        """
        try:
            sent = self._sock.send(data)
        except ssl.SSLWantWriteError:
            return 0, True
        except (BlockingIOError, ssl.SSLWantReadError):
            return 0, False
        except OSError as error:
            self.break_off(f"write failed: {error.strerror or type(error).__name__}")
            return 0, isinstance(self._sock, ssl.SSLSocket) and len(data) > TLS_RECORD_BYTES
        return sent, sent > 0

    def _receive(self) -> bytes:
        try:
            size = self._sock.recv_into(self._read_buffer)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            self.break_off(f"read failed: {error.strerror or type(error).__name__}")
            return b""
        if size == 0:
            self.break_off("closed by the venue without a close frame")
        return bytes(self._read_buffer[:size])

    def _has_decrypted(self) -> bool:
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def _take_messages(self, messages: list[bytes]) -> None:
        try:
            while self.broken is None:
                message = self._take_frame(self._frames.recv_frame())
                if message is not None:
                    messages.append(message)
        except BlockingIOError:
            if (self._frames.length or 0) > MAX_MESSAGE_BYTES:
                self.break_off("message too big")
        except websocket.WebSocketException as error:
            self.break_off(f"not a WebSocket frame: {type(error).__name__}")

    def _take_frame(self, frame: websocket.ABNF) -> bytes | None:
        if frame.opcode in _DATA_OPCODES:
            self._fragments.validate(frame)
            self._fragments.add(frame)
            if not self._fragments.is_fire(frame):
                return None
            message: bytes = self._fragments.extract(frame)[1].data
            return message
        if frame.opcode == websocket.ABNF.OPCODE_PING:
            self.write(websocket.ABNF.create_frame(frame.data, websocket.ABNF.OPCODE_PONG).format())
        elif frame.opcode == websocket.ABNF.OPCODE_CLOSE:
            self._on_close_frame(bytes(frame.data) if not isinstance(frame.data, str) else frame.data.encode())
        return None

    def _on_close_frame(self, data: bytes) -> None:
        code = struct.unpack("!H", data[:2])[0] if data else websocket.STATUS_STATUS_NOT_AVAILABLE
        self.break_off(f"closed by the venue: {code} {data[2:].decode(errors='replace')}".rstrip())
        if not self._waiting:
            self._send(_close_frame(websocket.STATUS_NORMAL))


def _close_frame(status: int) -> bytes:
    return websocket.ABNF.create_frame(struct.pack("!H", status), websocket.ABNF.OPCODE_CLOSE).format()
