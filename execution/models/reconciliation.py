"""When the broker's books were last compared with ours, and how the looks at them go."""

from __future__ import annotations

from django.db import models

from brokers.models import BrokerAccount


class Reconciliation(models.Model):
    """One row per account. `compared_at` is the moment of the broker's books that were compared, not of the comparing.

    `failed_looks` counts those in a row since then that got no answer; `failure` says why.
    """

    account = models.OneToOneField(
        BrokerAccount, on_delete=models.CASCADE, primary_key=True, related_name="reconciliation"
    )
    compared_at = models.DateTimeField(null=True)
    failed_looks = models.PositiveSmallIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=255, blank=True)

    def __str__(self) -> str:
        return f"{self.account_id} {self.compared_at}"
