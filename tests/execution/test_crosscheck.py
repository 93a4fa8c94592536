"""The broker's own figure of a day beside ours: kept, and loud only where they stay apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection as database

from brokers.base import AccountRef, ConnectionState
from brokers.errors import AuthExpired, BrokerError, NotReached, RateLimited, Refused
from brokers.models import BrokerAccount
from brokers.sessions import session_of
from execution.crosscheck import CrossCheck, gap_between
from execution.models import Alarm
from risk.models import AccountDay, AccountRules
from tests.execution.desk import MNQ
from tests.execution.feed import ScriptedConnection
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, BrokerPositionFactory

pytestmark = pytest.mark.django_db
OPEN = datetime.fromisoformat("2026-11-24T16:00:00+00:00")
EARLY = OPEN - timedelta(hours=10)
SATURDAY = datetime.fromisoformat("2026-11-28T16:00:00+00:00")


class Broker(ScriptedConnection):
    """Says what its accounts made, or why it does not say."""

    def __init__(self, login_id: UUID) -> None:
        super().__init__(login_id)
        self.says: D | BrokerError | None = D(0)
        self.asked: list[str] = []

    def day_pnl(self, account: AccountRef) -> D | None:
        self.asked.append(account.broker_id)
        if isinstance(self.says, BrokerError):
            raise self.says
        return self.says


@dataclass
class FakeLane:
    lines: list[Broker] = field(default_factory=list)

    @property
    def loop(self) -> FakeLane:
        return self

    def background(self, action: Callable[[], None]) -> None:
        action()

    def connections(self) -> list[Broker]:
        return self.lines


class Desk:
    """A lane's cross-check; `seconds` have passed since the test's first moment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lane = FakeLane()
        self.checks = CrossCheck(self.lane)  # type: ignore[arg-type]
        self.seconds = 0.0
        # The helper thread's own connection is closed after its work; here it is the test's.
        monkeypatch.setattr(database, "close", lambda: None)

    def account(self, start: datetime = OPEN, environment: str = "demo", **day: Any) -> BrokerAccount:
        made: BrokerAccount = BrokerAccountFactory(login=BrokerLoginFactory(environment=environment))
        self.lane.lines.append(Broker(made.login_id))
        self.begin(made, start, **day)
        return made

    def begin(self, account: BrokerAccount, start: datetime = OPEN, **day: Any) -> None:
        session = session_of(start)
        usual = {"realized": D(100), "fees": D(4), "open_pnl": D(0)}
        AccountDay.objects.create(
            account=account, session=session.day, starts_at=session.start, ends_at=session.end, **{**usual, **day}
        )

    def look(self, after: float = 300.0, start: datetime = OPEN) -> int:
        self.seconds += after
        with time_machine.travel(start + timedelta(seconds=self.seconds), tick=False):
            return self.checks.look()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


@pytest.mark.parametrize(
    ("theirs", "gap"), [("100", 0), ("96", 0), ("98.5", 0), ("103.25", "3.25"), ("90", 6), ("-4", 100)]
)
def test_a_broker_may_count_before_fees_or_after(theirs: str, gap: int | str) -> None:
    assert gap_between(D(100), D(4), D(theirs)) == D(gap)


@pytest.mark.parametrize(
    ("day", "held", "theirs", "is_alarm"),
    [
        ({}, 0, "105", False),
        ({}, 0, "105.01", True),
        ({}, 0, "90.99", True),
        ({"realized": D(2000)}, 0, "2020", False),
        ({"realized": D(2000)}, 0, "2020.61", True),
        ({"open_pnl": D(-60)}, -3, "56.99", False),
        ({"open_pnl": D(-60)}, -3, "57.01", True),
        ({"open_pnl": None}, 1, "900", False),
        ({"warning": "price of MNQZ6 is 40 s old"}, 1, "900", False),
    ],
)
def test_the_third_look_that_differs_is_an_alarm_with_room_for_the_market_to_move(
    desk: Desk, day: dict[str, Any], held: int, theirs: str, *, is_alarm: bool
) -> None:
    account = desk.account(**day, open_positions=int(held != 0))
    if held != 0:
        BrokerPositionFactory(account=account, symbol=MNQ, net_qty=held)
    desk.lane.lines[0].says = D(theirs)
    for number in (1, 2, 3):
        assert not Alarm.objects.exists(), number
        assert desk.look() == 1
    assert AccountDay.objects.get().venue_pnl == D(theirs)
    alarms = Alarm.objects.values_list("code", "account_id", "ended_at")
    assert list(alarms) == ([("PNL_DIFFERS", account.pk, None)] if is_alarm else [])


