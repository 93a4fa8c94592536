"""One broker execution, applied once."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from brokers.base import Side
from brokers.models import BrokerAccount
from execution.models.order import Order
from justtrades import clock
from justtrades.ids import new_id


class Fill(models.Model):
    """`order` is None until the order that it belongs to is known; only then is it applied to a position.

    `filled_at` is the venue's word, `stored_at` when we first heard of it.
    `shares` is how a FLATTEN's fill fell to the traders that held the contract: `[trader id, contracts, dollars]` each.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="fills", db_index=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True, related_name="fills")
    broker_fill_id = models.CharField(max_length=32)
    broker_order_id = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=[(s.value, s.value) for s in Side])
    qty = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    realized_pnl = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    shares = models.JSONField(null=True)
    filled_at = models.DateTimeField()
    stored_at = models.DateTimeField(default=clock.now, db_default=Now())
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("filled_at",)
        indexes = (
            models.Index(fields=["account", "filled_at"], name="fills_of_account"),
            models.Index(fields=["account", "stored_at"], name="fills_newly_heard_of"),
            models.Index(
                fields=["account", "broker_order_id"],
                name="fills_to_apply",
                condition=models.Q(applied_at__isnull=True),
            ),
        )
        constraints = (
            models.UniqueConstraint("account", "broker_fill_id", name="one_fill_per_broker_fill_id"),
            models.CheckConstraint(condition=models.Q(qty__gt=0), name="fill_quantity_positive"),
        )

    def __str__(self) -> str:
        return f"{self.side} {self.qty} {self.symbol} @ {self.price}"
