"""Our requests as Webull's bodies; pure.

What cannot be said to this venue is `Refused` with a code of our own, before anything is sent. Prices and quantities
are strings of exact digits. What protects a position is GTC: it must outlive the session (Webull wire facts, orders).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from brokers.base import (
    STOP_PREFIX,
    TARGET_PREFIX,
    BracketLeg,
    ModifyOrder,
    OrderRole,
    OrderType,
    Side,
    SubmitOrder,
    role_of,
)
from brokers.errors import Refused
from brokers.webull.instruments import Traded, on_tick, option_leg
from brokers.webull.types import MASTER, NORMAL, STOP_LOSS, STOP_PROFIT, Market, OrderState

UNSUPPORTED, MISSING_PRICE = "UNSUPPORTED_ORDER", "MISSING_PRICE"
Body = dict[str, Any]
_TYPES = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP_LOSS",
    OrderType.TRAILING_STOP: "TRAILING_STOP_LOSS",
}
# What a replace may turn an order into (futures are the strictest).
_CHANGES_INTO = {OrderType.LIMIT: OrderType.MARKET, OrderType.STOP: OrderType.MARKET}


@dataclass(frozen=True, slots=True)
class ExitPrices:
    """Where the exits of a bracket belong; None where there is none."""

    target: Decimal | None
    stop: Decimal | None


def leg_ids(entry_id: str) -> tuple[str, str]:
    """The client order ids of a bracket's target and stop: they follow from the entry's, so that any process knows."""
    digest = hashlib.blake2b(entry_id.encode(), digest_size=15).hexdigest()
    return TARGET_PREFIX + digest, STOP_PREFIX + digest


def needs_reference(order: SubmitOrder) -> bool:
    """Whether the order can only be said with a price of the market: distances without a limit, or a trail."""
    return order.order_type is OrderType.TRAILING_STOP or (bool(order.bracket) and order.price is None)


def place_body(order: SubmitOrder, traded: Traded, reference: Decimal | None) -> Body:
    """The body of a place or a preview; `reference` is a price of now where `needs_reference`. Raises `Refused`."""
    entry = _order(order, traded, reference)
    body: Body = {"account_id": order.account.broker_id, "new_orders": [entry]}
    if order.bracket:
        entry["combo_type"] = MASTER
        body["client_combo_order_id"] = order.client_order_id
        body["new_orders"] += _exits(order, traded, _required(order.price or reference, "the market's price"))
    return body


def bracket_leg(order: SubmitOrder, traded: Traded) -> BracketLeg:
    """The one pair that goes with an entry. Raises `Refused` for a bracket that the venue does not have."""
    (leg, *more) = order.bracket
    if traded.market is Market.FUTURES:
        raise Refused(UNSUPPORTED, "Webull has no brackets for futures")
    if more or leg.qty != order.qty:
        raise Refused(UNSUPPORTED, "Webull's brackets have one target and one stop for the whole size")
    if leg.trail is not None:
        raise Refused(UNSUPPORTED, "the stop of a Webull bracket does not trail")
    if order.order_type not in (OrderType.MARKET, OrderType.LIMIT):
        raise Refused(UNSUPPORTED, "only market and limit orders take a bracket along at Webull")
    return leg


def exit_prices(side: Side, leg: BracketLeg, entry: Decimal, traded: Traded) -> ExitPrices:
    """The prices at the leg's distances from `entry`, on the tick."""
    target = None if leg.target_distance is None else on_tick(entry + side.sign * leg.target_distance, traded)
    stop = None if leg.stop_distance is None else on_tick(entry - side.sign * leg.stop_distance, traded)
    return ExitPrices(target, stop)


def replace_body(change: ModifyOrder, order: OrderState, reference: Decimal | None) -> Body:
    """The body that gives `order` the terms of `change`. Raises `Refused` for what the venue does not let change."""
    modified: Body = {"client_order_id": order.client_order_id}
    trails = order.order_type is OrderType.TRAILING_STOP
    if change.order_type is not order.order_type:
        if order.order_type is None or _CHANGES_INTO.get(order.order_type) is not change.order_type:
            raise Refused(UNSUPPORTED, f"Webull does not turn a {order.order_type} order into {change.order_type}")
        modified["order_type"] = _TYPES[change.order_type]
    if not (trails and order.market == Market.FUTURES):
        modified["quantity"] = str(change.qty)
    elif change.qty != order.qty:
        raise Refused(UNSUPPORTED, "Webull changes only the distance of a trailing stop, not its size")
    modified |= _changed_prices(change, reference)
    if change.order_type in (OrderType.LIMIT, OrderType.STOP):
        modified["time_in_force"] = "GTC"
    return {"account_id": change.account.broker_id, "modify_orders": [_with_legs(modified, order)]}


