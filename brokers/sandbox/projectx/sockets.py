"""One hub connection: records out, handshake and invocations in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import orjson

from brokers.sandbox.projectx import signalr
from brokers.sandbox.projectx.books import Event, Login
from brokers.sandbox.projectx.switches import Switches
from brokers.sandbox.projectx.tokens import Claims

USER_HUB, MARKET_HUB = "user", "market"
EVENT_NAMES = {
    "accounts": "GatewayUserAccount",
    "orders": "GatewayUserOrder",
    "positions": "GatewayUserPosition",
    "trades": "GatewayUserTrade",
}
LOGOUT = "GatewayLogout"
MOST_UNSENT_BYTES = 64 * 1024 * 1024
NORMAL_CLOSE_FRAME = b"\x88\x02\x03\xe8"


class HubSocket:
    """``wanted`` holds (kind, account id or None) of a user hub, (kind, contract id) of a market hub.

    ``silent`` keeps TCP open and sends nothing any more. ``last_quotes`` is what the client knows of each contract.
    """

    def __init__(
        self, transport: asyncio.Transport, hub: str, login: Login, claims: Claims, switches: Switches
    ) -> None:
        self._transport = transport
        self._switches = switches
        self._records = signalr.Records()
        self.hub = hub
        self.login = login
        self.claims = claims
        self.wanted: set[tuple[str, Any]] = set()
        self.last_quotes: dict[str, dict[str, Any]] = {}
        self.is_open = False
        self.silent = False
        self.last_sent = self.last_received = time.monotonic()

    def take_in(self, data: bytes, on_message: Callable[[signalr.Message], None]) -> None:
        """Records as they complete; the first is the handshake."""
        self.last_received = time.monotonic()
        for raw in self._records.take(data):
            if not self.is_open:
                self._shake_hands(raw)
            elif not self._transport.is_closing():
                self._read(raw, on_message)

    def _shake_hands(self, raw: bytes) -> None:
        problem = signalr.handshake_problem(raw)
        if problem is not None:
            self._write(signalr.refused_handshake(problem))
            self._end()
            return
        self.is_open = True
        self._write(signalr.HANDSHAKE_OK)

    def _read(self, raw: bytes, on_message: Callable[[signalr.Message], None]) -> None:
        try:
            message = orjson.loads(raw)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            self.close(signalr.CLOSED_WITH_ERROR, allow_reconnect=False)
        elif message.get("type") == signalr.CLOSE:
            self._end()
        else:
            on_message(message)

    def send(self, records: list[bytes]) -> None:
        """Whole records, framed as the switch says; a reader that is far behind is cut off."""
        if not records or not self.is_open:
            return
        framing = self._switches.framing
        if framing == "batched":
            self._write(b"".join(records))
            return
        for record in records:
            if framing == "split":
                middle = len(record) // 2
                self._write(record[:middle])
                self._write(record[middle:])
            else:
                self._write(record)

    def garble(self, records: list[bytes]) -> None:
        """Records that are no JSON."""
        self.send([record[: len(record) * 2 // 3] + signalr.RECORD_END for record in records])

    def deliver(self, account_id: int, events: list[Event]) -> list[bytes]:
        """The records of those events that this connection asked for."""
        return [self._user_record(event) for event in events if self._wants(event.kind, account_id)]

    def _wants(self, kind: str, account_id: int) -> bool:
        return (kind, None if kind == "accounts" else account_id) in self.wanted

    def _user_record(self, event: Event) -> bytes:
        """Members that are null are left out, as the live hub does."""
        row = {name: value for name, value in event.row.items() if value is not None}
        argument = {"action": event.action, "data": row} if self._switches.wrapped_events else row
        return signalr.invocation(EVENT_NAMES[event.kind], [argument])

    def beat(self, now: float) -> None:
        if self.is_open and now - self.last_sent >= self._switches.ping_seconds:
            self._write(signalr.PING_RECORD)

    def log_out(self) -> None:
        """The session was taken over or ended; the connection stays until somebody closes it."""
        self.send([signalr.invocation(LOGOUT, [])])

    def close(self, error: str | None, *, allow_reconnect: bool) -> None:
        """Close record, close frame, end of the connection."""
        if self.is_open:
            self._write(signalr.close(error, allow_reconnect=allow_reconnect))
        self._end()

    def abort(self) -> None:
        self._transport.abort()

    def _end(self) -> None:
        if not self.silent and not self._transport.is_closing():
            self._transport.write(NORMAL_CLOSE_FRAME)
        self._transport.close()

    def _write(self, payload: bytes) -> None:
        if self.silent or self._transport.is_closing():
            return
        self.last_sent = time.monotonic()
        self._transport.write(signalr.websocket_text(payload))
        if self._transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self._transport.abort()
