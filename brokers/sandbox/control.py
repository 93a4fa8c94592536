"""The control interface: what tests, demo and fire-drill use to look into the venue and to upset it.

Not part of the venue's protocol; every answer is JSON, every refusal is 400 ``{"error", "field"}``. A POST answers when
all that it caused has happened.

GET /state, /stats, /faults, /switches, /arrivals?since=<epoch seconds>; DELETE /faults
POST /price {symbol, price | feed: "seeded"}; /price-script {symbol, steps: [{after, price}]} (seconds after the last)
POST /faults {account: id | name | username | "*", kind, count, endpoint, ...} (``faults.KINDS``): ``count`` null is
until deleted; without ``endpoint`` a fault concerns trading commands only, "*" is every endpoint; token_expiry,
silent_socket, replay and shutdown happen at once
POST /switches {name: value} (``switches.Switches``)
POST /accounts {count | logins: [{username, password, accounts, balance}]}
POST /manual {account, symbol, action, qty}; /reset; /session-roll
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import orjson
from aiohttp import web

from brokers.sandbox.clocks import Clocks
from brokers.sandbox.errors import BadFieldError
from brokers.sandbox.faults import IMMEDIATE
from brokers.sandbox.host import HostedVenue, NewLogin
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.market.quotes import PriceBoard

MOST_ACCOUNTS_AT_ONCE = 5000
MOST_STEPS = 10_000
LONGEST_WAIT_SECONDS = 86_400
Body = dict[str, Any]


class Control:
    """Routes of the control port."""

    def __init__(self, venue: HostedVenue, clocks: Clocks) -> None:
        self._venue = venue
        self._clocks = clocks

    def application(self) -> web.Application:
        app = web.Application(middlewares=[_refusals_as_json])
        app.router.add_get("/state", self._state)
        app.router.add_get("/arrivals", self._arrivals)
        app.router.add_get("/stats", self._stats)
        app.router.add_get("/faults", self._list_faults)
        app.router.add_delete("/faults", self._clear_faults)
        app.router.add_get("/switches", self._list_switches)
        changes: dict[str, Callable[[Body], Any]] = {
            "/price": self._set_price,
            "/price-script": self._script_prices,
            "/faults": self._add_fault,
            "/switches": self._set_switches,
            "/accounts": self._add_accounts,
            "/manual": self._manual_trade,
            "/reset": self._reset,
            "/session-roll": self._roll_session,
        }
        for path, change in changes.items():
            app.router.add_post(path, self._changing(change))
        return app

    def _changing(self, change: Callable[[Body], Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            answer = change(await _body(request))
            await self._venue.queue.quiet()
            return _json(answer)

        return handle

    async def _state(self, _request: web.Request) -> web.Response:
        await self._venue.queue.quiet()
        return _json({self._venue.name: self._venue.state()})

    async def _arrivals(self, request: web.Request) -> web.Response:
        try:
            since = float(request.query.get("since", "0"))
        except ValueError:
            since = math.nan
        if not math.isfinite(since):
            raise BadFieldError("since", f"was {request.query['since']!r}, must be epoch seconds")
        return _json(self._venue.arrivals.since(since))

    async def _stats(self, _request: web.Request) -> web.Response:
        return _json(self._clocks.stats() | self._venue.queue.stats() | {"sockets": self._venue.socket_count()})

    async def _list_faults(self, _request: web.Request) -> web.Response:
        return _json(self._venue.faults.list())

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._venue.faults.clear()
        return _json([])

    async def _list_switches(self, _request: web.Request) -> web.Response:
        return _json(self._venue.switches.as_dict())

    def _set_price(self, body: Body) -> Body:
        contract = self._venue.contract_named(body.get("symbol"))
        board = self._venue.board
        if "feed" in body:
            if body["feed"] != "seeded":
                raise BadFieldError("feed", f"was {body['feed']!r}, must be 'seeded'")
            board.release(contract)
        else:
            board.pin(contract, price_on_grid(contract, _price(body.get("price"))))
        return self._quote(contract)

    def _script_prices(self, body: Body) -> Body:
        contract = self._venue.contract_named(body.get("symbol"))
        steps = body.get("steps")
        if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
            raise BadFieldError("steps", "must be a list of {after, price}")
        at, board = 0.0, self._venue.board
        planned: list[tuple[float, Decimal]] = []
        for step in steps:
            if not isinstance(step, dict):
                raise BadFieldError("steps", f"was {step!r}, must be {{after, price}}")
            at += _seconds("after", step.get("after"))
            planned.append((at, price_on_grid(contract, _price(step.get("price")))))
        for due, price in planned:
            self._venue.queue.later(due, partial(_pin_unless_reset, board, board.generation, contract, price))
        return {"symbol": contract.name, "steps": len(steps), "seconds": at}

    def _add_fault(self, body: Body) -> Body:
        subject = self._venue.subject_named(body.get("account"))
        fault = self._venue.faults.make(body, *self._venue.owner_of(subject))
        if fault.kind in IMMEDIATE:
            return fault.as_dict() | {"affected": self._venue.act_at_once(fault, subject)}
        self._venue.faults.add(fault)
        return fault.as_dict()

    def _set_switches(self, body: Body) -> Body:
        self._venue.switches.change(body)
        return self._venue.switches.as_dict()

    def _add_accounts(self, body: Body) -> list[Body]:
        if "count" in body:
            count = body["count"]
            if type(count) is not int or not 0 < count <= MOST_ACCOUNTS_AT_ONCE:
                raise BadFieldError("count", f"was {count!r}, must be between 1 and {MOST_ACCOUNTS_AT_ONCE}")
            return self._venue.add_numbered_logins(count)
        rows = body.get("logins")
        if not isinstance(rows, list) or not rows:
            raise BadFieldError("logins", "must be a list of {username, password, accounts}")
        wanted = [_login_fields(row) for row in rows]
        return [row for login in wanted for row in self._venue.add_login(login)]

    def _manual_trade(self, body: Body) -> Body:
        account = self._venue.subject_named(body.get("account"))
        if account is None or self._venue.owner_of(account)[0] is None:
            raise BadFieldError("account", f"was {body.get('account')!r}, must name one account")
        contract = self._venue.contract_named(body.get("symbol"))
        action, qty = body.get("action"), body.get("qty")
        if action not in ("Buy", "Sell"):
            raise BadFieldError("action", f"was {action!r}, must be Buy or Sell")
        if type(qty) is not int or qty <= 0:
            raise BadFieldError("qty", f"was {qty!r}, must be a whole number above 0")
        return self._venue.manual_trade(account, contract, action, qty)

    def _reset(self, _body: Body) -> Body:
        self._venue.reset()
        return {"ok": True}

    def _roll_session(self, _body: Body) -> Body:
        self._venue.roll_session()
        return {"ok": True}

    def _quote(self, contract: Contract) -> Body:
        board = self._venue.board
        quote = board.quote(contract)
        prices = {"last": float(quote.last), "bid": float(quote.bid), "ask": float(quote.ask)}
        return {"symbol": contract.name, "pinned": board.is_pinned(contract), **prices}


def _pin_unless_reset(board: PriceBoard, generation: int, contract: Contract, price: Decimal) -> None:
    if board.generation == generation:
        board.pin(contract, price)


@web.middleware
async def _refusals_as_json(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except BadFieldError as refused:
        return _json({"error": refused.problem, "field": refused.field}, status=400)
    return response


async def _body(request: web.Request) -> Body:
    raw = await request.read()
    try:
        body = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError as broken:
        raise BadFieldError("body", f"not JSON: {broken}") from broken
    if not isinstance(body, dict):
        raise BadFieldError("body", "must be a JSON object")
    return body


def _json(answer: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(answer), content_type="application/json", status=status)


def price_on_grid(contract: Contract, price: Decimal) -> Decimal:
    tick = contract.product.tick
    if price <= 0 or price % tick != 0:
        raise BadFieldError("price", f"was {price}, must be above 0 and a multiple of the tick size {tick}")
    return price


def _price(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadFieldError("price", f"was {value!r}, must be a number")
    return Decimal(repr(value))


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LONGEST_WAIT_SECONDS:
        raise BadFieldError(name, f"was {value!r}, must be seconds between 0 and {LONGEST_WAIT_SECONDS}")
    return float(value)


def _login_fields(row: object) -> NewLogin:
    if not isinstance(row, dict):
        raise BadFieldError("logins", f"was {row!r}, must be {{username, password, accounts}}")
    for name in ("username", "password"):
        if not isinstance(row.get(name), str) or not row[name]:
            raise BadFieldError(name, f"was {row.get(name)!r}, must be a text")
    accounts = row.get("accounts", [f"DEMO-{row['username']}"])
    if not isinstance(accounts, list) or not accounts or not all(isinstance(a, str) and a for a in accounts):
        raise BadFieldError("accounts", f"was {accounts!r}, must be a list of account names")
    balance = row.get("balance", 50_000)
    if isinstance(balance, bool) or not isinstance(balance, (int, float)) or balance < 0:
        raise BadFieldError("balance", f"was {balance!r}, must be an amount in USD")
    return NewLogin(row["username"], row["password"], accounts, Decimal(repr(balance)))
