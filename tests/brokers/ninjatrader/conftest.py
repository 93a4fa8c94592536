"""Tradovate's fixtures, with every connection made by NinjaTrader's own `VENUE`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from brokers.ninjatrader.venue import VENUE
from brokers.sandbox.testing import RunningSandbox
from brokers.venue import Connect
from tests.brokers.tradovate import conftest as tradovate
from tests.brokers.tradovate.purse import Purse
from tests.brokers.tradovate.trader import Trader
from tests.brokers.tradovate.venue import Client, Venue

running, defaults, sandbox, venue = tradovate.running, tradovate.defaults, tradovate.sandbox, tradovate.venue


@pytest.fixture
def new_trader(sandbox: RunningSandbox) -> Iterator[Callable[..., Trader]]:
    traders: list[Trader] = []

    def make(connect: Connect = VENUE.connect) -> Trader:
        traders.append(Trader(sandbox, sandbox.add_accounts(1)[0], connect))
        return traders[-1]

    yield make
    for trader in traders:
        trader.client.close()


@pytest.fixture
def trader(new_trader: Callable[..., Trader]) -> Trader:
    return new_trader().live()


@pytest.fixture
def client(venue: Venue) -> Iterator[Client]:
    client = Client(venue.rest_server.url, venue.socket.url, connect=VENUE.connect)
    yield client
    client.close()


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
def paying(venue: Venue, purse: Purse) -> Iterator[Client]:
    client = Client(venue.rest_server.url, venue.socket.url, budget=purse, connect=VENUE.connect)
    yield client
    client.close()
