"""What answers that a test writes itself make of a request, without any look in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from brokers.base import AccountRef, CancelOrder, FlattenPosition, Side, SubmitOco, SubmitOrder
from brokers.reports import Accepted, Event, NotSent, Rejected, Sent, Unknown
from brokers.webull import clearing
from brokers.webull.adapter import WebullConnection
from brokers.webull.instruments import ContractBook
from tests.brokers.scripted import Answer, until
from tests.brokers.webull.scripted_venue import FUTURES_ROW, ScriptedVenue, ok, refusal
from tests.brokers.webull.trader import MNQ, entry_id, exit_id

ACCOUNT = AccountRef("F1", "Futures …0001")
PLACE, DETAIL, CANCEL = "/trading/orders/place", "/trading/orders/get", "/trading/orders/cancel"
OPEN, POSITIONS = "/trading/orders/open-orders/list", "/trading/assets/positions/list"
CONTRACTS = "/trading/instruments/futures/contracts/list"
REPEATED = refusal("OAUTH_OPENAPI_TRADE_PLACE_ORDER_REPEAT", "Please do not place an order repeatedly")


def order_row(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": MNQ, "side": "BUY", "status": "SUBMITTED", "client_order_id": name, "order_type": "MARKET",
        "instrument_type": "FUTURES", "order_id": f"O-{name}", "total_quantity": "1", "filled_quantity": "0", **changes,
    }  # fmt: skip


def group(name: str, **changes: Any) -> dict[str, Any]:
    return {"client_order_id": name, "combo_type": "NORMAL", "orders": [order_row(name, **changes)]}


def position(qty: int) -> dict[str, Any]:
    return {"symbol": MNQ, "instrument_type": "FUTURES", "quantity": str(qty), "cost_price": "25000"}


class Desk:
    """A connection that was not started: nothing looks at the venue but the requests themselves."""

    def __init__(self, venue: ScriptedVenue) -> None:
        self.venue = venue
        self.events: list[Event] = []
        self._lock = threading.Lock()
        self.connection = WebullConnection(uuid4(), venue.access(), self._sink, ContractBook())

    def _sink(self, _login_id: UUID, events: Sequence[Event]) -> None:
        with self._lock:
            self.events.extend(events)

    def outcome(self, name: str) -> Any:
        def found() -> list[Event]:
            kinds = (Accepted, Rejected, NotSent, Unknown)
            return [e for e in self.events if isinstance(e, kinds) and e.client_order_id == name]

        until(found)
        (only,) = found()
        return only

    def enter(self) -> Any:
        name = entry_id()
        self.connection.submit([SubmitOrder(name, ACCOUNT, MNQ, Side.BUY, 1)])
        return self.outcome(name)

    def flatten(self) -> Any:
        name = exit_id()
        self.connection.submit([FlattenPosition(name, ACCOUNT, MNQ)])
        return self.outcome(name)

    def placed(self) -> list[dict[str, Any]]:
        bodies = [orjson.loads(body) for _, path, body in self.venue.server.requests if path == PLACE]
        return [order for body in bodies for order in body["new_orders"]]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(clearing, "LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(clearing, "PATIENCE_SECONDS", 0.5)
    venue = ScriptedVenue()
    venue.answers |= {
        "/trading/accounts/list": ok([FUTURES_ROW]),
        CONTRACTS: ok([{"symbol": MNQ, "size": "2.0", "min_tick": "0.25"}]),
        PLACE: lambda body, _: ok({"order_id": "O1", "client_order_id": body["new_orders"][0]["client_order_id"]}),
        CANCEL: ok({"order_id": "O1"}),
        OPEN: ok({"data": []}),
        POSITIONS: ok([]),
        "/trading/orders/historical-orders/list": ok({"data": []}),
        DETAIL: refusal("OPENAPI_ORDER_NOT_FOUND"),
    }
    yield Desk(venue)
    venue.close()


def _in_turn(*answers: Answer) -> Callable[..., Answer]:
    """Each once, and the last for ever."""
    left = list(answers)
    return lambda _body, _headers: left.pop(0) if len(left) > 1 else left[0]


def test_a_duplicate_whose_first_cannot_be_read_is_unknown(desk: Desk) -> None:
    """F5 F2: the venue has it, and nobody knows what became of it."""
    desk.venue.answers[PLACE] = REPEATED
    assert isinstance(desk.enter(), Unknown)
    desk.venue.answers[DETAIL] = (500, b"")
    assert isinstance(desk.enter(), Unknown)


def test_a_duplicate_whose_first_failed_is_rejected(desk: Desk) -> None:
    """F5: the truth about the order that has this name."""
    desk.venue.answers[PLACE] = REPEATED

    def failed(_body: Any, _headers: dict[str, str]) -> Answer:
        name = desk.venue.server.requests[-1][1].partition("client_order_id=")[2]
        return ok(group(name, status="FAILED"))

    desk.venue.answers[DETAIL] = failed
    assert isinstance(desk.enter(), Rejected)


@pytest.mark.parametrize("answer", [ok({}), ok([]), ok({"client_order_id": "x"})])
def test_an_answer_that_names_no_order_is_unknown(desk: Desk, answer: Answer) -> None:
    """F3"""
    desk.venue.answers[PLACE] = answer
    assert isinstance(desk.enter(), Unknown)


def test_a_contract_that_cannot_be_compared_keeps_the_entry_from_leaving(desk: Desk) -> None:
    """E5 F2: neither placed nor refused; the next try asks again."""
    desk.venue.answers[CONTRACTS] = (500, b"")
    assert isinstance(desk.enter(), NotSent)
    assert desk.placed() == []
    desk.venue.answers[CONTRACTS] = ok([{"symbol": MNQ, "size": "2.0", "min_tick": "0.25"}])
    assert isinstance(desk.enter(), Accepted)


def test_a_contract_of_another_size_is_refused_and_can_still_be_closed(desk: Desk) -> None:
    """E5 J1: a mismatch keeps entries out and never keeps an exit in."""
    desk.venue.answers[CONTRACTS] = ok([{"symbol": MNQ, "size": "20.0", "min_tick": "0.25"}])
    refused = desk.enter()
    assert isinstance(refused, Rejected)
    assert refused.code == "CONTRACT_MISMATCH"
    desk.venue.answers[POSITIONS] = _in_turn(ok([position(1)]), ok([]))
    assert isinstance(desk.flatten(), Accepted)


def test_a_sent_order_says_so_once_and_before_its_outcome(desk: Desk) -> None:
    """A1"""
    outcome = desk.enter()
    kinds = [type(event) for event in desk.events]
    assert kinds[:2] == [Sent, Accepted]
    assert kinds.count(Sent) == 1
    assert outcome.broker_order_id == "O1"


@pytest.mark.parametrize(("net", "side"), [(3, "SELL"), (-3, "BUY")])
def test_a_close_is_a_market_order_of_what_is_held(desk: Desk, net: int, side: str) -> None:
    """J1"""
    desk.venue.answers[POSITIONS] = _in_turn(ok([position(net)]), ok([]))
    assert isinstance(desk.flatten(), Accepted)
    ((close,),) = ([*desk.placed()],)
    assert (close["side"], close["quantity"], close["order_type"], close["combo_type"]) == (
        side,
        "3",
        "MARKET",
        "NORMAL",
    )


def test_a_close_that_is_too_big_is_sized_by_a_new_look(desk: Desk) -> None:
    """J1: what was closed meanwhile is not closed again, and what is gone needs no close."""
    desk.venue.answers[PLACE] = _in_turn(refusal("OPENAPI_SELL_QTY_EXCEED_AVAILABLE_QTY"), ok({"order_id": "O1"}))
    desk.venue.answers[POSITIONS] = _in_turn(ok([position(3)]), ok([position(1)]), ok([]))
    assert isinstance(desk.flatten(), Accepted)
    assert [order["quantity"] for order in desk.placed()] == ["3", "1"]


def test_a_close_that_stays_too_big_is_rejected(desk: Desk) -> None:
    """J1: the same answer for the same size is the venue's word."""
    desk.venue.answers[PLACE] = refusal("OPENAPI_SELL_QTY_EXCEED_AVAILABLE_QTY")
    desk.venue.answers[POSITIONS] = ok([position(3)])
    assert isinstance(desk.flatten(), Rejected)
    assert len(desk.placed()) == 1


