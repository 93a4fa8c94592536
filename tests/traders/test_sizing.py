"""Whole contracts, never more than was asked for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traders.settings import EffectiveSettings
from traders.sizing import SizeRefused, entry_quantity

unhurried = settings(deadline=None)


def sized(size: int = 1, multiplier: str | Decimal = "1", limit: int = 100) -> EffectiveSettings:
    return EffectiveSettings(size, Decimal(multiplier), limit, target_ticks=0, stop_ticks=0)


@pytest.mark.parametrize(
    ("size", "multiplier", "alert", "quantity"),
    [
        (1, "1", None, 1), (1, "1", "5", 1), (2, "1.5", "5", 3), (3, "0.5", None, 1), (1, "2.999", None, 2),
        (0, "1", "5", 5), (0, "1", "2.0", 2), (0, "0.5", "5", 2), (0, "2", "1.5", 3), (100, "1", None, 100),
    ],
)  # fmt: skip
def test_sizes(size: int, multiplier: str, alert: str | None, quantity: int) -> None:
    assert entry_quantity(sized(size, multiplier), None if alert is None else Decimal(alert)) == quantity


@pytest.mark.parametrize(
    ("size", "multiplier", "alert", "code", "text"),
    [
        (0, "1", None, "QUANTITY_MISSING", "states no quantity"),
        (0, "1", "0", "SIZE_BELOW_ONE", "had 0 x 1, limit 1"),
        (1, "0", None, "SIZE_BELOW_ONE", "had 1 x 0, limit 1"),
        (1, "0.999", None, "SIZE_BELOW_ONE", "limit 1"),
        (101, "1", None, "SIZE_ABOVE_LIMIT", "had 101, limit 100"),
        (0, "1", "10000", "SIZE_ABOVE_LIMIT", "had 10000, limit 100"),
    ],
)  # fmt: skip
def test_what_makes_no_size(size: int, multiplier: str, alert: str | None, code: str, text: str) -> None:
    with pytest.raises(SizeRefused, match=text) as caught:
        entry_quantity(sized(size, multiplier), None if alert is None else Decimal(alert))
    assert caught.value.code == code


@unhurried
@given(
    st.integers(0, 200),
    st.decimals(0, 1000, places=3),
    st.none() | st.decimals(0, 10_000, places=8),
    st.integers(0, 300),
)
def test_a_size_never_exceeds_what_was_asked_for_nor_the_limit(
    size: int, multiplier: Decimal, alert: Decimal | None, limit: int
) -> None:
    try:
        quantity = entry_quantity(sized(size, multiplier, limit), alert)
    except SizeRefused:
        return
    base = Decimal(size) if size > 0 else alert
    assert base is not None
    assert 1 <= quantity <= limit
    assert base * multiplier - 1 < quantity <= base * multiplier
