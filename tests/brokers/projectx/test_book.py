"""Which report follows from which row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from brokers.base import OrderRole, OrderStatus, OrderType
from brokers.projectx.book import Book, Replies
from brokers.projectx.contracts import ContractBook
from brokers.projectx.parse import account_of, contract_of, order_of, position_of, trade_of
from brokers.projectx.reading import Reading, merged
from brokers.reports import OrderReport, PositionReport
from tests.brokers.projectx import frames
from tests.brokers.projectx.frames import TAG

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
LATER = "2026-11-23T14:53:00+00:00"


def contracts() -> ContractBook:
    book = ContractBook()
    book.learn([contract_of(frames.MNQ_ROW)])
    return book


def reading(orders: list[dict[str, Any]] | None = None, positions: list[dict[str, Any]] | None = None) -> Reading:
    found = merged([order_of(row) for row in orders or []])
    held = tuple(position_of(row) for row in positions or [])
    return Reading(NOW, (account_of(frames.account()),), found, (), held)


def told(*rows: dict[str, Any], replies: Replies | None = None) -> list[OrderReport]:
    book = Book(contracts(), replies or Replies())
    book.start_over(reading())
    reports = [report for row in rows for report in book.take(order_of(row), NOW)]
    assert all(isinstance(report, OrderReport) for report in reports)
    return reports  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        (6, {}, OrderStatus.WORKING),
        (1, {}, OrderStatus.WORKING),
        (1, {"size": 3, "fillVolume": 1}, OrderStatus.PARTIALLY_FILLED),
        (2, {"fillVolume": 1}, OrderStatus.FILLED),
        (3, {}, OrderStatus.CANCELED),
        (3, {"size": 3, "fillVolume": 1}, OrderStatus.CANCELED),
        (4, {}, OrderStatus.EXPIRED),
        (5, {}, OrderStatus.REJECTED),
        (7, {}, OrderStatus.PENDING_CANCEL),
        (8, {}, OrderStatus.SUSPENDED),
        (0, {}, OrderStatus.WORKING),
        (42, {}, OrderStatus.WORKING),
    ],
)
def test_each_state_has_its_status(status: int, fields: dict[str, Any], expected: OrderStatus) -> None:
    """G1, G2, G3 a state that is not known yet is still an order that is there."""
    (report,) = told(frames.order(7, status, customTag=TAG, **fields))
    assert report.status is expected
    assert bool(report.reject_text) == (expected is OrderStatus.REJECTED)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"customTag": TAG}, (OrderRole.ENTRY, TAG, None)),
        ({"customTag": "X-" + TAG}, (OrderRole.EXIT, "X-" + TAG, None)),
        ({"customTag": "S-" + TAG}, (OrderRole.STOP, "S-" + TAG, None)),
        ({"customTag": "T-" + TAG}, (OrderRole.TARGET, "T-" + TAG, None)),
        ({}, (OrderRole.EXTERNAL, None, None)),
        ({"customTag": "another program"}, (OrderRole.EXTERNAL, None, None)),
        ({"customTag": f"{TAG}-SL", "parentOrderId": 7}, (OrderRole.STOP, None, TAG)),
        ({"customTag": f"{TAG}-TP", "parentOrderId": 7}, (OrderRole.TARGET, None, TAG)),
        ({"customTag": f"{TAG}-TP", "parentOrderId": 4}, (OrderRole.TARGET, None, TAG)),
        ({"customTag": f"{TAG}-SL"}, (OrderRole.STOP, None, TAG)),
        ({"type": 1, "parentOrderId": 7}, (OrderRole.TARGET, None, TAG)),
        ({"type": 5, "parentOrderId": 7}, (OrderRole.STOP, None, TAG)),
        ({"type": 4, "parentOrderId": 4}, (OrderRole.EXTERNAL, None, None)),
    ],
)
def test_an_orders_tag_and_parent_tell_what_it_is_for(
    fields: dict[str, Any], expected: tuple[OrderRole, str | None, str | None]
) -> None:
    """D1 a leg is told by its parent, or by its tag where the host names none."""
    entry = frames.order(7, 2, customTag=TAG, fillVolume=1)
    *_, report = told(entry, frames.order(8, 8, **{"type": 4, **fields}))
    assert (report.role, report.client_order_id, report.parent_client_order_id) == expected
    assert report.bracket_index == (0 if expected[2] is not None else None)


def test_an_id_of_ours_that_ends_like_a_leg_is_no_leg() -> None:
    name = "a" * 29 + "-SL"
    (report,) = told(frames.order(7, 1, customTag=name))
    assert (report.role, report.client_order_id) == (OrderRole.ENTRY, name)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(1, OrderType.LIMIT), (2, OrderType.MARKET), (4, OrderType.STOP), (5, OrderType.TRAILING_STOP), (3, None)],
)
def test_each_kind_has_its_type(kind: int, expected: OrderType | None) -> None:
    (report,) = told(frames.order(7, 1, type=kind))
    assert report.order_type is expected


def test_the_same_report_twice_is_told_once() -> None:
    """G6 the same report twice."""
    row = frames.order(7, 1, type=1, limitPrice=25000.0)
    assert len(told(row, row, {**row, "updateTimestamp": LATER})) == 1
    assert len(told(row, {**row, "updateTimestamp": LATER, "limitPrice": 25001.0})) == 2


def test_a_refusal_that_the_answer_tells_is_not_told_by_the_hub() -> None:
    """G7 report before the reply: held back, and told after all when the reply was none."""
    row = frames.order(7, 5, customTag=TAG)
    assert told(row, replies=Replies(awaited={TAG})) == []
    assert told(row, replies=Replies(refused={TAG})) == []
    replies = Replies(awaited={TAG})
    book = Book(contracts(), replies)
    book.start_over(reading())
    assert book.take(order_of(row), NOW) == []
    replies.awaited.clear()
    (late,) = book.take_held(TAG)
    assert isinstance(late, OrderReport)
    assert late.status is OrderStatus.REJECTED
    assert list(book.take_held(TAG)) == []


def test_a_close_order_becomes_the_flattens_exit() -> None:
    """J1 the venue's close carries no id of ours; once it is known, it is told again as ours."""
    replies = Replies()
    book = Book(contracts(), replies)
    book.start_over(reading())
    close = order_of(frames.order(7, 2, side=1, fillVolume=1))
    (stranger,) = book.take(close, NOW)
    replies.exits[7] = "X-" + TAG
    (ours,) = book.take(close, NOW)
    assert isinstance(stranger, OrderReport)
    assert isinstance(ours, OrderReport)
    assert (stranger.role, ours.role, ours.client_order_id) == (OrderRole.EXTERNAL, OrderRole.EXIT, "X-" + TAG)


