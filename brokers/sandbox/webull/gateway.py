"""The venue's HTTP port: signed requests, and MQTT inside WebSocket frames at /mqtt."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import WSMsgType, web

from brokers.sandbox.arrivals import Arrival
from brokers.sandbox.stamping import StampingServer, abort, read_at
from brokers.sandbox.webull import signature, tokens
from brokers.sandbox.webull.books import Login
from brokers.sandbox.webull.calls import Call, Reply
from brokers.sandbox.webull.mqtt_wire import websocket_frame
from brokers.sandbox.webull.routes import WITHOUT_TOKEN, Route, find_route
from brokers.sandbox.webull.wire import RefusalError, parameter_error, refusal, route_not_found, unauthorized

if TYPE_CHECKING:
    from brokers.sandbox.webull.venue import Venue

MQTT_PATH = "/mqtt"
LARGEST_MESSAGE = 1024 * 1024
_ABORTED = 503


class Gateway(StampingServer):
    """Protocol factory of the venue's HTTP port."""

    def __init__(self, venue: Venue, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(self._handle, loop)
        self._venue = venue

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        moment = read_at(request)
        if self._venue.faults.holds("refuse_connections", None):
            return _aborted(request)
        if request.path == MQTT_PATH and request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_mqtt(request)
        body = await request.read()
        route = find_route(request.method, request.path)
        endpoint = request.path.removeprefix("/") if route is None else route.endpoint
        arrival = self._venue.arrivals.note(endpoint, "rest", request.headers.get("x-app-key"), moment)
        try:
            if route is None:
                raise route_not_found()
            login = self._signer(request, body)
            self._check_token(request, route, login)
            params = _params(request, body)
        except RefusalError as refused:
            return _response(Reply(refused.status, refused.body))
        if self._venue.faults.holds("refuse_connections", login.username):
            return _aborted(request)
        return await self._answer(request, route, params, arrival, login)

    async def _answer(
        self, request: web.BaseRequest, route: Route, params: dict[str, Any], arrival: Arrival, login: Login
    ) -> web.StreamResponse:
        answer: asyncio.Future[web.StreamResponse] = self.event_loop.create_future()

        def settle(response: web.StreamResponse) -> None:
            if not answer.done():
                answer.set_result(response)

        call = Call(
            route.endpoint,
            request.headers.get("x-version") or route.version,
            params,
            arrival,
            login,
            finish=lambda reply: settle(_response(reply)),
            drop=lambda: settle(_aborted(request)),
            garble=lambda reply: settle(_garbled(reply)),
        )
        self._venue.queue.add_request(lambda: self._venue.dispatcher.process(call))
        return await answer

    def _signer(self, request: web.BaseRequest, body: bytes) -> Login:
        """The login whose secret signed the request. Raises RefusalError."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self._check_headers(headers)
        login = self._venue.logins.get(headers["x-app-key"])
        if login is None:
            if self._venue.switches.unknown_key == "not_found":
                raise route_not_found()
            raise unauthorized("The app key is invalid")
        if self._venue.faults.holds("bad_login", login.username):
            raise unauthorized("The app key is invalid")
        query = parse_qsl(request.query_string, keep_blank_values=True)
        signatures = (
            signature.http_signature(login.password, headers, host, request.path, query, body)
            for host in signature.hosts_of(headers.get("host", ""))
        )
        given = headers[signature.SIGNATURE]
        if not any(signature.matches(expected, given) for expected in signatures):
            raise unauthorized("The signature is invalid")
        problem = self._venue.freshness_problem(login, headers["x-timestamp"], headers["x-signature-nonce"])
        if problem is not None:
            raise unauthorized(problem)
        return login

    def _check_headers(self, headers: Mapping[str, str]) -> None:
        missing = [name for name in (*signature.SIGNED_HEADERS, signature.SIGNATURE) if not headers.get(name)]
        if "x-app-key" in missing and self._venue.switches.unsigned == "sandbox":
            raise refusal("MISSING_APP_KEY", "The app key is missing", 401)
        if headers.get(signature.ALGORITHM) not in signature.ALGORITHMS:
            missing.insert(0, signature.ALGORITHM)
        if missing:
            # The venue spells it so.
            raise refusal("ILLEAGAL_PARAMETER", f'property "{missing[0]}" is required', 400)

    def _check_token(self, request: web.BaseRequest, route: Route, login: Login) -> None:
        switches = self._venue.switches
        if not switches.token_check or route.endpoint in WITHOUT_TOKEN:
            return
        if not tokens.is_good(login, switches, request.headers.get("x-access-token")):
            raise unauthorized("The access token is invalid")

    async def _serve_mqtt(self, request: web.BaseRequest) -> web.StreamResponse:
        websocket = web.WebSocketResponse(protocols=("mqtt",), compress=False, max_msg_size=LARGEST_MESSAGE)
        await websocket.prepare(request)
        transport = request.transport
        if transport is None:
            return websocket
        client = self._venue.mqtt.attach(lambda packet: transport.write(websocket_frame(packet)), transport.close)
        try:
            async for message in websocket:
                if message.type is WSMsgType.BINARY:
                    client.feed(message.data)
        finally:
            client.gone()
        return websocket


def _params(request: web.BaseRequest, body: bytes) -> dict[str, Any]:
    """Query of a GET, JSON body of a POST."""
    if request.method == "GET":
        return {str(name): str(value) for name, value in request.query.items()}
    try:
        parsed = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        raise parameter_error("the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise parameter_error("the body is not a JSON object")
    return parsed


def _aborted(request: web.BaseRequest) -> web.Response:
    abort(request)
    return web.Response(status=_ABORTED)


def _response(reply: Reply) -> web.Response:
    body = b"" if reply.body is None else orjson.dumps(reply.body)
    headers = {"X-Request-Id": uuid.uuid4().hex}
    return web.Response(status=reply.status, body=body, content_type="application/json", headers=headers)


def _garbled(reply: Reply) -> web.Response:
    whole = orjson.dumps(reply.body)
    return web.Response(body=whole[: len(whole) * 2 // 3], content_type="application/json")
