"""Alice has one of everything; Charlie has nothing."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from justtrades.testing import Cast, api_client_for, make_cast
from tests.factories import Chain, make_chain


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def hers(cast: Cast) -> Chain:
    """Alice's rows."""
    return make_chain(cast.alice)


@pytest.fixture
def alice(cast: Cast) -> APIClient:
    return api_client_for(cast.alice)


@pytest.fixture
def charlie(cast: Cast) -> APIClient:
    return api_client_for(cast.charlie)


@pytest.fixture
def fresh_throttle() -> None:
    cache.clear()
