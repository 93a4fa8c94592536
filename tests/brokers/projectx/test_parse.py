"""The Gateway's rows as typed values, and the money of a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.errors import OutcomeUnknown
from brokers.projectx import parse
from brokers.projectx.day_pnl import DayPnl, day_pnl, unrealized
from brokers.projectx.hub import Records, invocation
from brokers.projectx.parse import contract_of, order_of, position_of, trade_of
from brokers.projectx.types import OrderKind, OrderSide, OrderState, Position
from tests.brokers.projectx import frames
from tests.brokers.projectx.frames import MNQ


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T14:52:32+00:00", datetime(2026, 11, 23, 14, 52, 32, tzinfo=UTC)),
        ("2026-11-23T14:52:32.1Z", datetime(2026, 11, 23, 14, 52, 32, 100_000, tzinfo=UTC)),
        ("2026-11-23T14:52:32.1751239+00:00", datetime(2026, 11, 23, 14, 52, 32, 175_123, tzinfo=UTC)),
        ("2026-11-23T08:52:32.175-06:00", datetime(2026, 11, 23, 14, 52, 32, 175_000, tzinfo=UTC)),
        ("2026-11-23T14:52:32", datetime(2026, 11, 23, 14, 52, 32, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_every_precision(text: str, moment: datetime) -> None:
    assert parse.parse_time(text) == moment


def test_an_order_row_is_read_with_and_without_its_null_members() -> None:
    """L1 recorded shapes decode: REST sends nulls, the hub leaves them out."""
    bare = frames.order(7, 1, type=1, side=1, size=3, limitPrice=25010.25, fillVolume=1)
    full = {**bare, "updateTimestamp": None, "stopPrice": None, "filledPrice": None, "customTag": None}
    assert order_of(bare) == order_of(full)
    read = order_of({**full, "updateTimestamp": "2026-11-23T15:00:00Z", "customTag": "x", "parentOrderId": 6})
    assert (read.state, read.kind, read.side) == (OrderState.OPEN, OrderKind.LIMIT, OrderSide.ASK)
    assert (read.size, read.filled, read.limit_price) == (3, 1, Decimal("25010.25"))
    assert (read.updated_at.hour, read.tag, read.parent_id) == (15, "x", 6)


def test_a_state_newer_than_this_code_is_no_error() -> None:
    read = order_of(frames.order(7, 77, type=99))
    assert (read.state, read.kind) == (OrderState.NONE, OrderKind.UNKNOWN)


@pytest.mark.parametrize(("kind", "size", "net"), [(1, 2, 2), (2, 2, -2), (0, 0, 0)])
def test_a_position_is_signed_by_its_kind(kind: int, size: int, net: int) -> None:
    """G4 long, short and flat."""
    read = position_of(frames.position(kind, size))
    assert (read.net, read.average) == (net, Decimal("25000.25") if net else None)


def test_a_tick_in_scientific_notation_keeps_its_digits() -> None:
    row = frames.contract(tickSize=5e-07, tickValue=6.25)
    assert contract_of(row).tick == Decimal("0.0000005")


@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: {"action": 1, "data": row}])
def test_hub_events_are_read_wrapped_and_bare(wrap: Any) -> None:
    """L1 both envelopes of a hub event."""
    for target, row in [
        ("GatewayUserOrder", frames.order(7, 2)),
        ("gatewayusertrade", frames.trade(1, 7)),
        ("GATEWAYUSERPOSITION", frames.position(1, 1)),
        ("GatewayUserAccount", frames.account()),
    ]:
        assert len(parse.records_of(target, [wrap(row)])) == 1
    assert parse.records_of("GatewaySomethingElse", [wrap({})]) == []


def test_one_unreadable_row_hides_only_itself_on_the_hub_and_nothing_in_evidence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = [frames.order(7, 2), {"id": 8}, frames.order(9, 1)]
    assert [order.id for order in parse.rows_of(order_of, rows)] == [7, 9]
    assert "unreadable" in caplog.text
    with pytest.raises(OutcomeUnknown):
        parse.all_rows_of(order_of, rows)


def test_a_token_tells_its_end() -> None:
    ends = parse.token_expiry(frames.jwt(lifetime=timedelta(hours=24)))
    assert ends is not None
    assert timedelta(hours=23, minutes=59) < ends - datetime.now(UTC) <= timedelta(hours=24)


@pytest.mark.parametrize("token", ["", "abc", "a.b.c", "a.e30.c", "a.bnVsbA.c", "ä.ö.ü"])
def test_a_token_that_is_no_jwt_tells_nothing(token: str) -> None:
    assert parse.token_expiry(token) is None


def test_records_are_cut_wherever_the_messages_are() -> None:
    """I3 records split over messages, and several in one."""
    wire = invocation("A", [1], "1") + invocation("B", [{"x": "ü"}], "2") + invocation("C", [], "3")
    for size in (1, 7, len(wire)):
        records = Records()
        heard = [r for at in range(0, len(wire), size) for r in records.feed(wire[at : at + size])]
        assert [(r["target"], r["arguments"]) for r in heard] == [("A", [1]), ("B", [{"x": "ü"}]), ("C", [])]


@pytest.mark.parametrize("garbage", [b"{\x1e", b"[1]\x1e", b"\xff\x1e"])
def test_a_record_that_is_no_object_is_not_guessed_at(garbage: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        Records().feed(garbage)


CONTRACTS = {MNQ: contract_of(frames.MNQ_ROW)}
# 10:00 in Chicago; the day began at 23:00 UTC of the day before.
NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)
TODAY, YESTERDAY = "2026-11-23T23:00:00+00:00", "2026-11-23T22:59:59.999+00:00"


@pytest.mark.parametrize(
    ("rows", "realized", "fees"),
    [
        ([], "0", "0"),
        ([{"fees": 0.37}], "0", "0.37"),
        ([{"profitAndLoss": 50.0, "fees": 1.4}], "50", "1.4"),
        ([{"profitAndLoss": -12.5, "fees": 0.37, "commissions": 0.25}], "-12.5", "0.62"),
        ([{"profitAndLoss": 50.0, "fees": 1.4, "voided": True}], "0", "0"),
        ([{"profitAndLoss": 50.0, "fees": 1.4, "creationTimestamp": YESTERDAY}], "0", "0"),
        ([{"fees": 0.37}, {"profitAndLoss": 3.5, "fees": 0.37}], "3.5", "0.74"),
    ],
)
def test_the_days_result_is_counted_from_its_half_turns(rows: list[dict[str, Any]], realized: str, fees: str) -> None:
    trades = [trade_of(frames.trade(n, 7, **{"creationTimestamp": TODAY, **row})) for n, row in enumerate(rows)]
    assert day_pnl(trades, [], CONTRACTS, {}, NOW) == DayPnl(Decimal(realized), Decimal(0), Decimal(fees))


@pytest.mark.parametrize(
    ("net", "average", "last", "expected"),
    [
        (2, "25000.25", "25010.25", "40.0"),
        (-2, "25000.25", "25010.25", "-40.0"),
        (1, "25000.125", "25000.25", "0.25"),
        (1, "25000.25", None, None),
        (1, None, "25000.25", None),
        (0, None, None, "0"),
    ],
)
def test_what_is_open_is_valued_at_the_last_price(
    net: int, average: str | None, last: str | None, expected: str | None
) -> None:
    held = Position(frames.ACCOUNT_ID, MNQ, net, None if average is None else Decimal(average))
    prices = {} if last is None else {MNQ: Decimal(last)}
    assert unrealized([held], CONTRACTS, prices) == (None if expected is None else Decimal(expected))


def test_an_unpriced_position_leaves_the_days_total_open() -> None:
    held = Position(frames.ACCOUNT_ID, MNQ, 1, Decimal(25_000))
    assert day_pnl([], [held], CONTRACTS, {}, NOW).total is None
    assert day_pnl([], [held], CONTRACTS, {MNQ: Decimal(25_001)}, NOW).total == 2
