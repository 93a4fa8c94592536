"""Positions with limits that cannot be judged are an alarm after half a minute, and only as long as that is so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine

from brokers.models import BrokerAccount
from brokers.quotes.quote import FRESH
from execution.guard.findings import BLIND, Findings
from execution.guard.watching import Watching
from execution.models import Alarm, Reconciliation
from justtrades import clock
from risk.models import LimitKind, LimitScope
from tests.execution.desk import MNQ
from tests.execution.watchers import THURSDAY, fill, limit, source, trader_on, watched_account, watching
from tests.factories import BrokerPositionFactory, PositionFactory

pytestmark = pytest.mark.django_db
Setup = Callable[[BrokerAccount], None]


@pytest.fixture(autouse=True)
def the_exchange_is_open() -> Iterator[None]:
    with time_machine.travel(THURSDAY, tick=False):
        yield


class Broker:
    """When the lane last heard of an account: just now, unless a test says otherwise."""

    silent_since: datetime | None = None

    def books_at(self, _login_id: UUID, _broker_id: str) -> datetime | None:
        return self.silent_since or clock.now() + timedelta(minutes=10)


def looked_at(watched: Watching, *moments: float, findings: Findings | None = None) -> Findings:
    """The monitor's figures are counted so many seconds after the last price is an old one."""
    found = findings or Findings(Broker())  # type: ignore[arg-type]
    now = clock.now() + FRESH + timedelta(seconds=2)
    for seconds in moments:
        found.of(watched, watched._market, now + timedelta(seconds=seconds))
    return found


def price(watched: Watching, account: BrokerAccount, seconds: float) -> None:
    at = clock.now() + FRESH + timedelta(seconds=seconds)
    watched._market.seed((MNQ, source(account)), Decimal(25_000), at)


def blind() -> list[str]:
    return list(Alarm.objects.filter(code=BLIND, ended_at=None).values_list("ref", flat=True))


def no_price_of_what_is_held(account: BrokerAccount) -> None:
    limit(account)
    fill(account, "buy", 25_000)


def no_average(account: BrokerAccount) -> None:
    limit(account)
    BrokerPositionFactory(account=account, symbol=MNQ, net_qty=3, avg_price=None, reported_at=clock.now())


def no_contract_that_we_know(account: BrokerAccount) -> None:
    limit(account)
    fill(account, "buy", 1, symbol="XYZ")


def held_under(scope: LimitScope) -> Setup:
    def setup(account: BrokerAccount) -> None:
        trader = trader_on(account)
        targets: dict[str, Any] = {
            LimitScope.TRADER: {"trader": trader},
            LimitScope.RECORDER: {"recorder": trader.recorder},
        }
        limit(account, scope=scope, **targets.get(scope, {}))
        PositionFactory(trader=trader, symbol=MNQ, net_qty=1, avg_price=Decimal(25_000))
        fill(account, "buy", 25_000, trader=trader)

    return setup


def traders_against_each_other(account: BrokerAccount) -> None:
    mine, other = trader_on(account), trader_on(account)
    limit(account, scope=LimitScope.TRADER, trader=mine)
    for trader, net, side in ((mine, 1, "buy"), (other, -1, "sell")):
        PositionFactory(trader=trader, symbol=MNQ, net_qty=net, avg_price=Decimal(25_000))
        fill(account, side, 25_000, trader=trader)


def a_percentage_of_what_nobody_said(account: BrokerAccount) -> None:
    BrokerAccount.objects.filter(pk=account.pk).update(cash=None)
    limit(account, LimitKind.TRAILING_DRAWDOWN, scope=LimitScope.USER)
    fill(account, "buy", 25_000)


@pytest.mark.parametrize(
    "setup",
    [
        no_price_of_what_is_held,
        no_average,
        no_contract_that_we_know,
        held_under(LimitScope.TRADER),
        held_under(LimitScope.RECORDER),
        held_under(LimitScope.USER),
        traders_against_each_other,
    ],
)
def test_what_is_held_under_any_limit_and_cannot_be_judged_is_an_alarm(setup: Setup) -> None:
    account = watched_account()
    setup(account)
    watched = watching(account)
    findings = looked_at(watched, 0, 29)
    assert blind() == []
    looked_at(watched, 31, 32, findings=findings)
    assert blind() == [str(account.pk)]


def test_a_limit_that_is_not_known_is_told_of_beside_fresh_prices() -> None:
    account = watched_account()
    a_percentage_of_what_nobody_said(account)
    watched = watching(account)
    price(watched, account, 60)
    watched.assess_all()
    looked_at(watched, 0, 31)
    assert blind() == [str(account.pk)]
    assert "not known" in Alarm.objects.get().text


def test_heard_is_not_told_while_its_broker_has_never_said_what_an_account_holds() -> None:
    account = watched_account()
    Reconciliation.objects.all().delete()
    watched = watching(account)
    assert "has not told of this account yet" in warning_of(watched)
    Reconciliation.objects.create(account=account, compared_at=clock.now())
    watched.reload(clock.now())
    assert warning_of(watched) == ""


def warning_of(watched: Watching) -> str:
    (found,) = Findings(Broker()).of(watched, watched._market, clock.now())  # type: ignore[arg-type]
    return found.warning


def no_limit(account: BrokerAccount) -> None:
    fill(account, "buy", 25_000)


def nothing_held(account: BrokerAccount) -> None:
    limit(account)


def a_limit_on_somebody_else(account: BrokerAccount) -> None:
    other = watched_account()
    limit(other, scope=LimitScope.USER)
    fill(account, "buy", 25_000)


@pytest.mark.parametrize("setup", [no_limit, nothing_held, a_limit_on_somebody_else])
def test_without_a_limit_or_without_a_position_there_is_nothing_to_see(setup: Setup) -> None:
    account = watched_account()
    setup(account)
    looked_at(watching(account), 0, 31, 62)
    assert blind() == []


def test_an_alarm_from_before_a_restart_ends_and_the_next_one_is_told() -> None:
    account = watched_account()
    no_price_of_what_is_held(account)
    watched = watching(account)
    looked_at(watched, 0, 31)
    first = Alarm.objects.get()
    restarted = looked_at(watched, 40)
    assert Alarm.objects.get() == first, "blind still: the same matter"
    price(watched, account, 80)
    looked_at(watched, 80, findings=restarted)
    assert blind() == []
    looked_at(watched, 140, 171, findings=restarted)
    assert blind() == [str(account.pk)]
    assert Alarm.objects.get(ended_at=None) != first


def test_an_alarm_from_before_a_restart_ends_where_nothing_is_held_any_more() -> None:
    account = watched_account()
    no_price_of_what_is_held(account)
    looked_at(watching(account), 0, 31)
    fill(account, "sell", 25_000)
    looked_at(watching(account), 40)
    assert blind() == []
