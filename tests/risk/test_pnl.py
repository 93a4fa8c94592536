"""Average-price arithmetic against books that keep every open contract as its own lot, in fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.base import Side
from brokers.instruments import products
from risk.pnl import Holding, after_fill, open_pnl

unhurried = settings(deadline=None)
FillRow = tuple[Side, int, Decimal]


class Lots:
    """Net position and cash: what was paid and received decides, no averages involved."""

    def __init__(self, point_value: Decimal) -> None:
        self.point_value = Fraction(point_value)
        self.net = 0
        self.cash = Fraction(0)

    def fill(self, side: Side, qty: int, price: Decimal) -> None:
        self.net += side.sign * qty
        self.cash -= side.sign * qty * Fraction(price) * self.point_value

    def equity(self, price: Decimal) -> Fraction:
        return self.cash + self.net * Fraction(price) * self.point_value


def replay(fills: list[FillRow], point_value: Decimal) -> Holding:
    held = Holding()
    for side, qty, price in fills:
        held = after_fill(held, side, qty, price, point_value)
    return held


@pytest.mark.parametrize(
    ("fills", "net", "average", "realized"),
    [
        ([(Side.BUY, 2, "100")], 2, "100", "0"),
        ([(Side.BUY, 1, "100"), (Side.BUY, 3, "104")], 4, "103", "0"),
        ([(Side.BUY, 2, "100"), (Side.SELL, 1, "110")], 1, "100", "20"),
        ([(Side.BUY, 2, "100"), (Side.SELL, 2, "95")], 0, None, "-20"),
        ([(Side.SELL, 2, "100"), (Side.BUY, 2, "95")], 0, None, "20"),
        ([(Side.BUY, 1, "100"), (Side.SELL, 3, "110")], -2, "110", "20"),
        ([(Side.SELL, 1, "100"), (Side.BUY, 1, "100"), (Side.BUY, 1, "90")], 1, "90", "0"),
    ],
)
def test_two_dollars_a_point(fills: list[tuple[Side, int, str]], net: int, average: str | None, realized: str) -> None:
    held = replay([(side, qty, Decimal(price)) for side, qty, price in fills], Decimal(2))
    assert held == Holding(net, None if average is None else Decimal(average), Decimal(realized))


prices = st.decimals(Decimal("-50"), Decimal(50_000), places=2)
some_fills = st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 50), prices), max_size=30)


@unhurried
@given(some_fills, st.sampled_from([Decimal("0.5"), Decimal(2), Decimal(1000)]), prices)
def test_realised_and_open_together_are_what_was_paid_and_received(
    fills: list[FillRow], point_value: Decimal, last: Decimal
) -> None:
    lots = Lots(point_value)
    for fill in fills:
        lots.fill(*fill)
    held = replay(fills, point_value)
    assert held.net_qty == lots.net
    assert (held.avg_price is None) == (lots.net == 0)
    floating = Decimal(0) if held.avg_price is None else open_pnl(held.net_qty, held.avg_price, last, point_value)
    error = abs(Fraction(held.realized_pnl) + Fraction(floating) - lots.equity(last))
    assert error < Fraction(1, 10**9), "28 digits leave no visible rounding"


@unhurried
@given(st.integers(1, 50), st.integers(-2000, 2000), st.integers(1, 2000))
def test_the_yens_twelve_and_a_half_million_a_point(qty: int, ticks: int, start: int) -> None:
    yen = products()["6J"]
    entry = start * yen.tick
    held = replay([(Side.BUY, qty, entry), (Side.SELL, qty, entry + ticks * yen.tick)], yen.point_value)
    assert held == Holding(0, None, qty * ticks * Decimal("6.25"))


def test_a_short_gains_when_the_price_falls() -> None:
    assert open_pnl(-2, Decimal(100), Decimal(95), Decimal(2)) == 20
    assert open_pnl(-2, Decimal(100), Decimal(105), Decimal(2)) == -20
