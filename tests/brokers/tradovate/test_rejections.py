"""A rejection is told once, with its reason, in whatever order its parts come."""

from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.base import OrderRole, OrderStatus
from brokers.reports import OrderReport
from brokers.tradovate.reports import HOLD_SECONDS
from tests.brokers.tradovate.entities import (
    AT,
    ID,
    Change,
    Desk,
    command,
    order,
    orders,
    strategy,
    version,
)

REFUSED: Change = (
    "commandReport",
    {"id": 9, "commandId": 1, "commandStatus": "RiskRejected", "rejectReason": "MaxOrderQtyLimitReached", "text": "no"},
)


@pytest.mark.parametrize(
    "arrival",
    [
        [command(1, ID), order(1, "Rejected"), REFUSED],
        [command(1, ID), REFUSED, order(1, "Rejected")],
        [REFUSED, order(1, "Rejected"), command(1, ID)],
        [order(1, "Rejected"), REFUSED, command(1, ID)],
    ],
)
def test_a_rejection_is_told_once_with_its_reason(arrival: list[Change]) -> None:
    desk = Desk()
    desk.feed(version(1))
    reports = [report for change in arrival for report in desk.feed(change)]
    assert [(r.status, r.reject_code, r.reject_text) for r in reports if isinstance(r, OrderReport)] == [
        (OrderStatus.REJECTED, "MaxOrderQtyLimitReached", "no")
    ]


def test_an_exchange_rejection_names_its_order() -> None:
    report = {
        "id": 9,
        "commandId": 1,
        "orderId": 1,
        "execType": "Rejected",
        "rejectReason": "InvalidPrice",
        "text": "off",
    }
    reports = Desk().feed(order(1, "Rejected"), version(1), command(1, ID), ("executionReport", report))
    assert (orders(reports)["1"].reject_code, orders(reports)["1"].reject_text) == ("InvalidPrice", "off")


def test_a_rejection_without_a_reason_is_told_after_a_second() -> None:
    desk = Desk()
    assert desk.feed(order(1, "Rejected"), version(1), command(1, ID)) == []
    (report,) = orders(desk.feed(now=HOLD_SECONDS)).values()
    assert (report.status, report.reject_code) == (OrderStatus.REJECTED, "")


def test_a_refused_cancel_does_not_reject_the_order() -> None:
    """B4"""
    desk = Desk()
    desk.feed(order(1, "Working"), version(1), command(1, ID), command(1, kind="Cancel", id_=7))
    refused = {"id": 9, "commandId": 7, "commandStatus": "ExecutionRejected", "rejectReason": "TooLate"}
    assert desk.feed(("commandReport", refused)) == []
    assert desk.cache.refusals == {}


def test_a_strategy_that_fails_without_an_order_is_a_rejected_entry() -> None:
    desk = Desk()
    assert desk.feed(strategy("ExecutionFailed", failureMessage="Invalid params")) == []
    (report,) = desk.feed(now=HOLD_SECONDS)
    assert isinstance(report, OrderReport)
    assert (report.client_order_id, report.status, report.reject_code, report.reject_text) == (
        ID,
        OrderStatus.REJECTED,
        "ExecutionFailed",
        "Invalid params",
    )


@pytest.mark.parametrize("failed_first", [True, False])
def test_an_entry_refused_before_it_was_linked_is_still_ours(*, failed_first: bool) -> None:
    desk = Desk()
    desk.feed(strategy(), order(11, "Unknown"), command(11), version(11), order(9, "Rejected"), command(9))
    last: list[Change] = [order(11, "Rejected"), strategy("ExecutionFailed")]
    refusal = ("commandReport", {**REFUSED[1], "commandId": 11})
    reports = desk.feed(refusal, *(reversed(last) if failed_first else last))
    (report,) = orders(reports).values()
    assert (report.broker_order_id, report.client_order_id, report.role) == ("11", ID, OrderRole.ENTRY)
    assert (report.status, report.reject_code) == (OrderStatus.REJECTED, "MaxOrderQtyLimitReached")
    assert [r.role for r in orders(desk.feed(now=9.0)).values()] == [OrderRole.EXTERNAL]


@pytest.mark.parametrize("by", ["commandReport", "executionReport"])
@pytest.mark.parametrize("arrival", [(0, 1, 2), (2, 0, 1), (0, 2, 1), (1, 2, 0), (2, 1, 0)])
def test_a_refused_change_leaves_the_order_as_it_was(by: str, arrival: tuple[int, ...]) -> None:
    """B5"""
    desk = Desk()
    desk.feed(order(1, "Working"), version(1, "Limit", price=25000.0), command(1, ID))
    refused = {"id": 9, "commandId": 7, "orderId": 1, "rejectReason": "InvalidPrice", "text": "off"}
    kind = {"commandStatus": "RiskRejected"} if by == "commandReport" else {"execType": "Rejected"}
    changed = {"id": 7, "orderId": 1, "orderQty": 5, "orderType": "Limit", "price": 99.0}
    parts: list[Change] = [
        command(1, "M-" + "m" * 26, kind="Modify", id_=7),
        ("orderVersion", changed),
        (by, {**refused, **kind}),
    ]
    reports = [report for index in arrival for report in desk.feed(parts[index])]
    assert all(report.status is OrderStatus.WORKING for report in reports if isinstance(report, OrderReport))
    order_now = desk.joins.order_report(desk.cache.orders[1], AT)
    assert order_now is not None
    assert (order_now.status, order_now.price, order_now.qty) == (OrderStatus.WORKING, Decimal("25000.0"), 2)
    assert (desk.cache.refusals, desk.feed(("orderVersion", changed))) == ({}, [])


def test_a_canceled_order_does_not_remember_a_refused_change() -> None:
    desk = Desk()
    desk.feed(order(1, "Working"), version(1, "Limit", price=25000.0), command(1, ID))
    desk.feed(command(1, kind="Modify", id_=7), ("commandReport", {**REFUSED[1], "commandId": 7}))
    (report,) = orders(desk.feed(order(1, "Canceled"))).values()
    assert (report.status, report.reject_code) == (OrderStatus.CANCELED, "")
