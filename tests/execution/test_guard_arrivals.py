"""What a monitor hears late, or while something fails, is counted all the same, where it belongs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection

from brokers.models import BrokerAccount
from execution.guard.days import take_new_fills
from execution.guard.market import Market
from execution.guard.watching import Watching
from execution.models import Fill, Reconciliation
from justtrades import clock
from risk.models import AccountDay
from tests.execution.desk import MNQ
from tests.execution.watchers import THURSDAY, fill, watched_account, watching
from tests.factories import BrokerAccountFactory, BrokerPositionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> BrokerAccount:
    return watched_account()


def held(watched: Watching, account: BrokerAccount) -> dict[str, int]:
    return {symbol: one.net_qty for symbol, one in watched.days[account.pk].book.held.items()}


@contextmanager
def away_for(table: str, nth: int) -> Iterator[None]:
    """The database answers no more from the `nth` reading of the table on."""
    asked = 0

    def answer(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's own
        nonlocal asked
        if sql.startswith("SELECT") and f'FROM "{table}"' in sql:
            asked += 1
            if asked >= nth:
                raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(answer), pytest.raises(OperationalError):
        yield


def test_a_fill_that_was_stored_long_after_it_happened_is_counted_in_its_place(account: BrokerAccount) -> None:
    now = clock.now()
    fill(account, "buy", 25_000, filled_at=now - timedelta(seconds=60))
    fill(account, "buy", 25_100, filled_at=now - timedelta(seconds=1))
    watched = watching(account, 25_100)
    watched.take_fills(now)
    fill(account, "sell", 25_060, qty=2, filled_at=now - timedelta(seconds=30))
    watched.take_fills(now)
    assert (held(watched, account), watched.days[account.pk].book.realized) == ({}, 120 - 80)


def test_a_price_that_comes_late_is_counted_whenever_it_comes(account: BrokerAccount) -> None:
    now = clock.now()
    for seconds in (120, 60):
        long_ago = now - timedelta(seconds=seconds)
        fill(account, "buy", 25_000, filled_at=long_ago, stored_at=long_ago, broker_fill_id=str(seconds))
    Fill.objects.filter(broker_fill_id="120").update(price=None)
    watched = watching(account)
    watched.take_fills(now)
    assert held(watched, account) == {MNQ: 1}
    Fill.objects.update(price=Decimal(25_000))
    watched.take_fills(now)
    assert held(watched, account) == {MNQ: 2}
    fill(account, "sell", 25_000, filled_at=now, broker_fill_id="0")
    Fill.objects.filter(broker_fill_id="0").update(price=None)
    watched.take_fills(now)
    Fill.objects.update(price=Decimal(25_000), stored_at=now - timedelta(hours=1))
    watched.take_fills(now)
    assert held(watched, account) == {MNQ: 1}


def test_what_was_counted_is_not_read_again_because_another_account_did_not_trade(account: BrokerAccount) -> None:
    watched_account()
    hour_ago = clock.now() - timedelta(minutes=10)
    for number in range(5):
        fill(account, "buy", 25_000, filled_at=hour_ago, stored_at=hour_ago, broker_fill_id=str(number))
    watched = watching(account)
    take_new_fills(watched.days)
    read: list[int] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's own
        answer = execute(sql, params, many, context)
        read.append(context["cursor"].rowcount)
        return answer

    with connection.execute_wrapper(count):
        assert take_new_fills(watched.days) == set()
    assert read == [0]


def test_a_session_that_could_not_be_begun_is_begun_again_and_never_written_into_the_one_before(
    account: BrokerAccount,
) -> None:
    fill(account, "buy", 25_000, filled_at=THURSDAY)
    watched = watching(account, 25_000, THURSDAY)
    end = watched.days[account.pk].session.end
    with away_for(AccountDay._meta.db_table, 1):
        watched.roll(end)
    watched.roll(end)
    watched.reload(end)
    assert held(watched, account) == {MNQ: 1}
    row = AccountDay.objects.get(pk=watched.rows[account.pk])
    assert row.session == watched.days[account.pk].session.day > THURSDAY.date()


def test_an_account_that_could_not_be_opened_is_opened_at_the_next_look(account: BrokerAccount) -> None:
    watched = Watching(0, Market())
    with away_for(AccountDay._meta.db_table, 2):
        watched.reload(clock.now())
    watched.reload(clock.now())
    assert watched.rows.keys() == watched.days.keys() == {account.pk}


def test_a_correction_of_yesterday_is_none_of_today(account: BrokerAccount) -> None:
    fill(account, "buy", 25_000, filled_at=THURSDAY)
    watched = watching(account, 25_000, THURSDAY)
    yesterday = dict(watched.rows)
    end = watched.days[account.pk].session.end
    watched.roll(end)
    watched.rows = yesterday
    watched.reload(end)
    assert held(watched, account) == {MNQ: 1}


def test_what_a_new_account_held_before_is_counted_when_its_broker_has_told() -> None:
    account = BrokerAccountFactory(cash=Decimal(50_000), cash_at=clock.now())
    watched = Watching(0, Market())
    watched.reload(clock.now())
    assert held(watched, account) == {}
    fill(account, "buy", 110, qty=2, symbol="MESZ6")
    report = {"account": account, "avg_price": Decimal(100), "reported_at": clock.now()}
    BrokerPositionFactory(symbol=MNQ, net_qty=5, **report)
    BrokerPositionFactory(symbol="MESZ6", net_qty=2, **report)
    BrokerPositionFactory(symbol="MGCZ6", net_qty=3, **report)
    fill(account, "buy", 110, symbol="MGCZ6", filled_at=clock.now() - timedelta(hours=1), broker_fill_id="same look")
    fill(account, "buy", 110, qty=1, symbol="MESZ6", broker_fill_id="later")
    watched.reload(clock.now())
    assert MNQ not in held(watched, account), "one position may not be all that it holds"
    Reconciliation.objects.create(account=account, compared_at=clock.now())
    watched.reload(clock.now())
    watched.take_fills(clock.now())
    whole = {MNQ: 5, "MESZ6": 3, "MGCZ6": 3}
    assert held(watched, account) == whole, "what was traded since is not in that word"
    assert watched.days[account.pk].book.realized == 0
    assert held(watching(account), account) == whole, "and so after a restart"


def test_a_restart_before_the_brokers_first_words_loses_nothing() -> None:
    account = BrokerAccountFactory(cash=Decimal(50_000), cash_at=clock.now())
    Watching(0, Market()).reload(clock.now())
    restarted = Watching(0, Market())
    restarted.reload(clock.now())
    BrokerPositionFactory(account=account, symbol=MNQ, net_qty=5, reported_at=clock.now())
    Reconciliation.objects.create(account=account, compared_at=clock.now())
    restarted.reload(clock.now())
    assert held(restarted, account) == {MNQ: 5}
