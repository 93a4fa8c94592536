"""Positions that should be safe and are not: found within a second, ended within five."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Mod

from brokers.base import AccountRef, CancelOrder, OrderRole, OrderStatus
from execution import locks, transitions
from execution.intents import Wanting, wish_exit
from execution.models import (
    BrokerPosition,
    Fill,
    IntentKind,
    IntentSource,
    IntentStatus,
    ObjectKind,
    Order,
    OrderIntent,
    Position,
)
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import WORKING
from execution.transitions import Change
from justtrades import clock

log = structlog.get_logger(__name__)
UNPROTECTED_BOUND = timedelta(seconds=5)
ORPHAN_AFTER = timedelta(seconds=2)
BROKER_FLAT_AFTER = timedelta(seconds=1)


class Desk(Protocol):
    index: int

    def dispatch(self) -> None: ...

    def submit(self, routed: Any) -> None: ...


def watch(desk: Desk) -> None:
    """Flatten what stayed without its stop, cancel exits that lost their position, believe a broker that is flat."""
    flattened = flatten_unprotected(desk.index)
    cancel_orphans(desk)
    adopt_flat(desk.index)
    if flattened:
        desk.dispatch()


def flatten_unprotected(lane: int) -> int:
    """An exit intent for each position that wants a stop and has had none working for longer than the bound."""
    since = clock.now() - UNPROTECTED_BOUND
    leaving = OrderIntent.objects.filter(
        trader_id=OuterRef("trader_id"), symbol=OuterRef("symbol"), kind=IntentKind.EXIT, status__in=LIVE_INTENTS
    )
    naked = (
        Position.objects.exclude(net_qty=0)
        .annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES))
        .filter(~Exists(leaving), lane=lane, unprotected_since__lt=since)
        .select_related("account__login")
    )
    return sum(_flatten(position) for position in naked)


def _flatten(position: Position) -> bool:
    wish = f"unprotected:{position.id}:{position.unprotected_since:%Y%m%dT%H%M%S%f}"
    tries = OrderIntent.objects.filter(idempotency_key__startswith=f"risk_action:{wish}").count()
    reason = f"no working stop of full size for more than {UNPROTECTED_BOUND.seconds} s"
    wanting = Wanting(IntentSource.RISK_ACTION, f"{wish}.{tries}", "UNPROTECTED", reason)
    is_new = wish_exit(position, wanting)
    if is_new:
        log.error("protection.flatten", account=position.account.name, symbol=position.symbol, net=position.net_qty)
    return is_new


def cancel_orphans(desk: Desk) -> int:
    """Exit legs of ours that still work although their trader holds nothing: either one could open a position."""
    since = clock.now() - ORPHAN_AFTER
    holding = Position.objects.filter(trader_id=OuterRef("trader_id"), symbol=OuterRef("symbol")).exclude(net_qty=0)
    entering = OrderIntent.objects.filter(
        trader_id=OuterRef("trader_id"), symbol=OuterRef("symbol"), kind=IntentKind.ENTRY, status__in=LIVE_INTENTS
    )
    orphans = (
        Order.objects.annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES))
        .filter(
            ~Exists(holding),
            ~Exists(entering),
            lane=desk.index,
            role__in=[OrderRole.TARGET.value, OrderRole.STOP.value],
            status__in=[status.value for status in WORKING],
            updated_at__lt=since,
        )
        .select_related("account")
    )
    routed = [
        (
            order.account.login_id,
            CancelOrder(f"C{order.broker_order_id}", AccountRef(order.account.broker_id, order.account.name),
                        order.broker_order_id or ""),
        )
        for order in orphans
    ]  # fmt: skip
    Order.objects.filter(pk__in=[order.pk for order in orphans]).update(updated_at=clock.now())
    if routed:
        log.warning("protection.orphans_canceled", count=len(routed))
        desk.submit(routed)
    return len(routed)


def adopt_flat(lane: int) -> int:
    """Close our record of a position that the broker says does not exist, when no fill explains it for a while.

    Somebody closed it at the broker. Holding on to it would let the next alert act on a position that is not there,
    and an exit that found less to close than we thought would never be done.
    """
    keys = list(_gone_at_broker(lane).values_list("trader_id", "symbol"))
    if not keys:
        return 0
    exits = OrderIntent.objects.filter(
        _HAS_FILLED,
        trader_id__in={trader for trader, _ in keys},
        symbol__in={symbol for _, symbol in keys},
        status__in=LIVE_INTENTS,
    )
    with transaction.atomic():
        over = locks.lock_intents(OrderIntent.objects.filter(id__in=exits.values("id")))
        for position in locks.lock_positions(keys).values():
            _close_record(position)
        for intent in over:
            _end_exit(intent)
    return len(keys)


_HAS_FILLED = Q(kind=IntentKind.EXIT, orders__role=OrderRole.EXIT.value, orders__status=OrderStatus.FILLED.value)
"""An exit whose order has filled closed all that was there, whatever we thought that it was."""


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
    # An entry that waits for the exit has sent nothing yet.
    waits = Q(kind=IntentKind.ENTRY, status=IntentStatus.CLEARED, after__isnull=False)
    under_way = live.exclude(waits).exclude(id__in=OrderIntent.objects.filter(_HAS_FILLED).values("id"))
    # A fill of ours whose price the venue still owes us explains the flat report by itself.
    ours = Order.objects.filter(
        account_id=OuterRef("account_id"), broker_order_id=OuterRef("broker_order_id"), trader__isnull=False
    )
    unapplied = Fill.objects.filter(Exists(ours), **here, applied_at__isnull=True)
    # The exit's last fill and the report that nothing is left come together.
    is_newer = Exists(flat.filter(reported_at__gt=OuterRef("updated_at")))
    is_as_new = Exists(live.filter(_HAS_FILLED)) & Exists(flat.filter(reported_at=OuterRef("updated_at")))
    return (
        Position.objects.exclude(net_qty=0)
        .annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES))
        .filter(is_newer | is_as_new, ~Exists(others), ~Exists(under_way), ~Exists(unapplied), lane=lane)
    )


def _end_exit(intent: OrderIntent) -> None:
    now, before = clock.now(), intent.status
    intent.status, intent.finished_at = IntentStatus.DONE, now
    intent.save(update_fields=["status", "finished_at"])
    detail = "the broker is flat, and held less than we thought"
    transitions.record([
        Change(intent.owner_id, ObjectKind.INTENT, intent.id, before, IntentStatus.DONE, now, detail)
    ])  # fmt: skip


def _close_record(position: Position) -> None:
    now = clock.now()
    before = position.net_qty
    position.net_qty, position.avg_price, position.unprotected_since, position.updated_at = 0, None, None, now
    position.exits, position.is_at_break_even = "", False
    position.save(
        update_fields=["net_qty", "avg_price", "unprotected_since", "updated_at", "exits", "is_at_break_even"]
    )
    detail = "closed at the broker, not by us: the broker reports flat"
    transitions.record([
        Change(position.owner_id, ObjectKind.POSITION, position.id, f"{before:+d}", "+0", now, detail)
    ])  # fmt: skip
    log.warning("protection.adopted_flat", trader=str(position.trader_id), symbol=position.symbol, net=before)
