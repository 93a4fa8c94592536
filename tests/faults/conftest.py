"""The running product that these tests break and mend. Imports are lazy, as in `tests.e2e.conftest`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import make_house, plant_process

if TYPE_CHECKING:
    from tests.e2e.plant import Plant

__all__ = ["make_house", "plant_process"]


@pytest.fixture
def plant(plant_process: Plant, django_db_blocker: Any) -> Iterator[Plant]:
    """Everything runs, the market is held still, no fault is in force; whatever a test killed is started again."""
    from tests.e2e.house import PRICE, symbol
    from tests.e2e.plant import seen_from_here

    with django_db_blocker.unblock(), seen_from_here(plant_process):
        plant_process.run()
        plant_process.sandbox.clear_faults()
        plant_process.sandbox.price(symbol(), PRICE)
        yield plant_process
        plant_process.sandbox.clear_faults()
