"""What an owner allows to be lost, won or held."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from brokers.models import BrokerAccount
from justtrades import clock
from justtrades.ids import new_id
from recorders.models import Recorder
from traders.models import Trader


class LimitScope(models.TextChoices):
    TRADER = "trader", "Trader"
    ACCOUNT = "account", "Account"
    RECORDER = "recorder", "Recorder"
    USER = "user", "Everything of mine"


class LimitKind(models.TextChoices):
    DAILY_LOSS = "daily_loss", "Daily loss"
    DAILY_PROFIT = "daily_profit", "Daily profit target"
    WEEKLY_LOSS = "weekly_loss", "Weekly loss"
    TRAILING_DRAWDOWN = "trailing_drawdown", "Trailing drawdown"
    MAX_CONTRACTS = "max_contracts", "Most contracts"
    MAX_POSITIONS = "max_positions", "Most open positions"


class Unit(models.TextChoices):
    """Percent is of the account's equity where the session began; counts are contracts or positions."""

    DOLLARS = "dollars", "$"
    PERCENT = "percent", "%"
    COUNT = "count", ""


class Basis(models.TextChoices):
    """From which high-water mark a trailing drawdown counts."""

    INTRADAY = "intraday", "Intraday, open positions included"
    END_OF_DAY = "end_of_day", "The end of each day"


MONEY = frozenset({LimitKind.DAILY_LOSS, LimitKind.DAILY_PROFIT, LimitKind.WEEKLY_LOSS, LimitKind.TRAILING_DRAWDOWN})
"""The kinds whose breach closes positions; the others only keep entries out."""


class RiskLimit(models.Model):
    """One limit on one trader, account or recorder, or on all that its owner has. `amount` is positive, in `unit`.

    The target of the scope is the one key that is set; none for `user`. While `owner_may_unlock` its owner may lift
    the lock of a breach, else only staff. `high_water` is the best that a trailing drawdown has seen where the scope is
    no account: dollars won since the target began, or a user's accounts together; an account's is in `AccountEquity`.
    `high_water_of` is what it counts over, with what each was last worth: `{account or trader: dollars}`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="risk_limits")
    scope = models.CharField(max_length=8, choices=LimitScope)
    trader = models.ForeignKey(Trader, on_delete=models.CASCADE, null=True, blank=True, related_name="risk_limits")
    account = models.ForeignKey(
        BrokerAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="risk_limits"
    )
    recorder = models.ForeignKey(Recorder, on_delete=models.CASCADE, null=True, blank=True, related_name="risk_limits")
    kind = models.CharField(max_length=20, choices=LimitKind)
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    unit = models.CharField(max_length=8, choices=Unit, default=Unit.DOLLARS)
    basis = models.CharField(max_length=12, choices=Basis, default=Basis.INTRADAY)
    is_enabled = models.BooleanField(default=True)
    owner_may_unlock = models.BooleanField(default=True)
    high_water = models.DecimalField(max_digits=20, decimal_places=4, null=True, editable=False)
    high_water_of = models.JSONField(null=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["owner", "scope", "trader", "account", "recorder", "kind"],
                nulls_distinct=False,
                name="one_limit_of_a_kind_per_target",
            ),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="limit_amount_positive"),
            models.CheckConstraint(
                condition=(
                    models.Q(scope="trader", trader__isnull=False, account__isnull=True, recorder__isnull=True)
                    | models.Q(scope="account", trader__isnull=True, account__isnull=False, recorder__isnull=True)
                    | models.Q(scope="recorder", trader__isnull=True, account__isnull=True, recorder__isnull=False)
                    | models.Q(scope="user", trader__isnull=True, account__isnull=True, recorder__isnull=True)
                ),
                name="limit_target_is_its_scopes",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount.normalize():f} {self.get_unit_display()}".rstrip()

    @property
    def key(self) -> str:
        """What a breach of it is known by; see `RiskAction.limit_key`."""
        return f"limit:{self.pk}"
