"""Which events become one batch. Waits are made so long that only the next event, or the end, can end them."""

from __future__ import annotations

import threading
import uuid
from queue import SimpleQueue

import pytest

from brokers.reports import Accepted, Event, Sent
from execution.lane import gather as gathering
from execution.lane.gather import gather
from execution.reports.apply import LoginEvent
from justtrades import clock

LONG_S = 30.0


@pytest.fixture
def events() -> SimpleQueue[LoginEvent | None]:
    return SimpleQueue()


def sent(name: str) -> Event:
    return Sent(name, clock.now())


def taken(name: str) -> Event:
    return Accepted(name, "500", clock.now())


def put(events: SimpleQueue[LoginEvent | None], *said: Event) -> None:
    for event in said:
        events.put((uuid.uuid4(), event))


def names(batch: list[LoginEvent]) -> list[str]:
    return [event.client_order_id for _, event in batch if isinstance(event, Sent | Accepted)]


def test_that_orders_were_sent_waits_for_what_comes_back(
    events: SimpleQueue[LoginEvent | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "SENT_ALONE_S", LONG_S)
    put(events, sent("a"), sent("b"))
    threading.Timer(0.1, put, (events, taken("a"))).start()
    assert names(gather(events)) == ["a", "b", "a"]


def test_and_not_for_ever(events: SimpleQueue[LoginEvent | None]) -> None:
    put(events, sent("a"))
    assert names(gather(events)) == ["a"]


def test_reports_that_follow_at_once_are_one_batch(
    events: SimpleQueue[LoginEvent | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "QUIET_S", LONG_S)
    monkeypatch.setattr(gathering, "LONGEST_S", LONG_S)
    put(events, taken("a"))
    threading.Timer(0.1, put, (events, taken("b"))).start()
    threading.Timer(0.2, events.put, (None,)).start()
    assert names(gather(events)) == ["a", "b"]


def test_a_stream_that_never_pauses_is_cut(
    events: SimpleQueue[LoginEvent | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "QUIET_S", LONG_S)
    monkeypatch.setattr(gathering, "LONGEST_S", 0.0)
    put(events, taken("a"), taken("b"))
    assert names(gather(events)) == ["a", "b"], "what is there already comes along"
    monkeypatch.setattr(gathering, "MAX_BATCH", 1)
    put(events, taken("c"), taken("d"))
    assert [names(gather(events)), names(gather(events))] == [["c"], ["d"]]
