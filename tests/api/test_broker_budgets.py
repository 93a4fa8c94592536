"""What a person's requests count in, and what they are told of the login's own budget."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings

from brokers.access import Priority
from brokers.budget.budgets import Budgets
from brokers.errors import RateLimited
from brokers.models import BrokerLogin
from brokers.services.budgets import PersonBudget, readings_of, rules_of
from justtrades import clock
from tests.factories import BrokerLoginFactory


@pytest.fixture
def login(db: None) -> BrokerLogin:
    return BrokerLoginFactory(venue="webull", environment="live")


@pytest.fixture
def lane() -> Iterator[Budgets]:
    budgets = Budgets(settings.BUDGETS_URL)
    yield budgets
    budgets.stop()


def test_a_persons_requests_take_nothing_from_the_login(login: BrokerLogin) -> None:
    person = PersonBudget(login)
    for _ in range(20):
        person.spend(Priority.EXIT, "auth")
    assert {gauge.used for gauge in readings_of([login])[login.pk]} == {0}


def test_what_an_address_shares_is_counted(db: None) -> None:
    login = BrokerLoginFactory(environment="demo", firm="test-of-addresses")
    person, other = PersonBudget(login), PersonBudget(BrokerLoginFactory(environment="demo", firm=login.firm))
    for _ in range(5):
        person.spend(Priority.FLATTEN, "auth/accesstokenrequest")
    with pytest.raises(RateLimited):
        other.spend(Priority.FLATTEN, "auth/accesstokenrequest")


def test_a_question_is_about_what_is_left_to_the_logins_lane(login: BrokerLogin, lane: Budgets) -> None:
    person, rules = PersonBudget(login), rules_of(login)
    person.spend(Priority.ENTRY, "place", cost=0)
    owned = lane.owned(rules.login_id, rules.venue, rules.limits)
    with pytest.raises(RateLimited):
        for _ in range(1000):
            owned.spend(Priority.FLATTEN, "place")
    end = time.monotonic() + 10
    while next(g for g in readings_of([login])[login.pk] if g.rule.startswith("place")).room[Priority.ENTRY] > 0:
        assert time.monotonic() < end, "the lane's spending was never published"
        time.sleep(0.02)
    with pytest.raises(RateLimited, match="nothing is left of place"):
        person.spend(Priority.ENTRY, "place", cost=0)
    person.spend(Priority.FLATTEN, "replace", cost=0)


def test_a_venue_that_wants_silence_is_left_alone(login: BrokerLogin, lane: Budgets) -> None:
    rules = rules_of(login)
    lane.shared(rules.login_id, rules.venue, rules.limits).penalise(clock.now() + timedelta(minutes=1))
    with pytest.raises(RateLimited):
        PersonBudget(login).spend(Priority.POLL, "accounts")
