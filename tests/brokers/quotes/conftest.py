from __future__ import annotations

from collections.abc import Iterator

import pytest

from brokers.quotes import cache


@pytest.fixture
def valkey() -> Iterator[None]:
    """Nothing quoted and nothing wanted."""
    cache.client().flushdb()
    yield
    cache.client().flushdb()
