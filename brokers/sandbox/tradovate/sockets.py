"""One WebSocket connection of the venue: frames out, requests in (Tradovate wire facts, 3.1 to 3.5)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson

from brokers.sandbox.tradovate import wire
from brokers.sandbox.tradovate.books import Event
from brokers.sandbox.tradovate.calls import HttpRefusalError, Reply
from brokers.sandbox.tradovate.synchronisation import Subscription

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.sessions import Session

HEARTBEAT_SECONDS = 2.5
MOST_UNSENT_BYTES = 64 * 1024 * 1024


class Socket:
    """Outgoing side and state of one connection. ``silent`` keeps TCP open and sends nothing any more."""

    def __init__(self, transport: asyncio.Transport, *, for_market_data: bool) -> None:
        self._transport = transport
        self.for_market_data = for_market_data
        self.session: Session | None = None
        self.subscription: Subscription | None = None
        self.quoted: set[int] = set()
        self.silent = False
        self.opened = False
        self.connected = self.last_sent = self.last_received = time.monotonic()

    @property
    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def open(self) -> None:
        if not self.opened:
            self.opened = True
            self.send([wire.OPEN_FRAME])

    def send(self, payloads: list[bytes]) -> None:
        """Write whole text frames at once; a reader that is far behind is cut off."""
        if self.silent or self._transport.is_closing():
            return
        self.last_sent = time.monotonic()
        self._transport.write(b"".join(map(wire.websocket_text, payloads)))
        if self._transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self._transport.abort()

    def reply(self, request_id: int, reply: Reply) -> None:
        self.send([wire.message_frame([wire.reply_message(reply.status, request_id, reply.body)])])

    def garble(self, request_id: int, reply: Reply) -> None:
        whole = wire.message_frame([wire.reply_message(reply.status, request_id, reply.body)])
        self.send([whole[: len(whole) * 2 // 3]])

    def deliver(self, account_id: int, frames: list[list[Event]]) -> None:
        """Events of one account, as far as this socket's syncrequest asked for them."""
        wanted = self.subscription
        if wanted is None or not wanted.wants_account(account_id):
            return
        chosen = [[body for kind, body in frame if wanted.wants_type(kind)] for frame in frames]
        self.send([wire.message_frame(bodies) for bodies in chosen if bodies])

    def push(self, event: dict[str, Any]) -> None:
        self.send([wire.message_frame([orjson.dumps(event)])])

    def beat(self, now: float) -> None:
        """Server heartbeat, suppressed while data flows."""
        if self.opened and now - self.last_sent >= HEARTBEAT_SECONDS:
            self.send([wire.HEARTBEAT_FRAME])

    def shut_down(self, reason_code: str) -> None:
        """shutdown event, close frame, end of the connection."""
        self.push({"e": "shutdown", "d": {"reasonCode": reason_code}})
        self.close()

    def close(self) -> None:
        self.send([wire.CLOSE_FRAME])
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


def split_request(text: str) -> tuple[str, str, str, str]:
    """(endpoint, id, query, body) of ``endpoint\\nid\\nquery\\nbody``; missing fields at the end are blank."""
    parts = text.split("\n", 3)
    endpoint, request_id, query, body = parts + [""] * (4 - len(parts))
    return endpoint.strip().lower(), request_id.strip(), query, body


def parse_params(query: str, body: str) -> dict[str, Any]:
    """Query and JSON body merged. An official sample sends the text ``undefined`` for no body."""
    params = parse_query(query)
    body = body.strip()
    if body in ("", "undefined"):
        return params
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        raise HttpRefusalError(400, f"Invalid JSON: {broken}") from broken
    if not isinstance(document, dict):
        raise HttpRefusalError(400, "Invalid JSON: object expected")
    return params | document


def parse_query(query: str) -> dict[str, Any]:
    """Query text with numbers and booleans as such; a repeated key becomes a list."""
    params: dict[str, Any] = {}
    for name, values in parse_qs(query.strip().lstrip("?")).items():
        typed = [value if name in {"name", "t"} else _typed(value) for value in values]
        params[name] = typed[0] if len(typed) == 1 else typed
    return params


def _typed(value: str) -> object:
    if value in ("true", "false"):
        return value == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
