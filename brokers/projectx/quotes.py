"""Live quotes over the market hub, through a login's sign-in.

A quote says only what changed, and a trade may come alone or in a list: both are merged into the last state of their
contract (ProjectX wire facts, market hub).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from brokers.base import OnQuote
from brokers.errors import AuthFailed, BrokerError
from brokers.projectx.auth import Auth
from brokers.projectx.client import Client
from brokers.projectx.contracts import ContractBook
from brokers.projectx.hub import HubSession
from brokers.projectx.parse import Json, decimal_of, parse_time
from brokers.streams import StreamLoop

logger = logging.getLogger(__name__)

_QUOTES, _TRADES = "ContractQuotes", "ContractTrades"


@dataclass(slots=True)
class Ticker:
    """The newest of each price that a contract's messages have said."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None

    def take_quote(self, quote: Json) -> datetime:
        """Merge what it says; its time. Raises KeyError, TypeError or ValueError for what is no quote."""
        for name, key in (("bid", "bestBid"), ("ask", "bestAsk"), ("last", "lastPrice")):
            price = decimal_of(quote.get(key))
            if price is not None:
                setattr(self, name, price)
        said = quote.get("timestamp") or quote.get("lastUpdated")
        return parse_time(said) if said is not None else datetime.now(UTC)

    def take_trade(self, trade: Json) -> datetime:
        self.last = Decimal(str(trade["price"]))
        return parse_time(trade["timestamp"])


class MarketSession(HubSession):
    """Subscribes what it is told to, again after every reconnect."""

    def __init__(self, auth: Auth, url: str, on_quote: OnQuote) -> None:
        super().__init__(auth, url)
        self._on_quote = on_quote
        self._symbols: dict[str, str] = {}
        self._tickers: dict[str, Ticker] = {}

    def add(self, contract_id: str, symbol: str) -> None:
        """Once more is asked once more: the first may have been refused, or its answer lost."""
        self._symbols[contract_id] = symbol
        if self._speaks:
            self._subscribe(contract_id)

    def remove(self, contract_id: str) -> None:
        if self._symbols.pop(contract_id, None) is None:
            return
        self._tickers.pop(contract_id, None)
        if self._speaks:
            self.ask(f"Unsubscribe{_QUOTES}", contract_id)
            self.ask(f"Unsubscribe{_TRADES}", contract_id)

    def on_speaking(self) -> None:
        self.stream.settled()
        for contract_id in self._symbols:
            self._subscribe(contract_id)

    def on_refused(self, target: str, reason: str) -> None:
        logger.warning("%s was refused: %s", target, reason)

    def on_event(self, target: str, arguments: Sequence[Any]) -> None:
        kind = target.lower()
        contract_id, told, *_ = (*arguments, None, None)
        symbol = self._symbols.get(contract_id)
        if symbol is None or told is None or kind not in ("gatewayquote", "gatewaytrade"):
            return
        ticker = self._tickers.setdefault(contract_id, Ticker())
        take = ticker.take_quote if kind == "gatewayquote" else ticker.take_trade
        try:
            times = [take(item) for item in (told if isinstance(told, list) else [told])]
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            logger.warning("an unreadable %s for %s: %r", target, symbol, error)
            return
        if times:
            self._on_quote(symbol, ticker.bid, ticker.ask, ticker.last, times[-1])

    def on_down(self, reason: str) -> None:
        """What was last said is old by the time that the hub is back."""
        self._tickers.clear()
        logger.info("quotes are down: %s", reason)

    def on_failed(self, error: AuthFailed) -> None:
        logger.warning("no quotes, the login is refused: %s", error)

    def _subscribe(self, contract_id: str) -> None:
        self.ask(f"Subscribe{_QUOTES}", contract_id)
        self.ask(f"Subscribe{_TRADES}", contract_id)


class QuoteStream:
    """Quotes of one login; `subscribe` and `unsubscribe` take our symbols and are safe in any thread."""

    def __init__(self, session: MarketSession, client: Client, contracts: ContractBook, loop: StreamLoop) -> None:
        self._session = session
        self._client = client
        self._contracts = contracts
        self._loop = loop

    def start(self) -> None:
        self._loop.add(self._session.stream)

    def stop(self) -> None:
        self._loop.remove(self._session.stream)

    def subscribe(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            self._loop.background(partial(self._look_up, symbol))

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            found = self._contracts.named(symbol)
            if found is not None:
                self._loop.call(partial(self._session.remove, found.id))

    def _look_up(self, symbol: str) -> None:
        try:
            contract = self._contracts.resolve(self._client, symbol)
        except BrokerError as error:
            logger.warning("no quotes for %s: %s", symbol, error)
            return
        self._loop.call(lambda: self._session.add(contract.id, symbol))
