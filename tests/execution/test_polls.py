"""Looks at what is held where a stream is away, and how old what a broker said is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine

from brokers import registry
from brokers.base import AccountRef, ConnectionState, OrderRole, OrderStatus, Side
from brokers.errors import NotReached
from brokers.models import BrokerAccount
from brokers.reports import BalanceReport, ConnectionReport, Event, OrderReport, PositionReport, SyncReport
from brokers.venue import Polls
from execution import polls, tasks
from execution.lane import current
from execution.lane.heard import Heard
from execution.lane.runtime import Lane
from execution.polls import Polling
from justtrades import celery_config, clock
from tests.execution.feed import ScriptedConnection
from tests.factories import (
    BrokerAccountFactory,
    BrokerLoginFactory,
    BrokerPositionFactory,
    PositionFactory,
    TraderFactory,
)

START = datetime.fromisoformat("2026-11-24T16:00:00+00:00")
AWAY = ConnectionState.DOWN


class Away(ScriptedConnection):
    """Its stream is away; over REST it says what the account holds, which is nothing."""

    def __init__(self, login_id: UUID) -> None:
        super().__init__(login_id)
        self.state = AWAY
        self.asked: list[str] = []
        self.is_reached = True

    def query(self, account: AccountRef) -> SyncReport:
        self.asked.append(account.broker_id)
        if not self.is_reached:
            raise NotReached("no connection")
        return SyncReport(clock.now(), (account,), (), (), ())


@dataclass
class FakeLane:
    """As much of a lane as looks need; helper threads begin when the test says so."""

    index: int = 0
    is_owner: bool = True
    polling: Polling = field(default_factory=Polling)
    heard: Heard = field(default_factory=Heard)
    lines: list[Away] = field(default_factory=list)
    came_in: list[Event] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)

    @property
    def loop(self) -> FakeLane:
        return self

    @property
    def inbox(self) -> FakeLane:
        return self

    def background(self, action: Callable[[], None]) -> None:
        self.waiting.append(action)

    def put(self, login_id: UUID, events: Sequence[Event]) -> None:
        self.heard.note(login_id, events)
        self.came_in += events

    def connections(self) -> list[Away]:
        return self.lines

    def books_at(self, login_id: UUID, broker_id: str) -> datetime | None:
        return self.heard.at(login_id, broker_id)

    def connect(self, account: BrokerAccount) -> Away:
        self.lines.append(Away(account.login_id))
        return self.lines[-1]

    def look(self, at: float, look: Callable[[Any], int] = polls.look) -> int:
        """A look so many seconds after the start, with the answers to it."""
        with time_machine.travel(START + timedelta(seconds=at), tick=False):
            asked = look(self)
            while self.waiting:
                self.waiting.pop()()
        return asked


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> FakeLane:
    usual = replace(registry.VENUES["tradovate"], polls=Polls(after=5, every=20))
    monkeypatch.setitem(registry.VENUES, "tradovate", usual)
    return FakeLane()


def holding(net_qty: int = 1, **login: Any) -> BrokerAccount:
    made: BrokerAccount = BrokerAccountFactory(login=BrokerLoginFactory(**login))
    BrokerPositionFactory(account=made, net_qty=net_qty)
    return made


@pytest.mark.django_db
def test_what_is_held_is_asked_for_once_its_stream_was_away_for_a_while(lane: FakeLane) -> None:
    line = lane.connect(account := holding())
    asked = [(at, lane.look(at)) for at in (0, 4, 5, 9, 24, 26)]
    assert asked == [(0, 0), (4, 0), (5, 1), (9, 0), (24, 0), (26, 1)], "within what the venue allows"
    assert line.asked == [account.broker_id] * 2
    assert [event.accounts[0].broker_id for event in lane.came_in if isinstance(event, SyncReport)] == line.asked


@pytest.mark.django_db
@pytest.mark.parametrize("state", [ConnectionState.LIVE, ConnectionState.FAILED])
def test_a_live_stream_and_a_refused_login_are_not_asked(lane: FakeLane, state: ConnectionState) -> None:
    lane.connect(holding()).state = state
    assert [lane.look(at) for at in (0, 100)] == [0, 0]


@pytest.mark.django_db
def test_only_what_holds_something_is_asked_for_the_longest_silent_first(lane: FakeLane) -> None:
    flat = holding(net_qty=0)
    lane.connect(flat)
    ours = PositionFactory(trader=TraderFactory()).account
    second = BrokerAccountFactory(login=ours.login, owner=ours.owner)
    BrokerPositionFactory(account=second)
    line = lane.connect(ours)
    lane.look(0)
    with time_machine.travel(START + timedelta(seconds=1), tick=False):
        told = PositionReport(AccountRef(ours.broker_id, ours.name), "MNQZ6", 1, None, clock.now())
        lane.put(ours.login_id, [told])
    assert [lane.look(at) for at in (5, 25, 45)] == [1, 1, 1]
    assert line.asked == [second.broker_id, ours.broker_id, second.broker_id]


@pytest.mark.django_db
def test_a_reconnect_starts_the_wait_anew_and_no_answer_is_no_news(lane: FakeLane) -> None:
    line = lane.connect(holding())
    line.is_reached = False
    lane.look(0)
    assert lane.look(5) == 1
    line.state = ConnectionState.LIVE
    lane.look(30)
    line.state = AWAY
    assert [lane.look(at) for at in (31, 35, 36)] == [0, 0, 1]
    assert lane.came_in == []


@pytest.mark.django_db
def test_an_answer_that_is_under_way_is_waited_for(lane: FakeLane) -> None:
    line = lane.connect(holding())
    lane.look(0)
    for at in (5, 30):
        with time_machine.travel(START + timedelta(seconds=at), tick=False):
            polls.look(lane)
    assert len(lane.waiting) == 1
    assert lane.look(60) == 0
    assert lane.look(61) == 0, "the answer of the first was as late as that"
    assert lane.look(66) == 1
    assert len(line.asked) == 2


@pytest.mark.django_db
def test_a_storm_of_lost_streams_leaves_threads_for_orders(lane: FakeLane) -> None:
    for _ in range(polls.MOST_AT_ONCE + 2):
        lane.connect(holding())
    lane.look(0)
    assert [lane.look(at) for at in (6, 7, 8)] == [polls.MOST_AT_ONCE, 2, 0]


@pytest.mark.django_db
def test_the_keeper_looks_where_the_beat_is_dead(lane: FakeLane) -> None:
    line = lane.connect(holding())
    by_keeper = polls.look_if_beat_is_late
    assert lane.look(0, by_keeper) == 0
    assert [lane.look(at, by_keeper) for at in (5, 9)] == [0, 0]
    assert lane.look(10, by_keeper) == 1
    lane.look(35)
    assert lane.look(44, by_keeper) == 0, "the beat has just looked"
    assert len(line.asked) == 2


@pytest.mark.django_db(transaction=True)
def test_the_beats_task_looks_in_the_lane_that_owns_the_logins(lane: FakeLane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "_lane", lane)
    line = lane.connect(holding())
    lane.look(0)
    for is_owner, asked in ((False, 0), (True, 1)):
        lane.is_owner = is_owner
        lane.look(6, lambda _lane: int(tasks.poll_risk() is None))
        assert len(line.asked) == asked


def test_every_lane_is_rung_every_five_seconds_and_no_bell_waits_longer(settings: Any) -> None:
    rung = [entry for entry in celery_config.beat_schedule.values() if entry["task"] == tasks.poll_risk.name]
    assert [entry["options"]["queue"] for entry in rung] == [f"lane.{lane}" for lane in range(settings.LANES)]
    assert {(entry["schedule"].total_seconds(), entry["options"]["expires"]) for entry in rung} == {(5, 5)}


def test_a_report_is_as_old_as_its_arrival_and_a_look_as_its_first_question() -> None:
    heard, login_id, ref = Heard(), uuid4(), AccountRef("1", "DEMO1")
    other = AccountRef("2", "DEMO2")
    order = OrderReport(ref, "7", OrderStatus.WORKING, Side.BUY, "MNQZ6", START, OrderRole.ENTRY)
    with time_machine.travel(START, tick=False):
        heard.note(login_id, [ConnectionReport(AWAY, START)])
        assert heard.at(login_id, ref.broker_id) is None
        heard.note(login_id, [SyncReport(START - timedelta(seconds=3), (ref, other), (), (), ())])
        assert heard.at(login_id, other.broker_id) == START - timedelta(seconds=3)
        heard.note(login_id, [order, BalanceReport(ref, Decimal(1), START - timedelta(hours=1))])
        heard.note(login_id, [SyncReport(START - timedelta(seconds=1), (ref,), (), (), ())])
    assert heard.at(login_id, ref.broker_id) == START
    assert heard.at(uuid4(), ref.broker_id) is None


def test_a_lane_believes_the_newer_of_what_was_heard_and_what_the_adapter_vouches_for() -> None:
    lane, line = Lane(0), Away(uuid4())
    assert lane.books_at(line.login_id, "1") is None
    lane._connections[line.login_id] = line
    lane.heard.note(line.login_id, [SyncReport(START, (AccountRef("1", "DEMO1"),), (), (), ())])
    assert lane.books_at(line.login_id, "1") == START
    line.books_at = START + timedelta(seconds=4)
    assert lane.books_at(line.login_id, "1") == line.books_at
    assert lane.books_at(line.login_id, "2") == line.books_at, "an adapter vouches for all of its accounts"
