"""What a monitor counts by, and what it last counted."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.models import check_time_zone
from brokers.models import BrokerAccount
from brokers.sessions import DEFAULT_ROLL, EXCHANGE_ZONE
from justtrades import clock


class UnprotectedPolicy(models.TextChoices):
    """What follows when a position has had no working stop of its full size for too long."""

    REARM_THEN_FLATTEN = "rearm", "Place the stop again, then close"
    FLATTEN = "flatten", "Close at once"
    ALARM = "alarm", "Only tell me"


class AccountRules(models.Model):
    """How an account's day is counted. Without a row the defaults hold.

    `fee_per_contract` is dollars per contract and side. The session rolls at `roll_at` in `roll_zone`.
    `unprotected_after_s` is the bound after which `unprotected_policy` acts; a stop is placed again before it.
    """

    account = models.OneToOneField(BrokerAccount, on_delete=models.CASCADE, primary_key=True, related_name="risk_rules")
    fee_per_contract = models.DecimalField(
        max_digits=8, decimal_places=4, default=Decimal(0), validators=[MinValueValidator(Decimal(0))]
    )
    roll_at = models.TimeField(default=DEFAULT_ROLL)
    roll_zone = models.CharField(max_length=64, default=EXCHANGE_ZONE, validators=[check_time_zone])
    unprotected_policy = models.CharField(
        max_length=8, choices=UnprotectedPolicy, default=UnprotectedPolicy.REARM_THEN_FLATTEN
    )
    unprotected_after_s = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(3), MaxValueValidator(60)]
    )

    def __str__(self) -> str:
        return f"{self.account_id} {self.roll_at:%H:%M} {self.roll_zone}"

    @property
    def roll(self) -> tuple[time, str]:
        return self.roll_at, self.roll_zone


class AccountDay(models.Model):
    """One account's trading day, written by its monitor about once a second while anything changes. Dollars.

    `start_holdings` is what was held when the day began: `{symbol: [net, average]}`; what follows is counted from
    there, fill by fill. `open_pnl` None: an open position that nobody can value. `quote_at` is the age of the oldest
    price in it, `books_at` when the broker last spoke of the account. `warning` says why it is not to be relied on.
    """

    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="risk_days")
    session = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    start_cash = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    start_holdings = models.JSONField(default=dict)
    realized = models.DecimalField(max_digits=20, decimal_places=4, default=Decimal(0))
    fees = models.DecimalField(max_digits=20, decimal_places=4, default=Decimal(0))
    open_pnl = models.DecimalField(max_digits=20, decimal_places=4, null=True, default=Decimal(0))
    venue_pnl = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    contracts = models.PositiveIntegerField(default=0)
    open_positions = models.PositiveIntegerField(default=0)
    quote_at = models.DateTimeField(null=True)
    books_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(default=clock.now)
    warning = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint("account", "session", name="one_day_per_account_and_session"),)

    def __str__(self) -> str:
        return f"{self.session} {self.realized}"

    @property
    def pnl(self) -> Decimal | None:
        """Realised since the session began, and open now, after fees; None while it is not known."""
        return None if self.open_pnl is None else self.realized - self.fees + self.open_pnl


class AccountEquity(models.Model):
    """An account's worth and its high-water marks, over all days; dollars. None until the broker said what it holds.

    `end_of_day_high` moves when a session rolls, `intraday_high` with every quote. `reset_at`: they count from there.
    """

    account = models.OneToOneField(BrokerAccount, on_delete=models.CASCADE, primary_key=True, related_name="equity")
    equity = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    intraday_high = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    end_of_day_high = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    reset_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.account_id} {self.equity}"
