"""Fields of trading requests: present, typed, on the price grid. Refusals as the venue words them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.tradovate.books import Account, Login
from brokers.sandbox.tradovate.calls import (
    CommandRefusedError,
    HttpRefusalError,
    ViolationError,
    access_denied,
)
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.orders import LIMITED, STOPPED, TRAILING, Terms
from brokers.sandbox.tradovate.wire import decimal

ACTIONS = ("Buy", "Sell")
ORDER_TYPES = (
    "Limit",
    "LimitIfTouched",
    "MIT",
    "Market",
    "QTS",
    "Stop",
    "StopLimit",
    "TrailingStop",
    "TrailingStopLimit",
)
TIMES_IN_FORCE = ("Day", "FOK", "GTC", "GTD", "IOC")
LONGEST_TEXT = 64
PRICE_LIMITS_TEXT = "Please check the order price. The current price is outside the price limits set for this product."


def required(params: dict[str, Any], name: str) -> Any:
    value = params.get(name)
    if value is None:
        raise HttpRefusalError(400, f"missing required field {name}")
    return value


def choice(params: dict[str, Any], name: str, choices: tuple[str, ...], default: str | None = None) -> str:
    value = params.get(name, default)
    if value is None:
        raise HttpRefusalError(400, f"missing required field {name}")
    if value not in choices:
        raise HttpRefusalError(400, f"invalid value for field {name}: {value!r}")
    return str(value)


def integer(params: dict[str, Any], name: str) -> int:
    value = required(params, name)
    if type(value) is not int:
        raise HttpRefusalError(400, f"field {name} must be an integer")
    return value


def array(params: dict[str, Any], name: str, kind: type) -> list[Any]:
    value = required(params, name)
    if not isinstance(value, list) or not all(isinstance(part, kind) for part in value):
        raise HttpRefusalError(400, f"field {name} must be an array")
    return value


def text(params: dict[str, Any], name: str) -> str | None:
    value = params.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise HttpRefusalError(400, f"field {name} must be a string")
    if len(value) > LONGEST_TEXT:
        raise ViolationError(name, value, f"{name} must be at most {LONGEST_TEXT} characters long")
    return value


def flag(params: dict[str, Any], name: str) -> bool:
    value = params.get(name, False)
    if not isinstance(value, bool):
        raise HttpRefusalError(400, f"field {name} must be a boolean")
    return value


def price(params: dict[str, Any], name: str) -> Decimal | None:
    value = params.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise HttpRefusalError(400, f"field {name} must be a number")
    return decimal(value)


def quantity(params: dict[str, Any], name: str = "orderQty") -> int:
    value = required(params, name)
    if type(value) is not int:
        raise HttpRefusalError(400, f"field {name} must be an integer")
    if value <= 0:
        raise ViolationError(name, value, f"{name} must be greater than 0")
    return value


def account_of(login: Login, params: dict[str, Any]) -> Account:
    """Account by accountId, which is required in practice; accountSpec must not contradict it."""
    account_id = params.get("accountId")
    if account_id is None:
        raise ViolationError("accountId", "", "accountId is required")
    account = login.account(account_id)
    if account is None or params.get("accountSpec") not in (None, account.name, login.username):
        raise access_denied()
    return account


def contract_of(desk: Desk, params: dict[str, Any]) -> Contract:
    symbol = required(params, "symbol")
    contract = desk.catalog.tradable(symbol) if isinstance(symbol, str) else None
    if contract is None:
        raise access_denied()
    return contract


def order_terms(desk: Desk, contract: Contract, params: dict[str, Any], qty: int) -> Terms:
    """Terms of placeorder, a bracket or modifyorder. Raises the refusal the venue would answer."""
    terms = Terms(
        qty,
        choice(params, "orderType", ORDER_TYPES),
        price=price(params, "price"),
        stop_price=price(params, "stopPrice"),
        touch_price=price(params, "limitIfTouchedPrice"),
        peg=price(params, "pegDifference"),
        tif=choice(params, "timeInForce", TIMES_IN_FORCE, "Day"),
        expire_time=text(params, "expireTime"),
        text=text(params, "text"),
    )
    if params.get("maxShow") is not None:
        terms.max_show = quantity(params, "maxShow")
    _check_prices(desk, contract, terms)
    if terms.order_type in TRAILING and terms.peg is None and terms.stop_price is not None:
        terms.peg = abs(desk.board.quote(contract).last - terms.stop_price)
    return terms


def check_session(desk: Desk, order_type: str) -> None:
    if desk.switches.session == "closed":
        if order_type == "Market" or order_type in TRAILING:
            raise CommandRefusedError("NoQuote", "No quote available")
        raise CommandRefusedError("SessionClosed", "Session is closed")


def _check_prices(desk: Desk, contract: Contract, terms: Terms) -> None:
    kind = terms.order_type
    if kind == "QTS":
        raise CommandRefusedError("Unsupported", "Order type is not supported")
    if kind in LIMITED and terms.price is None:
        raise CommandRefusedError("InvalidPrice", f"Price is required for {kind} order")
    if kind in STOPPED and terms.stop_price is None:
        raise CommandRefusedError("InvalidPrice", f"Stop price is required for {kind} order")
    if kind in {"MIT", "LimitIfTouched"} and terms.touch_price is None and terms.price is None:
        raise CommandRefusedError("InvalidPrice", f"Price is required for {kind} order")
    for value in (terms.price, terms.stop_price, terms.touch_price):
        if value is not None:
            check_price(desk, contract, value)


def check_price(desk: Desk, contract: Contract, value: Decimal) -> None:
    if not contract.product.on_tick(value):
        raise CommandRefusedError("InvalidPrice", PRICE_LIMITS_TEXT)
    last = desk.board.quote(contract).last
    band = last * decimal(desk.switches.price_band_percent) / 100
    if band > 0 and abs(value - last) > band:
        raise CommandRefusedError("InvalidPrice", PRICE_LIMITS_TEXT)
