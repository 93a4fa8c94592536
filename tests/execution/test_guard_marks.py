"""High-water marks: where they begin, that they only rise, and what moves them apart from the market."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from brokers.models import BrokerAccount
from execution.guard import store
from execution.guard.store import Finding
from execution.guard.watching import Watching
from execution.models import Fill, Position
from justtrades import clock
from risk import services
from risk.models import AccountEquity, AccountRules, LimitKind, LimitScope
from tests.execution.desk import MNQ
from tests.execution.watchers import fill, limit, reached, source, trader_on, watched_account, watching
from tests.factories import PositionFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db
DRAWDOWN = LimitKind.TRAILING_DRAWDOWN


@pytest.fixture
def account() -> BrokerAccount:
    return watched_account()


@pytest.fixture
def trader(account: BrokerAccount) -> Trader:
    return trader_on(account)


def save(watched: Watching, account: BrokerAccount, equity: int) -> AccountEquity:
    """As the monitor does it each second."""
    found = Finding(watched.days[account.pk], Decimal(0), Decimal(equity), None, None, "")
    store.save([found], watched.rows, clock.now())
    return AccountEquity.objects.get(account=account)


def test_a_mark_that_was_reset_counts_from_then_on_and_is_not_written_back(account: BrokerAccount) -> None:
    limit(account, DRAWDOWN, 2500)
    old, new = Decimal(52_000), Decimal(50_000)
    AccountEquity.objects.create(account=account, equity=new, intraday_high=old, end_of_day_high=old)
    watched = watching(account)
    services.reset_high_water(account=account, actor=account.owner)
    stored = save(watched, account, 49_990)
    assert (stored.equity, stored.intraday_high, stored.end_of_day_high) == (49_990, new, new), "it had not read it yet"
    steps = watched.reloading(clock.now())
    next(steps), next(steps)
    watched.assess_all()
    list(steps)
    (gauge,) = watched.accounts[account.pk].gauges
    assert gauge.allowed == 47_500
    day = watched.days[account.pk]
    assert (day.intraday_high, day.end_of_day_high) == (new, new)
    day.intraday_high = Decimal(50_100)
    stored = save(watched, account, 50_000)
    assert (stored.intraday_high, stored.end_of_day_high) == (50_100, new)
    assert stored.reset_at is not None


def test_the_end_of_a_day_is_a_new_high(account: BrokerAccount) -> None:
    """Also while the next day is assessed before anything is read again."""
    limit(account, DRAWDOWN, 2500, basis="end_of_day")
    AccountEquity.objects.create(account=account, intraday_high=Decimal(50_000), end_of_day_high=Decimal(50_000))
    fill(account, "buy", 25_000)
    watched = watching(account, 25_100)
    end = watched.days[account.pk].session.end
    watched.roll(end)
    watched.assess_all()
    assert watched.days[account.pk].end_of_day_high == 50_200


def of_scope(scope: LimitScope, trader: Trader) -> dict[str, Any]:
    target = {LimitScope.TRADER: {"trader": trader}, LimitScope.RECORDER: {"recorder": trader.recorder}}
    return {"scope": scope, **target.get(scope, {})}


@pytest.mark.parametrize("scope", [LimitScope.TRADER, LimitScope.RECORDER])
@pytest.mark.parametrize(("days_ago", "is_over"), [(0, True), (8, False)])
def test_a_day_end_mark_of_traders_begins_where_their_session_began(
    account: BrokerAccount, trader: Trader, scope: LimitScope, days_ago: int, *, is_over: bool
) -> None:
    """What they lost in it counts, whatever they lost before, and does not lower the mark."""
    AccountRules.objects.create(account=account, fee_per_contract=Decimal(1))
    limit(account, DRAWDOWN, 500, basis="end_of_day", **of_scope(scope, trader))
    PositionFactory(trader=trader, symbol=MNQ, net_qty=0, avg_price=None, realized_pnl=Decimal(-900))
    lost_at = clock.now() - timedelta(days=days_ago)
    fill(account, "sell", 24_750, trader=trader, realized_pnl=Decimal(-500), filled_at=lost_at)
    watched = watching(account)
    assert bool(reached(watched)) == is_over
    assert watched.others[0].end_of_day_high == (-400 if is_over else -900)


def test_a_day_end_mark_stays_where_it_began_however_much_is_lost(account: BrokerAccount, trader: Trader) -> None:
    row = limit(account, DRAWDOWN, 500, basis="end_of_day", **of_scope(LimitScope.TRADER, trader))
    PositionFactory(trader=trader, symbol=MNQ, net_qty=0, avg_price=None, realized_pnl=Decimal(100))
    watched = watching(account)
    watched.reload(clock.now())
    row.refresh_from_db()
    assert row.high_water == 100
    for lost, is_over in ((-399, False), (-400, True)):
        Position.objects.update(realized_pnl=Decimal(lost))
        watched.rebuild(clock.now())
        assert bool(reached(watched)) == is_over
    assert reached(watching(account)) != [], "also after a restart, and in whichever session"


def held_by(trader: Trader, qty: int = 1) -> None:
    PositionFactory(trader=trader, symbol=MNQ, net_qty=qty, avg_price=Decimal(25_000))
    fill(trader.account, "buy", 25_000, trader=trader, qty=qty)


@pytest.mark.parametrize("scope", [LimitScope.TRADER, LimitScope.RECORDER, LimitScope.USER])
def test_a_mark_that_was_seen_survives_a_fill(account: BrokerAccount, trader: Trader, scope: LimitScope) -> None:
    row = limit(account, DRAWDOWN, 500, **of_scope(scope, trader))
    held_by(trader, 2)
    watched = watching(account, 25_000)
    key = (MNQ, source(account))
    watched._market.prices[key] = Decimal(25_100)
    watched.assess_at([(key, Decimal(25_200))])
    (mark,) = (subject.intraday_high for subject in watched.others)
    assert mark == (50_800 if scope is LimitScope.USER else 800)
    fill(account, "sell", 25_100, filled_at=clock.now() - timedelta(seconds=1))
    watched.take_fills(clock.now())
    assert watched.others[0].intraday_high == mark
    watched.reload(clock.now())
    row.refresh_from_db()
    assert row.high_water == mark
    ((limit_id, seen),) = watched.marks().items()
    store.save_high_waters({limit_id: seen._replace(high=mark - 1)})
    row.refresh_from_db()
    assert row.high_water == mark, "another lane that has seen less"


def test_a_day_end_that_is_a_new_high_survives_the_next_second(account: BrokerAccount, trader: Trader) -> None:
    row = limit(account, DRAWDOWN, 500, basis="end_of_day", **of_scope(LimitScope.TRADER, trader))
    held_by(trader)
    watched = watching(account, 25_100)
    watched.reload(clock.now())
    watched.roll(watched.days[account.pk].session.end)
    assert watched.others[0].end_of_day_high == 200
    store.save_high_waters(watched.marks())
    row.refresh_from_db()
    assert row.high_water == 200


def test_a_limit_that_is_set_anew_begins_anew(account: BrokerAccount, trader: Trader) -> None:
    rules = of_scope(LimitScope.TRADER, trader)
    row = limit(account, DRAWDOWN, 500, **rules)
    held_by(trader)
    watched = watching(account, 25_200)
    row.delete()
    limit(account, DRAWDOWN, 300, **rules)
    watched._market.prices[MNQ, source(account)] = Decimal(25_000)
    watched.reload(clock.now())
    assert (reached(watched), watched.others[0].intraday_high) == ([], 0)


def test_a_fill_that_is_applied_while_a_share_is_read_counts_whole_or_not_at_all(
    account: BrokerAccount, trader: Trader
) -> None:
    """What it realised and what is not held any more: one without the other is a loss that nobody had."""
    held_by(trader)
    limit(account, LimitKind.DAILY_LOSS, 100, **of_scope(LimitScope.TRADER, trader))
    fill(account, "buy", 25_000, trader=trader, realized_pnl=Decimal(-150))
    Fill.objects.filter(realized_pnl=-150).update(filled_at=clock.now() - timedelta(minutes=1))
    watched = watching(account, 25_100)
    assert reached(watched) == []
    times = []

    def close_between(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if "WITH whose" in sql and not times:
            times.append(sql)
            fill(account, "sell", 25_100, trader=trader, realized_pnl=Decimal(200))
            Position.objects.update(net_qty=0, avg_price=None, realized_pnl=Decimal(50), updated_at=clock.now())
        return result

    with connection.execute_wrapper(close_between):
        watched.rebuild(clock.now())
    assert times
    assert reached(watched) == []
    assert watched.others[0].day_base == 50
