"""Where a strategy stands, whatever order its alerts come in and whichever of them are lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise, permutations
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recorders.chain import Chain, Link, Step, advance, end_of_walk

unhurried = settings(deadline=None)
START = datetime(2026, 11, 23, 14, 35, tzinfo=UTC)
Alert = tuple[int, int, int | None]
"""Position before and after, and the second, None without the alert's own time."""


def send(alerts: list[Alert], chain: Chain | None = None) -> list[Step]:
    steps: list[Step] = []
    for before, after, second in alerts:
        known = steps[-1].chain if steps else chain or Chain()
        fired_at = None if second is None else START + timedelta(seconds=second)
        step = advance(known, Decimal(before), Decimal(after), fired_at)
        assert step.after == step.chain.tip, "what is handed on is where the strategy now stands"
        assert known.tip is None or step.before == known.tip, "and it begins where the last one ended"
        steps.append(step)
    return steps


def standing_at(tip: int, second: int = 0) -> Chain:
    """A chain that is known to stand at `tip`, by an alert long before."""
    return send([(0, 0, second - 2), (0, tip, second - 1)])[-1].chain


def links(steps: list[Step]) -> list[str]:
    return [step.link.value for step in steps]


def tips(steps: list[Step]) -> list[int]:
    return [int(step.after) for step in steps]


