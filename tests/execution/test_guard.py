"""What an account's day comes to, which limit that reaches, and what is decided because of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.models import BrokerAccount
from execution.guard.accounts import load_accounts
from execution.guard.opening import open_days
from execution.guard.rebase import rebase
from justtrades import clock
from risk.models import (
    AccountDay,
    AccountEquity,
    AccountRules,
    Basis,
    LimitKind,
    LimitScope,
    Unit,
)
from tests.execution.desk import MNQ
from tests.execution.watchers import START, THURSDAY, fill, limit, reached, source, trader_on, watched_account, watching
from tests.factories import (
    BrokerAccountFactory,
    BrokerPositionFactory,
    PositionFactory,
    TraderFactory,
)
from traders.models import Trader

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> BrokerAccount:
    return watched_account()


@pytest.fixture
def trader(account: BrokerAccount) -> Trader:
    return trader_on(account)


def test_the_day_is_what_was_realised_and_what_is_open_whoever_traded(account: BrokerAccount, trader: Trader) -> None:
    AccountRules.objects.create(account=account, fee_per_contract=Decimal("0.50"))
    fill(account, "buy", 25_000, qty=2, trader=trader)
    fill(account, "sell", 25_010, qty=1)
    watched = watching(account, 24_990)
    (subject,) = watched.subjects
    day = watched.days[account.pk]
    assert (day.book.realized, day.fees, subject.open_pnl(watched._market.prices)) == (20, Decimal("1.5"), -20)
    assert subject.assess(watched._market.prices).day == Decimal("-1.5")


def test_a_restart_counts_the_same(account: BrokerAccount, trader: Trader) -> None:
    BrokerPositionFactory(account=account, symbol=MNQ, net_qty=3, avg_price=START, reported_at=clock.now())
    fill(account, "buy", 25_000, trader=trader, filled_at=clock.now() - timedelta(minutes=1))
    before = watching(account, 25_010).days[account.pk]
    assert before.book.holdings[MNQ].net_qty == 3, "two were held when nobody counted yet"
    BrokerPositionFactory._meta.model.objects.all().delete()
    after = watching(account, 25_010).days[account.pk]
    assert (after.book, after.start_cash) == (before.book, before.start_cash)


def test_a_fill_that_is_stored_late_is_counted_in_its_place(account: BrokerAccount) -> None:
    now = clock.now()
    fill(account, "buy", 25_000, filled_at=now - timedelta(seconds=5))
    fill(account, "buy", 25_100, filled_at=now - timedelta(seconds=1))
    watched = watching(account, 25_100)
    fill(account, "sell", 25_050, filled_at=now - timedelta(seconds=3))
    watched.take_fills(now)
    assert watched.days[account.pk].book.realized == 100, "the first was closed before the second was bought"


def test_a_session_that_rolls_begins_with_what_is_held(account: BrokerAccount) -> None:
    limit(account, LimitKind.WEEKLY_LOSS)
    fill(account, "buy", 25_000, qty=2, filled_at=THURSDAY)
    fill(account, "sell", 24_980, filled_at=THURSDAY)
    watched = watching(account, 24_990, THURSDAY)
    friday = watched.days[account.pk].session.end
    (over,) = watched.roll(friday)
    day = watched.days[account.pk]
    assert (over.book.realized, day.book.realized, day.week_before) == (-40, 0, -40)
    assert day.book.holdings[MNQ].net_qty == 1
    assert day.session.day == over.session.day + timedelta(days=1)
    watched.take_fills(friday)
    figures = watched.accounts[account.pk].assess(watched._market.prices)
    assert (figures.day, figures.week) == (-20, -60)
    assert AccountDay.objects.filter(account=account).count() == 2


def test_days_that_passed_while_nobody_watched_are_made_up_for(account: BrokerAccount) -> None:
    fill(account, "buy", 25_000, filled_at=THURSDAY)
    watching(account, 25_000, THURSDAY)
    fill(account, "buy", 25_010, filled_at=THURSDAY + timedelta(days=1))
    monday = THURSDAY + timedelta(days=4)
    fill(account, "sell", 25_015, qty=1, filled_at=monday)
    day = open_days(load_accounts(0).values(), monday)[account.pk]
    assert {symbol: one.net_qty for symbol, one in day.start.items()} == {MNQ: 2}
    assert (day.book.holdings[MNQ].net_qty, day.book.realized, day.week_before) == (1, 20, 0)


@pytest.mark.parametrize(
    ("kind", "amount", "fields", "price", "is_over"),
    [
        (LimitKind.DAILY_LOSS, 100, {}, 24_950.25, False),
        (LimitKind.DAILY_LOSS, 100, {}, 24_950, True),
        (LimitKind.DAILY_LOSS, 1, {"unit": Unit.PERCENT}, 24_750.5, False),
        (LimitKind.DAILY_LOSS, 1, {"unit": Unit.PERCENT}, 24_750, True),
        (LimitKind.DAILY_PROFIT, 100, {}, 25_049.75, False),
        (LimitKind.DAILY_PROFIT, 100, {}, 25_050, True),
        (LimitKind.WEEKLY_LOSS, 100, {}, 24_950, True),
        (LimitKind.TRAILING_DRAWDOWN, 100, {}, 24_999, False),
        (LimitKind.TRAILING_DRAWDOWN, 100, {"basis": Basis.END_OF_DAY}, 24_900, True),
        (LimitKind.DAILY_LOSS, 1, {"is_enabled": False}, 24_000, False),
    ],
)
def test_each_kind_of_limit(
    account: BrokerAccount, kind: str, amount: float, fields: dict[str, Any], price: float, is_over: object
) -> None:
    limit(account, kind, amount, **fields)
    fill(account, "buy", 25_000)
    assert reached(watching(account, price)) == ([(kind.upper(), None)] if is_over else [])


def test_a_drawdown_trails_the_best_that_was_seen(account: BrokerAccount) -> None:
    limit(account, LimitKind.TRAILING_DRAWDOWN, 100)
    AccountEquity.objects.create(account=account, intraday_high=Decimal(50_000))
    fill(account, "buy", 25_000)
    watched = watching(account, 25_000)
    key = (MNQ, source(account))
    for price, is_over in ((25_040, False), (24_990.25, False), (24_990, True)):
        assert bool(watched.assess_at([(key, Decimal(str(price)))])) == is_over, price
    assert watched.days[account.pk].intraday_high == 50_080


def test_a_price_from_before_a_position_was_opened_says_nothing_about_it(account: BrokerAccount) -> None:
    limit(account)
    fill(account, "buy", 25_000)
    watched = watching(account, 24_960)
    fill(account, "sell", 24_960, filled_at=clock.now())
    watched.take_fills(clock.now())
    fill(account, "buy", 25_000, filled_at=clock.now())
    watched.take_fills(clock.now())
    assert reached(watched) == []
    assert watched.accounts[account.pk].open_pnl(watched._market.prices) == 0


def test_what_cannot_be_valued_is_never_a_breach_and_never_all_well(account: BrokerAccount) -> None:
    limit(account)
    BrokerPositionFactory(account=account, symbol=MNQ, net_qty=3, avg_price=START, reported_at=clock.now())
    watched = watching(account)
    assert reached(watched) == []
    assert watched.accounts[account.pk].gauges[0].room is None


def scoped(scope: LimitScope, trader: Trader) -> dict[str, Any]:
    target = {LimitScope.TRADER: {"trader": trader}, LimitScope.RECORDER: {"recorder": trader.recorder}}
    return {"scope": scope, **target.get(scope, {})}


@pytest.mark.parametrize("scope", [LimitScope.TRADER, LimitScope.RECORDER, LimitScope.USER])
def test_limits_on_a_trader_a_recorder_and_everything(
    account: BrokerAccount, trader: Trader, scope: LimitScope
) -> None:
    other_account = BrokerAccountFactory(login=account.login, cash=Decimal(50_000), cash_at=clock.now())
    other = TraderFactory(account=other_account, recorder=trader.recorder)
    stranger = BrokerAccountFactory()
    limit(account, amount=60, **scoped(scope, trader))
    for one in (trader, other):
        PositionFactory(trader=one, symbol=MNQ, net_qty=1, avg_price=START)
        fill(one.account, "buy", 25_000, trader=one)
    fill(stranger, "buy", 25_000)
    assert reached(watching(account, 24_985)) == ([] if scope is LimitScope.TRADER else _both(scope, trader, other))
    assert reached(watching(account, 24_970)) == (
        [("DAILY_LOSS", trader.pk)] if scope is LimitScope.TRADER else _both(scope, trader, other)
    )


def _both(scope: LimitScope, *traders: Trader) -> list[tuple[str, Any]]:
    return [("DAILY_LOSS", one.pk if scope is LimitScope.RECORDER else None) for one in traders]


def test_a_traders_own_setting_is_watched_too(account: BrokerAccount, trader: Trader) -> None:
    Trader.objects.filter(pk=trader.pk).update(overrides={"max_daily_loss": "40"})
    PositionFactory(trader=trader, symbol=MNQ, net_qty=1, avg_price=START)
    fill(account, "buy", 25_000, trader=trader)
    watched = watching(account, 24_980)
    assert [one.limit_key for one in watched.ledger.new_breaches(watched.subjects)] == [f"setting:{trader.pk}"]


def test_the_brokers_quantity_accepted_by_hand_is_counted_from_then_on(account: BrokerAccount) -> None:
    fill(account, "buy", 24_990)
    watched = watching(account, 25_000)
    rebase(account.pk, MNQ, 3, Decimal(24_990))
    watched.reload(clock.now())
    assert watched.days[account.pk].book.held[MNQ].net_qty == 3
    assert watched.accounts[account.pk].assess(watched._market.prices).day == 60
    rebase(account.pk, MNQ, 1, None)
    watched.reload(clock.now())
    assert watched.days[account.pk].book.held[MNQ].net_qty == 1


def test_only_a_price_that_left_the_band_wakes_the_monitor(account: BrokerAccount) -> None:
    limit(account)
    fill(account, "buy", 25_000)
    watched = watching(account, 25_000)
    said: Mapping[float, bool] = {24_999: False, 24_951: False, 24_950: True, 24_900: True, 25_500: False}
    for price, wakes in said.items():
        assert watched._market.trade(MNQ, source(account), Decimal(str(price)), clock.now()) == wakes, price
    assert [price for _, price in watched._market.take_left()] == [24_950, 24_900], "also those that it came back from"
    assert not watched._market.trade("MESZ6", source(account), Decimal(1), clock.now())
    assert not watched._market.trade(MNQ, "webull/sandbox", Decimal(1), clock.now()), "another sandbox's market"


def test_a_limit_that_was_unlocked_hides_no_other(account: BrokerAccount) -> None:
    """It stays reached for the rest of its session, acts no more, and asks for no look at each price."""
    limit(account)
    limit(account, LimitKind.WEEKLY_LOSS, 400)
    fill(account, "buy", 25_000)
    watched = watching(account, 24_940)
    watched.ledger.note(watched.ledger.new_breaches(watched.subjects))
    watched.assess_all()
    key = (MNQ, source(account))
    wakes = [watched._market.trade(*key, Decimal(price), clock.now()) for price in (24_930, 24_801, 24_800)]
    assert wakes == [False, False, True]
    trades = [(key, Decimal(price)) for price in (24_930, 24_790, 24_930)]
    assert [one.code for one in watched.assess_at(trades)] == ["WEEKLY_LOSS"]
    watched.assess_all()
    assert watched._market.trade(*key, Decimal(24_790), clock.now()), "a pass later nobody has decided it yet"


def test_what_was_reached_is_found_once_in_a_run_of_prices(account: BrokerAccount) -> None:
    limit(account)
    limit(account, LimitKind.DAILY_PROFIT, 100)
    fill(account, "buy", 25_000)
    watched = watching(account, 25_000)
    key = (MNQ, source(account))
    trades = [(key, Decimal(price)) for price in (24_940, 24_930, 25_060, 24_920)]
    assert [one.code for one in watched.assess_at(trades)] == ["DAILY_LOSS", "DAILY_PROFIT"]
