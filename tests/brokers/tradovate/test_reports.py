"""Scattered entities become joined reports, each state once, in whatever order they come."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from brokers.base import OrderRole, OrderStatus, Side
from brokers.reports import OrderReport, PositionReport
from brokers.tradovate.parse import entities_of
from brokers.tradovate.reports import HOLD_SECONDS
from tests.brokers.tradovate.entities import (
    ACCOUNT,
    AT,
    BRACKETED_ENTRY,
    ID,
    Change,
    Desk,
    command,
    fill,
    fills,
    order,
    orders,
    position,
    version,
)


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
    (held,) = [report for report in reports if isinstance(report, PositionReport)]
    assert (held.account, held.symbol, held.net_qty, held.avg_price) == (ACCOUNT, "MNQZ6", 2, Decimal("25000.125"))


def test_hearing_everything_twice_reports_nothing_new() -> None:
    """G6"""
    desk = Desk()
    desk.feed(*BRACKETED_ENTRY)
    assert desk.feed(*BRACKETED_ENTRY) == []
    assert desk.feed(*reversed(BRACKETED_ENTRY)) == []


def test_an_ended_order_is_not_reopened_by_an_old_state() -> None:
    """I4"""
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
    """G5"""
    desk = Desk()
    assert desk.feed(order(1, "Working"), version(1), command(1), now=5.0) == []
    assert desk.feed(now=5.0 + HOLD_SECONDS / 2) == []
    (report,) = orders(desk.feed(now=5.0 + HOLD_SECONDS)).values()
    assert (report.role, report.client_order_id) == (OrderRole.EXTERNAL, None)
    assert not desk.reporter.waiting()


def test_a_fill_before_its_order_waits_for_it() -> None:
    """G7"""
    desk = Desk()
    assert desk.feed(fill(14, 1, 1)) == []
    assert desk.reporter.missing_orders() == {1}
    reports = desk.feed(order(1, "Working"), version(1), command(1, ID))
    assert orders(reports)["1"].status is OrderStatus.PARTIALLY_FILLED
    assert [f.broker_fill_id for f in fills(reports)] == ["14"]


def test_partial_fills_turn_working_into_partially_filled() -> None:
    """G2"""
    desk = Desk()
    desk.feed(order(1, "Working"), version(1, qty=5), command(1, ID))
    assert orders(desk.feed(fill(2, 1, 1)))["1"].status is OrderStatus.PARTIALLY_FILLED
    assert orders(desk.feed(fill(3, 1, 2))) == {}
    assert orders(desk.feed(order(1, "Canceled")))["1"].status is OrderStatus.CANCELED


def test_a_price_that_comes_later_completes_the_fill() -> None:
    desk = Desk()
    reports = desk.feed(order(1, "Filled"), version(1, qty=1), command(1, ID), fill(2, 1, 1, 0))
    assert [f.price for f in fills(reports)] == [None]
    assert desk.cache.priceless == {2}
    assert [f.price for f in fills(desk.feed(fill(2, 1, 1, 25000.5)))] == [Decimal("25000.5")]
    assert desk.feed(fill(2, 1, 1, 0)) == []
    assert desk.cache.priceless == set()


def test_an_older_position_row_is_not_believed() -> None:
    """I4"""
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
