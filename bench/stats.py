"""Percentiles and ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile. Raises ValueError when there are no values."""
    if not values:
        raise ValueError("no values")
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def summary(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99, in the unit of `values`."""
    return {f"p{percent}": round(percentile(values, percent), 3) for percent in (50, 95, 99)}


def ratio(value: float, floor: float) -> float | None:
    """How many times the floor; None when the floor was too small to be measured."""
    return round(value / floor, 2) if floor > 0 else None
