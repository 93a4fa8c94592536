"""What processes tell each other through Redis: takings, penalties, and what a lane spent before a restart."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from uuid import UUID

import pytest
import redis

from brokers.access import Limit, Priority
from brokers.budget.names import EPOCH, PENALTIES, own_key
from brokers.errors import RateLimited
from tests.brokers.budget.conftest import NewBudgets, spend_all
from tests.brokers.budget.hands import HOURLY, MINUTELY, SYNCS, Hands

EVERYTHING = Limit("ip", 1_000, 60)


@pytest.fixture(autouse=True)
def a_redis_that_remembers(redis_url: str, hands: Hands) -> None:
    """One that began long before the test did, whichever test met it first."""
    redis.Redis.from_url(redis_url).set(EPOCH, f"{hands() - 10**11}.test")


def test_guests_use_their_part_together_and_leave_the_lane_its_own(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    lane = new_budgets().owned(login_id, venue, (MINUTELY,))
    hands.advance(30)
    guests = [new_budgets().shared(login_id, venue, (MINUTELY,)) for _ in range(2)]
    assert spend_all(guests[0], Priority.POLL, most=4) == 4
    assert spend_all(guests[1], Priority.POLL) == 6
    assert spend_all(lane, Priority.FLATTEN) == 190


def test_a_guest_is_told_the_moment_when_its_next_request_fits(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    first, second = (new_budgets().shared(login_id, venue, (MINUTELY,)) for _ in range(2))
    began = hands.moment
    for _ in range(10):
        first.spend(Priority.POLL)
        hands.advance(1)
    with pytest.raises(RateLimited) as raised:
        second.spend(Priority.POLL, cost=2)
    assert raised.value.until == began + timedelta(seconds=61)
    hands.set(raised.value.until)
    second.spend(Priority.POLL, cost=2)


def test_what_an_address_shares_is_taken_from_one_pot(new_budgets: NewBudgets, venue: str) -> None:
    lanes = [new_budgets(lanes=2, lane=number).owned(uuid.uuid4(), venue, (SYNCS,)) for number in range(2)]
    assert spend_all(lanes[0], Priority.STOP, "sync", most=20) == 20
    assert spend_all(lanes[1], Priority.STOP, "sync") == 10
    assert spend_all(lanes[0], Priority.FLATTEN, "sync") == 0


def test_asking_a_pot_whether_one_would_fit_takes_nothing(new_budgets: NewBudgets, venue: str) -> None:
    lane = new_budgets().owned(uuid.uuid4(), venue, (SYNCS,))
    for _ in range(40):
        lane.spend(Priority.FLATTEN, "sync", 0)
    assert spend_all(lane, Priority.STOP, "sync") == 30
    with pytest.raises(RateLimited):
        lane.spend(Priority.FLATTEN, "sync", 0)


def test_a_guest_has_no_part_in_a_rule_too_small_to_share(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    small = Limit("login", 2, 2)
    with pytest.raises(RateLimited) as raised:
        new_budgets().shared(login_id, venue, (small,)).spend(Priority.ENTRY)
    assert raised.value.until == hands.moment + timedelta(seconds=2)


def test_another_address_or_venue_has_a_pot_of_its_own(new_budgets: NewBudgets, venue: str) -> None:
    assert spend_all(new_budgets().owned(uuid.uuid4(), venue, (SYNCS,)), Priority.STOP, "sync") == 30
    elsewhere = new_budgets(address="203.0.113.7").owned(uuid.uuid4(), venue, (SYNCS,))
    assert spend_all(elsewhere, Priority.STOP, "sync") == 30
    assert spend_all(new_budgets().owned(uuid.uuid4(), f"{venue}:demo", (SYNCS,)), Priority.STOP, "sync") == 30


def test_a_request_that_the_address_refuses_costs_the_login_nothing(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    budget = new_budgets().owned(login_id, venue, (MINUTELY, SYNCS))
    hands.advance(30)
    assert spend_all(budget, Priority.STOP, "sync") == 30
    assert spend_all(budget, Priority.STOP, "sync") == 0
    assert spend_all(budget, Priority.FLATTEN) == 160


def test_orders_have_a_part_of_an_address_that_needs_no_asking(
    new_budgets: NewBudgets, venue: str, hands: Hands
) -> None:
    lanes = [new_budgets(lanes=2, lane=number).owned(uuid.uuid4(), venue, (EVERYTHING,)) for number in range(2)]
    hands.advance(30)
    assert spend_all(lanes[0], Priority.POLL) == 500
    assert [spend_all(lane, Priority.FLATTEN) for lane in lanes] == [250, 250]
    assert spend_all(lanes[1], Priority.POLL) == 0


def test_twenty_streams_that_reconnect_spend_at_most_what_the_address_may(
    new_budgets: NewBudgets, venue: str, hands: Hands
) -> None:
    """Each comes again at the very moment it is told; all pass in the end, thirty in any hour."""
    budgets = [new_budgets(lanes=2, lane=number) for number in range(2)]
    streams = [budgets[number % 2].owned(uuid.uuid4(), venue, (SYNCS,)) for number in range(20)]
    passed = []
    for _ in range(5):
        waiting = list(streams)
        while waiting:
            told = {}
            for stream in waiting:
                try:
                    stream.spend(Priority.STOP, "sync")
                except RateLimited as error:
                    told[stream] = error.until
                else:
                    passed.append(hands())
            waiting = list(told)
            if waiting:
                hands.set(min(told.values()))
    assert len(passed) == 100
    for at in passed:
        assert sum(at <= other < at + 3_600_000_000 for other in passed) <= SYNCS.requests


def test_threads_of_two_lanes_take_an_address_rule_exactly(new_budgets: NewBudgets, venue: str) -> None:
    lanes = [new_budgets(lanes=2, lane=number).owned(uuid.uuid4(), venue, (SYNCS,)) for number in range(2)]
    spent = []
    start = threading.Barrier(8)

    def hammer(number: int) -> None:
        start.wait()
        spent.append(spend_all(lanes[number % 2], Priority.STOP, "sync"))

    threads = [threading.Thread(target=hammer, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(spent) == SYNCS.requests


def test_a_lane_that_restarts_remembers_what_it_spent(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    before = new_budgets()
    budget = before.owned(login_id, venue, (HOURLY, MINUTELY))
    hands.advance(30)
    assert spend_all(budget, Priority.FLATTEN) == 190
    hands.advance(120)
    assert spend_all(budget, Priority.FLATTEN) == 190
    before.stop()
    budget = new_budgets().owned(login_id, venue, (HOURLY, MINUTELY))
    assert spend_all(budget, Priority.FLATTEN) == 0
    later = 0
    for _ in range(30):
        hands.advance(61)
        later += spend_all(budget, Priority.FLATTEN)
    assert later == 4_750 - 2 * 190


def test_a_lane_that_restarts_remembers_its_part_of_the_address(
    new_budgets: NewBudgets, venue: str, hands: Hands
) -> None:
    before = new_budgets(lanes=2, lane=1)
    budget = before.owned(uuid.uuid4(), venue, (EVERYTHING,))
    hands.advance(30)
    assert spend_all(budget, Priority.FLATTEN, most=200) == 200
    before.stop()
    budgets = new_budgets(lanes=2, lane=1)
    assert spend_all(budgets.owned(uuid.uuid4(), venue, (EVERYTHING,)), Priority.FLATTEN) == 50
    assert spend_all(budgets.owned(uuid.uuid4(), venue, (EVERYTHING,)), Priority.FLATTEN) == 0


def test_another_login_of_the_lane_does_not_hold_the_address_back_again(
    new_budgets: NewBudgets, venue: str, hands: Hands
) -> None:
    budgets = new_budgets(lanes=2)
    first = budgets.owned(uuid.uuid4(), venue, (EVERYTHING,))
    hands.advance(30)
    budgets.owned(uuid.uuid4(), venue, (EVERYTHING,))
    assert spend_all(first, Priority.STOP) == 200


def test_a_lane_that_is_killed_forgets_only_what_no_round_had_carried(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    killed = new_budgets()
    budget = killed.owned(login_id, venue, (MINUTELY,))
    hands.advance(30)
    assert spend_all(budget, Priority.FLATTEN, most=100) == 100
    killed.exchange.round()
    assert spend_all(budget, Priority.FLATTEN, most=5) == 5
    budget = new_budgets().owned(login_id, venue, (MINUTELY,))
    # An entry may use 133; a twentieth of 190 is held back for what the killed lane had not told.
    assert spend_all(budget, Priority.ENTRY) == 133 - 100 - 9
    assert spend_all(budget, Priority.FLATTEN) == 190 - 133 + 9
    hands.advance(30)
    assert spend_all(budget, Priority.FLATTEN) == 0


def test_a_restarted_lane_never_counts_shorter_than_the_venue_does(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    before = new_budgets()
    hands.advance(0.7)
    budget = before.owned(login_id, venue, (MINUTELY,))
    assert spend_all(budget, Priority.FLATTEN) == 190
    before.stop()
    budget = new_budgets().owned(login_id, venue, (MINUTELY,))
    hands.advance(59.9)
    assert spend_all(budget, Priority.FLATTEN) == 0
    hands.advance(1.1)
    assert spend_all(budget, Priority.FLATTEN) == 190


def test_what_counts_no_longer_is_dropped_from_redis(
    new_budgets: NewBudgets, login_id: UUID, venue: str, redis_url: str, hands: Hands
) -> None:
    lane = new_budgets()
    budget = lane.owned(login_id, venue, (MINUTELY,))
    for _ in range(200):
        spend_all(budget, Priority.POLL, most=1)
        lane.exchange.round()
        hands.advance(1)
    assert 59 <= redis.Redis.from_url(redis_url).hlen(own_key(str(login_id))) <= 62


def test_a_penalty_that_is_over_is_dropped_from_redis(
    new_budgets: NewBudgets, login_id: UUID, venue: str, redis_url: str, hands: Hands
) -> None:
    guest = new_budgets().shared(login_id, venue, ())
    client = redis.Redis.from_url(redis_url)
    guest.penalise(hands.moment + timedelta(seconds=1))
    assert client.hexists(PENALTIES, str(login_id))
    hands.advance(2)
    new_budgets().shared(uuid.uuid4(), venue, ()).penalise(hands.moment + timedelta(seconds=1))
    assert not client.hexists(PENALTIES, str(login_id))


def test_a_penalty_reaches_every_process_of_the_login(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    lane = new_budgets()
    of_lane = lane.owned(login_id, venue, (MINUTELY,))
    of_web = new_budgets().shared(login_id, venue, (MINUTELY,))
    until = hands.moment + timedelta(minutes=5)
    of_web.penalise(until)
    lane.exchange.round()
    for budget in (of_lane, of_web, new_budgets().shared(login_id, venue, ())):
        with pytest.raises(RateLimited) as raised:
            budget.spend(Priority.FLATTEN)
        assert raised.value.until == until


def test_a_penalty_of_a_lane_reaches_the_others_with_the_next_round(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    lane = new_budgets()
    lane.owned(login_id, venue, (MINUTELY,)).penalise(hands.moment + timedelta(minutes=5))
    lane.exchange.round()
    with pytest.raises(RateLimited):
        new_budgets().shared(login_id, venue, (MINUTELY,)).spend(Priority.POLL)


def test_a_penalty_survives_a_restart(new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands) -> None:
    before = new_budgets()
    until = hands.moment + timedelta(hours=1)
    before.owned(login_id, venue, (MINUTELY,)).penalise(until)
    before.stop()
    budget = new_budgets().owned(login_id, venue, (MINUTELY,))
    with pytest.raises(RateLimited) as raised:
        budget.spend(Priority.FLATTEN)
    assert raised.value.until == until
    hands.set(until)
    budget.spend(Priority.FLATTEN)


def test_a_login_is_silent_alone_and_an_address_with_all_its_logins(
    new_budgets: NewBudgets, venue: str, hands: Hands
) -> None:
    lanes = [new_budgets(lanes=2, lane=number) for number in range(2)]
    mine, other = (lane.owned(uuid.uuid4(), venue, (MINUTELY,)) for lane in lanes)
    elsewhere = new_budgets(address="203.0.113.7").owned(uuid.uuid4(), venue, (MINUTELY,))
    mine.penalise(hands.moment + timedelta(seconds=10))
    lanes[0].exchange.round()
    lanes[1].exchange.round()
    other.spend(Priority.POLL)
    mine.penalise(hands.moment + timedelta(seconds=20), everybody=True)
    lanes[0].exchange.round()
    lanes[1].exchange.round()
    with pytest.raises(RateLimited):
        other.spend(Priority.FLATTEN)
    elsewhere.spend(Priority.POLL)
