"""Fills of ours that are not booked yet, because their price or their order is not known: they explain a difference."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from execution.models import Fill, Order


def unbooked() -> QuerySet[Fill]:
    """Those of orders that one of our traders sent."""
    ours = Order.objects.filter(
        account_id=OuterRef("account_id"), broker_order_id=OuterRef("broker_order_id"), trader__isnull=False
    )
    return Fill.objects.filter(Exists(ours), applied_at__isnull=True)


def unbooked_here() -> Exists:
    """Whether there is one for the account and contract of the outer row."""
    return Exists(unbooked().filter(account_id=OuterRef("account_id"), symbol=OuterRef("symbol")))
