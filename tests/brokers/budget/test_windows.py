"""The sliding window, beside a list that counts everything the slow way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from brokers.access import Priority
from brokers.budget.shares import part_of
from brokers.budget.windows import GRAINS, Window
from tests.brokers.budget.hands import START

MINUTE = 60_000_000
steps = st.lists(
    st.tuples(st.integers(0, MINUTE // 3), st.sampled_from(Priority), st.integers(1, 5)), min_size=1, max_size=80
)


def window(requests: int = 20, reserve: float = 0.1) -> Window:
    return Window(part_of(requests, reserve), MINUTE)


def spend(counted: Window, now: int, priority: Priority, cost: int = 1) -> int:
    opens = counted.opens_at(now, cost, priority)
    if opens == 0:
        counted.add(now, cost)
    return opens


def test_a_request_frees_the_moment_it_is_a_window_old() -> None:
    counted = window(requests=2, reserve=0)
    assert spend(counted, START, Priority.ENTRY) == 0
    assert spend(counted, START + 1_000_000, Priority.ENTRY) == 0
    assert spend(counted, START + 2_000_000, Priority.ENTRY) == START + MINUTE
    assert spend(counted, START + MINUTE - 1, Priority.ENTRY) == START + MINUTE
    assert spend(counted, START + MINUTE, Priority.ENTRY) == 0
    assert spend(counted, START + MINUTE, Priority.ENTRY) == START + 1_000_000 + MINUTE


def test_several_at_once_wait_until_all_of_them_fit() -> None:
    counted = window(requests=3, reserve=0)
    for second in range(3):
        spend(counted, START + second * 1_000_000, Priority.ENTRY)
    assert counted.opens_at(START + 3_000_000, 2, Priority.ENTRY) == START + 1_000_000 + MINUTE


def test_more_than_a_priority_may_ever_use_is_put_off_by_a_whole_window() -> None:
    assert window(requests=10).opens_at(START, 8, Priority.ENTRY) == START + MINUTE


def test_a_lower_priority_is_told_its_own_moment() -> None:
    counted = window(requests=10)
    for second in range(7):
        spend(counted, START + second * 1_000_000, Priority.ENTRY)
    now = START + 7_000_000
    assert counted.opens_at(now, 1, Priority.EXIT) == 0
    assert counted.opens_at(now, 1, Priority.ENTRY) == START + MINUTE
    assert counted.opens_at(now, 1, Priority.POLL) == START + 2_000_000 + MINUTE


def test_what_is_taken_back_was_never_spent_and_what_came_after_it_still_was() -> None:
    counted = window(requests=3, reserve=0)
    counted.add(START, 2)
    counted.add(START + 1_000_000, 1)
    counted.take_back(START, 2)
    assert list(counted.entries(START)) == [(START + 1_000_000, 1)]
    assert counted.opens_at(START + 1_000_000, 2, Priority.POLL) == 0
    assert counted.opens_at(START + 1_000_000, 3, Priority.POLL) == START + 1_000_000 + MINUTE


def test_what_another_process_spent_counts_until_its_own_time() -> None:
    counted = window(requests=2, reserve=0)
    counted.add(START, 1)
    counted.remember([(START - 1_000_000, 1)])
    assert counted.opens_at(START, 1, Priority.FLATTEN) == START - 1_000_000 + MINUTE


def test_what_is_held_back_is_for_flattens_only_and_comes_free() -> None:
    counted = window(requests=10, reserve=0)
    counted.hold(4, START + 30_000_000)
    counted.add(START, 6)
    assert counted.opens_at(START, 4, Priority.FLATTEN) == 0
    assert counted.opens_at(START, 1, Priority.STOP) == START + 30_000_000
    assert counted.opens_at(START + 30_000_000, 4, Priority.STOP) == 0


def test_a_clock_that_is_set_back_opens_nothing_early() -> None:
    counted = window(requests=2, reserve=0)
    counted.add(START, 1)
    counted.add(START - 5_000_000, 1)
    assert counted.opens_at(START - 5_000_000, 1, Priority.FLATTEN) == START + MINUTE


def test_a_window_keeps_a_bounded_number_of_entries() -> None:
    counted = Window(part_of(100_000, 0), MINUTE)
    for number in range(50_000):
        counted.add(START + number * 1_000, 1)
    assert len(list(counted.entries(START))) <= GRAINS + 1


@given(steps)
def test_no_window_ever_holds_more_than_the_rule(spends: list[tuple[int, Priority, int]]) -> None:
    counted, part, sent = window(), part_of(20, 0.1), []
    now = START
    for pause, priority, cost in spends:
        now += pause
        in_window = sum(c for at, c in sent if at + MINUTE > now)
        opens = spend(counted, now, priority, cost)
        if opens == 0:
            sent.append((now, cost))
            assert in_window + cost <= part.most(priority)
        else:
            assert opens > now


@given(steps)
def test_the_moment_it_names_is_right_and_at_most_a_grain_late(spends: list[tuple[int, Priority, int]]) -> None:
    counted, part, sent = window(), part_of(20, 0.1), []
    now = START
    for pause, priority, cost in spends:
        now += pause
        opens = spend(counted, now, priority, cost)
        if opens == 0:
            sent.append((now, cost))
        elif cost <= part.most(priority):
            early = opens - MINUTE // GRAINS - 1
            assert sum(c for at, c in sent if at + MINUTE > early) + cost > part.most(priority)
            assert counted.opens_at(opens, cost, priority) == 0


@given(st.lists(st.sampled_from([Priority.POLL, Priority.ENTRY, Priority.EXIT, Priority.STOP]), max_size=300))
def test_whatever_the_others_spend_a_flatten_within_the_reserve_passes(wanted: list[Priority]) -> None:
    counted = window(requests=100)
    for priority in wanted:
        spend(counted, START, priority)
    assert counted.opens_at(START, 10, Priority.FLATTEN) == 0


@given(st.lists(st.sampled_from([Priority.POLL, Priority.ENTRY]), max_size=300), st.integers(0, 10))
def test_whatever_polls_and_entries_spend_exits_and_then_stops_pass(wanted: list[Priority], exits: int) -> None:
    counted = window(requests=100)
    for priority in wanted:
        spend(counted, START, priority)
    assert [spend(counted, START, Priority.EXIT) for _ in range(exits)] == [0] * exits
    assert [spend(counted, START, Priority.STOP) for _ in range(10)] == [0] * 10
