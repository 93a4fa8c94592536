"""Live quotes: pushed where the venue pushes, else asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

import pytest

from brokers.webull import quotes, streaming
from tests.brokers.scripted import until
from tests.brokers.webull.trader import AAPL, MNQ, OPTION, Trader

Quote = tuple[str, Decimal | None, Decimal | None, Decimal | None]
SUBSCRIBE, SNAPSHOTS = "market-data/streaming/subscribe", "market-data/stocks/snapshots/list"


class Listener:
    """A quote source of a login, and what it has told."""

    def __init__(self, trader: Trader) -> None:
        self.told: list[Quote] = []
        self.source = trader.connection.quotes(self._on_quote)

    def _on_quote(
        self, symbol: str, bid: Decimal | None, ask: Decimal | None, last: Decimal | None, _at: datetime
    ) -> None:
        self.told.append((symbol, bid, ask, last))

    def lasts(self, symbol: str) -> list[Decimal]:
        return [last for name, _, _, last in self.told if name == symbol and last is not None]

    def has(self, symbol: str, price: int) -> bool:
        return Decimal(price) in self.lasts(symbol)


@pytest.fixture
def watch(
    new_trader: Callable[..., Trader], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Trader, Listener]]]:
    monkeypatch.setattr(quotes, "ASK_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(streaming, "FIRST_RETRY_SECONDS", 0)
    opened: list[Listener] = []

    def start(*symbols: str) -> tuple[Trader, Listener]:
        trader = new_trader()
        listener = Listener(trader)
        opened.append(listener)
        listener.source.subscribe(symbols)
        listener.source.start()
        return trader, listener

    yield start
    for listener in opened:
        listener.source.stop()


def _calls(trader: Trader, endpoint: str) -> int:
    mine = [call for call in trader.sandbox.arrivals() if call["username"] == trader.login.username]
    return sum(1 for call in mine if call["endpoint"] == endpoint)


def test_a_share_is_pushed(watch: Callable[..., tuple[Trader, Listener]], monkeypatch: pytest.MonkeyPatch) -> None:
    """I3: parts come as they are, a book without a last price and the other way round."""
    monkeypatch.setattr(quotes, "PUSHED_FOR_SECONDS", 3600.0)
    trader, listener = watch(AAPL)
    until(lambda: _calls(trader, SUBSCRIBE) == 1)
    until(lambda: any(last is None and bid is not None for _, bid, _, last in listener.told))
    asked = _calls(trader, SNAPSHOTS)
    trader.sandbox.price(AAPL, 333)
    until(lambda: listener.has(AAPL, 333))
    assert _calls(trader, SNAPSHOTS) == asked


def test_a_fund_is_found_under_its_own_class(watch: Callable[..., tuple[Trader, Listener]]) -> None:
    trader, listener = watch("SPY")
    trader.sandbox.price("SPY", 700)
    until(lambda: listener.has("SPY", 700))
    until(lambda: _calls(trader, SUBSCRIBE) == 2)


def test_what_is_not_pushed_is_asked_for(watch: Callable[..., tuple[Trader, Listener]]) -> None:
    """I3: futures and options."""
    trader, listener = watch(MNQ, OPTION)
    trader.sandbox.price("MNQ", 25_123)
    trader.sandbox.price(OPTION, 17)
    until(lambda: listener.has(MNQ, 25_123) and listener.has(OPTION, 17))
    assert {symbol for symbol, *_ in listener.told} == {MNQ, OPTION}


def test_a_lost_push_is_replaced_by_asking_and_comes_back(
    watch: Callable[..., tuple[Trader, Listener]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """I1 I3: nothing is restored by the venue, so everything is subscribed again."""
    monkeypatch.setattr(quotes, "PUSHED_FOR_SECONDS", 0.1)
    trader, listener = watch(AAPL)
    until(lambda: _calls(trader, SUBSCRIBE) == 1)
    trader.sandbox.fault(trader.login.username, "shutdown")
    trader.sandbox.price(AAPL, 345)
    until(lambda: listener.has(AAPL, 345))
    until(lambda: _calls(trader, SUBSCRIBE) == 2)


def test_an_unsubscribed_symbol_is_told_no_more(watch: Callable[..., tuple[Trader, Listener]]) -> None:
    trader, listener = watch(AAPL, MNQ)
    until(lambda: listener.lasts(AAPL) and listener.lasts(MNQ))
    listener.source.unsubscribe([AAPL])
    listener.told.clear()
    trader.sandbox.price(AAPL, 355)
    trader.sandbox.price("MNQ", 25_200)
    until(lambda: listener.has(MNQ, 25_200))
    assert listener.lasts(AAPL) == []


def test_a_login_without_market_data_has_no_quotes_and_no_trouble(
    watch: Callable[..., tuple[Trader, Listener]],
) -> None:
    """I3: nothing that trades depends on them; what names nothing is left out."""
    trader, listener = watch(MNQ, "not a name")
    trader.sandbox.switches(market_data=False)
    until(lambda: _calls(trader, "market-data/futures/snapshots/list") >= 2)
    trader.sandbox.switches(market_data=True)
    until(lambda: listener.lasts(MNQ))
