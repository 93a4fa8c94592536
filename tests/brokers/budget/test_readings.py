"""What a page sees of budgets."""

from __future__ import annotations

import uuid
from datetime import timedelta
from uuid import UUID

import pytest
import redis

from brokers.access import Limit, Priority
from brokers.budget.gauges import LoginRules
from brokers.budget.readings import Readings
from justtrades.supervisor.throwaway import throwaway_valkey
from tests.brokers.budget.conftest import NewBudgets, spend_all
from tests.brokers.budget.hands import MINUTELY, SYNCS, Hands

EVERYTHING = Limit("ip", 1_000, 60)
RULES = (MINUTELY, SYNCS, EVERYTHING)


@pytest.fixture
def readings(redis_url: str, hands: Hands) -> Readings:
    return Readings(redis_url, lanes=2, now=hands)


def test_a_gauge_says_what_is_used_and_what_each_priority_may_still_send(
    new_budgets: NewBudgets, readings: Readings, login_id: UUID, venue: str, hands: Hands
) -> None:
    lane = new_budgets(lanes=2)
    budget = lane.owned(login_id, venue, (MINUTELY,))
    hands.advance(30)
    assert spend_all(budget, Priority.ENTRY, most=50) == 50
    assert spend_all(new_budgets().shared(login_id, venue, (MINUTELY,)), Priority.POLL, most=4) == 4
    lane.exchange.round()
    (gauge,) = readings.of([LoginRules(login_id, venue, (MINUTELY,))])[login_id]
    assert (gauge.rule, gauge.scope) == ("all requests: 200 in 1 min per login", "login")
    assert (gauge.used, gauge.allowed) == (54, 200)
    assert gauge.left == pytest.approx(0.73)
    assert gauge.room == {
        Priority.FLATTEN: 140,
        Priority.STOP: 121,
        Priority.EXIT: 102,
        Priority.ENTRY: 83,
        Priority.POLL: 45,
    }
    assert gauge.silent_until is None


def test_the_room_on_the_page_is_the_room_that_there_is(
    new_budgets: NewBudgets, readings: Readings, login_id: UUID, venue: str, hands: Hands
) -> None:
    lane = new_budgets(lanes=2)
    budget = lane.owned(login_id, venue, (MINUTELY, SYNCS))
    hands.advance(30)
    spend_all(budget, Priority.FLATTEN, most=33)
    lane.exchange.round()
    gauges = readings.of([LoginRules(login_id, venue, (MINUTELY, SYNCS))])[login_id]
    assert spend_all(budget, Priority.STOP, "sync") == gauges[1].room[Priority.STOP]
    assert spend_all(budget, Priority.ENTRY) == gauges[0].room[Priority.ENTRY] - gauges[1].room[Priority.STOP]


def test_all_lanes_show_in_the_address_rules_of_each_login(
    new_budgets: NewBudgets, readings: Readings, venue: str, hands: Hands
) -> None:
    logins = [uuid.uuid4(), uuid.uuid4()]
    lanes = [new_budgets(lanes=2, lane=number) for number in range(2)]
    budgets = [lane.owned(login, venue, RULES) for lane, login in zip(lanes, logins, strict=True)]
    hands.advance(30)
    for budget, count in zip(budgets, (3, 5), strict=True):
        assert spend_all(budget, Priority.STOP, "sync", most=count) == count
    assert spend_all(budgets[0], Priority.POLL, most=7) == 7
    for lane in lanes:
        lane.exchange.round()
    found = readings.of([LoginRules(login, venue, RULES) for login in logins])
    assert [[gauge.used for gauge in found[login]] for login in logins] == [[10, 8, 15], [5, 8, 15]]


def test_what_was_used_drains_from_the_gauge_without_anybody_spending(
    new_budgets: NewBudgets, readings: Readings, login_id: UUID, venue: str, hands: Hands
) -> None:
    lane = new_budgets(lanes=2)
    assert spend_all(lane.owned(login_id, venue, RULES), Priority.STOP, "sync", most=5) == 5
    lane.exchange.round()
    hands.advance(62)
    assert [gauge.used for gauge in readings.of([LoginRules(login_id, venue, RULES)])[login_id]] == [0, 5, 0]
    hands.advance(3_600)
    assert [gauge.used for gauge in readings.of([LoginRules(login_id, venue, RULES)])[login_id]] == [0, 0, 0]


def test_a_gauge_shows_the_penalty_of_the_login_or_of_its_address(
    new_budgets: NewBudgets, readings: Readings, login_id: UUID, venue: str, hands: Hands
) -> None:
    lane = new_budgets(lanes=2)
    other = uuid.uuid4()
    budget = lane.owned(login_id, venue, RULES)
    until = hands.moment + timedelta(minutes=1)
    budget.penalise(until)
    lane.exchange.round()
    rules = [LoginRules(login_id, venue, RULES), LoginRules(other, venue, RULES)]
    assert [readings.of(rules)[login][0].silent_until for login in (login_id, other)] == [until, None]
    budget.penalise(until + timedelta(minutes=1), everybody=True)
    lane.exchange.round()
    assert {readings.of(rules)[login][0].silent_until for login in (login_id, other)} == {until + timedelta(minutes=1)}
    hands.set(until + timedelta(minutes=1))
    assert {readings.of(rules)[login][0].silent_until for login in (login_id, other)} == {None}


def test_a_login_that_spent_nothing_has_full_gauges(readings: Readings, login_id: UUID, venue: str) -> None:
    found = readings.of([LoginRules(login_id, venue, RULES)])[login_id]
    assert [gauge.left for gauge in found] == [1.0, 1.0, 1.0]


def test_many_logins_cost_as_many_round_trips_as_one(
    readings: Readings, venue: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    question = readings._store._ask
    monkeypatch.setattr(readings._store, "_ask", lambda ask: asked.append(1) or question(ask))
    assert len(readings.of([LoginRules(uuid.uuid4(), venue, RULES) for _ in range(200)])) == 200
    assert len(asked) == 3


def test_there_are_no_gauges_without_redis(login_id: UUID, venue: str) -> None:
    with throwaway_valkey() as url:
        gone = f"{url}/3"
    assert Readings(gone).of([LoginRules(login_id, venue, RULES)]) is None


def test_nothing_of_a_budget_stays_in_redis_for_ever(
    new_budgets: NewBudgets, login_id: UUID, venue: str, redis_url: str, hands: Hands
) -> None:
    lane = new_budgets(lanes=2)
    budget = lane.owned(login_id, venue, RULES)
    hands.advance(30)
    spend_all(budget, Priority.STOP, "sync", most=5)
    lane.exchange.round()
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    keys = [*client.scan_iter(f"*{venue}*"), *client.scan_iter(f"*{login_id}*")]
    assert len(keys) == 3
    assert all(0 < client.ttl(key) <= 3_600 + 60 for key in keys)
