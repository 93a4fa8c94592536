"""The market data port: an MQTT server that publishes without being subscribed to (wire facts, 10)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

from brokers.sandbox.webull import mqtt_wire

if TYPE_CHECKING:
    from brokers.sandbox.webull.books import Login
    from brokers.sandbox.webull.venue import Venue

ACCEPTED, BAD_PROTOCOL, BLANK_CLIENT, BLANK_KEY = 0, 1, 2, 3
ALREADY_AUTHENTICATED, AUTH_FAILED, INVALID_KEY, TOO_MANY = 102, 103, 104, 105
MOST_CONNECTIONS = 5
KEPT_SECONDS = 60.0
NOTICE_SECONDS = 20.0
_PATIENCE = 1.5
Write = Callable[[bytes], None]


class Client:
    """One connection. ``write`` takes whole packets; ``silent`` keeps it open and sends nothing any more."""

    def __init__(self, server: Server, write: Write, abort: Callable[[], None]) -> None:
        self._server = server
        self._write = write
        self._buffer = bytearray()
        self.abort = abort
        self.login: Login | None = None
        self.session_id = ""
        self.keepalive = 0
        self.silent = False
        self.last_received = self.last_notice = time.monotonic()
        self.sent = 0

    def send(self, packet: bytes) -> None:
        if not self.silent:
            self._write(packet)

    def publish(self, topic: str, payload: bytes) -> None:
        self.sent += 1
        self.send(mqtt_wire.publish(topic, payload))

    def is_quiet(self, now: float) -> bool:
        """Whether it has not been heard for one and a half of its keepalives; 0 is no keepalive."""
        return self.keepalive > 0 and now - self.last_received > self.keepalive * _PATIENCE

    def feed(self, data: bytes) -> None:
        self.last_received = time.monotonic()
        self._buffer += data
        try:
            for kind, _flags, content in mqtt_wire.packets(self._buffer):
                self._take(kind, content)
        except mqtt_wire.ProtocolError:
            self.abort()

    def gone(self) -> None:
        self._server.detach(self)

    def _take(self, kind: int, content: bytes) -> None:
        if kind == mqtt_wire.CONNECT:
            code = self._server.connect(self, mqtt_wire.parse_connect(content))
            self.send(mqtt_wire.connack(code))
        elif self.login is None or kind == mqtt_wire.DISCONNECT:
            self.abort()
        elif kind == mqtt_wire.PINGREQ:
            self.send(mqtt_wire.PONG)
        elif kind == mqtt_wire.SUBSCRIBE:
            self.send(mqtt_wire.suback_refusing(content))


class _Port(asyncio.Protocol):
    """A TCP connection to the server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._client = self._server.attach(transport.write, transport.close)

    def data_received(self, data: bytes) -> None:
        self._client.feed(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._client.gone()


class Server:
    """All connections. ``dropped`` maps sessions that have gone to when; their subscriptions live on for a minute."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._listening: asyncio.Server | None = None
        self.clients: list[Client] = []
        self.dropped: dict[str, float] = {}

    async def start(self, host: str, port: int) -> int:
        """The port that was taken. Raises OSError when it is not free."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: _Port(self), host, port)
        return int(self._listening.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        for client in tuple(self.clients):
            client.abort()
        if self._listening is not None:
            self._listening.close()
            await self._listening.wait_closed()

    def attach(self, write: Write, abort: Callable[[], None]) -> Client:
        client = Client(self, write, abort)
        self.clients.append(client)
        if self._venue.faults.holds("refuse_connections", None):
            abort()
        return client

    def detach(self, client: Client) -> None:
        if client not in self.clients:
            return
        self.clients.remove(client)
        if client.login is not None and self.session(client.session_id) is None:
            self.dropped[client.session_id] = time.monotonic()

    def connect(self, client: Client, wanted: mqtt_wire.Connect) -> int:
        """CONNACK's code; the older connection of the same session is closed."""
        self._venue.arrivals.note("connect", "mqtt", wanted.username or None)
        code = self._connect_code(client, wanted)
        if code != ACCEPTED:
            return code
        older = self.session(wanted.client_id)
        client.login = self._venue.logins[wanted.username]
        client.session_id, client.keepalive = wanted.client_id, wanted.keepalive
        self.dropped.pop(client.session_id, None)
        if older is not None:
            older.abort()
            older.gone()
        if self._venue.faults.holds("refuse_connections", wanted.username):
            client.abort()
        return code

    def session(self, session_id: object) -> Client | None:
        """The live connection of a session."""
        found = (c for c in self.clients if c.login is not None and c.session_id == session_id)
        return next(found, None)

    def of_login(self, login: Login | None) -> list[Client]:
        """Connections of a login; None for all."""
        return [c for c in self.clients if c.login is not None and (login is None or c.login is login)]

    def tend(self) -> None:
        """Who has not been heard for one and a half keepalives is gone; the others are told how it is going."""
        now = time.monotonic()
        for client in self.of_login(None):
            if client.is_quiet(now):
                client.abort()
            elif now - client.last_notice > NOTICE_SECONDS:
                client.last_notice = now
                client.publish("echo", b"")
                client.publish("notice", orjson.dumps({"type": "status", "rtt": 1, "drop": 0, "sent": client.sent}))
        for session_id in [name for name, since in self.dropped.items() if now - since > KEPT_SECONDS]:
            del self.dropped[session_id]
            self._venue.streaming.forget(session_id)

    def _connect_code(self, client: Client, wanted: mqtt_wire.Connect) -> int:
        login = self._venue.logins.get(wanted.username)
        others = [other for other in self.of_login(login) if other.session_id != wanted.client_id]
        obstacles = (
            (wanted.protocol != "MQTT" or wanted.level != mqtt_wire.PROTOCOL_LEVEL, BAD_PROTOCOL),
            (not wanted.client_id, BLANK_CLIENT),
            (not wanted.username, BLANK_KEY),
            (client.login is not None, ALREADY_AUTHENTICATED),
            (login is None, INVALID_KEY),
            (login is not None and self._venue.faults.holds("bad_login", login.username), AUTH_FAILED),
            (len(others) >= MOST_CONNECTIONS, TOO_MANY),
        )
        return next((code for stands, code in obstacles if stands), ACCEPTED)
