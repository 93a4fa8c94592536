"""What we have not been told yet, or have not booked: it explains a difference, and until then nothing is tidied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from brokers.base import OrderRole, OrderStatus, Side
from execution.models import Break, BreakKind, BreakState, BrokerPosition, Fill, Order, Position
from justtrades import clock

Key = tuple[UUID, str]
UNTOLD_FOR = timedelta(seconds=90)
"""How long an entry that is called filled speaks for fills nobody told of: each minute's look at the broker's books
brings what was lost."""


def unbooked() -> QuerySet[Fill]:
    """Those of orders that one of our traders sent, whose price or order is not known yet."""
    ours = Order.objects.filter(
        account_id=OuterRef("account_id"), broker_order_id=OuterRef("broker_order_id"), trader__isnull=False
    )
    return Fill.objects.filter(Exists(ours), applied_at__isnull=True)


def unbooked_here() -> Exists:
    """Whether there is one for the account and contract of the outer row."""
    return Exists(unbooked().filter(account_id=OuterRef("account_id"), symbol=OuterRef("symbol")))


def contradictions(here: Q) -> dict[Key, tuple[int, int]]:
    """By account and contract what our traders hold together and what the broker holds, where that is not the same and
    the broker has said so since the last fill. What its owner is known to hold there by hand explains any difference.
    """
    ours: dict[Key, int] = defaultdict(int)
    moved_at: dict[Key, datetime] = {}
    for account_id, symbol, net, at in Position.objects.filter(here).values_list(
        "account_id", "symbol", "net_qty", "updated_at"
    ):
        key = (account_id, symbol)
        ours[key] += net
        moved_at[key] = max(at, moved_at.get(key, at))
    by_hand = Break.objects.filter(here, kind=BreakKind.EXTERNAL_POSITION, state=BreakState.ADOPTED)
    explained = set(by_hand.values_list("account_id", "symbol"))
    said = BrokerPosition.objects.filter(here).values_list("account_id", "symbol", "net_qty", "reported_at")
    return {
        (account_id, symbol): (ours[account_id, symbol], theirs)
        for account_id, symbol, theirs, at in said
        if (account_id, symbol) not in explained
        and theirs != ours[account_id, symbol]
        and at > moved_at.get((account_id, symbol), at - UNTOLD_FOR)
    }


def may_guard_something(orders: Iterable[Order]) -> set[UUID]:
    """Those of the exits whose side closes what the broker holds, or is about to, and our books do not show."""
    exits = list(orders)
    if not exits:
        return set()
    here = Q(account_id__in={one.account_id for one in exits}, symbol__in={one.symbol for one in exits})
    unseen, opening = contradictions(here), _untold_entries(here)
    return {
        one.id
        for one in exits
        if (one.trader_id, one.symbol, Side(one.side).opposite) in opening
        or _closes(one, *unseen.get((one.account_id, one.symbol), (0, 0)))
    }


def _closes(order: Order, ours: int, theirs: int) -> bool:
    return (theirs - ours) * Side(order.side).sign < 0


def _untold_entries(here: Q) -> set[tuple[UUID | None, str, Side]]:
    rows = Order.objects.filter(
        here,
        trader__isnull=False,
        role=OrderRole.ENTRY.value,
        status=OrderStatus.FILLED.value,
        filled_qty__lt=F("qty"),
        updated_at__gt=clock.now() - UNTOLD_FOR,
    )
    return {(trader, symbol, Side(side)) for trader, symbol, side in rows.values_list("trader_id", "symbol", "side")}
