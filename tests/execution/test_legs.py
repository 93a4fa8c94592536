"""Where exit legs belong, and how many contracts are in them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from brokers.base import OrderRole, OrderStatus, OrderType
from execution.legs import sizes_at_work, sizes_of, tend
from execution.models import Order, Position
from recorders.settings import read_settings
from tests.traders.cases import MNQ, targets
from traders.exits import template_of

D = Decimal
TARGET, STOP = OrderRole.TARGET, OrderRole.STOP
TWO_TARGETS = {"targets": targets((40, 50), (80, 50)), "stop_distance": 20}


def held(net_qty: int, average: str | None, *, is_at_break_even: bool = False, **fields: Any) -> Position:
    template = template_of(read_settings(fields or TWO_TARGETS), MNQ, D(1))
    return Position(
        symbol=MNQ.symbol, net_qty=net_qty, avg_price=None if average is None else D(average), exits=template.text,
        is_at_break_even=is_at_break_even,
    )  # fmt: skip


def leg(role: OrderRole, place: int | None, price: str | int, **fields: Any) -> Order:
    shown = {"price": D(price)} if role is TARGET else {"stop_price": D(price)}
    usual = {
        "qty": 1,
        "status": OrderStatus.WORKING,
        "order_type": OrderType.LIMIT if role is TARGET else OrderType.STOP,
    }
    return Order(id=UUID(int=place or 0), role=role, target_index=place, **{**usual, **shown, **fields})


def moved(position: Position, *legs: Order) -> list[tuple[int | None, Decimal | None]]:
    return [(order.wanted_qty, order.wanted_price) for order in tend(position, legs)]


def test_legs_follow_the_average_on_both_sides() -> None:
    legs = [leg(TARGET, 0, 25_000), leg(STOP, 0, 25_000), leg(TARGET, 1, 25_000), leg(STOP, 1, 25_000)]
    assert moved(held(2, "25000.10"), *legs) == [
        (1, D("25010.00")),
        (1, D("24995.25")),
        (1, 25_020),
        (1, D("24995.25")),
    ]
    legs = [leg(TARGET, 0, 25_000), leg(STOP, 0, 25_000)]
    assert moved(held(-2, "25000.10"), *legs) == [(1, D("24990.25")), (1, D("25005.00"))]


def test_a_leg_that_is_where_it_belongs_is_left_alone() -> None:
    assert moved(held(2, "25000"), leg(TARGET, 0, "25010.0000000000"), leg(STOP, 0, 24_995)) == []
    asked = leg(TARGET, 0, 25_000, wanted_qty=1, wanted_price=D(25_010))
    assert moved(held(2, "25000"), asked) == [], "it has been asked for already"


def test_a_leg_that_is_to_go_elsewhere_is_called_back() -> None:
    on_its_way = leg(TARGET, 0, 25_010, wanted_qty=1, wanted_price=D(25_999))
    assert moved(held(2, "25000"), on_its_way) == [(1, 25_010)]


def test_a_cut_that_is_under_way_keeps_its_quantity_and_a_cancel_stays_one() -> None:
    assert moved(held(2, "25000"), leg(TARGET, 0, 25_000, qty=3, wanted_qty=2)) == [(2, 25_010)]
    assert moved(held(2, "25000"), leg(TARGET, 0, 25_000, wanted_qty=0)) == []


@pytest.mark.parametrize("status", [status for status in OrderStatus if status not in {"working", "partially_filled"}])
def test_only_working_legs_are_moved(status: OrderStatus) -> None:
    assert moved(held(2, "25000"), leg(STOP, 0, 25_000, status=status)) == []


@pytest.mark.parametrize(
    "position", [held(0, None), held(2, None), Position(symbol=MNQ.symbol, net_qty=2, avg_price=D(25_000), exits="")]
)
def test_without_a_position_an_average_or_exits_nothing_moves(position: Position) -> None:
    assert moved(position, leg(STOP, 0, 1), leg(TARGET, 0, 2)) == []


def test_the_venue_moves_what_it_trails() -> None:
    trailing = {**TWO_TARGETS, "stop_type": "trailing"}
    assert moved(held(2, "25000", **trailing), leg(STOP, 0, 24_000), leg(TARGET, 0, 24_000)) == [(1, 25_010)]
    by_the_venue = leg(STOP, 0, 24_000, order_type=OrderType.TRAILING_STOP)
    assert moved(held(2, "25000"), by_the_venue) == []


def test_at_break_even_stops_rest_at_the_entry_and_targets_stay() -> None:
    fields = {**TWO_TARGETS, "break_even_ticks": 10, "break_even_offset_ticks": 2}
    position = held(2, "25000", is_at_break_even=True, **fields)
    assert moved(position, leg(STOP, 0, 24_995), leg(STOP, 1, 24_995), leg(TARGET, 0, 25_010)) == [
        (1, D("25000.50")), (1, D("25000.50")),
    ]  # fmt: skip


def test_a_leg_of_another_template_is_left_alone() -> None:
    assert moved(held(2, "25000"), leg(TARGET, 2, 1), leg(TARGET, None, 1)) == []


def test_a_template_without_a_stop_does_not_move_one() -> None:
    assert moved(held(2, "25000", targets=targets((40, None))), leg(STOP, 0, 1)) == []


def test_a_pair_counts_once_and_filled_contracts_do_not() -> None:
    legs = [
        leg(TARGET, 0, 1, qty=5, filled_qty=2), leg(STOP, 0, 1, qty=3),
        leg(TARGET, 1, 1, qty=2), leg(STOP, 1, 1, qty=2), leg(TARGET, 1, 1, qty=1), leg(STOP, 1, 1, qty=1),
        leg(STOP, 2, 1, qty=4), leg(TARGET, None, 1, qty=9),
    ]  # fmt: skip
    assert sizes_at_work(legs, 3) == (3, 3, 4)
    assert sizes_at_work(legs, 4) == (3, 3, 4, 0)
    assert sizes_at_work([], 2) == (0, 0)


def test_a_stop_without_a_place_covers_targets_first_and_then_what_no_target_closes() -> None:
    whole, targets_only = leg(STOP, None, 1, qty=5), [leg(TARGET, 0, 1, qty=2), leg(TARGET, 1, 1, qty=1)]
    assert sizes_at_work([whole, *targets_only], 3) == (2, 1, 2)
    assert sizes_at_work([whole], 3) == (0, 0, 5)
    assert sizes_of([whole, *targets_only], TARGET, 3) == (2, 1, 0)
    assert sizes_of([whole, *targets_only], STOP, 3) == (0, 0, 5)
