"""What Order/place examines before it takes an order, with the texts of its refusals (ProjectX wire facts, 5, 8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from brokers.matching.types import Kind
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.projectx import codes
from brokers.sandbox.projectx.books import STOP, TARGET, Account
from brokers.sandbox.projectx.calls import RefusedError
from brokers.sandbox.projectx.codes import ASK, BID, TYPE_NAMES, OrderType, Place
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.fields import Fields
from brokers.sandbox.projectx.switches import POSITION_BRACKETS

KINDS = {
    OrderType.LIMIT: Kind.LIMIT,
    OrderType.MARKET: Kind.MARKET,
    OrderType.STOP_LIMIT: Kind.STOP_LIMIT,
    OrderType.STOP: Kind.STOP,
    OrderType.TRAILING_STOP: Kind.TRAILING,
    OrderType.JOIN_BID: Kind.LIMIT,
    OrderType.JOIN_ASK: Kind.LIMIT,
}
STOP_TYPES = (OrderType.STOP, OrderType.TRAILING_STOP)


@dataclass(frozen=True, slots=True)
class Leg:
    role: str
    type: OrderType
    ticks: int


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as asked for. ``side`` is 1 or -1; ``trail`` a distance in points."""

    contract: Contract
    type: OrderType
    side: int
    size: int
    limit: Decimal | None
    stop: Decimal | None
    trail: Decimal | None
    tag: str | None
    legs: tuple[Leg, ...]


def rejected(text: str) -> RefusedError:
    return RefusedError(Place.ORDER_REJECTED, text)


def read_wish(desk: Desk, account: Account, contract: Contract, fields: Fields) -> Wish:
    """Raises RefusedError (OrderRejected) with the venue's text."""
    tag = fields.text("customTag") or None
    if tag is not None and tag in account.tags:
        raise rejected(codes.TAG_IN_USE)
    order_type, side = _type(desk, fields), _side(fields)
    size = fields.integer("size")
    if size <= 0:
        raise rejected(codes.INVALID_ORDER_SIZE)
    limit, stop, trail = _prices(desk, contract, order_type, fields)
    legs = read_legs(desk, side, fields)
    return Wish(contract, order_type, side, size, limit, stop, trail, tag, legs)


def _type(desk: Desk, fields: Fields) -> OrderType:
    number = fields.integer("type")
    taken = number in KINDS and (number != OrderType.STOP_LIMIT or desk.switches.stop_limit)
    if not taken:
        raise rejected(codes.INVALID_ORDER_TYPE)
    return OrderType(number)


def _side(fields: Fields) -> int:
    side = fields.integer("side", default=-1)
    if side not in (BID, ASK):
        raise rejected("Invalid side")
    return 1 if side == BID else -1


def _prices(
    desk: Desk, contract: Contract, order_type: OrderType, fields: Fields
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """(limit, stop, trail distance) as far as the type has them; what it has not is not looked at."""
    quote = desk.quote(contract)
    if order_type is OrderType.JOIN_BID:
        return quote.bid, None, None
    if order_type is OrderType.JOIN_ASK:
        return quote.ask, None, None
    limit = stop = trail = None
    if order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        limit = on_tick(contract, fields.number("limitPrice"))
    if order_type in (OrderType.STOP, OrderType.STOP_LIMIT):
        stop = on_tick(contract, fields.number("stopPrice"))
    if order_type is OrderType.TRAILING_STOP:
        trail = trail_distance(desk, contract, fields.number("trailPrice"))
    return limit, stop, trail


def on_tick(contract: Contract, price: Decimal | None) -> Decimal:
    if price is None or price <= 0 or not contract.product.on_tick(price):
        raise rejected(codes.INVALID_PRICE)
    return price


def trail_distance(desk: Desk, contract: Contract, price: Decimal | None) -> Decimal:
    """An absolute price makes the distance: from the last price, in whole ticks."""
    if price is None or price == 0:
        raise rejected(codes.NO_TRAIL)
    if not contract.product.on_tick(price):
        raise rejected(codes.TRAIL_OFF_GRID)
    ticks = int(abs(desk.quote(contract).last - price) / contract.tick)
    if ticks == 0:
        raise rejected(codes.NO_TRAIL)
    if ticks > codes.LONGEST_TRAIL_TICKS:
        raise rejected(codes.TRAIL_TOO_FAR)
    return ticks * contract.tick


def read_legs(desk: Desk, side: int, fields: Fields) -> tuple[Leg, ...]:
    """Stop first: its order id follows the entry's."""
    asked = ((STOP, fields.inner("stopLossBracket")), (TARGET, fields.inner("takeProfitBracket")))
    legs = tuple(_leg(role, side, inner) for role, inner in asked if inner is not None)
    if legs and desk.switches.bracket_mode == POSITION_BRACKETS:
        raise rejected(codes.NEEDS_AUTO_OCO)
    return legs


def _leg(role: str, side: int, fields: Fields) -> Leg:
    name = "stop loss" if role == STOP else "take profit"
    number, ticks = fields.integer("type"), fields.integer("ticks")
    allowed = STOP_TYPES if role == STOP else (OrderType.LIMIT,)
    if number not in allowed:
        given = TYPE_NAMES[OrderType(number)] if number in KINDS else "Unknown"
        raise rejected(f"Invalid {name} type ({given})")
    wanted = side if role == TARGET else -side
    if ticks * wanted <= 0:
        raise rejected(f"Invalid {name} ticks ({ticks}). Ticks should be {_direction(role, side, wanted)}.")
    if abs(ticks) < codes.FEWEST_BRACKET_TICKS:
        away = f"Price should be at least {codes.FEWEST_BRACKET_TICKS} ticks away."
        raise rejected(f"Invalid {name} ticks ({ticks}). {away}")
    return Leg(role, OrderType(number), ticks)


def _direction(role: str, side: int, wanted: int) -> str:
    sign = "less" if wanted < 0 else "greater"
    if role == STOP:
        return f"{sign} than zero when {'longing' if side > 0 else 'shorting'}"
    return f"{sign} than zero when going {'long' if side > 0 else 'short'}"
