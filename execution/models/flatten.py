"""Closing everything of an account or a trader, until the broker's own books say that it is."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from brokers.models import BrokerAccount
from execution.models.command import Command
from execution.models.intent import IntentSource
from justtrades import clock
from justtrades.ids import new_id
from risk.models import RiskAction
from risk.models.action import UNCHECKED
from traders.models import Trader


class FlattenStatus(models.TextChoices):
    ACTING = "acting", "Closing"
    FLAT = "flat", "Flat, verified"
    DROPPED = "dropped", "Given up"


class Flatten(models.Model):
    """One act of flattening: cancel, close, verify, again until it is true. `trader` None: all that the account holds.

    `key` names the wish for good (`risk_action:<id>`, `command:<id>:<account>`). `tries` counts rounds of closing.
    FLAT needs two sources: our books and a look at the broker's. `alarmed_at` is when it took too long.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="flattens", db_index=False, **UNCHECKED
    )
    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="flattens", **UNCHECKED)
    trader = models.ForeignKey(Trader, on_delete=models.CASCADE, null=True, related_name="flattens", **UNCHECKED)
    source = models.CharField(max_length=16, choices=IntentSource)
    command = models.ForeignKey(Command, on_delete=models.CASCADE, null=True, related_name="flattens")
    risk_action = models.ForeignKey(
        RiskAction, on_delete=models.CASCADE, null=True, related_name="flattens", **UNCHECKED
    )
    key = models.CharField(max_length=128, unique=True)
    reason_code = models.CharField(max_length=64)
    reason_text = models.CharField(max_length=512)
    status = models.CharField(max_length=8, choices=FlattenStatus, default=FlattenStatus.ACTING)
    tries = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField(default=clock.now)
    flat_at = models.DateTimeField(null=True)
    alarmed_at = models.DateTimeField(null=True)
    detail = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ("-began_at",)
        indexes = (
            models.Index(fields=["account"], name="flattens_under_way", condition=models.Q(status="acting")),
            models.Index(fields=["owner", "-began_at"], name="flattens_of_owner"),
        )

    def __str__(self) -> str:
        return f"{self.reason_code} {self.status}"
