"""What a drawdown of several counts over: who comes or goes takes its worth along, and nobody's loss is forgotten."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from brokers.models import BrokerAccount
from execution.guard.watching import Watching
from justtrades import clock
from risk.models import AccountDay, LimitKind, LimitScope
from risk.monitors import Gauge
from tests.execution.desk import MNQ
from tests.execution.watchers import (
    another_lane_counts,
    fill,
    in_lanes,
    limit,
    reached,
    source,
    trader_on,
    watched_account,
    watching,
)
from tests.factories import (
    BrokerAccountFactory,
    BrokerLoginFactory,
    BrokerPositionFactory,
    PositionFactory,
    TraderFactory,
)

pytestmark = pytest.mark.django_db
DRAWDOWN = LimitKind.TRAILING_DRAWDOWN


@pytest.fixture
def account() -> BrokerAccount:
    return watched_account()


@pytest.fixture
def other(account: BrokerAccount) -> BrokerAccount:
    """Another of the same owner, at another login."""
    login = BrokerLoginFactory(owner=account.owner)
    made: BrokerAccount = BrokerAccountFactory(login=login, cash=Decimal(50_000), cash_at=clock.now())
    return made


def switch(account: BrokerAccount, *, is_on: bool) -> None:
    type(account.login).objects.filter(pk=account.login_id).update(is_enabled=is_on)


def gauge_of(watched: Watching) -> Gauge:
    (subject,) = watched.others
    (gauge,) = subject.gauges
    return gauge


def stands(watched: Watching) -> tuple[Decimal | None, Decimal | None]:
    gauge = gauge_of(watched)
    return gauge.had, gauge.allowed


def look(watched: Watching, account: BrokerAccount, *, restarts: bool) -> Watching:
    """A second later: the same monitor, or the one that comes after it."""
    watched.reload(clock.now())
    if not restarts:
        return watched
    after = Watching(0, watched._market)
    after.reload(clock.now())
    return after


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("basis", ["intraday", "end_of_day"])
def test_an_account_that_leaves_or_comes_leaves_a_users_drawdown_as_it_is(
    account: BrokerAccount, other: BrokerAccount, basis: str, *, restarts: bool
) -> None:
    limit(account, DRAWDOWN, 2000, scope=LimitScope.USER, basis=basis)
    fill(account, "buy", 25_000)
    watched = watching(account, 25_000)
    watched._market.prices[MNQ, source(account)] = Decimal(24_900)
    watched = look(watched, account, restarts=restarts)
    assert stands(watched) == (99_800, 98_000)
    switch(other, is_on=False)
    watched = look(watched, account, restarts=restarts)
    assert (reached(watched), stands(watched)) == ([], (49_800, 48_000))
    BrokerAccountFactory(login=account.login, cash=Decimal(70_000), cash_at=clock.now())
    switch(other, is_on=True)
    watched = look(watched, account, restarts=restarts)
    assert (reached(watched), stands(watched)) == ([], (169_800, 168_000)), "and what was lost before is not forgiven"
    watched._market.prices[MNQ, source(account)] = Decimal(24_000)
    watched.assess_all()
    assert {code for code, _ in reached(watched)} == {"TRAILING_DRAWDOWN"}


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("basis", ["intraday", "end_of_day"])
def test_a_trader_that_leaves_takes_along_what_it_has_won(
    account: BrokerAccount, other: BrokerAccount, basis: str, *, restarts: bool
) -> None:
    trader = trader_on(account)
    winner = TraderFactory(account=other, recorder=trader.recorder)
    limit(account, DRAWDOWN, 500, scope=LimitScope.RECORDER, recorder=trader.recorder, basis=basis)
    for one, won in ((trader, -200), (winner, 5000)):
        PositionFactory(trader=one, symbol=MNQ, net_qty=0, avg_price=None, realized_pnl=Decimal(won))
    watched = look(watching(account), account, restarts=restarts)
    assert stands(watched) == (4800, 4300)
    trader.positions.update(realized_pnl=-300)
    watched = look(watched, account, restarts=restarts)
    switch(other, is_on=False)
    watched = look(watched, account, restarts=restarts)
    assert (reached(watched), stands(watched)) == ([], (-300, -700))


def test_who_left_is_valued_by_the_newest_prices(account: BrokerAccount, other: BrokerAccount) -> None:
    limit(account, DRAWDOWN, 2000, scope=LimitScope.USER)
    fill(other, "buy", 25_000)
    watched = watching(account)
    watched._market.seed((MNQ, source(other)), Decimal(25_000), clock.now())
    watched.reload(clock.now())
    watched._market.prices[MNQ, source(other)] = Decimal(24_500)
    switch(other, is_on=False)
    watched.reload(clock.now())
    assert stands(watched) == (50_000, 49_000)


def test_while_a_worth_is_not_known_nothing_is_judged_and_nothing_forgotten(
    account: BrokerAccount, other: BrokerAccount
) -> None:
    row = limit(account, DRAWDOWN, 2000, scope=LimitScope.USER)
    BrokerPositionFactory(account=account, symbol=MNQ, net_qty=1, avg_price=Decimal(25_000), reported_at=clock.now())
    watching(account, 25_500).reload(clock.now())
    row.refresh_from_db()
    stored = row.high_water, row.high_water_of
    assert stored == (101_000, {str(account.pk): "51000.0000", str(other.pk): "50000.0000"})
    switch(other, is_on=False)
    watched = watching(account)
    for _ in range(2):
        assert (gauge_of(watched).room, watched.marks()) == (None, {})
        watched.reload(clock.now())
    row.refresh_from_db()
    assert (row.high_water, row.high_water_of) == stored
    key, price = (MNQ, source(account)), Decimal(24_600)
    assert watched._market.trade(*key, price, clock.now())
    assert watched.assess_at(watched._market.take_left()) == []
    assert stands(watched) == (49_200, 49_000)


def test_an_account_that_another_lane_has_not_counted_yet_is_not_known(
    account: BrokerAccount, other: BrokerAccount, settings: Any
) -> None:
    """As when this lane begins the next day a moment before the other."""
    in_lanes(settings, account, other)
    row = limit(account, DRAWDOWN, 2000, scope=LimitScope.USER)
    watched = watching(account)
    assert (reached(watched), gauge_of(watched).room) == ([], None)
    day = another_lane_counts(other)
    watched.reload(clock.now())
    assert stands(watched) == (100_000, 98_000)
    watched.reload(clock.now())
    AccountDay.objects.filter(pk=day.pk).update(ends_at=clock.now())
    watched.reload(clock.now())
    assert (reached(watched), gauge_of(watched).room) == ([], None)
    AccountDay.objects.filter(pk=day.pk).delete()
    another_lane_counts(other, realized=Decimal(-300))
    watched.reload(clock.now())
    assert stands(watched) == (99_700, 98_000)
    row.refresh_from_db()
    assert (row.high_water, set(row.high_water_of or {})) == (100_000, {str(account.pk), str(other.pk)})


def test_lanes_that_see_different_sets_for_a_moment_agree_in_the_end(
    account: BrokerAccount, other: BrokerAccount
) -> None:
    row = limit(account, DRAWDOWN, 2000, scope=LimitScope.USER)
    late, early = watching(account), watching(account)
    late.reload(clock.now())
    switch(other, is_on=False)
    for watched in (early, early, late, late, early):
        if watched is late:
            # It stores once more what it had seen before it learns of the change.
            assert late.marks()
        watched.reload(clock.now())
    row.refresh_from_db()
    assert row.high_water == 50_000
    assert stands(early) == stands(late) == (50_000, 48_000)
