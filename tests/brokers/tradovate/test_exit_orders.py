"""What goes on the wire for exits and for their changes, and what each answer proves."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from brokers.base import (
    STOP_PREFIX,
    TARGET_PREFIX,
    AccountRef,
    BracketLeg,
    ModifyOrder,
    OrderType,
    Request,
    Side,
    SubmitOco,
    SubmitOrder,
    Trail,
)
from brokers.reports import Accepted, NotSent, Outcome, Rejected, Unknown
from brokers.tradovate.orders import call_for, outcome_of, outcome_of_each

ACCOUNT = AccountRef("5001", "DEMO70001")
AT = datetime(2026, 10, 1, tzinfo=UTC)
TARGET_ID = TARGET_PREFIX + "t" * 26
STOP_ID = STOP_PREFIX + "s" * 26
CHANGE_ID = "M-" + "m" * 26
OCO = SubmitOco(TARGET_ID, STOP_ID, ACCOUNT, "MNQZ6", Side.SELL, 2, Decimal("25010.25"), Decimal("24990.50"))


def sent(request: Request) -> tuple[str, dict[str, Any]]:
    call = call_for(request)
    return call.endpoint, orjson.loads(call.body)


def change(order_type: OrderType, price: str | None = None, stop_price: str | None = None) -> ModifyOrder:
    prices = [None if text is None else Decimal(text) for text in (price, stop_price)]
    return ModifyOrder(CHANGE_ID, ACCOUNT, "900100", 3, order_type, *prices)


def bracket_of(side: Side, leg: BracketLeg) -> dict[str, Any]:
    _, body = sent(SubmitOrder("i" * 26, ACCOUNT, "MNQZ6", side, leg.qty, bracket=(leg,)))
    (bracket,) = orjson.loads(body["params"])["brackets"]
    found: dict[str, Any] = bracket
    return found


@pytest.mark.parametrize(
    ("request_", "terms"),
    [
        (change(OrderType.LIMIT, price="25010.25"), {"orderType": "Limit", "price": 25010.25}),
        (change(OrderType.STOP, stop_price="24990.5"), {"orderType": "Stop", "stopPrice": 24990.5}),
        (change(OrderType.TRAILING_STOP), {"orderType": "TrailingStop"}),
        (change(OrderType.TRAILING_STOP, stop_price="24990"), {"orderType": "TrailingStop", "stopPrice": 24990}),
    ],
)
def test_a_change_states_every_term_and_stays_in_force(request_: ModifyOrder, terms: dict[str, Any]) -> None:
    """B3"""
    always = {"orderId": 900100, "orderQty": 3, "timeInForce": "GTC", "clOrdId": CHANGE_ID, "isAutomated": True}
    assert sent(request_) == ("order/modifyorder", {**always, **terms})


@pytest.mark.parametrize("request_", [change(OrderType.LIMIT), change(OrderType.STOP, price="1")])
def test_a_change_without_its_price_is_not_sent(request_: ModifyOrder) -> None:
    with pytest.raises(ValueError, match="needs a"):
        call_for(request_)


def test_a_pair_is_one_call_with_an_id_for_each_order() -> None:
    assert sent(OCO) == (
        "order/placeoco",
        {
            "accountSpec": "DEMO70001",
            "accountId": 5001,
            "symbol": "MNQZ6",
            "action": "Sell",
            "orderQty": 2,
            "orderType": "Limit",
            "price": 25010.25,
            "timeInForce": "GTC",
            "clOrdId": TARGET_ID,
            "isAutomated": True,
            "other": {
                "action": "Sell",
                "orderQty": 2,
                "orderType": "Stop",
                "stopPrice": 24990.5,
                "timeInForce": "GTC",
                "clOrdId": STOP_ID,
                "isAutomated": True,
            },
        },
    )


def test_a_protective_stop_outlives_the_session() -> None:
    stop = SubmitOrder(
        STOP_ID, ACCOUNT, "MNQZ6", Side.SELL, 1, OrderType.STOP, stop_price=Decimal(24990), is_protective=True
    )
    endpoint, body = sent(stop)
    assert endpoint == "order/placeorder"
    assert (body["orderType"], body["stopPrice"], body["timeInForce"]) == ("Stop", 24990, "GTC")


@pytest.mark.parametrize(("side", "stop_loss"), [(Side.BUY, -8), (Side.SELL, 8)])
def test_a_trail_from_the_start_is_the_venues_own(side: Side, stop_loss: int) -> None:
    """C2"""
    leg = BracketLeg(1, None, Decimal(20), Trail(Decimal(8)))
    assert bracket_of(side, leg) == {"qty": 1, "trailingStop": True, "stopLoss": stop_loss}


@pytest.mark.parametrize(("side", "stop_loss"), [(Side.BUY, -20), (Side.SELL, 20)])
@pytest.mark.parametrize(("step", "freq"), [("0", {}), ("0.5", {"freq": 0.5})])
def test_a_trail_with_a_trigger_starts_from_the_ordinary_stop(
    side: Side, stop_loss: int, step: str, freq: dict[str, float]
) -> None:
    """C2"""
    leg = BracketLeg(1, None, Decimal(20), Trail(Decimal(8), trigger=Decimal("7.5"), step=Decimal(step)))
    assert bracket_of(side, leg) == {
        "qty": 1,
        "trailingStop": False,
        "stopLoss": stop_loss,
        "autoTrail": {"stopLoss": 8, "trigger": 7.5, **freq},
    }


def test_a_trail_with_a_trigger_and_no_stop_until_then_is_not_sent() -> None:
    with pytest.raises(ValueError, match="until then"):
        bracket_of(Side.BUY, BracketLeg(1, None, None, Trail(Decimal(8), trigger=Decimal(7))))


def test_a_change_is_accepted_by_its_command() -> None:
    assert outcome_of(change(OrderType.TRAILING_STOP), {"commandId": 7}, AT) == Accepted(CHANGE_ID, "900100", AT)
    refused = {"failureReason": "TrailingStopNonOrderQtyModify"}
    assert isinstance(outcome_of(change(OrderType.TRAILING_STOP), refused, AT), Rejected)


def test_a_pair_accepted_names_both_orders() -> None:
    payload = {"orderId": 1, "ocoId": 2}
    outcome = outcome_of(OCO, payload, AT)
    assert outcome_of_each(OCO, outcome, payload) == (Accepted(TARGET_ID, "1", AT), Accepted(STOP_ID, "2", AT))


def test_a_stop_that_the_answer_does_not_name_is_in_doubt() -> None:
    """F4"""
    payload = {"orderId": 1}
    target, stop = outcome_of_each(OCO, outcome_of(OCO, payload, AT), payload)
    assert isinstance(target, Accepted)
    assert isinstance(stop, Unknown)
    assert stop.client_order_id == STOP_ID


@pytest.mark.parametrize(
    "outcome",
    [Rejected(TARGET_ID, "InvalidPrice", "no", AT), NotSent(TARGET_ID, "no", AT), Unknown(TARGET_ID, "?", AT)],
)
def test_a_pair_shares_every_other_outcome(outcome: Outcome) -> None:
    first, second = outcome_of_each(OCO, outcome, None)
    assert (first, second.client_order_id, type(second)) == (outcome, STOP_ID, type(outcome))


def test_other_requests_have_one_outcome() -> None:
    accepted = Accepted(CHANGE_ID, "900100", AT)
    assert outcome_of_each(change(OrderType.TRAILING_STOP), accepted, {"commandId": 7}) == (accepted,)