STREAMS: dict[str, tuple[list[Alert], str, list[int]]] = {
    "S1 entry and exit": ([(0, 1, 1), (1, 0, 1801)], "first in_order", [1, 0]),
    "S2 pyramiding": (
        [(0, 1, 1), (1, 2, 2), (2, 3, 3), (3, 0, 4)], "first in_order in_order in_order", [1, 2, 3, 0],
    ),
    "S3 scale-out": (
        [(0, 3, 1), (3, 2, 2), (2, 1, 3), (1, 0, 4)], "first in_order in_order in_order", [3, 2, 1, 0],
    ),
    "S4 two targets in one second": ([(0, -2, 0), (-2, -1, 303), (-1, 0, 303)], "first in_order in_order", [-2, -1, 0]),
    "S4 swapped": ([(0, -2, 0), (-1, 0, 303), (-2, -1, 303)], "first gap reordered", [-2, 0, 0]),
    "S5 one-order reversal": (
        [(0, -1, 1), (-1, 1, 2), (1, -1, 3), (-1, 0, 4)], "first in_order in_order in_order", [-1, 1, -1, 0],
    ),
    "S6 close and entry": ([(0, 2, 1), (2, 0, 600), (0, -2, 600)], "first in_order in_order", [2, 0, -2]),
    "S6 swapped": ([(0, 2, 1), (0, -2, 600), (2, 0, 600)], "first gap reordered", [2, -2, -2]),
    "S7 once its resends are dropped": ([(0, 1, 1), (1, 0, 99)], "first in_order", [1, 0]),
    "S8 missed exit": ([(0, 1, 1), (0, -1, 60)], "first gap", [1, -1]),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_the_eight_streams(name: str) -> None:
    alerts, expected_links, expected_tips = STREAMS[name]
    steps = send(alerts)
    assert links(steps) == expected_links.split()
    assert tips(steps) == expected_tips
    assert steps[-1].chain.is_desynced == name.startswith("S8")


@pytest.mark.parametrize(
    "walk",
    [(2, 0, -2), (0, 1, 2, 3), (3, 2, 1, 0), (0, 1, 0, -1), (1, 0, 1, 2), (-1, 1, 1, 0), (0, 1, 0, 1, 0), (2, -2, 2)],
)
def test_alerts_of_one_second_end_at_the_same_place_in_every_order(walk: tuple[int, ...]) -> None:
    edges = [(before, after, 10) for before, after in pairwise(walk)]
    for arrived in permutations(edges):
        last = send(list(arrived), standing_at(walk[0], second=9))[-1].chain
        assert (last.tip, last.is_desynced) == (walk[-1], False), arrived
        following = send([(walk[-1], 7, 11)], last)[-1]
        assert following.link is Link.IN_ORDER


@pytest.mark.parametrize("walk", [(2, 0, -2), (0, 1, 2, 3), (3, 2, 1), (0, -2, -1, 1)])
def test_the_very_first_second_may_arrive_in_every_order_too(walk: tuple[int, ...]) -> None:
    for arrived in permutations([(before, after, 10) for before, after in pairwise(walk)]):
        last = send(list(arrived))[-1].chain
        assert (last.tip, last.is_desynced) == (walk[-1], False), arrived


def test_a_first_second_that_ends_where_it_began_is_believed_in_the_order_it_came() -> None:
    """Nothing is known before it, so both orders make sense; the one that came is the likelier."""
    assert tips(send([(0, 1, 5), (1, 0, 5)])) == [1, 0]
    assert tips(send([(1, 0, 5), (0, 1, 5)])) == [0, 1]


def test_the_first_alert_may_come_in_the_middle_of_a_position() -> None:
    steps = send([(3, 2, 1), (2, 0, 2)])
    assert (links(steps), tips(steps)) == (["first", "in_order"], [2, 0])
    assert (steps[0].before, steps[0].after) == (3, 2), "its own statement is all that is known"


def test_a_lost_alert_is_a_gap_and_the_newest_statement_counts() -> None:
    steps = send([(0, 1, 1), (2, 3, 9)])
    assert (steps[1].link, steps[1].before, steps[1].after) == (Link.GAP, 1, 3)
    assert steps[1].chain.missing == (1, 2)
    assert steps[1].chain.is_desynced


def test_the_next_alert_in_order_makes_a_gap_history() -> None:
    steps = send([(0, 1, 1), (2, 3, 9), (3, 0, 20)])
    assert (steps[2].link, steps[2].chain.is_desynced) == (Link.IN_ORDER, False)


def test_a_late_resend_moves_nothing() -> None:
    chain = standing_at(2)
    for late in [(0, 1, -10), (2, 0, -10), (5, -5, -10), (2, 2, -10)]:
        [step] = send([late], chain)
        assert (step.link, step.before, step.after, step.chain) == (Link.LATE, 2, 2, chain)


def test_a_late_resend_ends_the_gap_that_it_bridges() -> None:
    steps = send([(0, 1, 1), (2, 3, 9), (1, 2, 5)])
    assert (links(steps), tips(steps)) == (["first", "gap", "late"], [1, 3, 3])
    assert [step.chain.is_desynced for step in steps] == [False, True, False]


def test_several_late_ones_may_bridge_a_gap_together_in_any_order() -> None:
    for late in permutations([(1, 2, 3), (2, 5, 4), (5, 4, 5)]):
        steps = send([(0, 1, 1), (4, 3, 9), *late])
        assert [step.chain.is_desynced for step in steps] == [False, True, True, True, False], late
        assert tips(steps)[-1] == 3


def test_a_late_one_that_is_no_part_of_a_gap_does_not_end_it() -> None:
    assert send([(0, 1, 1), (2, 3, 9), (7, 8, 5)])[-1].chain.is_desynced
    assert send([(0, 1, 1), (2, 3, 9), (0, 2, 5)])[-1].chain.is_desynced


def test_a_gap_is_ended_by_a_late_one_together_with_one_that_came_swapped() -> None:
    steps = send([(0, 0, 1), (2, 3, 9), (1, 2, 9), (0, 1, 5)])
    assert (links(steps), tips(steps)) == (["first", "gap", "reordered", "late"], [0, 3, 3, 3])
    assert not steps[-1].chain.is_desynced


def test_alerts_without_a_time_count_in_the_order_they_come() -> None:
    steps = send([(0, 1, None), (1, 2, None), (2, 0, None), (1, 0, None)])
    assert links(steps) == ["first", "in_order", "in_order", "gap"]
    assert tips(steps) == [1, 2, 0, 0]


def test_an_alert_without_a_time_is_newer_than_those_with_one() -> None:
    steps = send([(0, 1, 100), (1, 2, None), (2, 3, 101), (1, 2, 50)])
    assert (links(steps), tips(steps)) == (["first", "in_order", "in_order", "late"], [1, 2, 3, 3])


def test_a_statement_that_nothing_changed_stays_in_the_chain() -> None:
    steps = send([(0, 1, 1), (1, 1, 2), (1, 0, 3)])
    assert (links(steps), tips(steps)) == (["first", "in_order", "in_order"], [1, 1, 0])


places = st.lists(st.integers(-3, 3), min_size=2, max_size=8)


def delivered(walk: list[int], is_new_second: list[bool], shuffle: Random) -> list[list[Alert]]:
    """The walk's alerts by second, those of one second in any order."""
    second, alerts = 1, []
    for index, (before, after) in enumerate(pairwise(walk)):
        second += 1 if is_new_second[index] else 0
        alerts.append((before, after, second))
    seconds = [list(group) for _, group in groupby(alerts, key=lambda alert: alert[2])]
    for group in seconds:
        shuffle.shuffle(group)
    return seconds


@unhurried
@given(
    walk=places, is_new_second=st.lists(st.booleans(), min_size=7, max_size=7),
    shuffle=st.randoms(use_true_random=False), is_known=st.booleans(),
)  # fmt: skip
def test_any_walk_ends_where_it_ends(
    *, walk: list[int], is_new_second: list[bool], shuffle: Random, is_known: bool
) -> None:
    seconds = delivered(walk, is_new_second, shuffle)
    if not is_known:
        first = {place for before, after, _ in seconds[0] for place in (before, after)}
        assume(len(seconds[0]) == 1 or walk[0] != walk[len(seconds[0])] or len(first) == 1)
    chain = standing_at(walk[0]) if is_known else Chain()
    for number, group in enumerate(seconds, start=1):
        chain = send(list(group), chain)[-1].chain
        assert chain.tip == walk[sum(len(one) for one in seconds[:number])]
        assert not chain.is_desynced


@unhurried
@given(
    places, st.lists(st.booleans(), min_size=7, max_size=7), st.lists(st.integers(0, 6), max_size=4),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_resends_of_seconds_that_are_over_change_nothing(
    walk: list[int], is_new_second: list[bool], again: list[int], shuffle: Random
) -> None:
    seconds = delivered(walk, is_new_second, shuffle)
    chain = standing_at(walk[0])
    for group in seconds:
        chain = send(list(group), chain)[-1].chain
    over = [alert for group in seconds[:-1] for alert in group]
    for index in again:
        if index < len(over):
            [step] = send([over[index]], chain)
            assert (step.link, step.chain) == (Link.LATE, chain)


@unhurried
@given(st.integers(-3, 3), st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=5))
def test_the_end_of_a_walk_is_what_trying_every_order_finds(start: int, edges: list[tuple[int, int]]) -> None:
    found = {
        order[-1][1]
        for order in permutations(edges)
        if order[0][0] == start and all(one[1] == two[0] for one, two in pairwise(order))
    }
    exact = tuple((Decimal(before), Decimal(after)) for before, after in edges)
    assert end_of_walk(Decimal(start), exact) == (found.pop() if found else None)
    assert not found, "every walk over the same edges ends at the same place"