def test_a_close_waits_until_a_canceled_order_has_left_the_list(desk: Desk) -> None:
    """J1: listed a while longer, it might still fill."""
    stop = group("S-" + "1" * 26, side="SELL", order_type="STOP_LOSS", stop_price="24900")
    looks = [ok({"data": [stop]})] * 3 + [ok({"data": []})]
    placed_before: list[int] = []

    def listed(_body: Any, _headers: dict[str, str]) -> Answer:
        placed_before.append(len(desk.placed()))
        return looks.pop(0) if len(looks) > 1 else looks[0]

    desk.venue.answers |= {OPEN: listed, POSITIONS: _in_turn(ok([position(1)]), ok([]))}
    assert isinstance(desk.flatten(), Accepted)
    assert placed_before[:4] == [0, 0, 0, 0]
    assert desk.venue.asked(CANCEL) == 1


def test_an_order_whose_cancel_was_not_answered_is_asked_for_itself(desk: Desk) -> None:
    """J1 F4: that the list does not show it is not enough, it may be working still."""
    name = "S-" + "1" * 26
    stop = group(name, side="SELL", order_type="STOP_LOSS", stop_price="24900")
    desk.venue.answers |= {
        OPEN: _in_turn(ok({"data": [stop]}), ok({"data": []})),
        CANCEL: (500, b""),
        DETAIL: ok(stop),
        POSITIONS: ok([position(1)]),
    }
    assert isinstance(desk.flatten(), NotSent)
    assert desk.placed() == []


@pytest.mark.parametrize("path", [OPEN, POSITIONS])
def test_a_flatten_that_cannot_look_closes_nothing(desk: Desk, path: str) -> None:
    """J1 F2: it may be sent again, as nothing of the close has left."""
    desk.venue.answers[path] = (500, b"")
    assert isinstance(desk.flatten(), NotSent)
    assert desk.placed() == []


def test_a_cancel_of_an_order_from_before_finds_its_name(desk: Desk) -> None:
    """B2: the venue keys orders by the name that they were placed with."""
    desk.venue.answers[OPEN] = ok({"data": [group("theirs", order_type="LIMIT", limit_price="1")]})
    desk.connection.submit([CancelOrder("M-" + "2" * 26, ACCOUNT, "O-theirs")])
    assert isinstance(desk.outcome("M-" + "2" * 26), Accepted)
    assert orjson.loads(desk.venue.server.requests[-1][2])["client_order_id"] == "theirs"


def test_a_pair_that_the_venue_cannot_link_is_refused_for_both(desk: Desk) -> None:
    names = exit_id("T-"), exit_id("S-")
    desk.connection.submit([SubmitOco(*names, ACCOUNT, MNQ, Side.SELL, 1, Decimal(2), Decimal(1))])
    assert {desk.outcome(name).code for name in names} == {"UNSUPPORTED_ORDER"}
