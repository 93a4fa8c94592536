"""What a day has cost so far, by the quotes of each account's own market: the daily loss limit counts by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from brokers.models import BrokerAccount
from brokers.quotes import cache
from brokers.quotes.quote import Quote
from execution.models import Position
from execution.situation import day_pnl_of
from justtrades import clock
from risk.models import AccountDay, AccountRules
from tests.execution.watchers import fill, trader_on, watched_account, watching
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, PositionFactory, TraderFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db
LIVE, SANDBOX = "tradovate/live", "tradovate/sandbox"


@pytest.fixture(autouse=True)
def no_quotes() -> Iterator[None]:
    cache.client().flushdb()
    yield
    cache.client().flushdb()


def held(environment: str) -> Position:
    """Two MNQ contracts long at 25,000."""
    login = BrokerLoginFactory(venue="tradovate", environment=environment)
    trader = TraderFactory(account=BrokerAccountFactory(login=login, owner=login.owner), owner=login.owner)
    made: Position = PositionFactory(trader=trader, symbol="MNQZ6", net_qty=2, avg_price=Decimal(25_000))
    return made


def say(last: int, source: str, *, age: float = 0, delay_s: int = 0) -> None:
    at = clock.now() - timedelta(seconds=age)
    cache.store([Quote("MNQZ6", Decimal(last), None, None, at, source, delay_s)])


def worth(*positions: Position, prices: dict[str, Decimal] | None = None) -> list[Decimal | None]:
    traders = [position.trader_id for position in positions]
    found = day_pnl_of(traders, clock.now(), prices or {})
    return [found[trader] for trader in traders]


def test_each_account_is_counted_in_its_own_market() -> None:
    real, made_up = held("live"), held("sandbox")
    say(24_990, LIVE)
    say(24_000, SANDBOX)
    assert worth(real, made_up) == [Decimal(-40), Decimal(-4000)]


@pytest.mark.parametrize(("source", "age", "delay_s"), [(LIVE, 11, 0), (LIVE, 0, 600), (SANDBOX, 0, 0)])
def test_an_old_a_late_and_a_made_up_price_count_for_nothing(source: str, age: float, delay_s: int) -> None:
    position = held("live")
    say(24_990, source, age=age, delay_s=delay_s)
    assert worth(position) == [None]


def test_the_alerts_own_price_comes_before_every_quote() -> None:
    position = held("live")
    say(24_990, LIVE)
    assert worth(position, prices={"MNQZ6": Decimal(24_980)}) == [Decimal(-80)]


TEN = datetime(2026, 11, 24, 16, tzinfo=UTC)
"""A Tuesday, ten in the morning in Chicago."""
BEFORE_THE_ROLL, AFTER_IT = TEN - timedelta(hours=2), TEN - timedelta(minutes=30)


def closed_with_the_account(trader: Trader, dollars: str, qty: int = 1, **of: Any) -> None:
    """A close of the whole account, which is nobody's order: so much of it was the trader's."""
    others = ["00000000-0000-7000-8000-000000000000", 5, "-1000.0000"]
    shares = [others, [str(trader.pk), qty, dollars]]
    fill(trader.account, "sell", 24_700, qty=qty + 5, shares=shares, **of)


@pytest.fixture
def trader() -> Trader:
    made = trader_on(watched_account())
    Trader.objects.filter(pk=made.pk).update(overrides={"max_daily_loss": "500"})
    return made


def day_of(trader: Trader) -> Decimal | None:
    return day_pnl_of([trader.pk], clock.now(), {})[trader.pk]


def day_by_the_monitor(trader: Trader) -> Decimal | None:
    """What the lane's monitor makes of the trader's own setting."""
    watched = watching(trader.account, 24_990, clock.now())
    (subject,) = [one for one in watched.others if one.key == f"trader:{trader.pk}"]
    return subject.assess(watched._market.prices).day


def lost(trader: Trader | None, account: BrokerAccount, **of: Any) -> None:
    fill(account, "sell", 24_700, trader=trader, realized_pnl=Decimal(-90), **of)


def rolls_at_nine(trader: Trader) -> None:
    AccountRules.objects.create(account=trader.account, roll_at=time(9))


def costs(trader: Trader) -> None:
    AccountRules.objects.create(account=trader.account, fee_per_contract=Decimal("0.75"))


def a_day_that_began_at_nine(trader: Trader) -> None:
    """As its monitor has it, whatever the account's rules say since."""
    AccountDay.objects.create(
        account=trader.account, session=TEN.date(), starts_at=TEN - timedelta(hours=1), ends_at=TEN + timedelta(hours=7)
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((lambda one: closed_with_the_account(one, "-600.0000"),), "-600"),
        ((lambda one: closed_with_the_account(one, "-600.0000", qty=2), costs), "-601.50"),
        ((lambda one: lost(one, one.account, qty=3), costs), "-92.25"),
        ((lambda one: closed_with_the_account(one, "-600.0000", filled_at=BEFORE_THE_ROLL), rolls_at_nine), "0"),
        ((lambda one: closed_with_the_account(one, "-600.0000", filled_at=AFTER_IT), rolls_at_nine), "-600"),
        ((lambda one: closed_with_the_account(one, "-600.0000", filled_at=BEFORE_THE_ROLL),), "-600"),
        ((lambda one: lost(one, one.account, filled_at=BEFORE_THE_ROLL), a_day_that_began_at_nine), "0"),
        ((lambda one: lost(one, one.account, filled_at=BEFORE_THE_ROLL),), "-90"),
        ((lambda one: lost(None, one.account),), "0"),
    ],
)  # fmt: skip
def test_an_entry_is_asked_about_the_figure_that_the_monitor_goes_by(
    trader: Trader, given: tuple[Any, ...], expected: str
) -> None:
    with time_machine.travel(TEN, tick=False):
        for one in given:
            one(trader)
        assert day_of(trader) == Decimal(expected)
        assert day_by_the_monitor(trader) == Decimal(expected)


def test_a_friday_evening_is_mondays() -> None:
    saturday = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    with time_machine.travel(saturday, tick=False):
        trader = trader_on(watched_account())
        closed_with_the_account(trader, "-40.0000", filled_at=saturday - timedelta(hours=24))
        assert day_of(trader) == -40


def test_each_trader_has_its_own_part(trader: Trader) -> None:
    other = trader_on(watched_account())
    closed_with_the_account(trader, "-600.0000")
    closed_with_the_account(other, "-20.0000")
    costs(other)
    found = day_pnl_of([trader.pk, other.pk], clock.now(), {})
    assert found == {trader.pk: Decimal(-600), other.pk: Decimal("-20.75")}
