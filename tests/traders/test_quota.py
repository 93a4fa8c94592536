"""What one alert asks of the brokers' budgets, as the pages say it."""

from __future__ import annotations

from typing import Any

import pytest

from brokers.budget.planner import Verdict
from justtrades.testing import Cast, browser_of, make_cast
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, RecorderFactory, TraderFactory
from traders.quota import quota_of


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


def test_what_follows_is_counted_by_login(cast: Cast) -> None:
    recorder = RecorderFactory(owner=cast.alice, settings={"targets": [{"distance": 8}], "stop_distance": 4})
    first, off = BrokerLoginFactory(owner=cast.alice), BrokerLoginFactory(owner=cast.alice, is_enabled=False)
    second = BrokerLoginFactory(owner=cast.alice, venue="projectx")
    for login in (first, first, second, off):
        TraderFactory(recorder=recorder, account=BrokerAccountFactory(login=login))
    TraderFactory(recorder=recorder, account=BrokerAccountFactory(login=first), is_enabled=False)
    plan = quota_of(recorder)
    assert (plan.accounts, plan.logins) == (3, 2)
    assert plan.verdict is Verdict.FITS
    page = browser_of(cast.alice).get(f"/recorders/{recorder.pk}/quota/").content.decode()
    assert "3 accounts over 2 logins" in page
    assert "It fits." in page


def test_what_does_not_fit_names_the_login(cast: Cast) -> None:
    recorder = RecorderFactory(owner=cast.alice, settings={"targets": [{"distance": 8}], "stop_distance": 4})
    login = BrokerLoginFactory(owner=cast.alice, venue="projectx", username="too-many")
    for account in BrokerAccountFactory.create_batch(300, login=login):
        TraderFactory(recorder=recorder, account=account)
    page = browser_of(cast.alice).get(f"/recorders/{recorder.pk}/quota/").content.decode()
    assert "notice-bad" in page
    assert "too-many" in page


def test_it_costs_no_more_queries_for_many(cast: Cast, django_assert_num_queries: Any) -> None:
    recorder = RecorderFactory(owner=cast.alice)
    for _ in range(5):
        TraderFactory(recorder=recorder, account=BrokerAccountFactory(login__owner=cast.alice))
    with django_assert_num_queries(1):
        quota_of(recorder)


def test_charlie_learns_nothing(cast: Cast) -> None:
    recorder = RecorderFactory(owner=cast.alice)
    assert browser_of(cast.charlie).get(f"/recorders/{recorder.pk}/quota/").status_code == 404
