"""One running product per test process. Imports are lazy: pytest may load this before Django has its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.house import House
    from tests.e2e.plant import Plant


@pytest.fixture(scope="session")
def plant_process(django_db_blocker: Any) -> Iterator[Plant]:
    from tests.e2e.plant import running_plant, seen_from_here

    with django_db_blocker.unblock(), running_plant() as plant:
        with seen_from_here(plant):
            plant.run()
        yield plant


@pytest.fixture
def plant(plant_process: Plant, django_db_blocker: Any) -> Iterator[Plant]:
    """The running product, its market held still at `PRICE`, its faults cleared."""
    from tests.e2e.house import PRICE, symbol
    from tests.e2e.plant import seen_from_here

    with django_db_blocker.unblock(), seen_from_here(plant_process):
        plant_process.sandbox.clear_faults()
        plant_process.sandbox.price(symbol(), PRICE)
        yield plant_process
        plant_process.sandbox.clear_faults()


@pytest.fixture
def make_house(plant: Plant) -> Iterator[Callable[..., House]]:
    """Recorders of one fresh user; with `followers`, their logins are live when it returns."""
    from accounts.models import User
    from tests.e2e.house import House

    owner = User.objects.create(email=f"owner{User.objects.count()}@example.com", is_approved=True)
    made: list[House] = []

    def make(followers: int = 0, **settings: Any) -> House:
        made.append(House(plant, owner, **settings))
        if followers:
            made[-1].follow(followers)
            made[-1].await_live()
        return made[-1]

    yield make
    for house in made:
        house.retire()