def test_an_alarm_ends_when_the_figures_agree_also_after_a_restart(desk: Desk) -> None:
    account = desk.account()
    line = desk.lane.lines[0]
    line.says = D(500)
    for _ in range(5):
        desk.look()
    alarm = Alarm.objects.get()
    assert (alarm.owner_id, alarm.account_id, alarm.ended_at) == (account.owner_id, account.pk, None)
    assert "$500.00" in alarm.text
    desk.checks = CrossCheck(desk.lane)  # type: ignore[arg-type]
    line.says = D(100)
    desk.look()
    assert Alarm.objects.get().ended_at is not None
    line.says = D(500)
    desk.look()
    line.says = D(100)
    desk.look()
    line.says = D(500)
    desk.look()
    desk.look()
    assert Alarm.objects.count() == 1, "never three in a row"


def test_what_is_open_is_asked_about_every_minute_and_what_is_flat_every_five(desk: Desk) -> None:
    desk.account(open_positions=1)
    desk.account()
    moments = [(at, desk.look(5.0)) for at in range(0, 300, 5)]
    open_asked, flat_asked = (len(line.asked) for line in desk.lane.lines)
    assert (open_asked, flat_asked) == (5, 1)
    assert max(asked for _, asked in moments) == 1, "spread, not all at once"


def test_of_one_login_one_account_is_asked_about_at_a_time(desk: Desk) -> None:
    first = desk.account(open_positions=1)
    others = BrokerAccountFactory.create_batch(40, login=first.login, owner=first.owner)
    for other in others:
        desk.begin(other, open_positions=1)
    asked = [desk.look(5.0) for _ in range(41)]
    assert asked == [1] * 41
    assert len(set(desk.lane.lines[0].asked)) == 41


@pytest.mark.parametrize(
    ("error", "asked_again_after_s"),
    [
        (NotReached("no connection"), 300),
        (RateLimited(EARLY + timedelta(seconds=1200), "nothing is left"), 900),
        (Refused("SNAPSHOT_REFUSED", "not yours"), 6 * 3600),
        (AuthExpired("the permission is missing"), 6 * 3600),
    ],
)
def test_a_broker_that_does_not_say_is_left_alone_for_as_long_as_that_needs(
    desk: Desk, error: BrokerError, asked_again_after_s: float
) -> None:
    desk.account()
    line = desk.lane.lines[0]
    line.says = error
    desk.look(start=EARLY)
    assert desk.look(asked_again_after_s - 6, EARLY) == 0
    assert desk.look(7, EARLY) == 1
    assert AccountDay.objects.get().venue_pnl is None


def test_a_figure_that_the_broker_does_not_have_is_none(desk: Desk) -> None:
    desk.account(venue_pnl=D(7))
    desk.lane.lines[0].says = None
    desk.look()
    assert AccountDay.objects.get().venue_pnl == 7


@pytest.mark.parametrize(("environment", "asked"), [("demo", 0), ("sandbox", 1)])
def test_out_of_hours_a_broker_still_shows_the_day_before_and_a_sandbox_has_none(
    desk: Desk, environment: str, asked: int
) -> None:
    desk.account(SATURDAY, environment)
    assert desk.look(start=SATURDAY) == asked


def test_only_live_logins_and_days_that_roll_as_the_brokers_do_are_compared(desk: Desk) -> None:
    desk.account()
    desk.lane.lines[0].state = ConnectionState.DOWN
    elsewhere = desk.account()
    AccountRules.objects.create(account=elsewhere, roll_zone="Europe/Berlin")
    usual = desk.account()
    AccountRules.objects.create(account=usual, fee_per_contract=D(1))
    desk.account(OPEN - timedelta(days=1))
    assert sum(desk.look() for _ in range(3)) == 3
    assert [len(line.asked) for line in desk.lane.lines] == [0, 0, 3, 0]
