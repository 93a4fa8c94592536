"""The running product of these tests, and the one play of all cases. Imports are lazy, as in `tests.e2e.conftest`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import plant_process  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from tests.e2e.plant import Plant
    from tests.streams.stage import Outcome


@pytest.fixture
def plant(plant_process: Plant, django_db_blocker: Any) -> Iterator[Plant]:  # noqa: F811
    """The running product, its books readable from here."""
    from tests.e2e.plant import seen_from_here

    with django_db_blocker.unblock(), seen_from_here(plant_process):
        yield plant_process


@pytest.fixture(scope="session")
def outcomes(
    plant_process: Plant,  # noqa: F811
    django_db_blocker: Any,
    request: pytest.FixtureRequest,
) -> dict[str, Outcome]:
    """What came of each case that this run asks for, by its name."""
    from tests.e2e.plant import seen_from_here
    from tests.streams.cases import CASES
    from tests.streams.stage import Stage, check_markets

    check_markets(CASES)
    wanted = {item.callspec.id for item in request.session.items if hasattr(item, "callspec")}
    played = [case for case in CASES if case.name in wanted]
    with django_db_blocker.unblock(), seen_from_here(plant_process):
        return Stage(plant_process, played).play()
