"""One login's budget in one process: rules together, penalties, threads."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest

from brokers.access import Limit, Priority
from brokers.budget.login import LoginBudget
from brokers.errors import RateLimited
from tests.brokers.budget.conftest import NewBudgets, spend_all
from tests.brokers.budget.hands import MINUTELY, Hands

HISTORY = Limit("login", 50, 30, frozenset({"history"}))


@pytest.fixture
def budget(new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands) -> LoginBudget:
    """Past the time in which something is held back."""
    made = new_budgets().owned(login_id, venue, (MINUTELY, HISTORY))
    hands.advance(60)
    return made


def test_each_priority_stops_at_its_own_share(budget: LoginBudget) -> None:
    spent = {priority: spend_all(budget, priority) for priority in reversed(Priority)}
    assert spent == {
        Priority.POLL: 95,
        Priority.ENTRY: 38,
        Priority.EXIT: 19,
        Priority.STOP: 19,
        Priority.FLATTEN: 19,
    }


def test_an_endpoint_counts_in_every_rule_that_names_it(budget: LoginBudget) -> None:
    assert spend_all(budget, Priority.FLATTEN, "history") == 40
    assert spend_all(budget, Priority.FLATTEN, "history") == 0
    assert spend_all(budget, Priority.FLATTEN) == 150


def test_when_the_next_one_fits_is_told_without_spending(budget: LoginBudget, hands: Hands) -> None:
    assert budget.opens_at(Priority.ENTRY) is None
    spend_all(budget, Priority.ENTRY)
    opens_at = budget.opens_at(Priority.ENTRY)
    assert opens_at is not None
    assert budget.opens_at(Priority.EXIT) is None
    hands.set(opens_at)
    assert budget.opens_at(Priority.ENTRY) is None
    budget.penalise(opens_at + timedelta(seconds=90))
    assert budget.opens_at(Priority.FLATTEN) == opens_at + timedelta(seconds=90)


def test_a_refused_request_counts_in_no_rule(budget: LoginBudget) -> None:
    spend_all(budget, Priority.FLATTEN, "history")
    for _ in range(100):
        with pytest.raises(RateLimited):
            budget.spend(Priority.FLATTEN, "history")
    assert spend_all(budget, Priority.FLATTEN) == 150


def test_a_rule_that_is_full_leaves_other_endpoints_alone(budget: LoginBudget) -> None:
    spend_all(budget, Priority.FLATTEN, "history")
    budget.spend(Priority.POLL, "accounts")


def test_the_refusal_names_the_moment_when_the_next_request_fits(budget: LoginBudget, hands: Hands) -> None:
    first = hands.moment
    for _ in range(190):
        budget.spend(Priority.FLATTEN)
        hands.advance(0.1)
    with pytest.raises(RateLimited) as raised:
        budget.spend(Priority.FLATTEN)
    assert raised.value.until == first + timedelta(seconds=60)
    hands.set(raised.value.until)
    budget.spend(Priority.FLATTEN)
    with pytest.raises(RateLimited) as raised:
        budget.spend(Priority.FLATTEN)
    assert raised.value.until == first + timedelta(seconds=60.1)


def test_the_longest_wait_of_all_rules_is_the_answer(budget: LoginBudget, hands: Hands) -> None:
    spend_all(budget, Priority.FLATTEN, "history")
    spend_all(budget, Priority.FLATTEN)
    with pytest.raises(RateLimited) as raised:
        budget.spend(Priority.FLATTEN, "history")
    assert raised.value.until == hands.moment + timedelta(seconds=60)


def test_a_request_may_count_as_several(budget: LoginBudget) -> None:
    budget.spend(Priority.FLATTEN, cost=190)
    with pytest.raises(RateLimited):
        budget.spend(Priority.FLATTEN)


def test_a_request_for_nothing_asks_whether_one_would_fit(budget: LoginBudget) -> None:
    spend_all(budget, Priority.ENTRY, most=132)
    for _ in range(10):
        budget.spend(Priority.ENTRY, cost=0)
    budget.spend(Priority.ENTRY)
    with pytest.raises(RateLimited):
        budget.spend(Priority.ENTRY, cost=0)
    budget.spend(Priority.EXIT, cost=0)


def test_half_of_two_requests_is_kept_for_a_flatten(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    budget = new_budgets().owned(login_id, venue, (Limit("login", 2, 2, reserve=0.5),))
    hands.advance(2)
    assert spend_all(budget, Priority.POLL) == 1
    assert spend_all(budget, Priority.FLATTEN) == 1


def test_a_penalty_silences_even_flattens_until_its_end(budget: LoginBudget, hands: Hands) -> None:
    until = hands.moment + timedelta(seconds=15)
    budget.penalise(until)
    with pytest.raises(RateLimited) as raised:
        budget.spend(Priority.FLATTEN)
    assert raised.value.until == until
    hands.set(until)
    budget.spend(Priority.POLL)


def test_a_shorter_penalty_does_not_end_a_longer_one(budget: LoginBudget, hands: Hands) -> None:
    until = hands.moment + timedelta(hours=1)
    budget.penalise(until)
    budget.penalise(hands.moment + timedelta(seconds=1))
    hands.advance(2)
    with pytest.raises(RateLimited) as raised:
        budget.spend(Priority.FLATTEN)
    assert raised.value.until == until


def test_a_venue_without_rules_limits_nothing(new_budgets: NewBudgets, login_id: UUID, venue: str) -> None:
    assert spend_all(new_budgets().owned(login_id, venue, ()), Priority.POLL, most=1_000) == 1_000


def test_threads_together_spend_what_one_could(budget: LoginBudget) -> None:
    spent = []
    start = threading.Barrier(16)

    def hammer() -> None:
        start.wait()
        spent.append(spend_all(budget, Priority.ENTRY))

    threads = [threading.Thread(target=hammer) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(spent) == 133


def test_a_login_asked_for_again_goes_on_with_what_it_spent(
    new_budgets: NewBudgets, login_id: UUID, venue: str, hands: Hands
) -> None:
    budgets = new_budgets()
    first = budgets.owned(login_id, venue, (MINUTELY,))
    hands.advance(60)
    assert spend_all(first, Priority.FLATTEN) == 190
    assert spend_all(budgets.owned(login_id, venue, (MINUTELY,)), Priority.FLATTEN) == 0
