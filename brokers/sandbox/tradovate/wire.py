"""Frames and events as bytes: SockJS-like framing and the ``props`` envelope (Tradovate wire facts, 3.1 to 3.5)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import orjson

Row = dict[str, Any]

OPEN_FRAME = b"o"
HEARTBEAT_FRAME = b"h"
CLOSE_FRAME = b'c[3000,"Go away!"]'
CLIENT_HEARTBEAT = "[]"
_TEXT_OPCODE = 0x81
_SMALL, _MEDIUM = 126, 65536
_EVENT_PREFIXES: dict[tuple[str, str], bytes] = {}


def money(value: Decimal) -> float:
    """Decimal as the JSON number the venue sends; the only place where a price becomes a float."""
    return float(value)


def decimal(value: float | str) -> Decimal:
    """JSON number as Decimal: the shortest text of a double is the price that was meant."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def props_event(entity_type: str, event_type: str, row: Row) -> bytes:
    prefix = _EVENT_PREFIXES.get((entity_type, event_type))
    if prefix is None:
        head = json.dumps({"entityType": entity_type, "eventType": event_type}, separators=(",", ":"))
        prefix = f'{{"e":"props","d":{head[:-1]},"entity":'.encode()
        _EVENT_PREFIXES[(entity_type, event_type)] = prefix
    return prefix + orjson.dumps(row) + b"}}"


def message_frame(messages: list[bytes]) -> bytes:
    return b"a[" + b",".join(messages) + b"]"


def reply_message(status: int, request_id: int, body: object) -> bytes:
    """``{"s","i","d"}``; ``d`` is left out when there is no body."""
    if body is None:
        return orjson.dumps({"s": status, "i": request_id})
    return orjson.dumps({"s": status, "i": request_id, "d": body})


def websocket_text(payload: bytes) -> bytes:
    """One unmasked server text frame (RFC 6455 5.2)."""
    size = len(payload)
    if size < _SMALL:
        return bytes((_TEXT_OPCODE, size)) + payload
    if size < _MEDIUM:
        return bytes((_TEXT_OPCODE, _SMALL)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT_OPCODE, _SMALL + 1)) + size.to_bytes(8, "big") + payload
