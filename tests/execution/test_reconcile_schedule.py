"""Who is looked at when: everybody once a minute, spread over it, inside the budget."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from django.db import OperationalError

from brokers.base import AccountRef, ConnectionState
from brokers.errors import NotReached, RateLimited
from brokers.models import BrokerAccount
from brokers.reports import Event, SyncReport
from execution.models import Alarm, Break, Reconciliation
from execution.reconcile.failures import EMPTY, UNHEARD
from execution.reconcile.schedule import EVERY, HANDS, Looks, turn_before
from execution.reports.apply import apply_events
from justtrades import clock
from tests.execution.desk import MNQ
from tests.factories import (
    BrokerAccountFactory,
    BrokerLoginFactory,
    BrokerPositionFactory,
    FillFactory,
    PositionFactory,
    TraderFactory,
)

START = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)


@dataclass
class Line:
    """One login's connection, asked account by account. It says that nothing is there, or `refusal`."""

    login_id: UUID
    state: ConnectionState = ConnectionState.LIVE
    refusal: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def query(self, account: AccountRef) -> SyncReport:
        self.asked.append(account.broker_id)
        if self.refusal is not None:
            raise self.refusal
        return SyncReport(clock.now(), (account,), (), (), ())


@dataclass
class Surveying(Line):
    """All accounts at once; its sync comes by itself, unless the connection keeps it back."""

    desk: Desk | None = None
    keeps_back: bool = False

    def survey(self) -> None:
        self.asked.append("all")
        assert self.desk is not None
        if self.keeps_back:
            return
        rows = BrokerAccount.objects.filter(login_id=self.login_id)
        refs = tuple(AccountRef(account.broker_id, account.name) for account in rows)
        self.desk.put(self.login_id, [SyncReport(clock.now(), refs, (), (), ())])


@dataclass
class Desk:
    """As much of a lane as looks need; helper threads run when the test says so."""

    index: int = 0
    lines: dict[UUID, Line] = field(default_factory=dict)
    waiting: list[Callable[[], None]] = field(default_factory=list)
    most_at_once: int = 0

    @property
    def loop(self) -> Desk:
        return self

    @property
    def inbox(self) -> Desk:
        return self

    def background(self, action: Callable[[], None]) -> None:
        self.waiting.append(action)

    def put(self, login_id: UUID, events: Sequence[Event]) -> None:
        apply_events([(login_id, event) for event in events])

    def connection_of(self, login_id: UUID) -> Line | None:
        return self.lines.get(login_id)

    def run(self, looks: Looks, seconds: int, since: int = 0) -> None:
        """A lane's seconds, each with its tick, whose looks are over before the next."""
        for second in range(since, since + seconds):
            with time_machine.travel(START + timedelta(seconds=second), tick=False):
                looks.look()
                self.most_at_once = max(self.most_at_once, len(self.waiting))
                waiting, self.waiting = self.waiting, []
                for action in waiting:
                    action()


def a_desk(accounts: int, venue: str = "projectx", kind: type[Line] = Line) -> tuple[Desk, Line]:
    login = BrokerLoginFactory(venue=venue)
    for _ in range(accounts):
        BrokerAccountFactory(login=login)
    line = kind(login.pk)
    desk = Desk(lines={login.pk: line})
    if isinstance(line, Surveying):
        line.desk = desk
    return desk, line


def begun(desk: Desk) -> Looks:
    """The looks of a lane that has just begun; its first minute is over."""
    with time_machine.travel(START - timedelta(seconds=60), tick=False):
        looks = Looks(desk)
        looks.look()
    return looks


def test_turns_are_spread_over_the_minute() -> None:
    now = START + timedelta(seconds=59.9)
    by_second = Counter(int((now - turn_before(uuid.uuid4(), now)).total_seconds()) for _ in range(6000))
    assert set(by_second) == set(range(57)), "of 60 seconds three are for the look itself"
    assert max(by_second.values()) < 200
    key = uuid.uuid4()
    assert turn_before(key, now + EVERY) - turn_before(key, now) == EVERY


@pytest.mark.django_db
def test_each_account_is_looked_at_once_a_minute() -> None:
    desk, line = a_desk(12)
    looks = begun(desk)
    assert line.asked == [], "what connects tells the whole by itself"
    desk.run(looks, 3)
    line.asked.clear()
    desk.run(looks, 2 * 57, since=3)
    assert set(Counter(line.asked).values()) == {2}
    assert desk.most_at_once <= HANDS
    oldest = Reconciliation.objects.order_by("compared_at").first()
    assert oldest is not None
    assert oldest.compared_at is not None
    assert START + timedelta(seconds=2 + 2 * 57) - oldest.compared_at <= EVERY + timedelta(seconds=1)


