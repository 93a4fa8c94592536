from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings

from brokers.access import Budget, Priority
from brokers.budget import store
from brokers.budget.budgets import Budgets
from brokers.errors import RateLimited
from tests.brokers.budget.hands import Hands

NewBudgets = Callable[..., Budgets]


@pytest.fixture
def redis_url() -> str:
    return f"{settings.REDIS_URL}/3"


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def venue() -> str:
    """A venue of its own, because all tests share one Valkey."""
    return f"venue-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def login_id() -> uuid.UUID:
    return uuid.uuid4()


@pytest.fixture(autouse=True)
def much_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests is no loss of Redis."""
    monkeypatch.setattr(store, "PATIENCE_S", 10.0)


@pytest.fixture
def new_budgets(redis_url: str, hands: Hands) -> Iterator[NewBudgets]:
    """Budgets as of another process, with this test's clock; nothing is exchanged until the test says so."""
    made = []

    def new(**options: object) -> Budgets:
        budgets = Budgets(**{"redis_url": redis_url, "now": hands, **options})
        budgets.exchange.start = lambda: None
        made.append(budgets)
        return budgets

    yield new
    for budgets in made:
        budgets.stop()


def spend_all(budget: Budget, priority: Priority, endpoint: str = "", most: int = 100_000) -> int:
    """How many requests go through until the budget says no, `most` at most."""
    for count in range(most):
        try:
            budget.spend(priority, endpoint)
        except RateLimited:
            return count
    return most