def move_body(account_id: str, order: OrderState, prices: ExitPrices) -> Body | None:
    """The body that moves a bracket's exit to where it belongs; None where it is there. Its size is left alone."""
    wanted, name, shown = (
        (prices.target, "limit_price", order.limit)
        if order.combo_type == STOP_PROFIT
        else (prices.stop, "stop_price", order.stop)
    )
    if wanted is None or wanted == shown:
        return None
    modified: Body = {"client_order_id": order.client_order_id, name: _text(wanted)}
    if order.leg_ids:
        modified["quantity"] = str(order.qty)
    return {"account_id": account_id, "modify_orders": [_with_legs(modified, order)]}


def close_body(account_id: str, client_order_id: str, traded: Traded, net: int) -> Body:
    """A market order that closes `net` contracts (signed)."""
    side = Side.SELL if net > 0 else Side.BUY
    order = _terms(client_order_id, traded, side, abs(net), is_exit=True)
    return {"account_id": account_id, "new_orders": [order | {"order_type": "MARKET", "time_in_force": "DAY"}]}


def cancel_body(account_id: str, client_order_id: str) -> Body:
    return {"account_id": account_id, "client_order_id": client_order_id}


def _order(order: SubmitOrder, traded: Traded, reference: Decimal | None) -> Body:
    is_exit = order.is_protective or role_of(order.client_order_id) is not OrderRole.ENTRY
    lasting = order.is_protective or bool(order.bracket)
    terms = _terms(order.client_order_id, traded, order.side, order.qty, is_exit=is_exit)
    if order.order_type is OrderType.TRAILING_STOP and traded.market is Market.OPTION:
        raise Refused(UNSUPPORTED, "Webull has no trailing stops for options")
    # The venue keeps no market order until tomorrow.
    is_day = order.order_type is OrderType.MARKET or not lasting
    return {
        **terms,
        **_prices(order.order_type, order.price, order.stop_price, reference),
        "order_type": _TYPES[order.order_type],
        "time_in_force": "DAY" if is_day else "GTC",
    }


def _terms(client_order_id: str, traded: Traded, side: Side, qty: int, *, is_exit: bool) -> Body:
    order: Body = {
        "client_order_id": client_order_id,
        "combo_type": NORMAL,
        "symbol": traded.symbol,
        "instrument_type": traded.market.value,
        "market": "US",
        "side": side.name,
        "quantity": str(qty),
        "entrust_type": "QTY",
    }
    if traded.market is Market.EQUITY:
        order["support_trading_session"] = "CORE"
        if side is Side.SELL and not is_exit:
            order["side"] = "SHORT"
    elif traded.market is Market.OPTION:
        leg = option_leg(traded.symbol)
        order |= {"symbol": leg["symbol"], "option_strategy": "SINGLE"}
        order["legs"] = [{"side": side.name, "quantity": str(qty), **leg}]
        if is_exit:
            # With its intent said, an exit whose position is gone is refused instead of opening the opposite one.
            order["position_intent"] = f"{side.name}_TO_CLOSE"
    return order


def _prices(
    order_type: OrderType, price: Decimal | None, stop_price: Decimal | None, reference: Decimal | None
) -> Body:
    match order_type:
        case OrderType.LIMIT:
            return {"limit_price": _text(_required(price, "a limit price"))}
        case OrderType.STOP:
            return {"stop_price": _text(_required(stop_price, "a stop price"))}
        case OrderType.TRAILING_STOP:
            start = _required(stop_price, "a stop price")
            distance = abs(_required(reference, "the market's price") - start)
            if distance == 0:
                raise Refused(MISSING_PRICE, "a trailing stop at the market's own price has no distance")
            return {"trailing_type": "AMOUNT", "trailing_stop_step": _text(distance)}
        case _:
            return {}


def _changed_prices(change: ModifyOrder, reference: Decimal | None) -> Body:
    """A trailing stop without a stop price keeps its distance."""
    if change.order_type is OrderType.TRAILING_STOP and change.stop_price is None:
        return {}
    return _prices(change.order_type, change.price, change.stop_price, reference)


def _exits(order: SubmitOrder, traded: Traded, entry: Decimal) -> list[Body]:
    prices = exit_prices(order.side, bracket_leg(order, traded), entry, traded)
    target_id, stop_id = leg_ids(order.client_order_id)
    exits: list[Body] = []
    for combo_type, name, order_type, price_name, price in (
        (STOP_PROFIT, target_id, "LIMIT", "limit_price", prices.target),
        (STOP_LOSS, stop_id, "STOP_LOSS", "stop_price", prices.stop),
    ):
        if price is None:
            continue
        terms = _terms(name, traded, order.side.opposite, order.qty, is_exit=True)
        exits.append(
            terms
            | {"combo_type": combo_type, "order_type": order_type, price_name: _text(price), "time_in_force": "GTC"}
        )
    return exits


def _with_legs(modified: Body, order: OrderState) -> Body:
    if order.leg_ids and "quantity" in modified:
        modified["legs"] = [{"id": name, "quantity": modified["quantity"]} for name in order.leg_ids]
    return modified


def _required(value: Decimal | None, what: str) -> Decimal:
    if value is None:
        raise Refused(MISSING_PRICE, f"the order needs {what}")
    return value


def _text(price: Decimal) -> str:
    return f"{price:f}"
