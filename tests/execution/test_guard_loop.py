"""The monitor's own loop: what a tick reached is not forgotten because it could not be decided at that moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import OperationalError, connection

from brokers.models import BrokerAccount, BrokerLogin
from execution.guard.guard import Guard
from justtrades import clock
from risk.models import LimitScope, RiskAction, RiskLimit
from tests.execution.desk import MNQ
from tests.execution.watchers import fill, limit, source, watched_account
from tests.factories import BrokerAccountFactory

pytestmark = pytest.mark.django_db
ALL_WELL, OVER = 25_000, 24_900


@dataclass
class Seat:
    """What a monitor needs of its lane."""

    index: int = 0
    is_owner: bool = True
    is_anothers: bool = False
    sent: list[Any] = field(default_factory=list)

    def submit(self, routed: list[Any]) -> None:
        self.sent += routed

    def dispatch(self) -> None:
        """What is cleared is not this test's matter."""

    def books_at(self, _login_id: UUID, _broker_id: str) -> datetime | None:
        return clock.now()


@pytest.fixture
def account() -> BrokerAccount:
    made = watched_account()
    limit(made)
    fill(made, "buy", ALL_WELL)
    return made


def guard_of(account: BrokerAccount, seat: Seat) -> tuple[Guard, Callable[..., None]]:
    """A monitor that knows the account, and how the market tells it prices."""
    guard = Guard(seat)  # type: ignore[arg-type]
    guard._pass()

    def trades(*prices: float) -> None:
        for price in prices:
            guard.trade(MNQ, source(account), Decimal(price), clock.now() + timedelta(seconds=1))
        guard._serve_ticks()

    trades(ALL_WELL)
    return guard, trades


def database_away(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's own
    if sql.startswith("SAVEPOINT"):
        raise OperationalError("server closed the connection unexpectedly")
    return execute(sql, params, many, context)


def test_a_breach_that_the_database_could_not_take_is_decided_when_it_is_back(account: BrokerAccount) -> None:
    seat = Seat()
    guard, trades = guard_of(account, seat)
    with connection.execute_wrapper(database_away):
        with pytest.raises(OperationalError):
            trades(OVER, ALL_WELL)
        with pytest.raises(OperationalError):
            guard._pass()
    assert RiskAction.objects.count() == 0
    guard._pass()
    guard._pass()
    assert RiskAction.objects.get().had == Decimal(-200), "at the price that the market came back from"
    assert len(seat.sent) == 1


def lost_to_nobody(_guard: Guard, _seat: Seat) -> None:
    """Its own database session broke, and it has the next one by now."""


def lost_to_another(guard: Guard, seat: Seat) -> None:
    seat.is_anothers = True
    guard._pass()
    seat.is_anothers = False


def limit_removed(guard: Guard, _seat: Seat) -> None:
    RiskLimit.objects.all().delete()
    guard._must_reload = True
    guard._pass()


@pytest.mark.parametrize(("meanwhile", "decided"), [(lost_to_nobody, 1), (lost_to_another, 0), (limit_removed, 0)])
def test_a_breach_that_came_while_nobody_owned_the_lane_is_decided_by_who_owns_it_next(
    account: BrokerAccount, meanwhile: Callable[[Guard, Seat], None], decided: int
) -> None:
    seat = Seat()
    guard, trades = guard_of(account, seat)
    seat.is_owner = False
    trades(OVER, ALL_WELL)
    guard._pass()
    assert (RiskAction.objects.count(), seat.sent) == (0, []), "who does not own the lane does nothing"
    meanwhile(guard, seat)
    seat.is_owner = True
    guard._pass()
    assert (RiskAction.objects.count(), len(seat.sent)) == (decided, decided)


def test_a_breach_is_not_carried_into_the_next_session(account: BrokerAccount) -> None:
    seat = Seat(is_owner=False)
    guard, trades = guard_of(account, seat)
    trades(OVER, ALL_WELL)
    seat.is_owner = True
    with time_machine.travel(guard._watching.days[account.pk].session.end, tick=False):
        guard._pass()
    assert RiskAction.objects.count() == 0, "the new day has its own room to lose"


def test_a_breach_does_not_wait_for_an_account_that_is_not_watched_any_more() -> None:
    account = watched_account()
    other = BrokerAccountFactory(login__owner=account.owner, cash=Decimal(50_000), cash_at=clock.now())
    limit(account, scope=LimitScope.USER)
    fill(account, "buy", ALL_WELL)
    seat = Seat(is_owner=False)
    guard, trades = guard_of(account, seat)
    trades(OVER, ALL_WELL)
    assert len(guard._pending) == 2
    BrokerLogin.objects.filter(pk=account.login_id).update(is_enabled=False)
    seat.is_owner, guard._must_reload = True, True
    guard._pass()
    assert RiskAction.objects.get().account == other
