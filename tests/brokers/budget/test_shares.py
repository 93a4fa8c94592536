"""Who may use how much: the tables, and what must hold for every rule that a venue may state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.access import Limit, Priority
from brokers.budget.shares import asked_part, guests_part, lane_part, orders_part, part_of

requests = st.integers(1, 10_000)
reserves = st.floats(0, 0.5)


@pytest.mark.parametrize(
    ("priority", "most"),
    [
        (Priority.FLATTEN, 100),
        (Priority.STOP, 90),
        (Priority.EXIT, 80),
        (Priority.ENTRY, 70),
        (Priority.POLL, 50),
    ],
)
def test_the_usual_reserve_gives_each_priority_its_share(priority: Priority, most: int) -> None:
    assert part_of(100, 0.1).most(priority) == most


@pytest.mark.parametrize(
    ("allowed", "guests"),
    [(1, 0), (2, 0), (4, 0), (5, 1), (10, 2), (15, 3), (50, 10), (200, 10), (300, 15), (5_000, 250)],
)
def test_what_processes_beside_the_lane_may_use(allowed: int, guests: int) -> None:
    assert guests_part(allowed) == guests


@pytest.mark.parametrize(("allowed", "lane"), [(1, 1), (2, 2), (200, 190), (5_000, 4_750)])
def test_a_lane_has_what_is_not_the_guests(allowed: int, lane: int) -> None:
    assert lane_part(Limit("login", allowed, 60)).requests == lane


def test_without_a_reserve_everybody_may_use_everything() -> None:
    limit = Limit("ip", 15, 3_600, reserve=0)
    assert {part_of(15, 0).most(priority) for priority in Priority} == {15}
    assert asked_part(limit) == 15
    assert orders_part(limit, lanes=4).requests == 0


@given(requests, reserves)
def test_a_priority_never_has_less_than_those_below_it(allowed: int, reserve: float) -> None:
    part = part_of(allowed, reserve)
    most = [part.most(priority) for priority in Priority]
    assert most == sorted(most, reverse=True)
    assert most[Priority.FLATTEN] == allowed
    assert most[Priority.POLL] >= 1


@given(st.integers(2, 10_000), reserves)
def test_the_reserve_is_at_least_the_share_that_the_venue_states(allowed: int, reserve: float) -> None:
    part = part_of(allowed, reserve)
    assert part.requests - part.most(Priority.STOP) >= min(reserve * allowed - 1e-6, allowed - 1)


@given(requests, reserves)
def test_the_parts_of_a_login_rule_add_up_to_the_rule(allowed: int, reserve: float) -> None:
    assert lane_part(Limit("login", allowed, 60, reserve=reserve)).requests + guests_part(allowed) == allowed


@given(requests, reserves, st.integers(1, 64))
def test_the_parts_of_an_address_rule_never_add_up_to_more(allowed: int, reserve: float, lanes: int) -> None:
    limit = Limit("ip", allowed, 60, reserve=reserve)
    assert asked_part(limit) + lanes * orders_part(limit, lanes).requests <= allowed
