"""One sandbox process for all tests here; each test gets fresh accounts and finds default faults and switches."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from brokers.sandbox.testing import RunningSandbox, running_sandbox
from tests.brokers.sandbox.client import VenueClient

MARKET_PRICE = 25_000.0


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[RunningSandbox]:
    with running_sandbox(accounts=1) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: RunningSandbox) -> Iterator[RunningSandbox]:
    defaults = sandbox_process.get("/switches")
    sandbox_process.price("MNQ", MARKET_PRICE)
    yield sandbox_process
    sandbox_process.clear_faults()
    sandbox_process.switches(**defaults)


@pytest.fixture
def new_client(sandbox: RunningSandbox) -> Iterator[Callable[[], VenueClient]]:
    """Make clients of fresh logins, signed in but not yet connected."""
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
    """A fresh login with an open, synchronised socket."""
    return new_client().connect()
