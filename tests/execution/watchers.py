"""An account that is watched: its fills, its limits, and the prices that a monitor goes by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from brokers.models import BrokerAccount
from execution.guard.market import Market
from execution.guard.watching import Watching
from execution.models import Reconciliation
from justtrades import clock
from risk.models import (
    AccountDay,
    LimitKind,
    LimitScope,
    RiskLimit,
)
from tests.execution.desk import MNQ
from tests.factories import (
    BrokerAccountFactory,
    FillFactory,
    OrderFactory,
    OrderIntentFactory,
    TraderFactory,
)
from traders.models import Trader

START = Decimal(25_000)
THURSDAY = datetime(2026, 11, 12, 16, tzinfo=UTC)


def watched_account() -> BrokerAccount:
    """One whose broker has told what it holds."""
    account: BrokerAccount = BrokerAccountFactory(cash=Decimal(50_000), cash_at=clock.now())
    Reconciliation.objects.create(account=account, compared_at=clock.now())
    return account


def trader_on(account: BrokerAccount) -> Trader:
    return TraderFactory(account=account, recorder__owner=account.owner)


def source(account: BrokerAccount) -> str:
    return f"{account.login.venue}/{account.login.environment}"


def fill(account: BrokerAccount, side: str, price: float, trader: Trader | None = None, **of: Any) -> None:
    """`trader` None: by hand at the broker."""
    qty = of.setdefault("qty", 1)
    usual = {"symbol": MNQ, "side": side, "price": Decimal(str(price)), **of}
    if trader is None:
        FillFactory(account=account, order=None, broker_order_id="9", **usual)
        return
    order = OrderFactory(intent=OrderIntentFactory(trader=trader, symbol=MNQ, qty=qty))
    FillFactory(order=order, **usual)


def watching(account: BrokerAccount, price: float | None = None, now: datetime | None = None) -> Watching:
    market = Market()
    watched = Watching(0, market)
    watched.reload(now or clock.now())
    if price is not None:
        market.seed((MNQ, source(account)), Decimal(str(price)), clock.now() + timedelta(seconds=1))
    watched.assess_all()
    return watched


def limit(account: BrokerAccount, kind: str = LimitKind.DAILY_LOSS, amount: float = 100, **fields: Any) -> RiskLimit:
    usual = {"scope": LimitScope.ACCOUNT, "account": account} if "scope" not in fields else {}
    return RiskLimit.objects.create(owner=account.owner, kind=kind, amount=Decimal(str(amount)), **usual, **fields)


def reached(watched: Watching) -> list[tuple[str, Any]]:
    """Code and trader of each decision that is due."""
    return [(one.code, one.trader_id) for one in watched.ledger.new_breaches(watched.subjects)]


def in_lanes(settings: Any, *accounts: BrokerAccount) -> None:
    """Each in a lane of its own, in this order."""
    settings.LANES = len(accounts)
    for lane, account in enumerate(accounts):
        type(account.login).objects.filter(pk=account.login_id).update(lane_slot=lane)


def another_lane_counts(account: BrokerAccount, **fields: Any) -> AccountDay:
    now = clock.now()
    return AccountDay.objects.create(
        account=account, session=(now + timedelta(hours=1)).date(), starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=1), start_cash=Decimal(50_000), **fields,
    )  # fmt: skip
