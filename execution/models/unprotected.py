"""How long positions were without the stop that they want."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from brokers.models import BrokerAccount
from traders.models import Trader


class SpanEnd(models.TextChoices):
    PROTECTED = "protected", "Its stop worked"
    FLAT = "flat", "The position was closed"


class UnprotectedSpan(models.Model):
    """From a fill, or a stop's loss, to a working stop of full size or to flat. Written when it is over.

    `venue` is copied, so that statistics need no join. `was_acted_on`: we placed the stop again, or closed.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="unprotected_spans")
    trader = models.ForeignKey(Trader, on_delete=models.CASCADE, related_name="+")
    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    ended_by = models.CharField(max_length=10, choices=SpanEnd)
    was_acted_on = models.BooleanField(default=False)

    class Meta:
        indexes = (models.Index(fields=["owner", "began_at"], name="unprotected_spans_of_owner"),)

    def __str__(self) -> str:
        return f"{self.symbol} {(self.ended_at - self.began_at).total_seconds():.3f} s"
