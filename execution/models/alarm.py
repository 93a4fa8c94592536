"""Something that a person must see: it is loud until it is over or somebody said that they saw it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from brokers.models import BrokerAccount
from justtrades import clock
from justtrades.ids import new_id


class Alarm(models.Model):
    """`code` says what, `ref` which one (a position's or a flatten's id); one is open of each at a time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alarms")
    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, null=True, related_name="alarms")
    code = models.CharField(max_length=32)
    ref = models.CharField(max_length=64, blank=True)
    text = models.CharField(max_length=512)
    raised_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-raised_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["owner", "code", "ref"],
                condition=models.Q(ended_at__isnull=True),
                name="one_open_alarm_per_matter",
            ),
        )
        indexes = (models.Index(fields=["owner", "-raised_at"], name="alarms_of_owner"),)

    def __str__(self) -> str:
        return f"{self.code} {self.text}"
