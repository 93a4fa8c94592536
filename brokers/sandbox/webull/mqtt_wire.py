"""The packets of MQTT 3.1.1 that the venue speaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 8, 9, 12, 13, 14
PROTOCOL_LEVEL = 4
LARGEST_PACKET = 64 * 1024
_FAILURE = 0x80
_USERNAME_FLAG, _WILL_FLAG = 0x80, 0x04
_LONGEST_LENGTH = 4
_SEVEN_BITS, _MORE = 0x7F, 0x80
PONG = bytes((PINGRESP << 4, 0))


class ProtocolError(Exception):
    """Bytes that no MQTT client sends."""


@dataclass(frozen=True, slots=True)
class Connect:
    """``keepalive`` is seconds, 0 for none."""

    protocol: str
    level: int
    keepalive: int
    client_id: str
    username: str


def packets(buffer: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """(type, flags, content) of each whole packet, taken from the front of ``buffer``. Raises ProtocolError."""
    while len(buffer) > 1:
        size, at = 0, 1
        while True:
            if at > _LONGEST_LENGTH:
                raise ProtocolError("a length of more than four bytes")
            if at >= len(buffer):
                return
            size |= (buffer[at] & _SEVEN_BITS) << (7 * (at - 1))
            at += 1
            if buffer[at - 1] < _MORE:
                break
        if size > LARGEST_PACKET:
            raise ProtocolError(f"a packet of {size} bytes")
        if len(buffer) < at + size:
            return
        first, content = buffer[0], bytes(buffer[at : at + size])
        del buffer[: at + size]
        yield first >> 4, first & 0x0F, content


def parse_connect(content: bytes) -> Connect:
    """Raises ProtocolError."""
    try:
        protocol, at = _text(content, 0)
        level, flags = content[at], content[at + 1]
        keepalive = int.from_bytes(content[at + 2 : at + 4], "big")
        client_id, at = _text(content, at + 4)
        if flags & _WILL_FLAG:
            _, at = _text(content, at)
            _, at = _text(content, at)
        username = _text(content, at)[0] if flags & _USERNAME_FLAG else ""
    except IndexError as short:
        raise ProtocolError("CONNECT ends too soon") from short
    return Connect(protocol, level, keepalive, client_id, username)


def connack(code: int) -> bytes:
    return bytes((CONNACK << 4, 2, 0, code))


def suback_refusing(content: bytes) -> bytes:
    """A client's SUBSCRIBE is not how one subscribes here."""
    return bytes((SUBACK << 4, 3)) + content[:2] + bytes((_FAILURE,))


def publish(topic: str, payload: bytes) -> bytes:
    """At most once: quality of service 0."""
    name = topic.encode()
    content = len(name).to_bytes(2, "big") + name + payload
    return bytes((PUBLISH << 4,)) + _length(len(content)) + content


def websocket_frame(payload: bytes) -> bytes:
    """An unmasked binary frame, as servers send them."""
    size = len(payload)
    if size < 126:  # noqa: PLR2004  RFC 6455, 5.2
        return bytes((0x82, size)) + payload
    if size < 1 << 16:
        return bytes((0x82, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x82, 127)) + size.to_bytes(8, "big") + payload


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, byte = divmod(size, _MORE)
        out.append(byte | _MORE if size else byte)
        if not size:
            return bytes(out)


def _text(content: bytes, at: int) -> tuple[str, int]:
    size = int.from_bytes(content[at : at + 2], "big")
    end = at + 2 + size
    if end > len(content):
        raise IndexError
    return content[at + 2 : end].decode(errors="replace"), end