@pytest.mark.django_db
def test_one_look_is_enough_for_a_login_that_can_be_surveyed_and_none_for_one_that_tells_by_itself() -> None:
    surveyed, its_line = a_desk(3, "tradovate", Surveying)
    surveyed.run(begun(surveyed), 61)
    assert its_line.asked == ["all", "all"]
    telling, line = a_desk(2, "webull")
    telling.run(begun(telling), 3)
    assert line.asked == []
    asleep, line = a_desk(1)
    line.state = ConnectionState.STALE
    asleep.run(begun(asleep), 3)
    assert line.asked == []


@pytest.mark.django_db
def test_no_room_in_the_budget_is_no_failed_look_and_is_made_up_for() -> None:
    desk, line = a_desk(1)
    looks = begun(desk)
    line.refusal = RateLimited(START + timedelta(seconds=20), "no requests left")
    desk.run(looks, 20)
    assert len(line.asked) == 1, "nobody asks before there is room"
    line.refusal = None
    # One second of it: in a later one may be its own turn of the minute.
    desk.run(looks, 1, since=20)
    assert len(line.asked) == 2
    assert (Reconciliation.objects.get().failed_looks, Break.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_three_failed_looks_in_a_row_are_a_break_and_an_answer_ends_it() -> None:
    desk, line = a_desk(1)
    looks = begun(desk)
    line.refusal = NotReached("the broker is away")
    desk.run(looks, 30)
    assert (Reconciliation.objects.get().failed_looks, Break.objects.count()) == (2, 0)
    desk.run(looks, 20, since=30)
    row = Break.objects.get()
    assert (row.kind, row.state, row.theirs, row.pauses_entries) == ("unreadable", "open", "the broker is away", False)
    assert Alarm.objects.get().ended_at is None
    line.refusal = None
    desk.run(looks, 30, since=50)
    row.refresh_from_db()
    assert (row.state, row.resolution) == ("resolved", "the broker answered again")
    assert Alarm.objects.get().ended_at is not None
    assert Reconciliation.objects.get().failed_looks == 0


@pytest.mark.django_db
def test_a_look_of_which_nothing_came_has_failed_where_something_is_at_stake() -> None:
    desk, line = a_desk(2, "tradovate", Surveying)
    assert isinstance(line, Surveying)
    account = BrokerAccount.objects.latest("pk")
    held = BrokerPositionFactory(account=account, symbol=MNQ, net_qty=1, reported_at=START)
    looks = begun(desk)
    line.keeps_back = True
    desk.run(looks, 10)
    assert not Reconciliation.objects.exists(), "an answer takes its time"
    desk.run(looks, 80, since=10)
    assert 3 <= len(line.asked) <= 6
    row = Break.objects.get()
    assert (row.kind, row.account, row.theirs) == ("unreadable", account, UNHEARD)
    line.keeps_back = False
    held.delete()
    desk.run(looks, 30, since=90)
    row.refresh_from_db()
    assert row.state == "resolved"


@pytest.mark.django_db
def test_an_empty_answer_is_one_failed_look_and_asked_for_again_soon() -> None:
    desk, line = a_desk(1)
    account = BrokerAccount.objects.get()
    trader = TraderFactory(account=account, recorder__owner=account.owner)
    PositionFactory(trader=trader, symbol=MNQ, net_qty=1)
    FillFactory(account=account, order=None, broker_order_id="9", symbol=MNQ, side="buy", qty=1,
                stored_at=START - timedelta(hours=1))  # fmt: skip
    looks = begun(desk)
    desk.run(looks, 61)
    assert Reconciliation.objects.get().failed_looks == len(line.asked) >= 3
    assert Break.objects.get().theirs == EMPTY


@pytest.mark.django_db
def test_a_fault_of_ours_at_one_login_is_a_failed_look_of_it_and_takes_no_other_ones_look() -> None:
    # One more than there are hands, so that the first one's hand has another look after it.
    desk, line = a_desk(1)
    for _ in range(HANDS):
        desk.lines |= a_desk(1)[0].lines
    line.refusal = OperationalError("the database is away")
    looks = begun(desk)
    desk.run(looks, 61)
    assert [one for one in desk.lines.values() if len(one.asked) < 2] == []
    row = Break.objects.get()
    assert (row.kind, row.account.login_id, row.theirs) == ("unreadable", line.login_id, "failed inside this program")
    line.refusal = None
    desk.run(looks, 30, since=61)
    row.refresh_from_db()
    assert row.state == "resolved", "it is asked again all the same"


@pytest.mark.django_db
def test_what_is_suspected_is_looked_at_again_within_seconds_and_not_for_ever() -> None:
    desk, line = a_desk(1)
    looks = begun(desk)
    desk.run(looks, 1)
    account = BrokerAccount.objects.get()
    Break.objects.create(
        owner=account.owner, account=account, kind="missing_fill", is_suspected=True, first_seen_at=START
    )
    line.asked.clear()
    desk.run(looks, 59, since=1)
    assert 4 <= len(line.asked) <= 6
