"""One Webull sandbox process for all tests here; each test gets a fresh app key and finds default faults and switches.

Rate limits are off except where they are the subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from brokers.sandbox.testing import RunningSandbox, running_sandbox
from tests.brokers.sandbox.webull.client import VenueClient

FUTURES_PRICE = 6_900.0
STOCK_PRICE = 300.0


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[RunningSandbox]:
    with running_sandbox(accounts=1, venue="webull") as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def defaults(sandbox_process: RunningSandbox) -> dict[str, Any]:
    """The switches as tests find them."""
    return sandbox_process.switches(rate_limits=False, history_lag_seconds=0)


@pytest.fixture
def sandbox(sandbox_process: RunningSandbox, defaults: dict[str, Any]) -> Iterator[RunningSandbox]:
    sandbox_process.price("MES", FUTURES_PRICE)
    sandbox_process.price("AAPL", STOCK_PRICE)
    yield sandbox_process
    sandbox_process.clear_faults()
    if sandbox_process.get("/switches") != defaults:
        sandbox_process.switches(**defaults)


@pytest.fixture
def new_client(sandbox: RunningSandbox) -> Iterator[Callable[[], VenueClient]]:
    """Make clients of fresh app keys."""
    made: list[VenueClient] = []

    def make() -> VenueClient:
        client = VenueClient(sandbox, sandbox.add_accounts(1)[0])
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(new_client: Callable[[], VenueClient]) -> VenueClient:
    return new_client()


@pytest.fixture(scope="session")
def symbol(sandbox_process: RunningSandbox, defaults: dict[str, Any]) -> str:
    """The front month of MES."""
    return VenueClient(sandbox_process, sandbox_process.accounts[0]).front("MES")
