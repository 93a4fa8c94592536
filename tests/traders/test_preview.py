from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from brokers.base import Side
from brokers.instruments import UnknownTicker
from recorders.settings import read_settings
from traders.preview import PreviewLeg, preview_legs

HALVES = [{"distance": 40, "trim": 50}, {"distance": 80, "trim": 50}]


def legs(size: int, side: Side = Side.BUY, multiplier: Decimal = Decimal(1), **given: Any) -> list[tuple[Any, ...]]:
    rows = preview_legs(read_settings(given), "NQ1!", side, Decimal(20_000), multiplier)
    return [(leg.contracts, leg.target_price, leg.stop_price) for leg in rows[size - 1].legs]


def test_each_leg_with_its_prices() -> None:
    assert legs(1, targets=HALVES, stop_distance=20) == [(1, 20_010, 19_995)]
    assert legs(2, targets=HALVES, stop_distance=20) == [(1, 20_010, 19_995), (1, 20_020, 19_995)]
    assert legs(5, Side.SELL, targets=HALVES) == [(3, 19_990, None), (2, 19_980, None)]


def test_what_no_target_closes_is_the_last_leg() -> None:
    targets = [{"distance": 40, "trim": 1, "trim_unit": "contracts"}, {"distance": 80, "trim": 25}]
    assert legs(5, targets=targets, stop_distance=20) == [(1, 20_010, 19_995), (1, 20_020, 19_995), (3, None, 19_995)]
    assert legs(5, multiplier=Decimal(3), targets=targets[:1]) == [(3, 20_010, None), (2, None, None)]


def test_without_exits_every_size_is_one_leg() -> None:
    rows = preview_legs(read_settings({}), "MES1!", Side.BUY, Decimal(6_000))
    assert [row.legs for row in rows] == [(PreviewLeg(size, None, None),) for size in range(1, 11)]


def test_sizes_sum_and_no_leg_shrinks_as_the_position_grows() -> None:
    targets = [{"distance": 10, "trim": 33}, {"distance": 20, "trim": 33}, {"distance": 30, "trim": 10}]
    rows = preview_legs(read_settings({"targets": targets}), "NQ1!", Side.BUY, Decimal(20_000))
    by_price = [{leg.target_price: leg.contracts for leg in row.legs} for row in rows]
    assert [sum(sizes.values()) for sizes in by_price] == list(range(1, 11))
    for smaller, larger in pairwise(by_price):
        assert all(larger[price] >= contracts for price, contracts in smaller.items())


def test_a_distance_of_nothing_is_a_tick_and_a_stated_price_is_kept() -> None:
    assert legs(1, stop_distance=20_000, stop_unit="price") == [(1, None, Decimal(20_000))]
    rows = preview_legs(read_settings({"stop_distance": 1, "stop_unit": "percent"}), "CL1!", Side.BUY, Decimal(0))
    assert rows[0].legs == (PreviewLeg(1, None, Decimal("-0.01")),)


def test_an_unknown_ticker() -> None:
    with pytest.raises(UnknownTicker):
        preview_legs(read_settings({}), "NOTHING", Side.BUY, Decimal(1))
