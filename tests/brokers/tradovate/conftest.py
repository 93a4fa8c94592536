"""A sandbox venue per module, and fresh followers of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from brokers.sandbox.testing import RunningSandbox, running_sandbox
from tests.brokers.tradovate.trader import PRICE, Trader
from tests.brokers.tradovate.venue import Client, Venue


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox(accounts=1) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> Iterator[RunningSandbox]:
    running.price("MNQ", PRICE)
    yield running
    running.clear_faults()
    running.switches(open_frame="immediate", sync_requires_entity_types=False)


@pytest.fixture
def new_trader(sandbox: RunningSandbox) -> Iterator[Callable[[], Trader]]:
    traders: list[Trader] = []

    def make() -> Trader:
        traders.append(Trader(sandbox, sandbox.add_accounts(1)[0]))
        return traders[-1]

    yield make
    for trader in traders:
        trader.client.close()


@pytest.fixture
def trader(new_trader: Callable[[], Trader]) -> Trader:
    return new_trader().live()


@pytest.fixture
def venue() -> Iterator[Venue]:
    venue = Venue()
    yield venue
    venue.close()


@pytest.fixture
def client(venue: Venue) -> Iterator[Client]:
    client = Client(venue.rest_server.url, venue.socket.url)
    yield client
    client.close()
