"""Scattered entities become joined reports, each state once, in whatever order they come."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from brokers.base import AccountRef, FillReport, OrderReport, OrderRole, OrderStatus, PositionReport, Report, Side
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.entities import EntityCache
from brokers.tradovate.joins import Joins
from brokers.tradovate.parse import entities_of
from brokers.tradovate.reports import HOLD_SECONDS, Reporter

ID = "in_0123456789abcdef0123456789"
STAMP = "2026-10-01T14:00:00.045Z"
AT = datetime(2026, 10, 1, 14, tzinfo=UTC)
ACCOUNT = AccountRef("5001", "DEMO70001")
Change = tuple[str, dict[str, Any]]


class Desk:
    """A cache with its reporter; `feed` applies changes and returns what is reported."""

    def __init__(self) -> None:
        self.cache = EntityCache()
        self.exits: dict[int, str] = {}
        self.joins = Joins(self.cache, ContractBook(), self.exits)
        self.reporter = Reporter(self.joins)
        self.feed(("account", {"id": 5001, "name": "DEMO70001", "active": True}), ("contract", contract()))

    def feed(self, *changes: Change, now: float = 0.0) -> list[Report]:
        for entity_type, item in changes:
            for entity in entities_of(entity_type, item):
                self.cache.apply(entity)
        return self.reporter.take(now, AT)


def contract() -> dict[str, Any]:
    return {"id": 43, "name": "MNQZ6", "contractMaturityId": 1}


def order(order_id: int, status: str, action: str = "Buy", **more: Any) -> Change:
    base = {"id": order_id, "accountId": 5001, "contractId": 43, "timestamp": STAMP, "action": action}
    return "order", {**base, "ordStatus": status, **more}


def version(order_id: int, order_type: str = "Market", qty: int = 2, **prices: float) -> Change:
    terms = {"orderQty": qty, "orderType": order_type, "timeInForce": "Day"}
    return "orderVersion", {"id": order_id, "orderId": order_id, **terms, **prices}


def command(order_id: int, client_order_id: str | None = None, *, kind: str = "New", id_: int = 0) -> Change:
    named = {} if client_order_id is None else {"clOrdId": client_order_id}
    base = {"id": id_ or order_id, "orderId": order_id, "commandType": kind, "commandStatus": "Pending"}
    return "command", {**base, "timestamp": STAMP, **named}


def strategy(status: str = "ActiveStrategy", **more: Any) -> Change:
    base = {"id": 10, "accountId": 5001, "contractId": 43, "action": "Buy", "uuid": ID, "timestamp": STAMP}
    return "orderStrategy", {**base, "status": status, **more}


def link(order_id: int, label: str) -> Change:
    return "orderStrategyLink", {"id": order_id + 500, "orderStrategyId": 10, "orderId": order_id, "label": label}


def fill(fill_id: int, order_id: int, qty: int, price: float | None = 25000.0, action: str = "Buy") -> Change:
    base = {"id": fill_id, "orderId": order_id, "contractId": 43, "timestamp": STAMP, "action": action}
    return "fill", {**base, "qty": qty, "price": price}


def position(net: int, price: float | None, stamp: str = STAMP) -> Change:
    priced = {} if price is None else {"netPrice": price}
    return "position", {"id": 90, "accountId": 5001, "contractId": 43, "timestamp": stamp, "netPos": net, **priced}


BRACKETED_ENTRY: list[Change] = [
    strategy("InactiveStrategy"),
    strategy(),
    order(11, "Unknown"),
    command(11),
    version(11),
    order(11, "PendingNew"),
    link(11, "256"),
    order(11, "Working"),
    order(12, "Unknown", "Sell"),
    command(12),
    version(12, "Limit", price=25010.0),
    order(12, "Suspended", "Sell"),
    link(12, "0"),
    order(13, "Unknown", "Sell"),
    command(13),
    version(13, "Stop", stopPrice=24987.5),
    order(13, "Suspended", "Sell"),
    link(13, "0"),
    fill(14, 11, 1, 25000.0),
    fill(15, 11, 1, 25000.25),
    order(11, "Filled"),
    position(2, 25000.125),
    order(12, "Working", "Sell"),
    order(13, "Working", "Sell"),
]


def orders(reports: list[Report]) -> dict[str, OrderReport]:
    return {report.broker_order_id: report for report in reports if isinstance(report, OrderReport)}


def fills(reports: list[Report]) -> list[FillReport]:
    return [report for report in reports if isinstance(report, FillReport)]


def shuffled(seed: int) -> list[Change]:
    """Any order of arrival in which each entity's own states keep theirs, as one stream must."""
    queues: dict[tuple[str, int], list[Change]] = {}
    for change in BRACKETED_ENTRY:
        queues.setdefault((change[0], change[1]["id"]), []).append(change)
    chooser = random.Random(seed)
    arrived: list[Change] = []
    while queues:
        key = chooser.choice(list(queues))
        arrived.append(queues[key].pop(0))
        if not queues[key]:
            del queues[key]
    return arrived


