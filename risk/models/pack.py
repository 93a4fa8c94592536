"""Which prop firm's rules an account is under."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models

from brokers.models import BrokerAccount
from justtrades import clock
from justtrades.ids import new_id


class PackAssignment(models.Model):
    """An account under a version of a rule pack of `risk/rulepacks/`. `start_balance` is what its floors count from."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.OneToOneField(BrokerAccount, on_delete=models.CASCADE, related_name="rule_pack")
    pack = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField()
    start_balance = models.DecimalField(
        max_digits=20, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    is_enforced = models.BooleanField(default=True, help_text="Blocks and closes; else only shows.")
    assigned_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.pack} v{self.version}"
