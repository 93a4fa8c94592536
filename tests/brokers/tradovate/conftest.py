"""One sandbox venue for all of these tests, and fresh followers of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from brokers.sandbox.testing import RunningSandbox, running_sandbox
from brokers.venue import Connect
from tests.brokers.scripted import Answer
from tests.brokers.tradovate.door import Door
from tests.brokers.tradovate.oauth import TokenDoor
from tests.brokers.tradovate.trader import PRICE, Trader
from tests.brokers.tradovate.venue import Client, Venue


@pytest.fixture(scope="session")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox(accounts=1) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def defaults(running: RunningSandbox) -> dict[str, Any]:
    return running.switches()


@pytest.fixture
def sandbox(running: RunningSandbox, defaults: dict[str, Any]) -> Iterator[RunningSandbox]:
    running.price("MNQ", PRICE)
    yield running
    running.clear_faults()
    running.switches(**defaults)


@pytest.fixture
def new_trader(sandbox: RunningSandbox) -> Iterator[Callable[..., Trader]]:
    """Makes a trader; `connect` is a venue's, where the test is about one."""
    traders: list[Trader] = []

    def make(connect: Connect | None = None) -> Trader:
        traders.append(Trader(sandbox, sandbox.add_accounts(1)[0], connect))
        return traders[-1]

    yield make
    for trader in traders:
        trader.client.close()


@pytest.fixture
def trader(new_trader: Callable[[], Trader]) -> Trader:
    return new_trader().live()


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.server.close()


@pytest.fixture
def token_door() -> Iterator[Callable[..., TokenDoor]]:
    doors: list[TokenDoor] = []

    def start(*answers: Answer | None) -> TokenDoor:
        doors.append(TokenDoor(*answers))
        return doors[-1]

    yield start
    for opened in doors:
        opened.server.close()


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
