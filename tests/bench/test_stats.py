from __future__ import annotations

import pytest

from bench.stats import percentile, ratio, summary


def test_percentiles_are_values_that_were_measured() -> None:
    assert [percentile(range(1, 101), percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([7.0], 99) == 7.0


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_a_summary_does_not_depend_on_order() -> None:
    assert summary([3.0, 1.0, 2.0]) == summary([1.0, 2.0, 3.0]) == {"p50": 2.0, "p95": 3.0, "p99": 3.0}


def test_a_floor_of_nothing_has_no_multiples() -> None:
    assert ratio(5.0, 2.0) == 2.5
    assert ratio(5.0, 0.0) is None
