"""A login that is switched off or removed takes nothing of what was lost there out of a limit that reaches further."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts.models import User
from brokers.models import BrokerAccount, BrokerLogin
from execution.guard.watching import Watching
from execution.models import Position
from execution.riskpage.brief import brief
from execution.riskpage.figures import read_book
from justtrades import clock
from risk import selectors
from risk.models import AccountDay, LimitKind, LimitScope, RiskLimit
from risk.monitors import Figures
from risk.room import read_books
from tests.execution.desk import MNQ
from tests.execution.watchers import THURSDAY, fill, limit, reached, trader_on, watched_account, watching
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, PositionFactory, TraderFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db
SCOPES = [LimitScope.USER, LimitScope.RECORDER]
KINDS = [LimitKind.DAILY_LOSS, LimitKind.WEEKLY_LOSS]
OFF: dict[str, dict[str, Any]] = {"switched off": {"is_enabled": False}, "removed": {"deleted_at": THURSDAY}}


@pytest.fixture
def lost() -> Trader:
    """On the account that loses 60 dollars and is then watched no more."""
    return trader_on(watched_account())


@pytest.fixture
def kept(lost: Trader) -> Trader:
    """Of the same recorder, at another login."""
    login = BrokerLoginFactory(owner=lost.owner)
    account: BrokerAccount = BrokerAccountFactory(login=login, cash=Decimal(50_000), cash_at=clock.now())
    return TraderFactory(account=account, recorder=lost.recorder)


def limited(trader: Trader, scope: LimitScope, kind: str = LimitKind.DAILY_LOSS) -> RiskLimit:
    target = {"recorder": trader.recorder} if scope is LimitScope.RECORDER else {}
    return limit(trader.account, kind, 100, scope=scope, **target)


def loses(trader: Trader, dollars: int) -> None:
    points = Decimal(dollars) / 2
    fill(trader.account, "buy", 25_000, trader=trader)
    fill(trader.account, "sell", float(25_000 - points), trader=trader, realized_pnl=Decimal(-dollars))
    Position.objects.update_or_create(
        trader=trader, symbol=MNQ, defaults={"realized_pnl": -dollars, "account": trader.account, "owner": trader.owner}
    )


def switch_off(trader: Trader, **how: Any) -> None:
    BrokerLogin.objects.filter(pk=trader.account.login_id).update(**how)


def figures_of(owner: User) -> Figures:
    """As the risk page has them, of the one limit."""
    accounts = [one for one in selectors.list_accounts_with_risk_for(owner) if one.login.is_enabled]
    limits = list(selectors.list_limits_for(owner))
    return read_book(owner, accounts, limits).of(limits[0])


def counted(watched: Watching) -> Decimal | None:
    (gauge,) = watched.others[-1].gauges
    return gauge.had


@pytest.mark.parametrize("how", OFF.values(), ids=OFF.keys())
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scope", SCOPES)
def test_what_was_lost_there_still_counts(
    lost: Trader, kept: Trader, scope: LimitScope, kind: str, how: dict[str, Any]
) -> None:
    limited(kept, scope, kind)
    loses(lost, 60)
    watched = watching(kept.account)
    switch_off(lost, **how)
    watched.reload(clock.now())
    assert (counted(watched), reached(watched)) == (-60, [])
    AccountDay.objects.filter(account=kept.account).update(open_pnl=0, checked_at=clock.now())
    shown = figures_of(kept.owner)
    assert (shown.day, shown.week) == (-60, -60)
    loses(kept, 40)
    watched.take_fills(clock.now())
    closed = kept.pk if scope is LimitScope.RECORDER else None
    assert reached(watched) == [(kind.upper(), closed)], "only what is still there is closed"
    assert {one.account_id for one in watched.ledger.new_breaches(watched.others)} == {kept.account_id}


@pytest.mark.parametrize("scope", SCOPES)
def test_the_next_day_only_the_week_remembers_it(lost: Trader, kept: Trader, scope: LimitScope) -> None:
    with time_machine.travel(THURSDAY, tick=False) as at:
        limited(kept, scope, LimitKind.DAILY_LOSS)
        limited(kept, scope, LimitKind.WEEKLY_LOSS)
        watching(kept.account)
        loses(lost, 60)
        watching(kept.account)
        switch_off(lost, is_enabled=False)
        at.shift(timedelta(days=1))
        watched = watching(kept.account)
        had = {gauge.terms.kind.value: gauge.had for gauge in watched.others[-1].gauges}
        assert had == {"daily_loss": 0, "weekly_loss": -60}
        at.shift(timedelta(days=3))
        watched = watching(kept.account)
        assert {gauge.had for gauge in watched.others[-1].gauges} == {0}, "Monday begins another week"


@pytest.mark.parametrize("scope", SCOPES)
def test_what_is_still_open_there_makes_nothing_unknown(lost: Trader, kept: Trader, scope: LimitScope) -> None:
    """Nobody tells its price any more, and nobody could close it."""
    limited(kept, scope)
    PositionFactory(trader=lost, symbol=MNQ, net_qty=1, avg_price=Decimal(25_000))
    fill(lost.account, "buy", 25_000, trader=lost)
    watching(kept.account)
    switch_off(lost, is_enabled=False)
    watched = watching(kept.account)
    assert counted(watched) == 0
    assert watched._market.followed() == set()


@pytest.mark.parametrize("open_pnl", [Decimal(-300), None])
def test_the_look_before_an_entry_counts_the_same(lost: Trader, kept: Trader, open_pnl: Decimal | None) -> None:
    limited(kept, LimitScope.USER)
    loses(lost, 60)
    watched = watching(kept.account)
    AccountDay.objects.filter(account=lost.account).update(realized=-60, open_pnl=open_pnl)
    assert read_books([], [kept.owner_id], clock.now())[lost.account_id].figures.day == (
        None if open_pnl is None else -360
    )
    switch_off(lost, is_enabled=False)
    watched.reload(clock.now())
    assert read_books([], [kept.owner_id], clock.now())[lost.account_id].figures.day == -60


def test_the_top_of_every_page_counts_it_too(lost: Trader, kept: Trader) -> None:
    limited(kept, LimitScope.USER)
    loses(lost, 60)
    watching(kept.account)
    switch_off(lost, is_enabled=False)
    AccountDay.objects.filter(account=kept.account).update(open_pnl=0, checked_at=clock.now())
    nearest = brief(kept.owner).nearest
    assert nearest is not None
    assert nearest.had == -60


def test_who_is_watched_again_counts_once(lost: Trader, kept: Trader) -> None:
    limited(kept, LimitScope.USER)
    loses(lost, 60)
    watched = watching(kept.account)
    for is_enabled in (False, True):
        switch_off(lost, is_enabled=is_enabled)
        watched.reload(clock.now())
        assert counted(watched) == -60
