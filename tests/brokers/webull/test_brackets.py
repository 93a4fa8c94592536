"""Moving a bracket's exits once its entry has all the fills that it will get."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import orjson
import pytest

from brokers.base import AccountRef, BracketLeg, OrderType, Side, SubmitOrder
from brokers.webull import brackets
from brokers.webull.book import Book
from brokers.webull.brackets import move_exits
from brokers.webull.client import Client
from brokers.webull.parse import orders_of
from tests.brokers.scripted import Answer
from tests.brokers.webull.scripted_venue import ScriptedVenue, ok

ACCOUNT = AccountRef("I1", "Individual")
ENTRY, OPTION = "JT" + "E" * 26, "AAPL270115C00220000"
DETAIL, REPLACE = "/trading/orders/get", "/trading/orders/replace"
ORDER = SubmitOrder(
    ENTRY, ACCOUNT, OPTION, Side.BUY, 5, OrderType.LIMIT, Decimal("12.50"),
    bracket=(BracketLeg(5, Decimal(3), Decimal(2)),),
)  # fmt: skip


def _row(name: str, qty: int, **changes: Any) -> dict[str, Any]:
    leg = {
        "id": f"L-{name}", "symbol": "AAPL", "option_type": "CALL", "option_expire_date": "2027-01-15",
        "strike_price": "220.00",
    }  # fmt: skip
    return {
        "symbol": "AAPL", "side": "SELL", "status": "SUBMITTED", "client_order_id": name, "order_id": f"O-{name}",
        "instrument_type": "OPTION", "total_quantity": str(qty), "filled_quantity": "0", "legs": [leg], **changes,
    }  # fmt: skip


def _group(legs: int, status: str, filled: int) -> dict[str, Any]:
    entry = _row(
        ENTRY, 5, side="BUY", order_type="LIMIT", status=status, filled_quantity=str(filled), filled_price="12.00"
    )
    target = _row("t", legs, order_type="LIMIT", limit_price="15.50")
    stop = _row("s", legs, order_type="STOP_LOSS", stop_price="10.50")
    return {"client_order_id": ENTRY, "combo_type": "MASTER", "orders": [entry, target, stop]}


class Mover:
    def __init__(self, venue: ScriptedVenue) -> None:
        self.venue = venue
        self.book = Book(lambda _events: None)
        self.client = Client(venue.access())
        self.watched: list[str] = []

    def move(self, seen: dict[str, Any]) -> None:
        entry, *_ = states = orders_of(seen)
        self.book.take(ACCOUNT, states)
        move_exits(self.client, self.book, ACCOUNT, ORDER, entry, lambda _account, name: self.watched.append(name))

    def replaced(self) -> list[dict[str, Any]]:
        bodies = [orjson.loads(body) for _, path, body in self.venue.server.requests if path == REPLACE]
        return [order for body in bodies for order in body["modify_orders"]]


@pytest.fixture
def mover(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mover]:
    monkeypatch.setattr(brackets, "PAUSE_SECONDS", 0.01)
    venue = ScriptedVenue()
    venue.answers[REPLACE] = ok({})
    yield Mover(venue)
    venue.close()


def test_exits_are_moved_to_the_fill_without_another_question(mover: Mover) -> None:
    """D1: bought half a point better, both move with it; the order is looked at afterwards."""
    mover.move(_group(5, "FILLED", 5))
    assert [(one["client_order_id"], one.get("limit_price") or one["stop_price"]) for one in mover.replaced()] == [
        ("t", "15.00"),
        ("s", "10.00"),
    ]
    assert mover.venue.asked(DETAIL) == 0
    assert mover.watched == [ENTRY]


def test_exits_of_a_partly_filled_entry_keep_the_size_that_the_venue_gave_them(mover: Mover) -> None:
    """D2 D5: what was seen of them before is their size of before."""
    mover.venue.answers[DETAIL] = ok(_group(2, "CANCELLED", 2))
    mover.move(_group(5, "CANCELLED", 2))
    assert {one["quantity"] for one in mover.replaced()} == {"2"}
    assert {one["legs"][0]["quantity"] for one in mover.replaced()} == {"2"}


def test_a_move_that_failed_is_tried_again(mover: Mover) -> None:
    """D1: the same terms twice are the same order."""
    answers: list[Answer] = [(500, b""), ok({})]
    mover.venue.answers[REPLACE] = lambda _body, _headers: answers.pop(0) if len(answers) > 1 else answers[0]
    mover.move(_group(5, "FILLED", 5))
    assert [one["client_order_id"] for one in mover.replaced()] == ["t", "t", "s"]


def test_exits_that_cannot_be_moved_stay_where_they_are(mover: Mover) -> None:
    """D3: they protect there already; nobody tries for ever."""
    mover.venue.answers[REPLACE] = (500, b"")
    mover.move(_group(5, "FILLED", 5))
    assert len(mover.replaced()) == brackets.TRIES
    assert mover.watched == [ENTRY]
