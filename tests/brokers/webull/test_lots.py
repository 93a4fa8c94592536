"""Fills that are derived from what an order says of itself: each contract once, whatever was seen and when."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.base import OrderType, Side
from brokers.webull import lots
from brokers.webull.types import NORMAL, Market, OrderState, Status

ORDER = OrderState(
    client_order_id="c1", order_id="O1", combo_type=NORMAL, master=None, symbol="MNQZ6", market=Market.FUTURES,
    side=Side.BUY, status=Status.SUBMITTED, order_type=OrderType.LIMIT, qty=4, filled=0, average=None, limit=None,
    stop=None, step=None, at=None,
)  # fmt: skip


def _seen(filled: int, average: str, status: Status = Status.PARTIAL_FILLED, market: str = "FUTURES") -> OrderState:
    return replace(ORDER, filled=filled, average=Decimal(average), status=status, market=market)


def test_an_increments_price_is_what_moves_the_average() -> None:
    """G3: one at 100, then three more that bring the average to 103."""
    told = lots.Told()
    (first,) = lots.take(told, _seen(1, "100"))
    rest = lots.take(told, _seen(4, "103"))
    assert (first.end, first.qty, first.price) == (1, 1, Decimal(100))
    assert [(lot.end, lot.qty, lot.price) for lot in rest] == [(end, 1, Decimal(104)) for end in (2, 3, 4)]


def test_the_same_state_again_tells_nothing() -> None:
    """G6"""
    told = lots.Told()
    assert len(lots.take(told, _seen(2, "100"))) == 2
    assert lots.take(told, _seen(2, "100")) == []
    assert lots.take(told, _seen(1, "100")) == []


def test_without_an_average_nothing_is_told_yet() -> None:
    told = lots.Told()
    assert lots.take(told, replace(ORDER, filled=2)) == []
    assert len(lots.take(told, _seen(2, "100"))) == 2


@pytest.mark.parametrize("market", [Market.FUTURES, Market.EQUITY])
@given(looks=st.lists(st.integers(1, 700), min_size=1, max_size=6), restart=st.integers(0, 6))
def test_no_contract_is_told_twice_or_lost_whatever_was_seen(market: Market, looks: list[int], restart: int) -> None:
    """G6 I1: a ledger that keeps each fill's name once ends with exactly what was filled, also over a restart."""
    seen = sorted(looks)
    ledger: dict[int, int] = {}
    told = lots.Told()
    for index, filled in enumerate([*seen, seen[-1]]):
        if index == restart:
            told = lots.Told()
        status = Status.FILLED if index == len(seen) else Status.PARTIAL_FILLED
        for lot in lots.take(told, _seen(filled, "100", status, market)):
            assert ledger.get(lot.end, lot.qty) == lot.qty
            ledger[lot.end] = lot.qty
    assert sum(ledger.values()) == seen[-1]


def test_shares_come_in_coarser_lots_and_the_rest_when_the_order_ends() -> None:
    told = lots.Told()
    partly = lots.take(told, _seen(57, "10", market="EQUITY"))
    ended = lots.take(told, _seen(57, "10", Status.CANCELLED, "EQUITY"))
    assert sum(lot.qty for lot in partly) == 50
    assert [(lot.end, lot.qty) for lot in ended] == [(57, 7)]


def test_an_average_that_was_rounded_never_makes_a_price_of_nothing() -> None:
    told = lots.Told()
    lots.take(told, _seen(3, "1.0"))
    (last,) = lots.take(told, _seen(4, "0.7"))
    assert last.price == Decimal("0.7")
