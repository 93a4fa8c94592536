"""Entries that the venue calls filled, and whose fills it has not told yet: nobody knows for a moment what is held."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from brokers.base import OrderRole, OrderStatus
from execution.models import IntentKind, Order
from execution.submitting import Due

BOUND = timedelta(seconds=5)
"""How long the word that it is filled stands alone; after that our books are believed."""
SENT_WITHIN = timedelta(minutes=1)
Key = tuple[UUID, str]


def fills_owed(intents: Iterable[Due], now: datetime) -> set[Key]:
    """Trader and contract of those that close something, and of which such an entry has just filled."""
    keys = {
        (due.trader_id, due.symbol)
        for due in intents
        if due.kind in {IntentKind.EXIT, IntentKind.REDUCE} and due.trader_id is not None
    }
    if not keys:
        return set()
    owing = Order.objects.filter(
        intent__trader_id__in={trader for trader, _ in keys},
        intent__kind=IntentKind.ENTRY,
        intent__created_at__gt=now - SENT_WITHIN,
        role=OrderRole.ENTRY.value,
        status=OrderStatus.FILLED.value,
        filled_qty__lt=F("qty"),
        updated_at__gt=now - BOUND,
    )
    rows = owing.order_by().values_list("intent__trader_id", "symbol")
    return {(trader_id, symbol) for trader_id, symbol in rows if trader_id is not None} & keys
