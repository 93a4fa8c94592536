"""Our requests as Gateway calls; pure.

Bracket ticks are signed offsets from the fill: a long's stop is negative and its target positive, a short's the other
way round. The venue arms them itself, cancels the sibling, and wants at least four ticks (ProjectX wire facts, orders).
There is no time in force: everything is a day order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import orjson

from brokers.access import Priority
from brokers.base import (
    BracketLeg,
    CancelOrder,
    FlattenPosition,
    ModifyOrder,
    OrderRole,
    OrderType,
    Request,
    Side,
    SubmitOco,
    SubmitOrder,
    role_of,
)
from brokers.projectx.codes import CANCEL, MODIFY, PLACE
from brokers.projectx.types import Contract, OrderKind, OrderSide

SIDES = {Side.BUY: OrderSide.BID, Side.SELL: OrderSide.ASK}
_KINDS = {
    OrderType.MARKET: OrderKind.MARKET,
    OrderType.LIMIT: OrderKind.LIMIT,
    OrderType.STOP: OrderKind.STOP,
    OrderType.TRAILING_STOP: OrderKind.TRAILING_STOP,
}


@dataclass(frozen=True, slots=True)
class Call:
    endpoint: str
    body: dict[str, Any] = field(hash=False)


def priority_of(request: Request) -> Priority:
    """Who goes first when requests are short: what protects or ends a position before what opens one."""
    match request:
        case FlattenPosition():
            return Priority.FLATTEN
        case SubmitOrder():
            role = role_of(request.client_order_id)
            if role is OrderRole.STOP or (request.is_protective and request.order_type is not OrderType.LIMIT):
                return Priority.STOP
            return Priority.ENTRY if role is OrderRole.ENTRY and not request.is_protective else Priority.EXIT
        case _:
            return Priority.EXIT


def check(request: Request) -> None:
    """Raise `ValueError` for what this venue cannot be told."""
    match request:
        case SubmitOco():
            raise ValueError("the venue takes no pair of exits in one request")
        case SubmitOrder(bracket=(leg,)) if leg.qty != request.qty:
            raise ValueError(f"a bracket covers the whole entry: {leg.qty} of {request.qty} contracts")
        case SubmitOrder(bracket=(_, _, *_)):
            raise ValueError("the venue takes one bracket per entry")
        case SubmitOrder() | ModifyOrder():
            _prices(request)
            if isinstance(request, SubmitOrder) and request.bracket:
                _stop_terms(request.bracket[0])


def place_call(order: SubmitOrder, contract: Contract) -> Call:
    """Raises `ValueError` for what the venue cannot be told."""
    check(order)
    stop, target = _brackets(order.bracket[0], order.side, contract.tick) if order.bracket else (None, None)
    body = {
        "accountId": int(order.account.broker_id),
        "contractId": contract.id,
        "type": _KINDS[order.order_type],
        "side": SIDES[order.side],
        "size": order.qty,
        **_prices(order),
        "customTag": order.client_order_id,
        "stopLossBracket": stop,
        "takeProfitBracket": target,
    }
    return Call(PLACE, body)


def modify_call(change: ModifyOrder) -> Call:
    """A price that is not stated stays. Raises `ValueError` when one is missing."""
    own = {"accountId": int(change.account.broker_id), "orderId": int(change.broker_order_id), "size": change.qty}
    return Call(MODIFY, {**own, **_prices(change)})


def cancel_call(account_id: str, order_id: int) -> Call:
    return Call(CANCEL, {"accountId": int(account_id), "orderId": order_id})


def call_of(request: CancelOrder | ModifyOrder) -> Call:
    if isinstance(request, ModifyOrder):
        return modify_call(request)
    return cancel_call(request.account.broker_id, int(request.broker_order_id))


def _prices(order: SubmitOrder | ModifyOrder) -> dict[str, Any]:
    """A trailing stop is placed by the price that it starts from: the venue takes its distance from the last trade.

    A change of one that states no price leaves the distance alone.
    """
    prices: dict[str, Any] = {"limitPrice": None, "stopPrice": None, "trailPrice": None}
    if order.order_type is OrderType.LIMIT:
        prices["limitPrice"] = _number(order.price, "a limit order needs a price")
    elif order.order_type is OrderType.STOP:
        prices["stopPrice"] = _number(order.stop_price, "a stop order needs a stop price")
    elif order.order_type is OrderType.TRAILING_STOP and not (
        isinstance(order, ModifyOrder) and order.stop_price is None
    ):
        prices["trailPrice"] = _number(order.stop_price, "a trailing stop needs the price that it starts from")
    return prices


def _brackets(leg: BracketLeg, side: Side, tick: Decimal) -> tuple[dict[str, int] | None, dict[str, int] | None]:
    distance, kind = _stop_terms(leg)
    stop = None if distance is None else {"ticks": -side.sign * _ticks(distance, tick), "type": int(kind)}
    if leg.target_distance is None:
        return stop, None
    return stop, {"ticks": side.sign * _ticks(leg.target_distance, tick), "type": int(OrderKind.LIMIT)}


def _stop_terms(leg: BracketLeg) -> tuple[Decimal | None, OrderKind]:
    """How far the stop is, and its kind: one that trails from the start is the venue's own."""
    if leg.trail is None:
        return leg.stop_distance, OrderKind.STOP
    if leg.trail.trigger == 0:
        return leg.trail.distance, OrderKind.TRAILING_STOP
    if leg.stop_distance is None:
        raise ValueError("a stop that trails from a trigger on needs a distance until then")
    return leg.stop_distance, OrderKind.STOP


def _ticks(distance: Decimal, tick: Decimal) -> int:
    return int((distance / tick).quantize(Decimal(1), ROUND_HALF_EVEN))


def _number(value: Decimal | None, missing: str) -> orjson.Fragment:
    """The exact digits as a JSON number: a price never passes through a float."""
    if value is None:
        raise ValueError(missing)
    return orjson.Fragment(format(value, "f"))
