"""What the broker knows, or may know."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from brokers.base import OrderRole, OrderStatus, OrderType, Side
from brokers.models import BrokerAccount
from execution.models.intent import COPIED, OrderIntent
from justtrades import clock
from justtrades.ids import new_id
from traders.models import Trader

IN_FLIGHT = frozenset({OrderStatus.SUBMITTING, OrderStatus.UNKNOWN, OrderStatus.PENDING_CANCEL})
WORKING = frozenset({OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED})
LIVE = IN_FLIGHT | WORKING | {OrderStatus.SUSPENDED}
DONE = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.NOT_PLACED}
)


class Order(models.Model):
    """`intent` is None for an EXTERNAL order; a bracket leg belongs to the intent of its entry.

    `target_index` is an exit leg's place in its position's exit template. `wanted_qty` and `wanted_price` are a wish
    that the broker has not confirmed yet: the terms that a working order is to have, with `wanted_qty` 0 to cancel it.
    `exits_wished` counts an entry's filled contracts whose exits have been wished for, where the venue makes none.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", **COPIED)
    intent = models.ForeignKey(OrderIntent, on_delete=models.CASCADE, null=True, related_name="orders")
    trader = models.ForeignKey(Trader, on_delete=models.CASCADE, null=True, related_name="orders", **COPIED)
    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="orders", **COPIED)
    role = models.CharField(max_length=12, choices=[(r.value, r.value) for r in OrderRole])
    client_order_id = models.CharField(max_length=32, null=True)
    broker_order_id = models.CharField(max_length=32, null=True)
    broker_strategy_id = models.CharField(max_length=32, blank=True)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=[(s.value, s.value) for s in Side])
    qty = models.PositiveIntegerField()
    order_type = models.CharField(max_length=16, choices=[(t.value, t.value) for t in OrderType])
    price = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    stop_price = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    status = models.CharField(max_length=20, choices=[(s.value, s.value) for s in OrderStatus])
    filled_qty = models.PositiveIntegerField(default=0)
    avg_price = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    reject_code = models.CharField(max_length=64, blank=True)
    reject_text = models.CharField(max_length=512, blank=True)
    target_index = models.PositiveSmallIntegerField(null=True)
    wanted_qty = models.PositiveIntegerField(null=True)
    wanted_price = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    change_sent_at = models.DateTimeField(null=True)
    change_attempts = models.PositiveSmallIntegerField(default=0)
    exits_wished = models.PositiveIntegerField(default=0, db_default=0)
    queries_without_trace = models.PositiveSmallIntegerField(default=0)
    queried_at = models.DateTimeField(null=True)
    submit_started_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    version = models.CharField(max_length=16)

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=["owner", "-created_at"], name="orders_of_owner"),
            models.Index(fields=["account", "symbol"], name="live_orders", condition=models.Q(status__in=sorted(LIVE))),
            models.Index(fields=["account"], name="wished_orders", condition=models.Q(wanted_qty__isnull=False)),
        )
        constraints = (
            models.UniqueConstraint("account", "broker_order_id", name="one_order_per_broker_order_id"),
            models.UniqueConstraint(fields=["client_order_id"], name="one_order_per_client_order_id"),
            models.UniqueConstraint(
                fields=["intent"],
                condition=models.Q(role__in=["entry", "exit"], status__in=sorted(LIVE)),
                name="one_live_order_per_intent",
            ),
        )

    def __str__(self) -> str:
        return f"{self.role} {self.side} {self.qty} {self.symbol} {self.status}"
