"""A broker that is flat is believed: our record of a position that it does not hold is closed."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Mod

from brokers.base import OrderRole, OrderStatus
from execution import locks, spans, transitions
from execution.changes import of_lane
from execution.guard.rebase import rebase
from execution.models import (
    BrokerPosition,
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
from execution.reports.settle import ANSWERED_WITHIN
from execution.transitions import Change
from execution.watchdog.owed import unbooked_here
from execution.watchdog.tidy import LEGS
from execution.watchdog.unfinished import ended_orders
from justtrades import clock

log = structlog.get_logger(__name__)
BROKER_FLAT_AFTER = timedelta(seconds=1)
FOUND_NOTHING_AFTER = timedelta(seconds=3)


def adopt_flat(lane: int) -> int:
    """Close our record of a position that the broker says does not exist, when no fill explains it for a while.

    Somebody closed it at the broker. Holding on to it would let the next alert act on a position that is not there,
    and an exit that found less to close than we thought would never be done.
    """
    keys = list(_gone_at_broker(lane).values_list("trader_id", "symbol"))
    if not keys:
        return 0
    exits = OrderIntent.objects.filter(
        _is_over(),
        trader_id__in={trader for trader, _ in keys},
        symbol__in={symbol for _, symbol in keys},
        status__in=LIVE_INTENTS,
    )
    with transaction.atomic():
        over = locks.lock_intents(OrderIntent.objects.filter(id__in=exits.values("id")))
        for position in locks.lock_positions(keys).values():
            close_record(position)
        for intent in over:
            _end_exit(intent)
    return len(keys)


def end_exits_of_flat(lane: int) -> int:
    """End exits whose order is over and which have nothing left to close, where no answer came that would end them."""
    mine = {"trader_id": OuterRef("trader_id"), "symbol": OuterRef("symbol")}
    held = Position.objects.filter(**mine).exclude(net_qty=0)
    legs = Order.objects.filter(**mine, role__in=LEGS, status__in=sorted(LIVE_ORDERS))
    over = of_lane(ended_orders(), lane).filter(
        ~Exists(held), ~Exists(legs), updated_at__lt=clock.now() - ANSWERED_WITHIN, trader__isnull=False
    )
    ids = list(over.values_list("intent_id", flat=True))
    if not ids:
        return 0
    with transaction.atomic():
        intents = locks.lock_intents(OrderIntent.objects.filter(pk__in=ids, status=IntentStatus.DISPATCHED))
        for intent in intents:
            _end_exit(intent)
    return len(intents)


def _is_over() -> Q:
    """Exits that a broker which is flat has no more to do for: their order is over there, or the flatten that the
    broker took a while ago has become no order, because nothing was left to close.
    """
    found_nothing = Q(
        kind=IntentKind.EXIT,
        status=IntentStatus.DISPATCHED,
        dispatched_at__lt=clock.now() - FOUND_NOTHING_AFTER,
        orders__role=OrderRole.EXIT.value,
        orders__status=OrderStatus.WORKING.value,
        orders__broker_order_id__isnull=True,
    )
    return Q(pk__in=ended_orders().values("intent_id")) | found_nothing


def _gone_at_broker(lane: int) -> QuerySet[Position]:
    """Only a report that is not older than our last fill counts, and only where one trader alone holds the contract on
    the account: two that hold against each other are flat at the broker by right.
    """
    since = clock.now() - BROKER_FLAT_AFTER
    here = {"account_id": OuterRef("account_id"), "symbol": OuterRef("symbol")}
    flat = BrokerPosition.objects.filter(**here, net_qty=0, reported_at__lt=since)
    others = Position.objects.exclude(net_qty=0).exclude(pk=OuterRef("pk")).filter(**here)
    live = OrderIntent.objects.filter(
        trader_id=OuterRef("trader_id"), symbol=OuterRef("symbol"), status__in=LIVE_INTENTS
    )
    # What waits for the exit has sent nothing yet.
    waiting = [IntentKind.ENTRY, IntentKind.PROTECT]
    waits = Q(kind__in=waiting, status=IntentStatus.CLEARED, after__isnull=False)
    waits |= Q(status=IntentStatus.CLEARED, after__status__in=sorted(LIVE_INTENTS))
    under_way = live.exclude(waits).exclude(id__in=live.filter(_is_over()).values("id"))
    # The exit's last fill and the report that nothing is left come together.
    is_newer = Exists(flat.filter(reported_at__gt=OuterRef("updated_at")))
    is_as_new = Exists(live.filter(_is_over())) & Exists(flat.filter(reported_at=OuterRef("updated_at")))
    return (
        Position.objects.exclude(net_qty=0)
        .annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES))
        .filter(is_newer | is_as_new, ~Exists(others), ~Exists(under_way), ~unbooked_here(), lane=lane)
    )


def _end_exit(intent: OrderIntent) -> None:
    now, before = clock.now(), intent.status
    intent.status, intent.finished_at = IntentStatus.DONE, now
    intent.save(update_fields=["status", "finished_at"])
    detail = "nothing is left to close"
    ended = [Change(intent.owner_id, ObjectKind.INTENT, intent.id, before, IntentStatus.DONE, now, detail)]
    nameless = Order.objects.filter(
        intent=intent, role=OrderRole.EXIT.value, status=OrderStatus.WORKING.value, broker_order_id__isnull=True
    )
    for order in locks.lock_orders(nameless):
        order.status, order.updated_at = OrderStatus.CANCELED.value, now
        order.save(update_fields=["status", "updated_at"])
        working, canceled = OrderStatus.WORKING.value, OrderStatus.CANCELED.value
        ended.append(Change(order.owner_id, ObjectKind.ORDER, order.id, working, canceled, now, detail))
    transitions.record(ended)


def close_record(position: Position) -> None:
    """Call it flat. The caller holds its lock, inside a transaction."""
    now = clock.now()
    before = position.net_qty
    spans.end_flat(position, now)
    position.net_qty, position.avg_price, position.unprotected_since, position.updated_at = 0, None, None, now
    position.exits, position.is_at_break_even = "", False
    position.save(
        update_fields=["net_qty", "avg_price", "unprotected_since", "updated_at", "exits", "is_at_break_even"]
    )
    if not owes_fills(position.account_id, position.symbol):
        rebase(position.account_id, position.symbol, 0, None)
    detail = "closed at the broker, not by us: the broker reports flat"
    transitions.record([
        Change(position.owner_id, ObjectKind.POSITION, position.id, f"{before:+d}", "+0", now, detail)
    ])  # fmt: skip
    log.warning("watchdog.adopted_flat", trader=str(position.trader_id), symbol=position.symbol, net=before)
