"""Our requests as Gateway calls."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from brokers.access import Priority
from brokers.base import (
    AccountRef,
    BracketLeg,
    CancelOrder,
    FlattenPosition,
    ModifyOrder,
    OrderType,
    Side,
    SubmitOco,
    SubmitOrder,
    Trail,
)
from brokers.errors import OutcomeUnknown, Refused
from brokers.projectx import codes
from brokers.projectx.orders import call_of, check, place_call, priority_of
from brokers.projectx.parse import contract_of
from tests.brokers.projectx import frames
from tests.brokers.projectx.frames import ACCOUNT_ID, ACCOUNT_NAME, MNQ, SYMBOL, TAG

REF = AccountRef(str(ACCOUNT_ID), ACCOUNT_NAME)
CONTRACT = contract_of(frames.MNQ_ROW)


def _order(side: Side = Side.BUY, qty: int = 2, name: str = TAG, **terms: Any) -> SubmitOrder:
    return SubmitOrder(name, REF, SYMBOL, side, qty, **terms)


def _body(order: SubmitOrder) -> dict[str, Any]:
    call = place_call(order, CONTRACT)
    assert call.endpoint == "Order/place"
    body: dict[str, Any] = orjson.loads(orjson.dumps(call.body))
    return body


def test_a_market_order_states_no_price() -> None:
    assert _body(_order()) == {
        "accountId": ACCOUNT_ID,
        "contractId": MNQ,
        "type": 2,
        "side": 0,
        "size": 2,
        "limitPrice": None,
        "stopPrice": None,
        "trailPrice": None,
        "customTag": TAG,
        "stopLossBracket": None,
        "takeProfitBracket": None,
    }


@pytest.mark.parametrize(
    ("terms", "kind", "field"),
    [
        ({"order_type": OrderType.LIMIT, "price": Decimal("25000.25")}, 1, "limitPrice"),
        ({"order_type": OrderType.STOP, "stop_price": Decimal("25000.25")}, 4, "stopPrice"),
        ({"order_type": OrderType.TRAILING_STOP, "stop_price": Decimal("25000.25")}, 5, "trailPrice"),
    ],
)
def test_each_type_states_its_own_price(terms: dict[str, Any], kind: int, field: str) -> None:
    body = _body(_order(Side.SELL, **terms))
    stated = {name: body[name] for name in ("limitPrice", "stopPrice", "trailPrice") if body[name] is not None}
    assert (body["type"], body["side"], stated) == (kind, 1, {field: 25000.25})


@pytest.mark.parametrize(
    ("side", "leg", "stop", "target"),
    [
        (Side.BUY, BracketLeg(2, Decimal(20), Decimal(10)), {"ticks": -40, "type": 4}, {"ticks": 80, "type": 1}),
        (Side.SELL, BracketLeg(2, Decimal(20), Decimal(10)), {"ticks": 40, "type": 4}, {"ticks": -80, "type": 1}),
        (Side.BUY, BracketLeg(2, None, Decimal(10)), {"ticks": -40, "type": 4}, None),
        (Side.BUY, BracketLeg(2, Decimal(20), None), None, {"ticks": 80, "type": 1}),
        (Side.BUY, BracketLeg(2, None, Decimal("10.1")), {"ticks": -40, "type": 4}, None),
        (Side.BUY, BracketLeg(2, None, Decimal(30), Trail(Decimal(10))), {"ticks": -40, "type": 5}, None),
        (Side.SELL, BracketLeg(2, None, None, Trail(Decimal(10))), {"ticks": 40, "type": 5}, None),
        (Side.BUY, BracketLeg(2, None, Decimal(30), Trail(Decimal(10), Decimal(5))), {"ticks": -120, "type": 4}, None),
    ],
)
def test_a_bracket_is_signed_ticks_from_the_fill(
    side: Side, leg: BracketLeg, stop: dict[str, int] | None, target: dict[str, int] | None
) -> None:
    """D1 a long's stop is negative and its target positive, a short's the other way round."""
    body = _body(_order(side, bracket=(leg,)))
    assert (body["stopLossBracket"], body["takeProfitBracket"]) == (stop, target)


@pytest.mark.parametrize(
    "request_",
    [
        _order(bracket=(BracketLeg(1, None, Decimal(10)),)),
        _order(bracket=(BracketLeg(1, None, Decimal(10)), BracketLeg(1, None, Decimal(20)))),
        _order(bracket=(BracketLeg(2, None, None, Trail(Decimal(10), Decimal(5))),)),
        _order(order_type=OrderType.LIMIT),
        _order(order_type=OrderType.STOP, price=Decimal(1)),
        _order(order_type=OrderType.TRAILING_STOP),
        ModifyOrder(TAG, REF, "7", 1, OrderType.STOP),
        SubmitOco(TAG, "s" * 26, REF, SYMBOL, Side.SELL, 1, Decimal(2), Decimal(1)),
    ],
)
def test_what_this_venue_cannot_be_told_is_said_before_anything_leaves(request_: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        check(request_)


def test_a_change_states_its_type_s_price_and_a_cancel_its_order() -> None:
    change = ModifyOrder("m" * 26, REF, "77", 3, OrderType.STOP, stop_price=Decimal("24990.5"))
    call = call_of(change)
    named = {"accountId": ACCOUNT_ID, "orderId": 77, "size": 3}
    prices = {"limitPrice": None, "stopPrice": 24990.5, "trailPrice": None}
    assert (call.endpoint, orjson.loads(orjson.dumps(call.body))) == ("Order/modify", {**named, **prices})
    canceled = call_of(CancelOrder("c" * 26, REF, "77"))
    assert (canceled.endpoint, canceled.body) == ("Order/cancel", {"accountId": ACCOUNT_ID, "orderId": 77})


def test_a_trailing_stop_s_size_changes_without_its_distance() -> None:
    body = call_of(ModifyOrder("m" * 26, REF, "77", 3, OrderType.TRAILING_STOP)).body
    assert (body["size"], body["trailPrice"]) == (3, None)


@pytest.mark.parametrize(
    ("request_", "priority"),
    [
        (FlattenPosition(TAG, REF, SYMBOL), Priority.FLATTEN),
        (_order(name="S-" + "a" * 26, order_type=OrderType.STOP, stop_price=Decimal(1)), Priority.STOP),
        (_order(order_type=OrderType.STOP, stop_price=Decimal(1), is_protective=True), Priority.STOP),
        (_order(name="T-" + "a" * 26, order_type=OrderType.LIMIT, price=Decimal(1)), Priority.EXIT),
        (_order(name="X-" + "a" * 26), Priority.EXIT),
        (CancelOrder(TAG, REF, "7"), Priority.EXIT),
        (ModifyOrder(TAG, REF, "7", 1, OrderType.MARKET), Priority.EXIT),
        (_order(), Priority.ENTRY),
        (_order(bracket=(BracketLeg(2, None, Decimal(10)),)), Priority.ENTRY),
    ],
)
def test_what_ends_a_position_goes_before_what_opens_one(request_: Any, priority: Priority) -> None:
    """K1 orders by what they are for."""
    assert priority_of(request_) is priority


@pytest.mark.parametrize(
    ("endpoint", "code", "message", "expected"),
    [
        (codes.PLACE, 3, "", ("InsufficientFunds", "the account's funds do not suffice")),
        (codes.PLACE, 5, "", ("OutsideTradingHours", "the market is closed")),
        (codes.PLACE, 2, "Invalid price", ("OrderRejected", "Invalid price")),
        (codes.PLACE, 42, "new", ("CODE_42", "new")),
        (codes.CLOSE, 2, "", ("PositionNotFound", "there is no position to close")),
        (codes.CANCEL, 6, "Live accounts not supported", ("AccountRejected", "Live accounts not supported")),
        ("Nobody/knows", 1, "", ("CODE_1", "")),
    ],
)
def test_a_failure_says_the_venue_s_word_for_it(
    endpoint: str, code: int, message: str, expected: tuple[str, str]
) -> None:
    """E3, E4 closed session and margin: the code tells the reason."""
    error = codes.failure_of(endpoint, code, message)
    assert isinstance(error, Refused)
    assert (error.code, error.text) == expected


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [(codes.PLACE, 6), (codes.PLACE, 7), (codes.MODIFY, 4), (codes.CANCEL, 5), (codes.CLOSE, 6), (codes.LOGIN, 8)],
)
def test_what_the_venue_cannot_tell_is_no_refusal(endpoint: str, code: int) -> None:
    """F1 doubt stays doubt."""
    assert isinstance(codes.failure_of(endpoint, code, ""), OutcomeUnknown)


def test_position_brackets_tell_the_owner_what_to_switch_on() -> None:
    message = "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets."
    error = codes.failure_of(codes.PLACE, 2, message)
    assert isinstance(error, Refused)
    assert "switch on Auto OCO Brackets" in error.text