def test_what_is_no_longer_listed_is_flat() -> None:
    """G4 flat: the venue lists no position of nothing."""
    book = Book(contracts(), Replies())
    first = book.start_over(reading(positions=[frames.position(2, 3)]))
    assert [p.net_qty for p in first.positions] == [-3]
    assert [r.net_qty for r in book.take_all(reading(), NOW) if isinstance(r, PositionReport)] == [0]
    assert [p.net_qty for p in book.start_over(reading(orders=[frames.order(7, 2)])).positions] == [0]


def test_a_trade_that_is_taken_back_is_logged_and_never_told_again(caplog: pytest.LogCaptureFixture) -> None:
    """I4 old reports again: a voided half-turn."""
    book = Book(contracts(), Replies())
    book.start_over(reading())
    assert len(book.take(trade_of(frames.trade(1, 7)), NOW)) == 1
    assert list(book.take(trade_of(frames.trade(1, 7, voided=True)), NOW)) == []
    assert list(book.take(trade_of(frames.trade(2, 7, voided=True)), NOW)) == []
    assert "took back trade 1," in caplog.text


def test_lists_that_saw_an_order_at_different_times_agree_on_the_newest() -> None:
    old, new = order_of(frames.order(7, 1)), order_of(frames.order(7, 3, updateTimestamp=LATER))
    assert merged([new], [old]) == merged([old], [new]) == (new,)
