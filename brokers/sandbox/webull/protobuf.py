"""The little of protocol buffers that the venue's messages need: strings, numbers and messages in fields."""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SEVEN_BITS = 0x7F
_MORE = 0x80
Value = str | int | bytes
Field = tuple[int, Value]


class MalformedError(ValueError):
    """Bytes that are not a message."""


def encode(*fields: Field) -> bytes:
    """A message of these fields, in this order. Empty values are left out, as proto3 does."""
    return b"".join(_encode_field(number, value) for number, value in fields if value not in ("", 0, b""))


def decode(message: bytes) -> list[tuple[int, int | bytes]]:
    """(field number, value) in the order of the wire; strings and messages stay bytes. Raises MalformedError."""
    try:
        return list(_fields(message))
    except IndexError as short:
        raise MalformedError("the message ends inside a field") from short


def _encode_field(number: int, value: Value) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > _SEVEN_BITS:
        out.append(value & _SEVEN_BITS | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & _SEVEN_BITS) << shift
        at, shift = at + 1, shift + 7
        if byte < _MORE:
            return value, at


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            number, at = _read_varint(message, at)
            yield key >> 3, number
            continue
        size, at = _size(kind, message, at)
        if at + size > len(message):
            raise MalformedError("the message ends inside a field")
        yield key >> 3, message[at : at + size]
        at += size


def _size(kind: int, message: bytes, at: int) -> tuple[int, int]:
    if kind == _BYTES:
        return _read_varint(message, at)
    if kind in (_FIXED32, _FIXED64):
        return 4 if kind == _FIXED32 else 8, at
    raise MalformedError(f"wire type {kind}")
