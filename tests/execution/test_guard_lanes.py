"""A recorder whose traders are in several lanes: each lane judges all of them together."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.models import BrokerAccount
from execution.guard.decide import Breach
from execution.guard.market import Market
from execution.guard.watching import Watching
from execution.models import Position
from justtrades import clock
from risk.models import LimitKind, LimitScope, RiskLimit
from tests.execution.desk import MNQ
from tests.execution.watchers import another_lane_counts, fill, in_lanes, limit, source, trader_on, watched_account
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, PositionFactory, TraderFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db


@pytest.fixture
def traders(settings: Any) -> list[Trader]:
    """Of one recorder, the second in another lane."""
    account = watched_account()
    login = BrokerLoginFactory(owner=account.owner)
    other: BrokerAccount = BrokerAccountFactory(login=login, cash=Decimal(50_000), cash_at=clock.now())
    in_lanes(settings, account, other)
    first = trader_on(account)
    return [first, TraderFactory(account=other, recorder=first.recorder)]


def watching(lane: int, price: float | None = None, *accounts: BrokerAccount) -> Watching:
    watched = Watching(lane, Market())
    watched.reload(clock.now())
    for account in accounts:
        watched._market.seed((MNQ, source(account)), Decimal(str(price)), clock.now() + timedelta(seconds=1))
    watched.assess_all()
    return watched


def on_recorder(traders: list[Trader], kind: str = LimitKind.DAILY_LOSS, amount: int = 1000) -> RiskLimit:
    return limit(traders[0].account, kind, amount, scope=LimitScope.RECORDER, recorder=traders[0].recorder)


def lost(trader: Trader, dollars: int) -> None:
    fill(trader.account, "sell", 25_000, trader=trader, realized_pnl=Decimal(-dollars))
    Position.objects.update_or_create(
        trader=trader, symbol=MNQ, defaults={"realized_pnl": -dollars, "account": trader.account, "owner": trader.owner}
    )


def due(watched: Watching) -> list[Breach]:
    return watched.ledger.new_breaches(watched.others)


@pytest.mark.parametrize("lane", [0, 1])
@pytest.mark.parametrize("kind", [LimitKind.DAILY_LOSS, LimitKind.WEEKLY_LOSS])
def test_what_traders_of_two_lanes_lose_counts_together(traders: list[Trader], kind: str, lane: int) -> None:
    on_recorder(traders, kind)
    for trader in traders:
        lost(trader, 499)
    watched = watching(lane)
    assert due(watched) == []
    Position.objects.filter(trader=traders[1 - lane]).update(net_qty=1, avg_price=25_000)
    watched.take_fills(clock.now())
    assert due(watched) == []
    key = (MNQ, source(traders[1 - lane].account))
    assert watched._market.trade(*key, Decimal(24_999), clock.now()), "the first price of what the other lane holds"
    watched.assess_at(watched._market.take_left())
    day = another_lane_counts(traders[1 - lane].account)
    watched.take_fills(clock.now())
    breaches = due(watched)
    assert {(one.account_id, one.trader_id) for one in breaches} == {(one.account_id, one.pk) for one in traders}
    assert {(one.had, one.allowed) for one in breaches} == {(-1000, -1000)}
    (foreign,) = (one for one in breaches if one.trader_id == traders[1 - lane].pk)
    assert (foreign.session, foreign.locks_until) == (day.session, day.ends_at)


def test_what_another_lane_fills_is_seen_twice_a_second(traders: list[Trader]) -> None:
    on_recorder(traders)
    watched = watching(0)
    lost(traders[1], 1000)
    watched.take_fills(clock.now())
    assert len(due(watched)) == 2


def test_a_drawdown_over_two_lanes_has_one_mark(traders: list[Trader]) -> None:
    row = on_recorder(traders, LimitKind.TRAILING_DRAWDOWN, 500)
    for trader, won in zip(traders, (300, 900), strict=True):
        lost(trader, -won)
    lanes = [watching(0), watching(1)]
    for watched in (*lanes, *lanes):
        watched.reload(clock.now())
        row.refresh_from_db()
        assert (due(watched), row.high_water) == ([], 1200)
    assert set(row.high_water_of or {}) == {str(one.pk) for one in traders}
    Position.objects.filter(trader=traders[0]).update(realized_pnl=-200)
    for watched in lanes:
        watched.take_fills(clock.now())
        assert {one.allowed for one in due(watched)} == {700}


def test_a_price_from_before_another_lane_opened_a_position_says_nothing_about_it(traders: list[Trader]) -> None:
    on_recorder(traders, amount=50)
    account, other = (one.account for one in traders)
    fill(account, "buy", 24_900, filled_at=clock.now() - timedelta(seconds=9))
    watched = watching(0, 24_900, account)
    watched._market.times[MNQ, source(account)] = clock.now() - timedelta(seconds=3)
    PositionFactory(trader=traders[1], symbol=MNQ, net_qty=1, avg_price=25_000)
    fill(other, "buy", 25_000, trader=traders[1], filled_at=clock.now() - timedelta(seconds=1))
    assert source(account) == source(other)
    watched.take_fills(clock.now())
    assert due(watched) == []
    assert watched.others[0].open_pnl(watched._market.prices) == 0


def test_a_limit_on_a_single_trader_is_its_own_lanes(traders: list[Trader]) -> None:
    limit(traders[0].account, scope=LimitScope.TRADER, trader=traders[1])
    lost(traders[1], 100)
    assert due(watching(0)) == []
    assert [one.trader_id for one in due(watching(1))] == [traders[1].pk]
