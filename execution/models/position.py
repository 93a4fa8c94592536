"""Net positions: ours per trader, derived from fills, and the broker's own per account."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models

from brokers.models import BrokerAccount
from justtrades import clock
from justtrades.ids import new_id
from traders.models import Trader


class Position(models.Model):
    """A trader's net signed contracts of one contract month. Average price is in points, P&L in the account's money.

    `unprotected_since` is set while the position wants a stop (`stop_distance`) and no working one covers it. `exits`
    is the template of its newest entry; `is_at_break_even` says that its stop was moved to the entry for good.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="positions")
    trader = models.ForeignKey(Trader, on_delete=models.CASCADE, related_name="positions", db_index=False)
    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="positions", db_index=False)
    symbol = models.CharField(max_length=32)
    net_qty = models.IntegerField(default=0)
    # More places than any price has: a point of yen is 12.5 million dollars, and averages do not come out even.
    avg_price = models.DecimalField(max_digits=28, decimal_places=16, null=True)
    realized_pnl = models.DecimalField(max_digits=20, decimal_places=4, default=Decimal(0))
    stop_distance = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    exits = models.TextField(blank=True, default="")
    is_at_break_even = models.BooleanField(default=False)
    unprotected_since = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint("trader", "symbol", name="one_position_per_trader_and_contract"),)
        indexes = (models.Index(fields=["account", "symbol"], name="open_positions", condition=~models.Q(net_qty=0)),)

    def __str__(self) -> str:
        return f"{self.net_qty:+d} {self.symbol}"


class BrokerPosition(models.Model):
    """What the venue says the account holds, and when it said so.

    `gone_at` is the first of its answers that lacked the position although no fill explains that: see
    `execution.reports.positions`. When its books and ours last agreed, or the difference was found not to be ours, the
    venue held `settled_qty`; from then on the fills since `settled_at` say what it should hold.
    """

    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="broker_positions")
    symbol = models.CharField(max_length=32)
    net_qty = models.IntegerField(default=0)
    avg_price = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    reported_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)
    settled_qty = models.IntegerField(default=0, db_default=0)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint("account", "symbol", name="one_broker_position_per_contract"),)

    def __str__(self) -> str:
        return f"{self.net_qty:+d} {self.symbol}"
