"""Who follows which recorder on which broker account, and how big."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from brokers.models import BrokerAccount
from justtrades import clock
from justtrades.ids import new_id
from recorders.models import Recorder


class Trader(models.Model):
    """A recorder followed on one broker account. An override left empty is inherited when the signal comes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="traders")
    recorder = models.ForeignKey(Recorder, on_delete=models.CASCADE, related_name="traders")
    account = models.ForeignKey(BrokerAccount, on_delete=models.PROTECT, related_name="traders")
    is_enabled = models.BooleanField(default=True)
    multiplier = models.DecimalField(
        max_digits=8,
        decimal_places=3,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1000))],
    )
    initial_position_size = models.PositiveIntegerField(null=True, blank=True)
    target_ticks = models.PositiveIntegerField(null=True, blank=True)
    stop_ticks = models.PositiveIntegerField(null=True, blank=True)
    max_contracts = models.PositiveIntegerField(default=100, help_text="The most contracts one order may hold.")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint("recorder", "account", name="one_trader_per_recorder_and_account"),
            models.CheckConstraint(condition=models.Q(multiplier__gte=0), name="trader_multiplier_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.recorder} on {self.account}"
