"""Ticks become price points; 0 places nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.instruments import products
from traders.exits import stop_distance, target_distance
from traders.settings import EffectiveSettings


def ticks(target: int, stop: int) -> EffectiveSettings:
    return EffectiveSettings(1, Decimal(1), 100, target_ticks=target, stop_ticks=stop)


def test_distances_in_points() -> None:
    assert target_distance(ticks(40, 20), Decimal("0.25")) == 10
    assert stop_distance(ticks(40, 20), Decimal("0.25")) == 5
    assert stop_distance(ticks(40, 3), Decimal("0.0000005")) == Decimal("0.0000015")


def test_zero_places_nothing() -> None:
    assert target_distance(ticks(0, 20), Decimal("0.25")) is None
    assert stop_distance(ticks(40, 0), Decimal("0.25")) is None


@pytest.mark.parametrize("root", sorted(products()))
def test_every_distance_is_a_whole_number_of_ticks(root: str) -> None:
    tick = products()[root].tick
    for count in (1, 7, 40, 1000):
        distance = stop_distance(ticks(0, count), tick)
        assert distance is not None
        assert distance / tick == count
