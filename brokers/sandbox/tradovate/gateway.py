"""The venue's port: REST and WebSocket on one low-level server that stamps bytes as they are read."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import WSMsgType, web

from brokers.sandbox.arrivals import Arrival
from brokers.sandbox.stamping import StampingServer, abort, read_at
from brokers.sandbox.tradovate import oauth, wire
from brokers.sandbox.tradovate.calls import ACCESS_DENIED, Call, HttpRefusalError, Reply
from brokers.sandbox.tradovate.dispatch import WITHOUT_TOKEN
from brokers.sandbox.tradovate.sessions import Session
from brokers.sandbox.tradovate.sockets import Socket, parse_params, parse_query, split_request

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.venue import Venue

API_PREFIX = "/v1/"
USER_SOCKET, MARKET_DATA_SOCKET = "/v1/websocket", "/v1/md/websocket"
OAUTH_PAGE, OAUTH_TOKEN_BARE = "/oauth", "/auth/oauthtoken"
LARGEST_MESSAGE = 1024 * 1024
Parsed = tuple[str, dict[str, Any]]


class Gateway(StampingServer):
    """Protocol factory of the venue's port."""

    def __init__(self, venue: Venue, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(self._handle, loop)
        self._venue = venue

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        moment = read_at(request)
        path = request.path.lower().rstrip("/")
        turned_away = self._turn_away(request)
        if turned_away is not None:
            return turned_away
        if request.headers.get("Upgrade", "").lower() == "websocket":
            if path in (USER_SOCKET, MARKET_DATA_SOCKET):
                return await self._serve_socket(request, for_market_data=path == MARKET_DATA_SOCKET)
            return web.Response(status=404)
        if path == OAUTH_PAGE:
            return await self._serve_oauth_page(request)
        if path == OAUTH_TOKEN_BARE or path.startswith(API_PREFIX):
            return await self._serve_rest(request, path.removeprefix(API_PREFIX).lstrip("/"), moment)
        return web.Response(status=404)

    def _turn_away(self, request: web.BaseRequest) -> web.Response | None:
        if self._venue.faults.holds("refuse_connections", None):
            abort(request)
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        if not self._venue.switches.moved or _is_at(request, self._venue.moved_url):
            return None
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return web.Response(status=HTTPStatus.MISDIRECTED_REQUEST)
        address = self._venue.moved_url.removesuffix(API_PREFIX.rstrip("/")) + request.path_qs
        return web.Response(status=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": address})

    async def _serve_rest(self, request: web.BaseRequest, endpoint: str, moment: float) -> web.StreamResponse:
        arrival = self._venue.arrivals.note(endpoint, "rest", None, moment)
        try:
            session = self._bearer_session(request, endpoint, arrival)
            params = await _rest_params(request)
        except HttpRefusalError as refused:
            return _response(Reply(refused.status, refused.text))
        answer: asyncio.Future[web.StreamResponse] = self.event_loop.create_future()

        def settle(response: web.StreamResponse) -> None:
            if not answer.done():
                answer.set_result(response)

        def drop() -> None:
            abort(request)
            settle(web.Response(status=500))

        call = Call(
            endpoint,
            params,
            arrival,
            finish=lambda reply: settle(_response(reply)),
            drop=drop,
            garble=lambda reply: settle(_garbled(reply)),
            session=session,
        )
        self._venue.queue.add_request(lambda: self._venue.dispatcher.process(call))
        return await answer

    def _bearer_session(self, request: web.BaseRequest, endpoint: str, arrival: Arrival) -> Session | None:
        if endpoint in WITHOUT_TOKEN:
            return None
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        session = self._venue.sessions.find(token.strip()) if scheme.lower() == "bearer" else None
        if session is None and self._venue.sessions.was_evicted(token.strip()):
            raise HttpRefusalError(self._venue.switches.evicted_status, ACCESS_DENIED)
        if session is None or token.strip() == session.md_token:
            raise HttpRefusalError(401, ACCESS_DENIED)
        arrival.username = session.login.username
        if self._venue.sessions.is_expired(session, token.strip()):
            raise HttpRefusalError(401, "Expired Access Token")
        if self._venue.faults.holds("refuse_connections", session.login.username):
            abort(request)
        return session

    async def _serve_oauth_page(self, request: web.BaseRequest) -> web.StreamResponse:
        fields = {str(name): str(value) for name, value in request.query.items()}
        if request.method != "POST":
            return web.Response(text=oauth.page(fields), content_type="text/html")
        form = {str(name): str(value) for name, value in (await request.post()).items()}
        address, page = oauth.grant_code(self._venue, fields | form)
        if address is None:
            return web.Response(text=page, content_type="text/html")
        return web.Response(status=302, headers={"Location": address})

    async def _serve_socket(self, request: web.BaseRequest, *, for_market_data: bool) -> web.StreamResponse:
        websocket = web.WebSocketResponse(compress=False, max_msg_size=LARGEST_MESSAGE, timeout=1.0)
        await websocket.prepare(request)
        transport = request.transport
        if transport is None:
            return websocket
        socket = Socket(transport, for_market_data=for_market_data)
        self._venue.attach(socket)
        try:
            if self._venue.switches.open_frame == "immediate":
                socket.open()
            async for message in websocket:
                if message.type is WSMsgType.TEXT:
                    self._take_in(socket, message.data, read_at(request))
        finally:
            self._venue.detach(socket)
        return websocket

    def _take_in(self, socket: Socket, text: str, moment: float) -> None:
        """Note the arrival and queue the request; nothing else happens while bytes are being read."""
        socket.last_received = time.monotonic()
        socket.open()
        if text == wire.CLIENT_HEARTBEAT:
            return
        username = None if socket.session is None else socket.session.login.username
        endpoint = text.partition("\n")[0].strip().lower()
        arrival = self._venue.arrivals.note(endpoint, "ws", username, moment)
        self._venue.queue.add_request(lambda: self._process(socket, text, arrival))

    def _process(self, socket: Socket, text: str, arrival: Arrival) -> None:
        endpoint, request_id, query, body = split_request(text)
        number = int(request_id) if request_id.isascii() and request_id.isdigit() else 0
        try:
            params = _socket_params(endpoint, query, body)
            _check_socket_session(socket, endpoint)
        except HttpRefusalError as refused:
            socket.reply(number, Reply(refused.status, refused.text))
            return
        call = Call(
            endpoint,
            params,
            arrival,
            finish=lambda reply: socket.reply(number, reply),
            drop=socket.abort,
            garble=lambda reply: socket.garble(number, reply),
            session=socket.session,
            socket=socket,
        )
        self._venue.dispatcher.process(call)


def _is_at(request: web.BaseRequest, url: str) -> bool:
    """Whether the request came in by this address's port."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return name is None or f":{name[1]}/" in url


def _check_socket_session(socket: Socket, endpoint: str) -> None:
    """A socket outlives the expiry of its token, but not the revocation of its session.

    A market data socket is good for md/* only.
    """
    if endpoint == "authorize":
        return
    wrong_kind = socket.for_market_data and not endpoint.startswith("md/")
    if socket.session is None or socket.session.revoked or wrong_kind:
        raise HttpRefusalError(401, ACCESS_DENIED)


def _socket_params(endpoint: str, query: str, body: str) -> dict[str, Any]:
    if endpoint == "authorize":
        return {"token": body.strip().strip('"')}
    return parse_params(query, body)


async def _rest_params(request: web.BaseRequest) -> dict[str, Any]:
    """Query and body of any method; the body is JSON, or a form as the official OAuth sample posts it."""
    body = (await request.read()).decode(errors="replace")
    if request.content_type == "application/x-www-form-urlencoded":
        return parse_query(request.query_string) | {k: str(v) for k, v in (await request.post()).items()}
    return parse_params(request.query_string, body)


def _response(reply: Reply) -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status)
    if reply.status != HTTPStatus.OK:
        return web.Response(status=reply.status, text=str(reply.body))
    return web.Response(body=orjson.dumps(reply.body), content_type="application/json")


def _garbled(reply: Reply) -> web.Response:
    whole = orjson.dumps(reply.body)
    return web.Response(body=whole[: len(whole) * 2 // 3], content_type="application/json")
