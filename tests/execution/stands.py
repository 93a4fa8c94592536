"""What may stand around an entry, put there for one trader."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from execution.models import Break, BreakKind
from justtrades import clock
from risk import switch
from risk.models import LimitKind, LimitScope, Switch, SwitchMode, SwitchScope, Unit
from tests.execution.desk import MNQ, held, set_on
from tests.factories import BrokerPositionFactory, OrderFactory, OrderIntentFactory
from tests.risk_factories import (
    AccountDayFactory,
    AccountEquityFactory,
    PackAssignmentFactory,
    RiskActionFactory,
    RiskLimitFactory,
)
from traders.models import Trader

D = Decimal


def trip(trader: Trader, scope: SwitchScope, mode: SwitchMode = SwitchMode.REDUCE_ONLY) -> Switch:
    targets = {"account": trader.account_id, "recorder": trader.recorder_id, "user": trader.owner_id, "platform": ""}
    owner_id = None if scope == SwitchScope.PLATFORM else trader.owner_id
    return switch.trip(
        scope=scope, target=str(targets[scope]), mode=mode, reason="stop", actor_id=trader.owner_id, owner_id=owner_id
    )


def watched(trader: Trader, **day: Any) -> None:
    """Its monitor looked at the account just now."""
    AccountDayFactory(account=trader.account, **day)
    AccountEquityFactory(account=trader.account)


def limit(trader: Trader, scope: LimitScope, kind: LimitKind, amount: object) -> None:
    target = {} if scope == LimitScope.USER else {scope.value: getattr(trader, scope, trader)}
    unit = Unit.COUNT if kind in {LimitKind.MAX_CONTRACTS, LimitKind.MAX_POSITIONS} else Unit.DOLLARS
    RiskLimitFactory(
        **{"account": None, "owner": trader.owner, **target}, scope=scope, kind=kind, amount=amount, unit=unit
    )


def account_limit(trader: Trader, kind: LimitKind, amount: object) -> None:
    limit(trader, LimitScope.ACCOUNT, kind, amount)


def locked(of: Trader, **given: Any) -> None:
    RiskActionFactory(owner=of.owner, account=of.account, limit=None, limit_key="setting:1", **given)


def differing(trader: Trader, **given: Any) -> None:
    usual = {"kind": BreakKind.QUANTITY, "symbol": MNQ, "pauses_entries": True, "text": "ours +2, theirs +3"}
    Break.objects.create(owner=trader.owner, account=trader.account, **{**usual, **given})


def silent(trader: Trader) -> None:
    account_limit(trader, LimitKind.DAILY_LOSS, 500)
    watched(trader, checked_at=clock.now() - timedelta(seconds=11))


def down(trader: Trader) -> None:
    account_limit(trader, LimitKind.DAILY_LOSS, 500)
    watched(trader)
    set_on(trader, "account.login", state="stale")


def out_of_room(trader: Trader) -> None:
    account_limit(trader, LimitKind.DAILY_LOSS, 500)
    watched(trader, realized=D(-400), open_pnl=D(-90), fees=D(10))


def below_its_high(trader: Trader) -> None:
    account_limit(trader, LimitKind.TRAILING_DRAWDOWN, 560)
    watched(trader)


def busy(trader: Trader) -> None:
    entry = OrderIntentFactory(trader=trader, symbol="MESZ6", signal__status="planned")
    for _ in range(50):
        OrderFactory(intent=entry, role="target", client_order_id=None, status="working", symbol="MESZ6")


def holding(trader: Trader) -> None:
    account_limit(trader, LimitKind.MAX_CONTRACTS, 2)
    held(trader, -2, "MESZ6")


def holding_other_products(trader: Trader) -> None:
    account_limit(trader, LimitKind.MAX_POSITIONS, 1)
    held(trader, 1, "MESZ6")


def holding_what_is_not_ours(trader: Trader) -> None:
    account_limit(trader, LimitKind.MAX_CONTRACTS, 2)
    BrokerPositionFactory(account=trader.account, symbol=MNQ, net_qty=2)
    differing(trader, kind=BreakKind.EXTERNAL_POSITION, pauses_entries=False, state="adopted")


def under_a_pack(trader: Trader) -> None:
    watched(trader, start_cash=D(48_000))
    PackAssignmentFactory(account=trader.account)
    held(trader, 5, "MESZ6")
    held(trader, 5, "ESZ6")


def under_an_unknown_pack(trader: Trader) -> None:
    watched(trader)
    PackAssignmentFactory(account=trader.account, version=99)
