"""Alice has one of everything; Charlie has nothing.

Django is imported inside the fixtures: this file is read before its settings stand when only this folder is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from justtrades.testing import Cast
    from tests.factories import Chain


@pytest.fixture
def cast(db: None) -> Cast:
    from justtrades.testing import make_cast

    return make_cast()


@pytest.fixture
def hers(cast: Cast) -> Chain:
    """Alice's rows."""
    from tests.factories import make_chain

    return make_chain(cast.alice)


@pytest.fixture
def alice(cast: Cast) -> APIClient:
    from justtrades.testing import api_client_for

    return api_client_for(cast.alice)


@pytest.fixture
def charlie(cast: Cast) -> APIClient:
    from justtrades.testing import api_client_for

    return api_client_for(cast.charlie)


@pytest.fixture
def fresh_throttle() -> None:
    from django.core.cache import cache

    cache.clear()