@pytest.mark.parametrize("seed", range(60))
def test_a_bracketed_entry_joins_in_any_order_of_arrival(seed: int) -> None:
    desk = Desk()
    reports = [report for change in shuffled(seed) for report in desk.feed(change)]
    told = [report for report in reports if isinstance(report, OrderReport)]
    assert all(report.role is not OrderRole.EXTERNAL for report in told)
    assert not any(report.status is OrderStatus.SUBMITTING for report in told)
    last = orders(reports)
    assert {key: (r.role, r.status, r.client_order_id, r.parent_client_order_id) for key, r in last.items()} == {
        "11": (OrderRole.ENTRY, OrderStatus.FILLED, ID, None),
        "12": (OrderRole.TARGET, OrderStatus.WORKING, None, ID),
        "13": (OrderRole.STOP, OrderStatus.WORKING, None, ID),
    }
    assert (last["12"].price, last["13"].stop_price) == (Decimal("25010.0"), Decimal("24987.5"))
    assert sorted((f.broker_fill_id, f.qty, f.price) for f in fills(reports)) == [
        ("14", 1, Decimal("25000.0")),
        ("15", 1, Decimal("25000.25")),
    ]
    assert (
        reports.count(PositionReport(ACCOUNT, "MNQZ6", 2, Decimal("25000.125"), desk.cache.positions[5001, 43].at)) == 1
    )


def test_hearing_everything_twice_reports_nothing_new() -> None:
    desk = Desk()
    desk.feed(*BRACKETED_ENTRY)
    assert desk.feed(*BRACKETED_ENTRY) == []
    assert desk.feed(*reversed(BRACKETED_ENTRY)) == []


def test_an_ended_order_is_not_reopened_by_an_old_state() -> None:
    desk = Desk()
    desk.feed(order(1, "Filled"), version(1), command(1, ID))
    assert desk.feed(order(1, "Working")) == []
    assert desk.cache.orders[1].status == "Filled"


def test_a_plain_order_is_joined_by_its_command() -> None:
    reports = Desk().feed(order(1, "Working"), version(1, "Limit", price=24000.0), command(1, ID))
    (report,) = orders(reports).values()
    assert report == OrderReport(
        account=ACCOUNT,
        broker_order_id="1",
        status=OrderStatus.WORKING,
        side=Side.BUY,
        symbol="MNQZ6",
        at=AT,
        role=OrderRole.ENTRY,
        client_order_id=ID,
        order_type=report.order_type,
        qty=2,
        price=Decimal("24000.0"),
    )


def test_oso_children_belong_to_their_parents_id() -> None:
    desk = Desk()
    assert desk.feed(order(2, "Suspended", "Sell", parentId=1), version(2, "Stop", stopPrice=9.5), command(2)) == []
    reports = desk.feed(order(1, "Working"), version(1), command(1, ID))
    assert orders(reports)["2"].parent_client_order_id == ID
    assert orders(reports)["2"].role is OrderRole.STOP


def test_a_stranger_waits_a_second_and_is_then_external() -> None:
    desk = Desk()
    assert desk.feed(order(1, "Working"), version(1), command(1), now=5.0) == []
    assert desk.feed(now=5.0 + HOLD_SECONDS / 2) == []
    (report,) = orders(desk.feed(now=5.0 + HOLD_SECONDS)).values()
    assert (report.role, report.client_order_id) == (OrderRole.EXTERNAL, None)
    assert not desk.reporter.waiting()


def test_a_fill_before_its_order_waits_for_it() -> None:
    desk = Desk()
    assert desk.feed(fill(14, 1, 1)) == []
    assert desk.reporter.missing_orders() == {1}
    reports = desk.feed(order(1, "Working"), version(1), command(1, ID))
    assert orders(reports)["1"].status is OrderStatus.PARTIALLY_FILLED
    assert [f.broker_fill_id for f in fills(reports)] == ["14"]


