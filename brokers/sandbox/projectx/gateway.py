"""The venue's port: REST and hubs on one low-level server that stamps bytes as they are read."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from brokers.sandbox.arrivals import Arrival
from brokers.sandbox.projectx.calls import Call, HttpRefusalError, Reply
from brokers.sandbox.projectx.dispatch import ENDPOINTS, WITHOUT_TOKEN, problem_details
from brokers.sandbox.projectx.fields import Fields, InvalidFieldError
from brokers.sandbox.projectx.hubserver import HubServer
from brokers.sandbox.projectx.sockets import MARKET_HUB, USER_HUB
from brokers.sandbox.projectx.tokens import Claims
from brokers.sandbox.stamping import StampingServer, abort, read_at

if TYPE_CHECKING:
    from brokers.sandbox.projectx.venue import Venue

API_PREFIX, HUB_PREFIX = "/api/", "/hubs/"
PING = "/api/status/ping"
NEGOTIATE = "/negotiate"
EXPIRED_IS_ANSWERED = "auth/validate"


class Gateway(StampingServer):
    """Protocol factory of the venue's port. Paths match in any case."""

    def __init__(self, venue: Venue, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(self._handle, loop)
        self._venue = venue
        self._hubs = HubServer(venue)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.lower().rstrip("/")
        if self._venue.faults.holds("refuse_connections", None):
            abort(request)
            return web.Response(status=503)
        if path == PING:
            return web.Response(text="pong")
        if path.startswith(HUB_PREFIX):
            return await self._serve_hub(request, path.removeprefix(HUB_PREFIX))
        endpoint = path.removeprefix(API_PREFIX)
        if not path.startswith(API_PREFIX) or endpoint not in ENDPOINTS:
            return web.Response(status=404)
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        return await self._serve_rest(request, endpoint, read_at(request))

    async def _serve_hub(self, request: web.BaseRequest, rest: str) -> web.StreamResponse:
        hub = rest.removesuffix(NEGOTIATE)
        if hub not in (USER_HUB, MARKET_HUB):
            return web.Response(status=404)
        token = request.query.get("access_token") or _bearer(request)
        claims = self._good_claims(token)
        if claims is not None and self._venue.faults.holds("refuse_connections", claims.username):
            abort(request)
            return web.Response(status=503)
        if rest.endswith(NEGOTIATE):
            self._venue.arrivals.note(f"hubs/{rest}", "rest", _name(claims), read_at(request))
            return self._hubs.negotiate(request, hub, claims)
        return await self._hubs.serve(request, hub, claims, lambda: read_at(request))

    def _good_claims(self, token: str) -> Claims | None:
        claims = self._venue.tokens.read(token)
        return None if claims is None or self._venue.tokens.is_expired(claims) else claims

    async def _serve_rest(self, request: web.BaseRequest, endpoint: str, moment: float) -> web.StreamResponse:
        arrival = self._venue.arrivals.note(endpoint, "rest", None, moment)
        token = _bearer(request)
        try:
            claims = self._signed_in(token, endpoint, arrival)
            fields = Fields(await _body(request))
        except HttpRefusalError as refused:
            return _response(Reply(refused.status, None))
        except InvalidFieldError as invalid:
            return _response(Reply(400, problem_details(invalid)))
        if claims is not None and self._venue.faults.holds("refuse_connections", claims.username):
            abort(request)
            return web.Response(status=503)
        answer: asyncio.Future[web.StreamResponse] = self.event_loop.create_future()

        def settle(response: web.StreamResponse) -> None:
            if not answer.done():
                answer.set_result(response)

        def drop() -> None:
            abort(request)
            settle(web.Response(status=500))

        call = Call(
            endpoint,
            fields,
            token,
            arrival,
            finish=lambda reply: settle(_response(reply)),
            drop=drop,
            garble=lambda reply: settle(_garbled(reply)),
            login=None if claims is None else self._venue.logins.get(claims.username),
        )
        self._venue.queue.add_request(lambda: self._venue.dispatcher.process(call))
        return await answer

    def _signed_in(self, token: str, endpoint: str, arrival: Arrival) -> Claims | None:
        """Whose token it is; None where none is needed, or where an expired one is answered with a code."""
        if endpoint in WITHOUT_TOKEN:
            return None
        claims = self._venue.tokens.read(token)
        arrival.username = _name(claims)
        if claims is None or claims.username not in self._venue.logins:
            raise HttpRefusalError(HTTPStatus.UNAUTHORIZED)
        if not self._venue.tokens.is_expired(claims):
            return claims
        if endpoint == EXPIRED_IS_ANSWERED and self._venue.switches.expired_validate == "code_3":
            return None
        raise HttpRefusalError(HTTPStatus.UNAUTHORIZED)


def _name(claims: Claims | None) -> str | None:
    return None if claims is None else claims.username


def _bearer(request: web.BaseRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _body(request: web.BaseRequest) -> dict[str, Any]:
    raw = await request.read()
    if not raw.strip():
        return {}
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise InvalidFieldError("$", "The JSON value could not be converted.")
    return document


def _response(reply: Reply) -> web.Response:
    if reply.body is None:
        headers = {"WWW-Authenticate": "Bearer"} if reply.status == HTTPStatus.UNAUTHORIZED else None
        return web.Response(status=reply.status, headers=headers)
    kind = "application/json" if reply.status == HTTPStatus.OK else "application/problem+json"
    body = orjson.dumps(reply.body)
    return web.Response(status=reply.status, body=body, content_type=kind, charset="utf-8")


def _garbled(reply: Reply) -> web.Response:
    whole = orjson.dumps(reply.body)
    return web.Response(body=whole[: len(whole) * 2 // 3], content_type="application/json", charset="utf-8")
