"""One sandbox process for all tests here; each test gets fresh accounts and finds default faults and switches."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from brokers.sandbox.testing import RunningSandbox, running_sandbox
from tests.brokers.sandbox.projectx.client import Client

MARKET_PRICE = 25_000.0


@pytest.fixture(scope="session")
def projectx_process() -> Iterator[RunningSandbox]:
    with running_sandbox(accounts=1, venue="projectx") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(projectx_process: RunningSandbox) -> Iterator[RunningSandbox]:
    defaults = projectx_process.get("/switches")
    projectx_process.price("MNQ", MARKET_PRICE)
    yield projectx_process
    projectx_process.clear_faults()
    projectx_process.switches(**defaults)


@pytest.fixture
def new_client(sandbox: RunningSandbox) -> Iterator[Callable[[], Client]]:
    """Make clients of fresh logins."""
    made: list[Client] = []

    def make() -> Client:
        client = Client(sandbox, sandbox.add_accounts(1)[0])
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(new_client: Callable[[], Client]) -> Client:
    return new_client()