def test_partial_fills_turn_working_into_partially_filled() -> None:
    desk = Desk()
    desk.feed(order(1, "Working"), version(1, qty=5), command(1, ID))
    assert orders(desk.feed(fill(2, 1, 1)))["1"].status is OrderStatus.PARTIALLY_FILLED
    assert orders(desk.feed(fill(3, 1, 2))) == {}
    assert orders(desk.feed(order(1, "Canceled")))["1"].status is OrderStatus.CANCELED


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
def test_an_entry_refused_before_it_was_linked_is_still_ours(failed_first: bool) -> None:
    desk = Desk()
    desk.feed(strategy(), order(11, "Unknown"), command(11), version(11), order(9, "Rejected"), command(9))
    last: list[Change] = [order(11, "Rejected"), strategy("ExecutionFailed")]
    refusal = ("commandReport", {**REFUSED[1], "commandId": 11})
    reports = desk.feed(refusal, *(reversed(last) if failed_first else last))
    (report,) = orders(reports).values()
    assert (report.broker_order_id, report.client_order_id, report.role) == ("11", ID, OrderRole.ENTRY)
    assert (report.status, report.reject_code) == (OrderStatus.REJECTED, "MaxOrderQtyLimitReached")
    assert [r.role for r in orders(desk.feed(now=9.0)).values()] == [OrderRole.EXTERNAL]


def test_a_price_that_comes_later_completes_the_fill() -> None:
    desk = Desk()
    reports = desk.feed(order(1, "Filled"), version(1, qty=1), command(1, ID), fill(2, 1, 1, 0))
    assert [f.price for f in fills(reports)] == [None]
    assert desk.cache.priceless == {2}
    assert [f.price for f in fills(desk.feed(fill(2, 1, 1, 25000.5)))] == [Decimal("25000.5")]
    assert desk.feed(fill(2, 1, 1, 0)) == []
    assert desk.cache.priceless == set()


def test_an_older_position_row_is_not_believed() -> None:
    desk = Desk()
    desk.feed(position(2, 25000.0, "2026-10-01T14:00:05Z"))
    assert desk.feed(position(1, 24000.0, "2026-10-01T14:00:04.999Z")) == []
    (report,) = desk.feed(position(0, None, "2026-10-01T14:00:05Z"))
    assert isinstance(report, PositionReport)
    assert (report.net_qty, report.avg_price) == (0, None)


def test_reports_wait_for_the_name_of_their_contract() -> None:
    desk = Desk()
    changes = [order(1, "Working", contractId=44), version(1), command(1, ID)]
    assert desk.feed(*changes) == []
    assert desk.feed(now=60.0) == []
    assert desk.reporter.missing_contracts() == {44}
    assert orders(desk.feed(("contract", {"id": 44, "name": "ESZ6"})))["1"].symbol == "ESZ6"


def test_the_close_of_our_flatten_is_an_exit_of_ours() -> None:
    desk = Desk()
    desk.exits[1] = ID
    (report,) = desk.feed(order(1, "Filled", "Sell"), version(1), command(1))
    assert isinstance(report, OrderReport)
    assert (report.role, report.client_order_id) == (OrderRole.EXIT, ID)


def test_a_snapshot_holds_everything_and_counts_as_told() -> None:
    desk = Desk()
    for entity_type, item in BRACKETED_ENTRY:
        for entity in entities_of(entity_type, item):
            desk.cache.apply(entity)
    snapshot = desk.reporter.snapshot(AT)
    assert snapshot.accounts == (ACCOUNT,)
    assert [o.broker_order_id for o in snapshot.orders] == ["11", "12", "13"]
    assert [f.broker_fill_id for f in snapshot.fills] == ["14", "15"]
    assert [p.net_qty for p in snapshot.positions] == [2]
    assert desk.feed(*BRACKETED_ENTRY, now=99.0) == []


def test_a_snapshot_of_one_account_leaves_the_others_out() -> None:
    desk = Desk()
    desk.feed(("account", {"id": 6, "name": "OTHER"}), ("account", {"id": 7, "name": "OLD", "closed": True}))
    desk.feed(order(1, "Working"), version(1), command(1, ID), order(2, "Working", accountId=6), version(2), command(2))
    assert [o.broker_order_id for o in desk.joins.sync_report(AT, 6).orders] == ["2"]
    assert [a.name for a in desk.joins.sync_report(AT).accounts] == ["DEMO70001", "OTHER"]
