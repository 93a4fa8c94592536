"""Alice has one of everything; Charlie has nothing.

Django is imported inside the fixtures: this file is read before its settings stand when only this folder is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from brokers.sandbox.testing import RunningSandbox, running_sandbox

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


@pytest.fixture(scope="session")
def broker_sandbox() -> Iterator[RunningSandbox]:
    """A broker to connect to, with five logins of one account each."""
    with running_sandbox(accounts=5) as running:
        yield running


@pytest.fixture
def sandbox(broker_sandbox: RunningSandbox, settings: Any) -> RunningSandbox:
    """The broker, where this process looks for it."""
    urls = (broker_sandbox.rest_url, broker_sandbox.ws_url, broker_sandbox.md_url)
    settings.BROKER_ENDPOINTS = {**settings.BROKER_ENDPOINTS, ("tradovate", "sandbox"): urls}
    return broker_sandbox


@pytest.fixture
def ready_broker(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[tuple[str, str]]:
    """Every account may trade; what the broker was asked, as account and symbol."""
    from tests.ready import let_every_account_trade

    return let_every_account_trade(monkeypatch, settings)
