"""Sliding windows: exact counts, whoever asks at once, and nothing kept for longer than a minute."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.throttle import MINUTE, Windows, is_runaway, share_of

NOW = datetime(2026, 11, 23, 14, 35, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_each_key_is_counted_by_itself() -> None:
    windows = Windows()
    assert [windows.ask("a", NOW), windows.ask("a", NOW), windows.ask("b", NOW)] == [1, 2, 1]


@pytest.mark.parametrize(("seconds", "left"), [(0, 3), (59.999, 3), (60, 1), (120, 1)])
def test_a_minute_later_it_is_forgotten(seconds: float, left: int) -> None:
    windows = Windows()
    windows.ask("a", NOW)
    windows.ask("a", NOW)
    assert windows.ask("a", later(seconds)) == left


def test_what_was_not_wanted_after_all_does_not_count() -> None:
    windows = Windows()
    windows.ask("a", NOW)
    windows.ask("a", later(1))
    windows.take_back("a", later(1))
    windows.take_back("a", later(2))
    windows.take_back("b", NOW)
    assert windows.ask("a", later(2)) == 2
    assert windows.ask("a", later(60)) == 2


@given(st.lists(st.integers(0, 180), max_size=60).map(sorted))
def test_it_counts_what_a_plain_list_would(moments: list[int]) -> None:
    windows = Windows()
    for number, second in enumerate(moments):
        expected = sum(1 for other in moments[: number + 1] if second - other < MINUTE.seconds)
        assert windows.ask("a", later(second)) == expected


def test_threads_that_ask_at_once_each_get_a_number_of_their_own() -> None:
    windows = Windows()
    with ThreadPoolExecutor(8) as pool:
        given_out = list(pool.map(lambda _: windows.ask("a", NOW), range(400)))
    assert sorted(given_out) == list(range(1, 401))


@pytest.mark.parametrize(("had", "limit", "runs"), [(120, 60, False), (121, 60, True), (61, 60, False)])
def test_more_than_twice_the_limit_is_a_runaway(had: int, limit: int, *, runs: bool) -> None:
    assert is_runaway(had, limit) is runs


def test_a_lane_has_its_share_of_what_counts_for_all() -> None:
    assert [share_of(100, 1), share_of(100, 3), share_of(2, 8)] == [100, 33, 1]
