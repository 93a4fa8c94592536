from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from brokers.paper.store import PaperStore
from brokers.paper.terms import Terms
from tests.brokers.paper.trader import PRICE, Market, Trader

MakeTrader = Callable[..., Trader]


@pytest.fixture
def market() -> Market:
    """Open, with a quote of 25,000 and a tick above it."""
    made = Market()
    made.price(PRICE)
    return made


@pytest.fixture
def make_trader(market: Market) -> Iterator[MakeTrader]:
    made: list[Trader] = []

    def make(terms: Terms | None = None, store: PaperStore | None = None) -> Trader:
        trader = Trader(market, terms, store)
        made.append(trader)
        return trader.live()

    yield make
    for trader in made:
        trader.connection.stop()


@pytest.fixture
def trader(make_trader: MakeTrader) -> Trader:
    return make_trader()
