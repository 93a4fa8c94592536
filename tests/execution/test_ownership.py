"""A lane, and the sweeper's seat, belong to one process at a time; a standby takes over from a dead one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from execution.ownership import LANE, SWEEPER, Ownership
from tests.brokers.scripted import until

pytestmark = pytest.mark.django_db(transaction=True)
KEY = 7


@pytest.fixture
def candidate() -> Iterator[Callable[..., Ownership]]:
    made: list[Ownership] = []

    def make(space: int = LANE, key: int = KEY) -> Ownership:
        made.append(Ownership(space, key))
        return made[-1]

    yield make
    for ownership in made:
        ownership.release()


def kill_holder(space: int) -> None:
    """As when the owner's process dies: its session goes, and nothing says good-bye."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
            "WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted",
            [space, KEY],
        )
        assert cursor.fetchall() == [(True,)]


def test_two_racers_have_one_winner(candidate: Callable[..., Ownership]) -> None:
    racers = [candidate() for _ in range(6)]
    barrier = threading.Barrier(6)

    def race(racer: Ownership) -> bool:
        barrier.wait(20)
        return racer.acquire()

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(race, racers))
    assert won.count(True) == 1
    assert racers[won.index(True)].confirm()


def test_another_lane_and_the_sweepers_seat_are_other_locks(candidate: Callable[..., Ownership]) -> None:
    assert candidate().acquire()
    assert candidate(LANE, KEY + 1).acquire()
    assert candidate(SWEEPER, KEY).acquire()


def test_a_standby_takes_over_when_the_owner_dies_and_the_owner_knows(candidate: Callable[..., Ownership]) -> None:
    owner, standby = candidate(), candidate()
    assert owner.acquire()
    assert not standby.acquire()
    assert owner.confirm()
    kill_holder(LANE)
    assert standby.acquire()
    assert not owner.confirm()
    assert not owner.acquire()
    assert standby.confirm()
    assert (owner.is_anothers, standby.is_anothers) == (True, False)


def test_a_released_lock_is_free(candidate: Callable[..., Ownership]) -> None:
    owner, standby = candidate(), candidate()
    assert owner.acquire()
    owner.release()
    assert not owner.confirm()
    # The server ends the session in its own time; a standby asks again and again.
    until(standby.acquire)


def test_an_owner_that_lost_its_connection_may_have_the_lock_again(candidate: Callable[..., Ownership]) -> None:
    owner = candidate()
    assert owner.acquire()
    kill_holder(LANE)
    assert not owner.confirm()
    assert not owner.is_anothers, "nobody else has taken it"
    assert owner.acquire()
    assert owner.confirm()


def test_confirm_alone_never_makes_an_owner(candidate: Callable[..., Ownership]) -> None:
    owner, other = candidate(), candidate()
    assert not other.confirm()
    assert owner.acquire()
    assert not other.acquire()
    assert not other.confirm(), "its connection lives, but it holds no lock"
