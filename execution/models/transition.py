"""Every state change, written down in the transaction that made it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from execution.models.intent import COPIED
from justtrades import clock


class ObjectKind(models.TextChoices):
    SIGNAL = "signal", "Signal"
    INTENT = "intent", "Intent"
    ORDER = "order", "Order"
    POSITION = "position", "Position"
    FLATTEN = "flatten", "Flatten"
    BREAK = "break", "Break"


class Transition(models.Model):
    """Append-only: nothing in the product changes or deletes one."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", **COPIED)
    object_kind = models.CharField(max_length=8, choices=ObjectKind)
    object_id = models.UUIDField()
    from_state = models.CharField(max_length=24, blank=True)
    to_state = models.CharField(max_length=24)
    detail = models.CharField(max_length=512, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["object_id", "id"], name="transitions_of_object"),)

    def __str__(self) -> str:
        return f"{self.object_kind} {self.from_state} → {self.to_state}"
