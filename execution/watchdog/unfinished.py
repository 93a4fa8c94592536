"""Exits whose order ended at the broker before all was closed: they are sent again, or make room for the watchdog's.

An exchange may end a market order that finds no counterparty, and a close without a name may be mistaken for another
one. While such an exit counts as under way nothing else closes the position.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from brokers.base import OrderRole, OrderStatus
from brokers.selectors import secrets_of
from execution import locks, transitions
from execution.changes import of_lane
from execution.intents import order_name
from execution.models import BrokerPosition, IntentKind, IntentStatus, ObjectKind, Order, OrderIntent, Position
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.reports.outcomes import MAX_EXIT_ATTEMPTS
from execution.transitions import Change
from execution.watchdog.scene import Scene
from justtrades import clock

log = structlog.get_logger(__name__)
AGAIN_AFTER = timedelta(seconds=2)
"""From the end of its order: a fill of it, or the position, may be told of after it."""
WITHOUT_FILLS_AFTER = timedelta(seconds=30)
"""The same for an order that has filled and whose fills were not all told of."""
ENDED = (OrderStatus.FILLED.value, OrderStatus.CANCELED.value, OrderStatus.EXPIRED.value)
TEXT = "its order ended at the broker, and the position is still open"


def ended_orders() -> QuerySet[Order]:
    """The last orders of exits that are under way, where these are over at the broker. A retry makes another order."""
    newer = Order.objects.filter(
        intent_id=OuterRef("intent_id"), role=OrderRole.EXIT.value, created_at__gt=OuterRef("created_at")
    )
    return Order.objects.filter(
        ~Exists(newer),
        intent__kind=IntentKind.EXIT,
        intent__status=IntentStatus.DISPATCHED,
        role=OrderRole.EXIT.value,
        status__in=ENDED,
    )


def send_again(lane: int) -> int:
    """How many exits are cleared anew. One that was tried too often fails: the watchdog's own takes its place."""
    found = {
        (order.trader_id, order.symbol): order.intent_id for order in _unfinished(lane) if order.intent_id is not None
    }
    if not found:
        return 0
    ids = [found[position.trader_id, position.symbol] for position in _still_there(found)]
    with transaction.atomic():
        intents = locks.lock_intents(OrderIntent.objects.filter(pk__in=ids, status=IntentStatus.DISPATCHED))
        cleared = [_clear(intent) for intent in intents]
    return sum(cleared)


def _unfinished(lane: int) -> QuerySet[Order]:
    """The broker must hold something on the position's side: what it does not have is not closed but believed."""
    now = clock.now()
    mine = {"trader_id": OuterRef("trader_id"), "symbol": OuterRef("symbol")}
    held = Position.objects.filter(**mine)
    there = BrokerPosition.objects.filter(account_id=OuterRef("account_id"), symbol=OuterRef("symbol"))
    is_long = Exists(held.filter(net_qty__gt=0)) & Exists(there.filter(net_qty__gt=0))
    is_short = Exists(held.filter(net_qty__lt=0)) & Exists(there.filter(net_qty__lt=0))
    leaving = OrderIntent.objects.filter(**mine, kind=IntentKind.EXIT, status__in=sorted(LIVE_INTENTS))
    waits = Q(status=IntentStatus.CLEARED, after__status__in=sorted(LIVE_INTENTS))
    is_leaving = Exists(leaving.exclude(waits).exclude(pk__in=ended_orders().values("intent_id")))
    is_told = ~Q(status=OrderStatus.FILLED) | Q(filled_qty__gte=F("qty")) | Q(updated_at__lt=now - WITHOUT_FILLS_AFTER)
    return of_lane(ended_orders(), lane).filter(
        is_long | is_short, ~is_leaving, is_told, updated_at__lt=now - AGAIN_AFTER
    )


def _still_there(keys: Collection[tuple[UUID | None, str]]) -> list[Position]:
    """Those of the positions that a plain order for their size cannot turn around."""
    rows = (
        Position.objects.exclude(net_qty=0)
        .filter(trader_id__in={trader for trader, _ in keys}, symbol__in={symbol for _, symbol in keys})
        .select_related("account__login")
        .defer(*secrets_of("account__login"))
    )
    held = [position for position in rows if (position.trader_id, position.symbol) in keys]
    scene = Scene.around(held) if held else Scene()
    return [position for position in held if not scene.facts(position, is_asked=False).may_be_gone]


def _clear(intent: OrderIntent) -> bool:
    """Under a new name: where ids are unique, an order that is over has used its own up."""
    now, is_last = clock.now(), intent.attempts >= MAX_EXIT_ATTEMPTS
    after = IntentStatus.FAILED if is_last else IntentStatus.CLEARED
    intent.client_order_id = order_name(intent.kind, f"{intent.idempotency_key}#{intent.attempts}")
    intent.status, intent.reason_code, intent.reason_text = after.value, "NOT_CLOSED", TEXT
    intent.cleared_at, intent.finished_at = now, now if is_last else None
    columns = ["client_order_id", "status", "reason_code", "reason_text", "cleared_at", "finished_at"]
    intent.save(update_fields=columns)
    change = Change(intent.owner_id, ObjectKind.INTENT, intent.id, IntentStatus.DISPATCHED, after.value, now, TEXT)
    transitions.record([change])
    log.warning("watchdog.exit_unfinished", intent=str(intent.pk), attempts=intent.attempts)
    return not is_last
