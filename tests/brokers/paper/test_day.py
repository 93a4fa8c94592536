"""What a paper account says that it made today."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal as D

import pytest

from brokers.base import AccountRef, OrderStatus, Side
from brokers.errors import NotReached
from brokers.paper.store import MemoryStore
from brokers.paper.terms import Terms
from tests.brokers.paper.conftest import MakeTrader
from tests.brokers.paper.trader import PRICE, Market, Trader
from tests.brokers.scripted import until

FILL = PRICE + D("0.25")
NEXT_SESSION = timedelta(hours=9)
"""From the market's first moment, 9:00 in Chicago, past the roll at 17:00."""


def sold(trader: Trader, qty: int = 1) -> None:
    trader.order_called(trader.exit(Side.SELL, qty), OrderStatus.FILLED)


def later(market: Market, step: timedelta, price: int) -> None:
    """The same clock time of day in another session, with a quote of that moment."""
    market.now += step
    market.price(price)


def test_a_day_is_what_was_realised_and_is_open_before_commissions(make_trader: MakeTrader, market: Market) -> None:
    trader = make_trader(Terms(commission=D(5)))
    trader.enter(2)
    market.price(PRICE + 10)
    until(lambda: trader.connection.day_pnl(trader.ref) == 2 * 2 * (PRICE + 10 - FILL))
    sold(trader)
    assert trader.connection.day_pnl(trader.ref) == 2 * 2 * (PRICE + 10 - FILL)
    assert trader.connection.day_pnl(AccountRef("PAPER-2", "Another")) is None
    assert trader.connection.books_at == market.now


def test_a_new_session_starts_at_nothing_realised_also_after_a_restart(make_trader: MakeTrader, market: Market) -> None:
    store = MemoryStore()
    trader = make_trader(Terms(is_always_open=True), store)
    trader.enter(2)
    market.price(PRICE + 10)
    sold(trader)
    later(market, NEXT_SESSION, PRICE + 20)
    open_now = 2 * (PRICE + 20 - FILL)
    until(lambda: trader.connection.day_pnl(trader.ref) == open_now)
    sold(trader)
    assert trader.connection.day_pnl(trader.ref) == open_now
    trader.connection.stop()
    until(lambda: trader.connection.books_at is None)
    again = make_trader(Terms(is_always_open=True), store)
    assert again.connection.day_pnl(again.ref) == open_now


def test_books_of_before_days_were_counted_begin_one(make_trader: MakeTrader, market: Market) -> None:
    store = MemoryStore()
    first = make_trader(store=store)
    first.enter(1)
    market.price(PRICE + 10)
    sold(first)
    first.connection.stop()
    until(lambda: first.connection.books_at is None)
    document = json.loads(store.load() or "")
    del document["day"], document["realized_before"]
    store.save(json.dumps(document))
    again = make_trader(store=store)
    assert again.connection.day_pnl(again.ref) == 0


def test_books_that_are_not_open_have_no_figure(market: Market) -> None:
    trader = Trader(market)
    with pytest.raises(NotReached):
        trader.connection.day_pnl(trader.ref)
    assert trader.connection.books_at is None
