"""Where the exit legs of a position belong, and which of them are not there. Works on rows, writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from brokers.base import OrderRole, OrderType, Side
from brokers.instruments import contract_of
from execution.changes import wish_terms
from execution.models import Order, Position
from execution.models.order import WORKING
from traders import exits


def tend(position: Position, legs: Sequence[Order]) -> list[Order]:
    """Wish each working leg to where the position's exits want it; the legs whose rows changed.

    An add has moved the average, a percentage counts from the fill, break-even moves the stop to the entry. What the
    venue itself trails is left to it.
    """
    if position.net_qty == 0 or position.avg_price is None or position.exits == "":
        return []
    template = exits.template_from(position.exits)
    side = Side.BUY if position.net_qty > 0 else Side.SELL
    prices = exits.leg_prices(
        template, side, position.avg_price, contract_of(position.symbol), at_break_even=position.is_at_break_even
    )
    changed = []
    for leg in legs:
        price = _belongs_at(leg, prices, is_trailing=template.is_trailing)
        if price is None or leg.status not in WORKING or leg.wanted_qty == 0:
            continue
        shown = leg.price if leg.role == OrderRole.TARGET else leg.stop_price
        qty = leg.qty if leg.wanted_qty is None else leg.wanted_qty
        is_there = shown == price and leg.wanted_price in {None, price}
        if not is_there and wish_terms(leg, qty, price):
            changed.append(leg)
    return changed


def _belongs_at(leg: Order, prices: exits.LegPrices, *, is_trailing: bool) -> Decimal | None:
    if leg.role == OrderRole.STOP:
        return None if is_trailing or leg.order_type != OrderType.STOP else prices.stop
    index = leg.target_index
    return prices.targets[index] if index is not None and index < len(prices.targets) else None


def sizes_at_work(legs: Sequence[Order], places: int) -> tuple[int, ...]:
    """Contracts in live legs for each of the template's `places`; a pair of target and stop counts once.

    A stop without a place covers the targets that have no stop of their own, and what it covers beyond them is the
    last place's: what no target closes.
    """
    by_role: Counter[tuple[int | None, str]] = Counter()
    for leg in legs:
        by_role[leg.target_index, leg.role] += leg.qty - leg.filled_qty
    target, stop = OrderRole.TARGET.value, OrderRole.STOP.value
    sizes = [max(by_role[place, target], by_role[place, stop]) for place in range(places)]
    bare = sum(max(0, by_role[place, target] - by_role[place, stop]) for place in range(places))
    sizes[-1] += max(0, by_role[None, stop] - bare)
    return tuple(sizes)


def sizes_of(legs: Sequence[Order], role: OrderRole, places: int) -> tuple[int, ...]:
    """Contracts in live legs of one role by place; one without a place counts as the last place's."""
    found = Counter[int]()
    for leg in legs:
        if leg.role == role:
            found[places - 1 if leg.target_index is None else leg.target_index] += leg.qty - leg.filled_qty
    return tuple(found[place] for place in range(places))
