"""Exit legs must be out of the way before a part of a position is closed by a plain order.

While a leg of three contracts works, selling one more than the other two could end beyond flat. So the legs are cut
down to what stays first, the broker confirms it, and only then the order goes. An exit that is the venue's own flatten
needs none of this; only entries that still wait at the broker are canceled before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from brokers.base import OrderRole
from execution.bulk import update_rows
from execution.models import IntentKind, Order
from execution.models.order import IN_FLIGHT, WORKING
from execution.submitting import Due

Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class Cut:
    """A working order and the whole quantity, filled contracts included, that it is to have; 0 cancels it."""

    order_id: UUID
    wanted_qty: int


def orders_in_the_way(intents: Iterable[Due]) -> dict[Key, list[Order]]:
    """The live orders of the traders whose intents close something, by trader and symbol."""
    keys = {
        (due.trader_id, due.symbol)
        for due in intents
        if due.kind in {IntentKind.EXIT, IntentKind.REDUCE} and due.trader_id is not None
    }
    if not keys:
        return {}
    rows = Order.objects.filter(
        trader_id__in={trader for trader, _ in keys},
        symbol__in={symbol for _, symbol in keys},
        role__in=[OrderRole.ENTRY, OrderRole.TARGET, OrderRole.STOP],
        status__in=sorted(WORKING | IN_FLIGHT),
    ).order_by("created_at", "id")
    found: dict[Key, list[Order]] = defaultdict(list)
    for order in rows:
        if order.trader_id is not None:
            found[order.trader_id, order.symbol].append(order)
    return found


def cuts_before(due: Due, orders: Sequence[Order]) -> list[Cut] | None:
    """What must be cut before the intent may go; None when nothing is in its way."""
    waiting = [order for order in orders if order.role == OrderRole.ENTRY and order.status in WORKING]
    if due.kind == IntentKind.EXIT and not due.is_shared:
        return [Cut(order.id, 0) for order in waiting] or None
    legs = [order for order in orders if order.role in {OrderRole.TARGET, OrderRole.STOP}]
    left = 0 if due.kind == IntentKind.EXIT else due.leaves_qty or 0
    cuts = cuts_to(legs, left)
    if due.kind == IntentKind.EXIT:
        cuts += [Cut(order.id, 0) for order in waiting]
    return cuts or None


def cuts_to(legs: Sequence[Order], left: int) -> list[Cut]:
    """Cut pairs of target and stop, the nearest target first, until no more than `left` contracts are in legs.

    A stop without a place covers what has no stop of its own, and is cut to that.
    """
    whole = [leg for leg in legs if leg.target_index is None and leg.role == OrderRole.STOP]
    pairs = _pairs([leg for leg in legs if leg not in whole])
    excess = sum(_size(pair) for pair in pairs.values()) - left
    cuts: list[Cut] = []
    covered = 0
    for pair in pairs.values():
        taken = max(0, min(excess, _size(pair)))
        excess -= taken
        keeps = _size(pair) - taken
        covered += min(keeps, sum(_remaining(leg) for leg in pair if leg.role == OrderRole.STOP))
        if taken > 0:
            cuts += [_cut(leg, keeps) for leg in pair if _remaining(leg) > keeps]
    return cuts + _cut_whole(whole, max(0, left - covered))


def _pairs(legs: Sequence[Order]) -> dict[tuple[UUID | None, int], list[Order]]:
    """By intent and place, nearest place first. A target that was placed again and the stop of its place, which came
    with the entry, are a pair too: they are for the same contracts.
    """
    pairs: dict[tuple[UUID | None, int], list[Order]] = defaultdict(list)
    for leg in legs:
        pairs[leg.intent_id, -1 if leg.target_index is None else leg.target_index].append(leg)
    lone: dict[tuple[int, str], list[tuple[UUID | None, int]]] = defaultdict(list)
    for key, pair in pairs.items():
        roles = {leg.role for leg in pair}
        if len(roles) == 1:
            lone[key[1], roles.pop()].append(key)
    for (place, role), targets in lone.items():
        if role == OrderRole.TARGET:
            for target, stop in zip(targets, lone.get((place, OrderRole.STOP.value), ()), strict=False):
                pairs[target] += pairs.pop(stop)
    return dict(sorted(pairs.items(), key=lambda item: item[0][1]))


def _cut_whole(stops: Sequence[Order], left: int) -> list[Cut]:
    cuts: list[Cut] = []
    for stop in stops:
        keeps = min(left, _remaining(stop))
        left -= keeps
        if keeps < _remaining(stop):
            cuts.append(_cut(stop, keeps))
    return cuts


def _cut(leg: Order, keeps: int) -> Cut:
    return Cut(leg.id, leg.filled_qty + keeps if keeps else 0)


def _remaining(leg: Order) -> int:
    return leg.qty - leg.filled_qty


def _size(pair: Sequence[Order]) -> int:
    return max(_remaining(leg) for leg in pair)


def wish_for(cuts: Iterable[Cut]) -> None:
    """Write the cuts down as new wishes, whatever became of the ones before; `execution.changes` sends them."""
    columns = ("wanted_qty", "change_sent_at", "change_attempts")
    update_rows(Order, columns, [(cut.order_id, cut.wanted_qty, None, 0) for cut in cuts])
