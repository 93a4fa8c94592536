"""Positions that should be safe and are not: found within a second, ended within five."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Mod

from brokers.base import AccountRef, CancelOrder, OrderRole
from execution import locks, transitions
from execution.intents import Wanting, wish_exit
from execution.models import (
    BrokerPosition,
    Fill,
    IntentKind,
    IntentSource,
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

    Somebody closed it at the broker. Holding on to it would let the next alert act on a position that is not there.
    Only a report that is newer than our last fill counts, and only where one trader alone holds the contract on the
    account: two that hold against each other are flat at the broker by right.
    """
    since = clock.now() - BROKER_FLAT_AFTER
    flat = BrokerPosition.objects.filter(
        account_id=OuterRef("account_id"),
        symbol=OuterRef("symbol"),
        net_qty=0,
        reported_at__lt=since,
        reported_at__gt=OuterRef("updated_at"),
    )
    others = (
        Position.objects.exclude(net_qty=0)
        .exclude(pk=OuterRef("pk"))
        .filter(account_id=OuterRef("account_id"), symbol=OuterRef("symbol"))
    )
    under_way = OrderIntent.objects.filter(
        trader_id=OuterRef("trader_id"), symbol=OuterRef("symbol"), status__in=LIVE_INTENTS
    )
    # A fill of ours whose price the venue still owes us explains the flat report by itself.
    ours = Order.objects.filter(
        account_id=OuterRef("account_id"), broker_order_id=OuterRef("broker_order_id"), trader__isnull=False
    )
    unapplied = Fill.objects.filter(
        Exists(ours), account_id=OuterRef("account_id"), symbol=OuterRef("symbol"), applied_at__isnull=True
    )
    gone = (
        Position.objects.exclude(net_qty=0)
        .annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES))
        .filter(Exists(flat), ~Exists(others), ~Exists(under_way), ~Exists(unapplied), lane=lane)
    )
    keys = list(gone.values_list("trader_id", "symbol"))
    if not keys:
        return 0
    with transaction.atomic():
        for position in locks.lock_positions(keys).values():
            _close_record(position)
    return len(keys)


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
