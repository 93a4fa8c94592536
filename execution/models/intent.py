"""The durable wish: one per trader and leg. It owns the idempotency key and the expiry."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from brokers.base import OrderType, Side
from brokers.models import BrokerAccount
from execution.models.command import Command
from execution.models.explanation import Explanation
from justtrades import clock
from justtrades.ids import new_id
from recorders.models import Signal
from traders.models import Trader

COPIED: Any = {"db_constraint": False, "db_index": False}
"""For keys copied from rows that the same transaction has just read: a check per row and key would cost the order path
half of its time (ADR 0004)."""


MAX_FIGURE = 96


class IntentSource(models.TextChoices):
    SIGNAL = "signal", "Signal"
    COMMAND = "command", "Command"
    RISK_ACTION = "risk_action", "Risk action"


class IntentKind(models.TextChoices):
    """See `execution.plan.LegKind`. FLATTEN closes all that an account holds of a contract, whoever opened it."""

    ENTRY = "entry", "Entry"
    EXIT = "exit", "Exit"
    REDUCE = "reduce", "Partial exit"
    CANCEL = "cancel", "Cancel"
    PROTECT = "protect", "Protect"
    FLATTEN = "flatten", "Flatten"


class IntentStatus(models.TextChoices):
    NEW = "new", "New"
    CLEARED = "cleared", "Cleared"
    DENIED = "denied", "Denied"
    EXPIRED = "expired", "Expired"
    DISPATCHED = "dispatched", "Dispatched"
    UNKNOWN = "unknown", "Unknown"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


LIVE = frozenset({IntentStatus.NEW, IntentStatus.CLEARED, IntentStatus.DISPATCHED, IntentStatus.UNKNOWN})
FINISHED = frozenset({IntentStatus.DENIED, IntentStatus.EXPIRED, IntentStatus.DONE, IntentStatus.FAILED})

TRANSITIONS: dict[IntentStatus, frozenset[IntentStatus]] = {
    IntentStatus.NEW: frozenset({IntentStatus.CLEARED, IntentStatus.DENIED, IntentStatus.EXPIRED}),
    IntentStatus.CLEARED: frozenset(
        {IntentStatus.DISPATCHED, IntentStatus.DENIED, IntentStatus.EXPIRED, IntentStatus.DONE, IntentStatus.FAILED}
    ),
    IntentStatus.DISPATCHED: frozenset(
        {IntentStatus.DONE, IntentStatus.FAILED, IntentStatus.UNKNOWN, IntentStatus.CLEARED}
    ),
    IntentStatus.UNKNOWN: frozenset(
        {IntentStatus.DISPATCHED, IntentStatus.DONE, IntentStatus.FAILED, IntentStatus.CLEARED}
    ),
    IntentStatus.DENIED: frozenset(),
    IntentStatus.EXPIRED: frozenset(),
    IntentStatus.DONE: frozenset(),
    IntentStatus.FAILED: frozenset(),
}
"""What may follow what. Back to CLEARED only with proof that nothing was sent, or that the order is over."""


class OrderIntent(models.Model):
    """`after` is the intent on the same trader and contract that must be finished first.

    `exits` is the template that the position is to have (`traders.exits.ExitTemplate`), `bracket` the legs that go
    with the entry: rows of quantity, target and stop distance in points, and the target's place in the template.
    `trader` is None for a FLATTEN: it is nobody's, and what it closes is booked to whoever held it.
    An entry that still waits at `cancel_at` is canceled. A partial exit goes by what it leaves, `leaves_qty` unsigned:
    what a target has taken meanwhile is not taken twice.
    `reason_had` and `reason_limit` are what a pre-trade check that denied it went by, as they are shown.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", **COPIED)
    source = models.CharField(max_length=16, choices=IntentSource)
    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, null=True, related_name="intents")
    # The one copied key that the database checks: it is what keeps a trader with history from being deleted.
    trader = models.ForeignKey(Trader, on_delete=models.CASCADE, null=True, related_name="intents", db_index=False)
    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="+", **COPIED)
    lane_slot = models.PositiveIntegerField()
    leg = models.CharField(max_length=16)
    kind = models.CharField(max_length=8, choices=IntentKind)
    idempotency_key = models.CharField(max_length=160, unique=True)
    client_order_id = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=[(s.value, s.value) for s in Side])
    qty = models.PositiveIntegerField()
    leaves_qty = models.PositiveIntegerField(null=True)
    target_distance = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    stop_distance = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    order_type = models.CharField(max_length=16, default=OrderType.MARKET.value)
    price = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    bracket = models.JSONField(default=list)
    exits = models.TextField(blank=True, default="")
    cancel_at = models.DateTimeField(null=True)
    command = models.ForeignKey(Command, on_delete=models.CASCADE, null=True, related_name="intents", **COPIED)
    explanation = models.ForeignKey(Explanation, on_delete=models.PROTECT, null=True, related_name="+", **COPIED)
    after = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="followers", **COPIED)
    status = models.CharField(max_length=12, choices=IntentStatus, default=IntentStatus.NEW)
    reason_code = models.CharField(max_length=64, blank=True)
    reason_text = models.CharField(max_length=512, blank=True)
    reason_had = models.CharField(max_length=MAX_FIGURE, blank=True, default="", db_default="")
    reason_limit = models.CharField(max_length=MAX_FIGURE, blank=True, default="", db_default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True)
    cleared_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    filled_at = models.DateTimeField(null=True)
    protected_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=["owner", "-created_at"], name="intents_of_owner"),
            models.Index(
                fields=["trader", "created_at"], name="entries_of_trader", condition=models.Q(kind=IntentKind.ENTRY)
            ),
            models.Index(fields=["trader", "symbol"], name="live_intents", condition=models.Q(status__in=sorted(LIVE))),
        )
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(kind=IntentKind.ENTRY) | models.Q(status=IntentStatus.DENIED) | models.Q(qty__gt=0),
                name="entry_quantity_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(trader__isnull=False) | models.Q(kind=IntentKind.FLATTEN),
                name="only_a_flatten_is_nobodys",
            ),
            models.UniqueConstraint(
                fields=["account", "symbol"],
                condition=models.Q(kind=IntentKind.FLATTEN, status__in=sorted(LIVE)),
                name="one_live_flatten_per_contract",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.side} {self.qty} {self.symbol}"
