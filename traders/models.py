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
    """A recorder followed on one broker account. What `overrides` does not state is inherited when the signal comes.

    A trader that trades on several accounts is a row for each: the others name the first one as `route_of`, take its
    overrides, and have a multiplier, a cap and a ticker of their own.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="traders")
    recorder = models.ForeignKey(Recorder, on_delete=models.CASCADE, related_name="traders")
    account = models.ForeignKey(BrokerAccount, on_delete=models.PROTECT, related_name="traders")
    route_of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="routes")
    is_enabled = models.BooleanField(default=True)
    multiplier = models.DecimalField(
        max_digits=8,
        decimal_places=3,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1000))],
        help_text="Sizes are multiplied by it and rounded down.",
    )
    max_contracts = models.PositiveIntegerField(
        null=True, blank=True, help_text="The most contracts this account may hold; empty: no cap of its own."
    )
    custom_ticker = models.CharField(
        max_length=32, blank=True, help_text="What is traded instead of the signal's ticker, such as MNQ1! for NQ1!."
    )
    convert_size = models.BooleanField(
        default=False, help_text="Scale by the point values: 1 NQ is 10 MNQ. Only within one family of products."
    )
    overrides = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint("recorder", "account", name="one_trader_per_recorder_and_account"),
            models.CheckConstraint(condition=models.Q(multiplier__gte=0), name="trader_multiplier_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.recorder} on {self.account}"
