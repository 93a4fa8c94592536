"""What is reported of states that come in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.base import AccountRef, OrderStatus, OrderType, Side
from brokers.reports import Event, FillReport, OrderReport, PositionReport
from brokers.webull.book import Book
from brokers.webull.types import NORMAL, Market, OrderState, PositionState, Status, TradeEvent

ACCOUNT = AccountRef("F1", "Futures")
ORDER = OrderState(
    client_order_id="JT" + "A" * 26, order_id="O1", combo_type=NORMAL, master=None, symbol="MNQZ6",
    market=Market.FUTURES, side=Side.BUY, status=Status.SUBMITTED, order_type=OrderType.LIMIT, qty=2, filled=0,
    average=None, limit=Decimal(100), stop=None, step=None, at=None,
)  # fmt: skip
FILLED = replace(ORDER, status=Status.FILLED, filled=2, average=Decimal(100))


class Told:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.book = Book(self._tell)

    def _tell(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    def statuses(self) -> list[OrderStatus]:
        return [event.status for event in self.events if isinstance(event, OrderReport)]

    def fills(self) -> list[str]:
        return [event.broker_fill_id for event in self.events if isinstance(event, FillReport)]

    def nets(self) -> list[int]:
        return [event.net_qty for event in self.events if isinstance(event, PositionReport)]


@pytest.fixture
def told() -> Told:
    return Told()


def _event(status: Status | None, filled: int, average: str | None = None) -> TradeEvent:
    price = None if average is None else Decimal(average)
    return TradeEvent("F1", ORDER.client_order_id, status, 2, filled, price, datetime.now(UTC))


def test_a_finished_order_stays_finished(told: Told) -> None:
    """G6 I4: whatever a list that lags says of it."""
    for state in (ORDER, FILLED, ORDER, replace(ORDER, filled=1, average=Decimal(100)), FILLED):
        told.book.take(ACCOUNT, [state])
    assert told.statuses() == [OrderStatus.WORKING, OrderStatus.FILLED]
    assert told.fills() == ["O1:1", "O1:2"]


def test_a_final_event_is_used_as_it_is(told: Told) -> None:
    """G2: it says all there is to say of an order that is known."""
    told.book.take(ACCOUNT, [ORDER])
    assert told.book.take_event(ACCOUNT, _event(Status.FILLED, 2, "99.75"))
    assert told.statuses()[-1] is OrderStatus.FILLED
    assert told.fills() == ["O1:1", "O1:2"]


@pytest.mark.parametrize(
    "event",
    [
        _event(Status.PARTIAL_FILLED, 1, "99.75"),
        _event(Status.FILLED, 1, "99.75"),
        _event(Status.FILLED, 2),
        _event(Status.CANCELLED, 1, "99.75"),
        _event(None, 0),
    ],
)
def test_an_event_that_leaves_something_open_only_asks_for_a_look(told: Told, event: TradeEvent) -> None:
    """G3: a part, a price that may not be the average, terms that it does not name."""
    told.book.take(ACCOUNT, [ORDER])
    before = list(told.events)
    assert told.book.take_event(ACCOUNT, event) is False
    assert told.events == before


def test_an_event_of_a_partly_told_order_asks_for_a_look(told: Told) -> None:
    """G3: whether its price is that of the last part or of all is not documented."""
    told.book.take(ACCOUNT, [replace(ORDER, filled=1, average=Decimal(100), status=Status.PARTIAL_FILLED)])
    assert told.book.take_event(ACCOUNT, _event(Status.FILLED, 2, "99.75")) is False


def test_an_unknown_order_asks_for_a_look(told: Told) -> None:
    """G7: the event is faster than the answer."""
    assert told.book.take_event(ACCOUNT, _event(Status.FILLED, 2, "99.75")) is False


def test_a_position_that_vanishes_is_flat_at_the_second_look(told: Told) -> None:
    """G4"""
    held = [PositionState("MNQZ6", Market.FUTURES, 2, Decimal(100), None)]
    told.book.take_positions(ACCOUNT, held)
    assert told.book.take_positions(ACCOUNT, []) is True
    assert told.nets() == [2]
    assert told.book.take_positions(ACCOUNT, []) is False
    assert told.nets() == [2, 0]
    told.book.take_positions(ACCOUNT, [])
    assert told.nets() == [2, 0]


def test_a_round_trip_that_nobody_saw_ends_flat(told: Told) -> None:
    """G4: fills without a position in between still say that it is flat."""
    told.book.take(ACCOUNT, [FILLED])
    told.book.take_positions(ACCOUNT, [])
    told.book.take_positions(ACCOUNT, [])
    assert told.nets() == [0]


def test_what_was_refused_is_not_looked_for(told: Told) -> None:
    told.book.expect(ACCOUNT, "X-1")
    assert told.book.unfinished(ACCOUNT) == ["X-1"]
    told.book.forget(ACCOUNT, "X-1")
    assert told.book.unfinished(ACCOUNT) == []


def test_an_order_that_the_venue_does_not_show_yet_is_not_ended(told: Told) -> None:
    """F2: only exits vanish with their entry; for all others a missing detail says nothing."""
    told.book.take(ACCOUNT, [ORDER])
    told.book.missing(ACCOUNT, ORDER.client_order_id)
    told.book.expect(ACCOUNT, "JT" + "B" * 26)
    told.book.missing(ACCOUNT, "JT" + "B" * 26)
    assert told.statuses() == [OrderStatus.WORKING]
    assert len(told.book.unfinished(ACCOUNT)) == 2
