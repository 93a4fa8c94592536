"""SignalR's JSON hub protocol: records, handshake, invocations."""

from __future__ import annotations

from typing import Any

import orjson

RECORD_END = b"\x1e"
INVOCATION, COMPLETION, STREAM_INVOCATION, PING, CLOSE = 1, 3, 4, 6, 7
LATEST_VERSION = 1
UNKNOWN_METHOD = "Method does not exist."
CLOSED_WITH_ERROR = "Connection closed with an error."
HANDSHAKE_OK = b"{}" + RECORD_END
PING_RECORD = b'{"type":6}' + RECORD_END
_TEXT_OPCODE = 0x81
_SMALL, _MEDIUM = 126, 65536
Message = dict[str, Any]


class Records:
    """Cuts what comes in into records, however they are spread over frames."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> list[bytes]:
        *whole, self._rest = (self._rest + data).split(RECORD_END)
        return whole


def record(message: Message) -> bytes:
    return orjson.dumps(message) + RECORD_END


def invocation(target: str, arguments: list[Any]) -> bytes:
    return record({"type": INVOCATION, "target": target, "arguments": arguments})


def completion(invocation_id: str, error: str | None = None) -> bytes:
    outcome: Message = {"result": None} if error is None else {"error": error}
    return record({"type": COMPLETION, "invocationId": invocation_id, **outcome})


def close(error: str | None, *, allow_reconnect: bool) -> bytes:
    message: Message = {"type": CLOSE}
    if error is not None:
        message["error"] = error
    if allow_reconnect:
        message["allowReconnect"] = True
    return record(message)


def handshake_problem(raw: bytes) -> str | None:
    """Why a handshake request is refused; None when it is good. Clients say version 0 or 1."""
    try:
        asked = orjson.loads(raw)
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict) or "protocol" not in asked:
        return "Handshake was canceled."
    protocol, version = asked["protocol"], asked.get("version", 0)
    if protocol != "json":
        return f"The protocol '{protocol}' is not supported."
    if not isinstance(version, int) or version > LATEST_VERSION:
        return f"The server does not support version {version} of the 'json' protocol."
    return None


def refused_handshake(problem: str) -> bytes:
    return record({"error": problem})


def websocket_text(payload: bytes) -> bytes:
    """One unmasked server text frame (RFC 6455 5.2)."""
    size = len(payload)
    if size < _SMALL:
        return bytes((_TEXT_OPCODE, size)) + payload
    if size < _MEDIUM:
        return bytes((_TEXT_OPCODE, _SMALL)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT_OPCODE, _SMALL + 1)) + size.to_bytes(8, "big") + payload
