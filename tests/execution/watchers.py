"""An account that is watched: its fills, its limits, and the prices that a monitor goes by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from brokers.models import BrokerAccount
from execution.guard.market import Market
from execution.guard.watching import Watching
from justtrades import clock
from risk.models import (
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
    return BrokerAccountFactory(cash=Decimal(50_000), cash_at=clock.now())


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
