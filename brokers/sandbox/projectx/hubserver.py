"""Opening hub connections: negotiation, the WebSocket upgrade, and the reading of frames (ProjectX wire facts, 12)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from aiohttp import WSMsgType, web

from brokers.sandbox.projectx import hubs, signalr
from brokers.sandbox.projectx.sockets import HubSocket
from brokers.sandbox.projectx.tokens import Claims

if TYPE_CHECKING:
    from brokers.sandbox.projectx.venue import Venue

LARGEST_MESSAGE = 1024 * 1024
NEGOTIATION_SECONDS = 15.0
UNAUTHORIZED = "Unauthorized"
TRANSPORTS = [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}]


class HubServer:
    """``_awaited`` maps an id that a negotiation gave out to its hub and when it was (``time.monotonic``)."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._awaited: dict[str, tuple[str, float]] = {}

    def negotiate(self, request: web.BaseRequest, hub: str, claims: Claims | None) -> web.Response:
        """Version 1 names a connection by its token, version 0 by its id."""
        if request.method != "POST":
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED)
        if claims is None and self._venue.switches.hub_refusal == "http_401":
            return web.Response(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
        asked = request.query.get("negotiateVersion", "0")
        version = min(int(asked), signalr.LATEST_VERSION) if asked.isascii() and asked.isdigit() else 0
        connection_id, token = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        body = {"negotiateVersion": version, "connectionId": connection_id, "availableTransports": TRANSPORTS}
        if version > 0:
            body["connectionToken"] = token
        self._awaited[token if version > 0 else connection_id] = (hub, time.monotonic())
        return web.Response(body=orjson.dumps(body), content_type="application/json")

    async def serve(
        self, request: web.BaseRequest, hub: str, claims: Claims | None, read_at: Callable[[], float]
    ) -> web.StreamResponse:
        """A WebSocket with the id of a negotiation, or straight away without one."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=HTTPStatus.BAD_REQUEST, text="Connection ID required")
        if claims is None and self._venue.switches.hub_refusal == "http_401":
            return web.Response(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
        connection_id = request.query.get("id")
        if connection_id is not None and not self._is_awaited(connection_id, hub):
            return web.Response(status=HTTPStatus.NOT_FOUND, text="No Connection with that ID")
        websocket = web.WebSocketResponse(compress=False, max_msg_size=LARGEST_MESSAGE, timeout=1.0)
        await websocket.prepare(request)
        login = None if claims is None else self._venue.logins.get(claims.username)
        if claims is None or login is None:
            await _turn_down(websocket)
            return websocket
        if request.transport is not None:
            socket = HubSocket(request.transport, hub, login, claims, self._venue.switches)
            await self._read(websocket, socket, read_at)
        return websocket

    async def _read(self, websocket: web.WebSocketResponse, socket: HubSocket, read_at: Callable[[], float]) -> None:
        self._venue.desk.attach(socket)
        try:
            async for message in websocket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    data = message.data.encode() if isinstance(message.data, str) else message.data
                    socket.take_in(data, lambda record: self._note(socket, record, read_at()))
        finally:
            self._venue.desk.detach(socket)

    def _note(self, socket: HubSocket, message: signalr.Message, moment: float) -> None:
        """Note the arrival and queue the invocation; nothing else happens while bytes are being read."""
        if message.get("type") not in (signalr.INVOCATION, signalr.STREAM_INVOCATION):
            return
        endpoint = f"hubs/{socket.hub}/{str(message.get('target', '')).lower()}"
        self._venue.arrivals.note(endpoint, "ws", socket.login.username, moment)
        self._venue.queue.add_request(lambda: hubs.process(self._venue, socket, message))

    def _is_awaited(self, connection_id: str, hub: str) -> bool:
        wanted, since = self._awaited.pop(connection_id, ("", 0.0))
        return wanted == hub and time.monotonic() - since < NEGOTIATION_SECONDS


async def _turn_down(websocket: web.WebSocketResponse) -> None:
    """Answer the handshake with an error."""
    async for message in websocket:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            await websocket.send_str(signalr.refused_handshake(UNAUTHORIZED).decode())
            break
    await websocket.close()
