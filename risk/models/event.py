"""Who changed what about risk, and when."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from justtrades import clock
from risk.models.action import UNCHECKED


class EventKind(models.TextChoices):
    LIMIT_SET = "limit_set", "Limit set"
    LIMIT_REMOVED = "limit_removed", "Limit removed"
    RULES_SET = "rules_set", "Account rules set"
    PACK_ASSIGNED = "pack_assigned", "Rule pack assigned"
    PACK_REMOVED = "pack_removed", "Rule pack removed"
    HIGH_WATER_RESET = "high_water_reset", "High-water mark reset"
    BREACHED = "breached", "Limit reached"
    FLATTENING = "flattening", "Closing"
    FLAT = "flat", "Verified flat"
    UNLOCKED = "unlocked", "Unlocked"
    TRIPPED = "tripped", "Switch tripped"
    RELEASED = "released", "Switch released"
    VENUE_LIMITS_SET = "venue_limits_set", "Broker's own limits set"


class RiskEvent(models.Model):
    """Append-only: nothing in the product changes or deletes one. `actor` None: the product itself.

    `subject` is the id of what it is about, `owner` None only for the platform's switch.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="risk_events", db_index=False,
        **UNCHECKED,
    )  # fmt: skip
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=20, choices=EventKind)
    subject = models.CharField(max_length=96, blank=True)
    text = models.CharField(max_length=512)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["owner", "-id"], name="risk_events_of_owner"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"
