"""Which events become one batch. Waits are made so long, or so short, that only one thing can end them."""

from __future__ import annotations

import threading
from decimal import Decimal
from queue import SimpleQueue
from typing import Any
from uuid import UUID, uuid4

import pytest

from brokers.base import AccountRef, OrderRole, OrderStatus, OrderType, Side
from brokers.reports import Accepted, FillReport, OrderReport, Rejected, Sent
from execution.lane import gather
from execution.lane.gather import Gatherer
from execution.reports.apply import LoginEvent
from justtrades import clock

LONG_S = 30.0
A, B = uuid4(), uuid4()
ACCOUNT = AccountRef("1", "one")
Events = SimpleQueue[LoginEvent | None]


@pytest.fixture
def events() -> Events:
    return SimpleQueue()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UNDECIDED_S", "QUIET_S", "LONGEST_S"):
        monkeypatch.setattr(gather, name, LONG_S)


def sent(login: UUID) -> LoginEvent:
    return login, Sent(str(login), clock.now())


def taken(login: UUID) -> LoginEvent:
    return login, Accepted(str(login), "500", clock.now())


def refused(login: UUID) -> LoginEvent:
    return login, Rejected(str(login), "NO", "no", clock.now())


def filled(login: UUID) -> LoginEvent:
    return login, FillReport(ACCOUNT, "1", "500", "MNQZ6", Side.BUY, 1, Decimal(1), clock.now())


def resting(login: UUID) -> LoginEvent:
    report = OrderReport(
        ACCOUNT, "500", OrderStatus.WORKING, Side.BUY, "MNQZ6", clock.now(), OrderRole.ENTRY,
        client_order_id=str(login), order_type=OrderType.LIMIT,
    )  # fmt: skip
    return login, report


def put(events: Events, *said: LoginEvent) -> None:
    for event in said:
        events.put(event)


def later(events: Events, *said: LoginEvent) -> None:
    threading.Timer(0.1, put, (events, *said)).start()


@pytest.mark.usefixtures("patient")
def test_that_orders_were_sent_and_taken_waits_for_what_comes_of_it(events: Events) -> None:
    put(events, sent(A), taken(A))
    later(events, filled(A))
    assert len(Gatherer(events).take()) == 3


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("last", [filled, refused, resting])
def test_who_comes_first_waits_for_the_others_and_for_nobody_else(events: Events, last: Any) -> None:
    put(events, sent(A), sent(B), filled(A))
    later(events, last(B))
    assert len(Gatherer(events).take()) == 4, "and then nothing is waited for"


@pytest.mark.usefixtures("patient")
def test_nothing_waits_where_nobody_is_awaited(events: Events) -> None:
    put(events, filled(A))
    assert len(Gatherer(events).take()) == 1
    put(events, sent(A), filled(A))
    assert len(Gatherer(events).take()) == 2


def test_nobody_is_waited_for_for_ever(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    gatherer = Gatherer(events)
    put(events, sent(A))
    assert len(gatherer.take()) == 1
    put(events, sent(B), filled(A))
    assert len(gatherer.take()) == 2, "B did not come"
    for name in ("QUIET_S", "LONGEST_S"):
        monkeypatch.setattr(gather, name, LONG_S)
    put(events, filled(A))
    assert len(gatherer.take()) == 1, "and is waited for no more"


@pytest.mark.usefixtures("patient")
def test_a_batch_has_an_end(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MAX_BATCH", 2)
    put(events, sent(A), sent(B), filled(A))
    events.put(None)
    gatherer = Gatherer(events)
    assert [len(gatherer.take()), len(gatherer.take())] == [2, 1]
