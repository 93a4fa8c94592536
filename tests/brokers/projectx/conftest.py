"""One sandbox venue for all, fresh followers of it, and a venue whose every answer a test writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from brokers.sandbox.testing import RunningSandbox, running_sandbox
from tests.brokers.projectx.trader import PRICE, SandboxTrader, Trader
from tests.brokers.projectx.venue import Venue, trader_of


@pytest.fixture(scope="session")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox(accounts=1, venue="projectx") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> Iterator[RunningSandbox]:
    running.price("MNQ", PRICE)
    usual = running.get("/switches")
    yield running
    running.clear_faults()
    running.switches(**usual)


@pytest.fixture
def new_trader(sandbox: RunningSandbox) -> Iterator[Callable[[], SandboxTrader]]:
    traders: list[SandboxTrader] = []

    def make() -> SandboxTrader:
        traders.append(SandboxTrader(sandbox, sandbox.add_accounts(1)[0]))
        return traders[-1]

    yield make
    for trader in traders:
        trader.client.close()


@pytest.fixture
def trader(new_trader: Callable[[], SandboxTrader]) -> SandboxTrader:
    return new_trader().live()


@pytest.fixture
def venue() -> Iterator[Venue]:
    venue = Venue()
    yield venue
    venue.close()


@pytest.fixture
def scripted(venue: Venue) -> Iterator[Trader]:
    """A login at a venue whose answers the test writes, not started."""
    trader = trader_of(venue)
    yield trader
    trader.client.close()
