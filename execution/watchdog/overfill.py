"""Closes the contracts that nobody asked for (`execution.overfill`), and ends the alarms about them."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, Sum

from brokers.base import OrderRole, OrderStatus, Side
from brokers.selectors import secrets_of
from execution import alarms
from execution.intents import Wanting, wish_exit, wish_reduce
from execution.models import Alarm, IntentKind, IntentSource, Order, OrderIntent, Position
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.overfill import OVERFILL, REVERSED, is_entered
from execution.watchdog.naked import rules_of
from execution.watchdog.scene import Scene
from execution.watchdog.telling import opened
from justtrades import clock
from risk.models.book import UnprotectedPolicy

BELIEVED_AFTER = timedelta(seconds=1)
"""The entry's own fill may come after that of its exit."""


def mend(lane: int) -> int:
    """Close what is too much, and end the alarms whose matter is over; how many intents are new."""
    return sum(_mend_overfill(alarm) for alarm in opened(lane, OVERFILL)) + sum(
        _mend_reversal(alarm) for alarm in opened(lane, REVERSED)
    )


def _mend_overfill(alarm: Alarm) -> bool:
    order = Order.objects.filter(pk=alarm.ref).select_related("intent").first()
    position = None if order is None else _position(Q(trader_id=order.trader_id, symbol=order.symbol))
    if order is None or order.intent is None or position is None or _is_another(position, alarm):
        return _end(alarm)
    wish = f"overfill:{order.id}"
    tried = OrderIntent.objects.filter(idempotency_key__startswith=f"{IntentSource.RISK_ACTION.value}:{wish}.")
    closed = tried.aggregate(total=Sum("orders__filled_qty"))["total"] or 0
    excess = min(order.filled_qty - order.intent.qty - closed, abs(position.net_qty))
    if excess <= 0 or Side(order.side).sign * position.net_qty < 0:
        return _end(alarm)
    policy = rules_of([position.account_id])[position.account_id].unprotected_policy
    if policy == UnprotectedPolicy.ALARM or _is_moving(position):
        return False
    text = f"{order.filled_qty} of {order.intent.qty} contracts were filled: {excess} are closed again"
    wanting = Wanting(IntentSource.RISK_ACTION, f"{wish}.{tried.count()}", OVERFILL, text, waits=False)
    left = abs(position.net_qty) - excess
    return wish_reduce(position, wanting, left) if left else wish_exit(position, wanting)


def _mend_reversal(alarm: Alarm) -> bool:
    """Nobody wanted it, so it is closed whatever the account's rule for want of a stop is."""
    position = _position(Q(pk=alarm.ref))
    if position is None or _is_another(position, alarm) or is_entered(position):
        return _end(alarm)
    facts = Scene.around([position]).facts(position, is_asked=False)
    is_fresh = clock.now() - alarm.raised_at < BELIEVED_AFTER
    if is_fresh or facts.is_leaving or facts.is_doubted:
        return False
    wish = f"reversed:{alarm.id}"
    tries = OrderIntent.objects.filter(idempotency_key__startswith=f"{IntentSource.RISK_ACTION.value}:{wish}.").count()
    return wish_exit(position, Wanting(IntentSource.RISK_ACTION, f"{wish}.{tries}", REVERSED, alarm.text, waits=False))


def _position(which: Q) -> Position | None:
    held = Position.objects.filter(which).exclude(net_qty=0).select_related("account__login")
    return held.defer(*secrets_of("account__login")).first()


def _is_another(position: Position, alarm: Alarm) -> bool:
    """Whether what the alarm is about was closed, and this was opened after it."""
    return position.opened_at is not None and position.opened_at > alarm.raised_at


def _is_moving(position: Position) -> bool:
    """Whether something is under way that changes its size; an entry that only waits at its price is not."""
    live = OrderIntent.objects.filter(symbol=position.symbol, status__in=sorted(LIVE_INTENTS))
    mine = live.filter(trader_id=position.trader_id).exclude(kind=IntentKind.PROTECT)
    resting = Q(kind=IntentKind.ENTRY, orders__status=OrderStatus.WORKING, orders__role=OrderRole.ENTRY)
    whole = live.filter(account_id=position.account_id, kind=IntentKind.FLATTEN)
    return mine.exclude(pk__in=mine.filter(resting).values("pk")).exists() or whole.exists()


def _end(alarm: Alarm) -> bool:
    alarms.end_alarm(owner_id=alarm.owner_id, code=alarm.code, ref=alarm.ref)
    return False
