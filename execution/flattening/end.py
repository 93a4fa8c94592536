"""What ends with a flatten: its intents, the lock's reason, and records of positions that are not there any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import Q

from brokers.base import OrderRole, OrderStatus
from brokers.instruments import product_of
from execution import alarms, feed, locks, spans, transitions
from execution.guard.rebase import rebase
from execution.models import (
    Flatten,
    FlattenStatus,
    IntentKind,
    IntentStatus,
    ObjectKind,
    Order,
    OrderIntent,
    Position,
)
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import LIVE as LIVE_ORDERS
from execution.reconcile.counted import owes_fills
from execution.transitions import Change
from justtrades import clock
from risk import events
from risk.models import ActionStatus, EventKind, RiskAction
from risk.pnl import open_pnl

log = structlog.get_logger(__name__)
STUCK_AFTER = timedelta(seconds=3)
VERIFIED = "verified: our books and the broker's have nothing left"


def finish(flatten: Flatten, seen_at: datetime) -> bool:
    """Call it flat, as of the look that began at `seen_at`; False, with nothing changed, when somebody else did so
    before, or when a position of the account has moved since then.
    """
    now = clock.now()
    with transaction.atomic():
        is_first = Flatten.objects.filter(pk=flatten.pk, status=FlattenStatus.ACTING).update(
            status=FlattenStatus.FLAT, flat_at=seen_at
        )
        if not is_first:
            return False
        transitions.record([
            Change(flatten.owner_id, ObjectKind.FLATTEN, flatten.id, FlattenStatus.ACTING, FlattenStatus.FLAT, now,
                   VERIFIED)
        ])  # fmt: skip
        if flatten.trader_id is None:
            _end_intents(flatten, now)
            if not _close_records(flatten, now, seen_at):
                transaction.set_rollback(True)
                return False
        _end_action(flatten, seen_at)
        alarms.end_alarm(owner_id=flatten.owner_id, code="NOT_FLAT", ref=flatten.pk)
    log.info("flatten.flat", account=flatten.account.name, code=flatten.reason_code, tries=flatten.tries)
    feed.announce(flatten.owner_id, "intents", "orders", "positions", "connections")
    return True


def end_stuck(flatten: Flatten, symbols: Collection[str]) -> int:
    """Give up waiting for closes that were sent and changed nothing: the broker's books still show what they were for.

    Their orders stay as doubtful as they are; only the intent no longer stands in the way of the next one.
    """
    now = clock.now()
    sent = OrderIntent.objects.filter(
        account_id=flatten.account_id,
        kind=IntentKind.FLATTEN,
        symbol__in=symbols,
        status__in=[IntentStatus.DISPATCHED, IntentStatus.UNKNOWN],
        dispatched_at__lt=now - STUCK_AFTER,
    )
    with transaction.atomic():
        stuck = locks.lock_intents(sent)
        _end(stuck, IntentStatus.FAILED, "NOT_CLOSED", "the broker's books still show what it was to close", now)
    return len(stuck)


def _end_intents(flatten: Flatten, now: datetime) -> None:
    live = OrderIntent.objects.filter(
        account_id=flatten.account_id, kind=IntentKind.FLATTEN, status__in=sorted(LIVE_INTENTS)
    )
    sent = OrderIntent.objects.filter(
        account_id=flatten.account_id,
        kind=IntentKind.EXIT,
        status__in=[IntentStatus.DISPATCHED, IntentStatus.UNKNOWN],
    )
    over, exits = locks.lock_intents(live), locks.lock_intents(sent)
    closing = [IntentKind.FLATTEN, IntentKind.EXIT]
    nameless = Q(role=OrderRole.EXIT.value, broker_order_id__isnull=True, intent__kind__in=closing)
    orders = Order.objects.filter(nameless, account_id=flatten.account_id, status__in=sorted(LIVE_ORDERS))
    for order in locks.lock_orders(orders):
        before, order.status, order.updated_at = order.status, OrderStatus.CANCELED.value, now
        order.save(update_fields=["status", "updated_at"])
        detail = "the broker had nothing left to close"
        transitions.record([
            Change(order.owner_id, ObjectKind.ORDER, order.id, before, order.status, now, detail)
        ])  # fmt: skip
    _end(over, IntentStatus.DONE, flatten.reason_code, flatten.reason_text, now)
    _end(exits, IntentStatus.DONE, "ALREADY_FLAT", "the account was closed as a whole", now)


def _end(intents: list[OrderIntent], status: IntentStatus, code: str, text: str, now: datetime) -> None:
    OrderIntent.objects.filter(pk__in=[intent.pk for intent in intents]).update(
        status=status, reason_code=code, reason_text=text[:512], finished_at=now
    )
    transitions.record(
        Change(one.owner_id, ObjectKind.INTENT, one.id, one.status, status.value, now, text) for one in intents
    )


def _close_records(flatten: Flatten, now: datetime, seen_at: datetime) -> bool:
    """Positions that our fills left open on an account that is flat: held against each other, or closed elsewhere.

    What was held against each other is valued at the price of the close, where there was one. False, with nothing
    closed: one of them moved after the account was seen to be flat.
    """
    keys = Position.objects.filter(account_id=flatten.account_id).exclude(net_qty=0).values_list("trader_id", "symbol")
    held = [one for one in locks.lock_positions(list(keys)).values() if one.net_qty != 0]
    if any(position.updated_at >= seen_at for position in held):
        return False
    for position in held:
        price = _closed_at(flatten, position.symbol)
        before, average = position.net_qty, position.avg_price
        if price is not None and average is not None:
            point_value = product_of(position.symbol).point_value
            position.realized_pnl += open_pnl(before, average, price, point_value)
        spans.end_flat(position, now)
        position.net_qty, position.avg_price, position.unprotected_since, position.updated_at = 0, None, None, now
        position.exits, position.is_at_break_even = "", False
        position.save(
            update_fields=[
                "net_qty", "avg_price", "realized_pnl", "unprotected_since", "updated_at", "exits", "is_at_break_even",
            ]
        )  # fmt: skip
        if not owes_fills(flatten.account_id, position.symbol):
            rebase(flatten.account_id, position.symbol, 0, price)
        detail = f"closed with the account: {flatten.reason_code}"
        transitions.record([
            Change(position.owner_id, ObjectKind.POSITION, position.id, f"{before:+d}", "+0", now, detail)
        ])  # fmt: skip
    return True


def _closed_at(flatten: Flatten, symbol: str) -> Decimal | None:
    closes = Order.objects.filter(
        account_id=flatten.account_id,
        symbol=symbol,
        role=OrderRole.EXIT.value,
        avg_price__isnull=False,
        created_at__gte=flatten.began_at,
    )
    return closes.order_by("-created_at").values_list("avg_price", flat=True).first()


def _end_action(flatten: Flatten, seen_at: datetime) -> None:
    """What moved after that moment is something new: see `execution.guard.decide.act_again`."""
    action_id = flatten.risk_action_id
    if action_id is None:
        return
    moved = (
        RiskAction.objects.filter(pk=action_id)
        .exclude(status=ActionStatus.FLAT)
        .update(status=ActionStatus.FLAT, flat_at=seen_at)
    )
    if moved:
        text = f"{flatten.account.name} is flat with no working order, after {flatten.tries} rounds of closing"
        events.note(EventKind.FLAT, text, owner_id=flatten.owner_id, subject=action_id)
