"""What a monitor decided, and the lock that goes with it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from brokers.models import BrokerAccount
from justtrades import clock
from justtrades.ids import new_id
from risk.models.limit import RiskLimit
from traders.models import Trader


class ActionStatus(models.TextChoices):
    """FLAT only after the broker's own books said so."""

    DECIDED = "decided", "Decided"
    FLATTENING = "flattening", "Closing"
    FLAT = "flat", "Flat, verified"


UNCHECKED: Any = {"db_constraint": False}
"""For keys of rows that the monitor holds in memory: a check per row and key would cost a tenth of the time in which a
hundred accounts are closed (ADR 0004)."""
LIVE = frozenset({ActionStatus.DECIDED, ActionStatus.FLATTENING})


class RiskAction(models.Model):
    """A limit was reached: close what it covers, and let no entry through until `locks_until`.

    `limit_key` names the limit for good, also one that is no `RiskLimit` row: `limit:<id>`, `setting:<trader>` (a
    trader's own `max_daily_loss`) or `pack:<assignment>:<rule>`. `trader` is set where only one trader's share of the
    account is meant. `had` and `allowed` are dollars. Since `unlocked_at` the limit acts no more in this session.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="risk_actions", **UNCHECKED
    )
    limit = models.ForeignKey(RiskLimit, on_delete=models.SET_NULL, null=True, related_name="actions", **UNCHECKED)
    limit_key = models.CharField(max_length=96)
    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="risk_actions", **UNCHECKED)
    trader = models.ForeignKey(Trader, on_delete=models.CASCADE, null=True, related_name="risk_actions", **UNCHECKED)
    session = models.DateField()
    code = models.CharField(max_length=64)
    text = models.CharField(max_length=512)
    had = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    allowed = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    status = models.CharField(max_length=12, choices=ActionStatus, default=ActionStatus.DECIDED)
    decided_at = models.DateTimeField(default=clock.now)
    flat_at = models.DateTimeField(null=True)
    locks_until = models.DateTimeField(null=True)
    unlocked_at = models.DateTimeField(null=True)
    unlocked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("-decided_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["limit_key", "account", "trader", "session"],
                nulls_distinct=False,
                name="one_action_per_limit_account_and_session",
            ),
        )
        indexes = (
            models.Index(fields=["owner", "-decided_at"], name="risk_actions_of_owner"),
            models.Index(
                fields=["account"], name="actions_to_take", condition=models.Q(status__in=["decided", "flattening"])
            ),
            models.Index(
                fields=["account", "locks_until"], name="locks_in_force", condition=models.Q(unlocked_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.session}"
