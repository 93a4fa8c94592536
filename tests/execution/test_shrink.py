"""Before a part of a position is closed, no more contracts rest in exit legs than will stay."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.base import OrderRole, OrderStatus, OrderType, Side
from execution import shrink
from execution.models import IntentKind, Order
from execution.shrink import Cut, cuts_before
from execution.submitting import Due
from tests.factories import OrderFactory, OrderIntentFactory

unhurried = settings(deadline=None)
ENTRY, ADD = UUID(int=1), UUID(int=2)


def due(kind: IntentKind, leaves: int | None = None, **fields: Any) -> Due:
    return Due(
        id=UUID(int=9), owner_id=UUID(int=9), trader_id=UUID(int=9), account_id=UUID(int=9), kind=kind.value,
        client_order_id="", symbol="MNQZ6", side=Side.SELL.value, qty=1, bracket=(), order_type="market", price=None,
        broker_id="1", account_name="A", login_id=UUID(int=9), leaves_qty=leaves, **fields,
    )  # fmt: skip


def leg(number: int, role: OrderRole, place: int | None, qty: int, **fields: Any) -> Order:
    usual = {"intent_id": ENTRY, "status": OrderStatus.WORKING, "order_type": OrderType.LIMIT}
    return Order(id=UUID(int=number), role=role, target_index=place, qty=qty, **{**usual, **fields})


def pair(number: int, place: int, qty: int, **fields: Any) -> list[Order]:
    """A target and its stop, numbered `number` and `number` + 1."""
    return [
        leg(number, OrderRole.TARGET, place, qty, **fields),
        leg(number + 1, OrderRole.STOP, place, qty, **{"order_type": OrderType.STOP, **fields}),
    ]


def cut(orders: list[Order], kind: IntentKind, leaves: int | None = None, **fields: Any) -> dict[int, int] | None:
    cuts = cuts_before(due(kind, leaves, **fields), orders)
    return None if cuts is None else {one.order_id.int: one.wanted_qty for one in cuts}


THREE_TARGETS = [*pair(10, 0, 5), *pair(20, 1, 3), *pair(30, 2, 2)]


@pytest.mark.parametrize(
    ("leaves", "wanted"),
    [
        (10, None),
        (12, None),
        (9, {10: 4, 11: 4}),
        (5, {10: 0, 11: 0}),
        (4, {10: 0, 11: 0, 20: 2, 21: 2}),
        (2, {10: 0, 11: 0, 20: 0, 21: 0}),
        (1, {10: 0, 11: 0, 20: 0, 21: 0, 30: 1, 31: 1}),
        (0, {10: 0, 11: 0, 20: 0, 21: 0, 30: 0, 31: 0}),
    ],
)
def test_the_nearest_targets_give_way_first_each_with_its_stop(leaves: int, wanted: dict[int, int] | None) -> None:
    assert cut(THREE_TARGETS, IntentKind.REDUCE, leaves) == wanted
    assert cut(THREE_TARGETS[::-1], IntentKind.REDUCE, leaves) == wanted


def test_the_whole_quantity_is_named_filled_contracts_included() -> None:
    orders = pair(10, 0, 5, filled_qty=2, status=OrderStatus.PARTIALLY_FILLED)
    assert cut(orders, IntentKind.REDUCE, 1) == {10: 3, 11: 3}
    assert cut(orders, IntentKind.REDUCE, 0) == {10: 0, 11: 0}
    assert cut(orders, IntentKind.REDUCE, 3) is None


def test_a_leg_that_is_smaller_already_stays() -> None:
    orders = [leg(10, OrderRole.TARGET, 0, 5, filled_qty=3), leg(11, OrderRole.STOP, 0, 5)]
    assert cut(orders, IntentKind.REDUCE, 3) == {11: 3}


def test_legs_of_an_add_are_pairs_of_their_own() -> None:
    orders = [*pair(10, 0, 2), *pair(20, 0, 2, intent_id=ADD), *pair(30, 1, 2)]
    assert cut(orders, IntentKind.REDUCE, 3) in ({10: 0, 11: 0, 20: 1, 21: 1}, {10: 1, 11: 1, 20: 0, 21: 0})


def test_a_lone_stop_counts_with_its_place() -> None:
    rest = leg(40, OrderRole.STOP, 3, 4, order_type=OrderType.STOP)
    assert cut([*pair(10, 0, 2), rest], IntentKind.REDUCE, 4) == {10: 0, 11: 0}
    assert cut([*pair(10, 0, 2), rest], IntentKind.REDUCE, 3) == {10: 0, 11: 0, 40: 3}


def test_a_stop_without_a_place_is_cut_to_what_stays_and_has_no_stop_of_its_own() -> None:
    whole = leg(40, OrderRole.STOP, None, 6, order_type=OrderType.STOP)
    targets = [leg(41, OrderRole.TARGET, 0, 2), leg(42, OrderRole.TARGET, 1, 2)]
    assert cut([whole, *targets], IntentKind.REDUCE, 6) is None
    assert cut([whole, *targets], IntentKind.REDUCE, 5) == {40: 5}, "two contracts run without a target"
    assert cut([whole, *targets], IntentKind.REDUCE, 3) == {40: 3, 41: 1}
    assert cut([whole, *pair(10, 0, 2)], IntentKind.REDUCE, 5) == {40: 3}
    assert cut([whole, *targets], IntentKind.EXIT, is_shared=True) == {40: 0, 41: 0, 42: 0}


WAITING = [
    leg(50, OrderRole.ENTRY, None, 2),
    leg(51, OrderRole.ENTRY, None, 2, filled_qty=1, status=OrderStatus.PARTIALLY_FILLED),
]


def test_an_exit_that_the_venue_flattens_only_waits_for_entries_to_be_canceled() -> None:
    assert cut([*THREE_TARGETS, *WAITING], IntentKind.EXIT) == {50: 0, 51: 0}
    assert cut(THREE_TARGETS, IntentKind.EXIT) is None
    assert cut([], IntentKind.EXIT) is None


def test_an_exit_beside_another_trader_cancels_its_own_legs_too() -> None:
    shared = cut([*THREE_TARGETS, *WAITING], IntentKind.EXIT, is_shared=True)
    assert shared == {10: 0, 11: 0, 20: 0, 21: 0, 30: 0, 31: 0, 50: 0, 51: 0}
    assert cut([], IntentKind.EXIT, is_shared=True) is None


def test_a_partial_exit_leaves_waiting_entries_alone() -> None:
    assert cut([*THREE_TARGETS, *WAITING], IntentKind.REDUCE, 10) is None
    assert cut([*THREE_TARGETS, *WAITING], IntentKind.REDUCE, 9) == {10: 4, 11: 4}


def test_an_entry_that_may_not_have_arrived_is_not_canceled_here() -> None:
    for status in (OrderStatus.SUBMITTING, OrderStatus.UNKNOWN):
        assert cut([leg(50, OrderRole.ENTRY, None, 2, status=status)], IntentKind.EXIT) is None


@unhurried
@given(
    st.lists(
        st.tuples(st.sampled_from([ENTRY, ADD]), st.integers(0, 3), st.integers(1, 9), st.integers(0, 8)), max_size=6
    ),
    st.integers(0, 30),
)
def test_what_stays_in_legs_is_what_stays_and_no_less_than_can_be(
    rows: list[tuple[UUID, int, int, int]], leaves: int
) -> None:
    kept = {(intent, place): (qty, min(filled, qty - 1)) for intent, place, qty, filled in rows}
    orders = [
        order
        for number, ((intent, place), (qty, filled)) in enumerate(kept.items())
        for order in pair(10 * number, place, qty, filled_qty=filled, intent_id=intent)
    ]
    cuts = cut(orders, IntentKind.REDUCE, leaves) or {}
    before = sum(order.qty - order.filled_qty for order in orders) // 2
    after = 0
    for order in orders:
        wanted = cuts.get(order.id.int, order.qty)
        assert wanted == 0 or order.filled_qty < wanted <= order.qty
        after += max(0, wanted - order.filled_qty)
    assert after // 2 == min(before, leaves), "no contract more is left without a stop than is sold"


@pytest.mark.django_db
@pytest.mark.parametrize(("sent_at", "attempts"), list(product([None, "2026-11-23T14:35:00Z"], [0, 10])))
def test_a_cut_is_a_new_wish_whatever_became_of_the_one_before(sent_at: str | None, attempts: int) -> None:
    order = OrderFactory(
        intent=OrderIntentFactory(), role="stop", status="working", qty=3, wanted_qty=3, wanted_price=Decimal(24_990),
        change_sent_at=sent_at, change_attempts=attempts,
    )  # fmt: skip
    shrink.wish_for([Cut(order.id, 2)])
    order.refresh_from_db()
    assert (order.wanted_qty, order.wanted_price) == (2, 24_990)
    assert (order.change_sent_at, order.change_attempts) == (None, 0)
