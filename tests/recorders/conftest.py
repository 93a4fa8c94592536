"""Doors for tests. Imported lazily: pytest may load this file before Django has its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.recorders.door import Door


@pytest.fixture
def door(db: None) -> Door:
    from tests.recorders.door import make_door

    return make_door()


@pytest.fixture
def committed_door(transactional_db: None) -> Door:
    """For tests with threads: rows that other connections see."""
    from tests.recorders.door import make_door

    return make_door()
