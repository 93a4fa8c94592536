"""What goes on the wire for each request, and what each answer proves."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from brokers.base import AccountRef, BracketLeg, CancelOrder, FlattenPosition, OrderType, Request, Side, SubmitOrder
from brokers.reports import Accepted, Rejected, Unknown
from brokers.tradovate.orders import call_for, outcome_of

ACCOUNT = AccountRef("5001", "DEMO70001")
ID = "in_0123456789abcdef0123456789"
AT = datetime(2026, 10, 1, tzinfo=UTC)
ENTRY = SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.BUY, 3)
FLATTEN = FlattenPosition(ID, ACCOUNT, "MNQZ6")
CANCEL = CancelOrder(ID, ACCOUNT, "900100")


def sent(request: Request, contract_id: int | None = None) -> tuple[str, dict[str, Any]]:
    call = call_for(request, contract_id)
    return call.endpoint, orjson.loads(call.body)


def bracketed(side: Side, *legs: BracketLeg) -> SubmitOrder:
    return SubmitOrder(ID, ACCOUNT, "MNQZ6", side, sum(leg.qty for leg in legs), bracket=legs)


def brackets_of(request: SubmitOrder) -> list[dict[str, Any]]:
    params = sent(request)[1]["params"]
    assert isinstance(params, str)
    found: list[dict[str, Any]] = orjson.loads(params)["brackets"]
    return found


def test_a_plain_entry_carries_our_id_and_says_that_it_is_automated() -> None:
    assert sent(ENTRY) == (
        "order/placeorder",
        {
            "accountSpec": "DEMO70001",
            "accountId": 5001,
            "symbol": "MNQZ6",
            "action": "Buy",
            "orderQty": 3,
            "orderType": "Market",
            "timeInForce": "Day",
            "clOrdId": ID,
            "isAutomated": True,
        },
    )


@pytest.mark.parametrize(
    ("order_type", "price", "stop_price", "expected"),
    [
        (OrderType.LIMIT, Decimal("25000.25"), None, {"orderType": "Limit", "price": 25000.25}),
        (OrderType.STOP, None, Decimal("25000.50"), {"orderType": "Stop", "stopPrice": 25000.5}),
        (OrderType.TRAILING_STOP, None, Decimal("24990"), {"orderType": "TrailingStop", "stopPrice": 24990}),
    ],
)
def test_each_order_type_names_its_own_price(
    order_type: OrderType, price: Decimal | None, stop_price: Decimal | None, expected: dict[str, Any]
) -> None:
    """C1"""
    _, body = sent(SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.SELL, 1, order_type, price, stop_price))
    assert {key: body[key] for key in ("orderType", "price", "stopPrice") if key in body} == expected


def test_prices_are_written_with_their_exact_digits() -> None:
    call = call_for(SubmitOrder(ID, ACCOUNT, "6JZ6", Side.BUY, 1, OrderType.LIMIT, Decimal("0.0067005")))
    assert b'"price":0.0067005,' in call.body
    tiny = call_for(SubmitOrder(ID, ACCOUNT, "6JZ6", Side.BUY, 1, OrderType.LIMIT, Decimal("5E-7")))
    assert b'"price":0.0000005,' in tiny.body


def test_a_bracketed_entry_is_one_strategy_with_our_id_as_uuid() -> None:
    endpoint, body = sent(bracketed(Side.BUY, BracketLeg(2, Decimal("10"), Decimal("12.5"))))
    assert endpoint == "orderStrategy/startorderstrategy"
    assert (body["uuid"], body["orderStrategyTypeId"], body["isAutomated"]) == (ID, 2, True)
    assert orjson.loads(body["params"]) == {
        "entryVersion": {"orderQty": 2, "orderType": "Market", "timeInForce": "GTC"},
        "brackets": [{"qty": 2, "profitTarget": 10, "stopLoss": -12.5, "trailingStop": False}],
    }


def test_distances_of_a_sell_point_the_other_way() -> None:
    legs = brackets_of(bracketed(Side.SELL, BracketLeg(1, Decimal("10"), Decimal("12.5"))))
    assert legs == [{"qty": 1, "profitTarget": -10, "stopLoss": 12.5, "trailingStop": False}]


def test_several_brackets_and_missing_legs() -> None:
    legs = brackets_of(
        bracketed(
            Side.BUY,
            BracketLeg(1, Decimal("5"), Decimal("10")),
            BracketLeg(2, None, Decimal("10")),
            BracketLeg(1, Decimal("20"), None),
        )
    )
    assert [sorted(leg) for leg in legs] == [
        ["profitTarget", "qty", "stopLoss", "trailingStop"],
        ["qty", "stopLoss", "trailingStop"],
        ["profitTarget", "qty", "trailingStop"],
    ]


def test_a_limit_entry_keeps_its_price_inside_the_strategy() -> None:
    leg = BracketLeg(1, Decimal("10"), Decimal("10"))
    order = SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.BUY, 1, OrderType.LIMIT, Decimal("25000.25"), bracket=(leg,))
    version = orjson.loads(sent(order)[1]["params"])["entryVersion"]
    assert version == {"orderQty": 1, "orderType": "Limit", "timeInForce": "GTC", "price": 25000.25}


def test_a_flatten_liquidates_and_never_sends_a_tag() -> None:
    assert sent(FLATTEN, 4327110) == (
        "order/liquidateposition",
        {"accountId": 5001, "contractId": 4327110, "admin": False, "isAutomated": True},
    )


def test_a_cancel_names_the_order() -> None:
    assert sent(CANCEL) == ("order/cancelorder", {"orderId": 900100, "clOrdId": ID, "isAutomated": True})


@pytest.mark.parametrize(
    "request_",
    [
        FLATTEN,
        SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.BUY, 1, OrderType.LIMIT),
        SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.BUY, 1, OrderType.STOP, Decimal(1)),
        SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.BUY, 2, bracket=(BracketLeg(1, None, Decimal(1)),)),
    ],
)
def test_what_cannot_be_said_is_not_sent(request_: Request) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        call_for(request_)


@pytest.mark.parametrize(
    ("request_", "payload", "expected"),
    [
        (ENTRY, {"orderId": 900100}, Accepted(ID, "900100", AT)),
        (ENTRY, {"failureReason": "Success", "orderId": 900100}, Accepted(ID, "900100", AT)),
        (ENTRY, {"orderStrategy": {"id": 77, "status": "ActiveStrategy"}}, Accepted(ID, None, AT, "77")),
        (CANCEL, {"commandId": 1}, Accepted(ID, "900100", AT)),
        (FLATTEN, {"orderId": 9}, Accepted(ID, "9", AT)),
        (FLATTEN, {}, Accepted(ID, None, AT)),
        (CANCEL, {"failureReason": "TooLate"}, Rejected(ID, "TooLate", "", AT)),
        (
            ENTRY,
            {"failureReason": "UnknownReason", "failureText": "Access is denied"},
            Rejected(ID, "UnknownReason", "Access is denied", AT),
        ),
        (
            ENTRY,
            {"errorText": "Invalid or missed parameters"},
            Rejected(ID, "Refused", "Invalid or missed parameters", AT),
        ),
        (
            ENTRY,
            {"violations": [{"constraint": "accountId", "value": "", "description": "missing"}]},
            Rejected(ID, "Violation", "accountId: missing", AT),
        ),
    ],
)
def test_answers_that_prove_something(request_: Request, payload: object, expected: object) -> None:
    assert outcome_of(request_, payload, AT) == expected


@pytest.mark.parametrize("payload", [None, [], "ok", 5, {}, {"commandId": 5}, {"orderStrategy": "?"}])
def test_answers_that_prove_nothing_are_unknown(payload: object) -> None:
    """F3"""
    assert isinstance(outcome_of(ENTRY, payload, AT), Unknown)
