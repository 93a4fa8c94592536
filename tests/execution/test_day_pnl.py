"""What a day has cost so far, by the quotes of each account's own market: the daily loss limit counts by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.quotes import cache
from brokers.quotes.quote import Quote
from execution.models import Position
from execution.situation import day_pnl_of
from justtrades import clock
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, PositionFactory, TraderFactory

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
