"""After a batch: is every touched position protected, and which intents are finished?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from brokers.base import OrderRole, OrderStatus
from execution import overfill, retarget, spans, synthetic
from execution.bulk import update_rows
from execution.legs import tend
from execution.models import IntentKind, IntentStatus, Order, OrderIntent, Position, SpanEnd
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import IN_FLIGHT, LIVE, WORKING
from execution.reports.ledger import FOUND, Ledger
from execution.spans import Ended

Key = tuple[UUID, str]
ANSWERED_WITHIN = timedelta(seconds=6)
"""A desk gives up waiting for an answer after five, and says so."""


def settle(ledger: Ledger) -> None:
    """Set or clear `unprotected_since` of the touched positions, and finish the intents that have what they wanted."""
    keys = ledger.touched
    if not keys:
        return
    traders, symbols = {trader for trader, _ in keys}, {symbol for _, symbol in keys}
    positions = {(p.trader_id, p.symbol): p for p in Position.objects.filter(trader_id__in=traders, symbol__in=symbols)}
    legs = _live_legs(keys)
    live = OrderIntent.objects.filter(trader_id__in=traders, symbol__in=symbols, status__in=LIVE_INTENTS)
    intents = [ledger.intents.setdefault(intent.id, intent) for intent in live]
    entries = _own_orders(intents)
    ended: list[Ended] = []
    for key in keys:
        _settle_protection(ledger, positions.get(key), legs[key], ended)
        _tend_legs(ledger, positions.get(key), legs[key])
    for intent in intents:
        if intent.trader_id is None:
            continue
        key = (intent.trader_id, intent.symbol)
        if key in keys:
            _settle_intent(ledger, intent, entries.get(intent.id), positions.get(key), legs[key])
    synthetic.care(ledger, positions, legs, intents)
    retarget.place_again(ledger, positions)
    overfill.note(ledger, positions)
    if ended:
        spans.write(ended, ledger.venues, ledger.now)
    _stamp_protected(ledger, positions, legs)
    update_rows(Position, ("unprotected_since",), [(p.id, p.unprotected_since) for p in positions.values()])


def _tend_legs(ledger: Ledger, position: Position | None, legs: list[Order]) -> None:
    if position is None:
        return
    for order in tend(position, legs):
        ledger.wishes[order.id] = order


def _live_legs(keys: Iterable[Key]) -> dict[Key, list[Order]]:
    grouped: dict[Key, list[Order]] = defaultdict(list)
    orders = Order.objects.filter(
        trader_id__in={trader for trader, _ in keys},
        symbol__in={symbol for _, symbol in keys},
        role__in=[OrderRole.TARGET.value, OrderRole.STOP.value],
        status__in=[status.value for status in LIVE],
    )
    for order in orders:
        if order.trader_id is not None:
            grouped[order.trader_id, order.symbol].append(order)
    return grouped


def _own_orders(intents: Iterable[OrderIntent]) -> dict[UUID, Order]:
    orders = Order.objects.filter(
        intent_id__in=[intent.id for intent in intents], role__in=[OrderRole.ENTRY.value, OrderRole.EXIT.value]
    ).order_by("created_at", "id")
    return {order.intent_id: order for order in orders if order.intent_id is not None}


def stop_coverage(legs: Iterable[Order], net_qty: int) -> int:
    """Contracts of the position that a working stop on the closing side covers."""
    closing = "sell" if net_qty > 0 else "buy"
    return sum(
        leg.qty - leg.filled_qty
        for leg in legs
        if leg.role == OrderRole.STOP and leg.side == closing and leg.status in WORKING
    )


def is_protected(position: Position, legs: Iterable[Order]) -> bool:
    if position.net_qty == 0 or position.stop_distance is None:
        return True
    return stop_coverage(legs, position.net_qty) >= abs(position.net_qty)


def _settle_protection(ledger: Ledger, position: Position | None, legs: list[Order], ended: list[Ended]) -> None:
    if position is None:
        return
    ledger.owners.add(position.owner_id)
    if is_protected(position, legs):
        if position.unprotected_since is not None:
            by = SpanEnd.FLAT if position.net_qty == 0 else SpanEnd.PROTECTED
            ended.append(Ended(position, position.unprotected_since, by))
        position.unprotected_since = None
    elif position.unprotected_since is None:
        position.unprotected_since = ledger.now


def _settle_intent(
    ledger: Ledger, intent: OrderIntent, order: Order | None, position: Position | None, legs: list[Order]
) -> None:
    if intent.status not in {IntentStatus.DISPATCHED, IntentStatus.UNKNOWN}:
        return
    net = position.net_qty if position is not None else 0
    if intent.kind == IntentKind.PROTECT:
        # It is over when its orders are placed. Whether they cover the position is the watchdog's business, whose
        # exit must not wait for this.
        if not any(leg.intent_id == intent.id and leg.status in IN_FLIGHT for leg in legs):
            ledger.move_intent(intent, IntentStatus.DONE)
        return
    if intent.kind == IntentKind.EXIT:
        if net == 0 and not legs and not _may_execute(order) and _is_answered(intent, ledger.now):
            ledger.move_intent(intent, IntentStatus.DONE)
        return
    if order is None:
        return
    if order.status == OrderStatus.FILLED:
        ledger.move_intent(intent, IntentStatus.DONE)
    elif order.status in {OrderStatus.CANCELED, OrderStatus.EXPIRED}:
        if order.filled_qty > 0:
            ledger.move_intent(intent, IntentStatus.DONE, "PARTLY_FILLED", f"{order.filled_qty} of {order.qty} filled")
        else:
            ledger.move_intent(intent, IntentStatus.FAILED, order.status.upper(), "the broker ended the order unfilled")


def _is_answered(intent: OrderIntent, now: datetime) -> bool:
    """Whether the broker's answer is in, or is not to be expected any more.

    Before, what closed the position may have been somebody else's order that was taken for ours, while ours is on its
    way: see `Ledger.nameless_exits`.
    """
    is_late = intent.dispatched_at is not None and now - intent.dispatched_at > ANSWERED_WITHIN
    was_in_doubt = intent.status == IntentStatus.UNKNOWN or intent.reason_code == FOUND
    return intent.acknowledged_at is not None or was_in_doubt or is_late


def _may_execute(order: Order | None) -> bool:
    """Whether an exit's order could still close, late, what the entry behind the exit has just opened.

    A close that the broker took and named no order for is judged by what is held alone.
    """
    if order is None or order.filled_qty >= order.qty:
        return False
    works = order.broker_order_id is not None and order.status in WORKING
    return works or order.status in IN_FLIGHT


def _stamp_protected(ledger: Ledger, positions: dict[Key, Position], legs: dict[Key, list[Order]]) -> None:
    """The moment the entry's position was first covered, for the entry's own record."""
    for intent in ledger.intents.values():
        if intent.trader_id is None or intent.kind != IntentKind.ENTRY:
            continue
        if intent.protected_at is not None or intent.filled_at is None:
            continue
        position = positions.get((intent.trader_id, intent.symbol))
        if position is None or position.net_qty == 0 or position.stop_distance is None:
            continue
        if is_protected(position, legs[intent.trader_id, intent.symbol]):
            intent.protected_at = ledger.now
            ledger.stamp(intent)
