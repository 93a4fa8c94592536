"""A sandbox venue for all of these tests, fresh logins of it, and a connection that looks often."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from brokers.access import Budget
from brokers.sandbox.testing import RunningSandbox, running_sandbox
from brokers.webull import clearing, evidence, poll
from tests.brokers.webull.trader import Trader

MNQ_PRICE, AAPL_PRICE = 25_000, 300


@pytest.fixture(scope="session")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox(accounts=1, venue="webull") as sandbox:
        sandbox.switches(rate_limits=False, fees=False)
        yield sandbox


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "SPACING_SECONDS", 0.0)
    monkeypatch.setattr(poll, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(poll, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(clearing, "LOOK_EVERY_SECONDS", 0.02)


@pytest.fixture
def sandbox(running: RunningSandbox, quick: None) -> Iterator[RunningSandbox]:
    running.price("MNQ", MNQ_PRICE)
    running.price("AAPL", AAPL_PRICE)
    before = running.switches()
    yield running
    running.clear_faults()
    running.switches(**before)


@pytest.fixture
def new_trader(sandbox: RunningSandbox) -> Iterator[Callable[..., Trader]]:
    traders: list[Trader] = []

    def make(budget: Budget | None = None) -> Trader:
        traders.append(Trader(sandbox, sandbox.add_accounts(1)[0], budget))
        return traders[-1]

    yield make
    for trader in traders:
        trader.close()


@pytest.fixture
def trader(new_trader: Callable[..., Trader]) -> Trader:
    return new_trader().live()
