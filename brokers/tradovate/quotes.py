"""Live quotes over Tradovate's market data socket, for logins whose venue plan includes them.

Most API keys have no market data entitlement: a refused subscription is normal, and nothing that trades may depend
on it (Tradovate wire facts, market data).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import orjson

from brokers.access import Token
from brokers.errors import AuthExpired, AuthFailed, BrokerError
from brokers.streams import StreamLoop
from brokers.tradovate import parse
from brokers.tradovate.auth import Auth
from brokers.tradovate.client import Client
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.gate import Gate
from brokers.tradovate.session import TradovateSession

logger = logging.getLogger(__name__)

NO_PLAN_HOLD_SECONDS = 300.0

OnQuote = Callable[[str, Decimal | None, Decimal | None, Decimal | None, datetime], None]
"""Symbol, bid, ask, last (None: not in this message) and the venue's time; called on the loop's thread."""


class QuoteSession(TradovateSession):
    """Subscribes what it is told to, again after every reconnect."""

    def __init__(self, auth: Auth, gate: Gate, url: str, book: ContractBook, on_quote: OnQuote) -> None:
        super().__init__(auth, gate, lambda: url)
        self._book = book
        self._on_quote = on_quote
        self._symbols: dict[str, None] = {}
        self._authorized = False
        self._has_said_no_plan = False

    def add(self, symbol: str) -> None:
        """Once more is asked once more: the first may have been refused, or its answer lost."""
        self._symbols[symbol] = None
        if self._authorized:
            self._subscribe(symbol)

    def remove(self, symbol: str) -> None:
        if symbol not in self._symbols:
            return
        del self._symbols[symbol]
        if self._authorized:
            self.ask("md/unsubscribeQuote", _ignore, body=orjson.dumps({"symbol": symbol}), on_refusal=_ignore)

    def socket_token(self, token: Token) -> str:
        return token.market_data or token.access

    def on_authorized(self, token: Token) -> None:
        self._authorized = True
        self.stream.settled()
        for symbol in self._symbols:
            self._subscribe(symbol)

    def on_refused_token(self, token: Token, *, is_proven: bool) -> None:
        """Without market data in the plan a good token is refused here: the login goes on trading with it."""
        if is_proven:
            self._say_no_plan()
            self._refused_tokens = 0
            self.stream.hold(NO_PLAN_HOLD_SECONDS)

    def on_failed(self, error: AuthFailed) -> None:
        self.on_down(str(error))

    def on_down(self, reason: str) -> None:
        self._authorized = False
        logger.info("quotes are down: %s", reason)

    def on_event(self, message: parse.Json) -> None:
        detail = message.get("d")
        if message.get("e") != "md" or not isinstance(detail, dict):
            return
        for quote in detail.get("quotes") or ():
            symbol = self._book.name_of(quote["contractId"])
            if symbol is not None and symbol in self._symbols:
                entries = quote.get("entries") or {}
                bid, ask, last = (_price(entries, name) for name in ("Bid", "Offer", "Trade"))
                self._on_quote(symbol, bid, ask, last, parse.parse_time(quote["timestamp"]))

    def _subscribe(self, symbol: str) -> None:
        def on_refusal(error: BrokerError) -> None:
            if isinstance(error, AuthExpired):
                self._say_no_plan()
            else:
                logger.warning("no quotes for %s: %s", symbol, error)

        self.ask("md/subscribeQuote", _ignore, body=orjson.dumps({"symbol": symbol}), on_refusal=on_refusal)

    def _say_no_plan(self) -> None:
        if not self._has_said_no_plan:
            self._has_said_no_plan = True
            logger.warning("this tradovate login has no market data in its plan: it shows no quotes")


class QuoteStream:
    """Quotes of one login; `subscribe` and `unsubscribe` take contract names and are safe in any thread."""

    def __init__(self, session: QuoteSession, client: Client, book: ContractBook, loop: StreamLoop) -> None:
        self._session = session
        self._client = client
        self._book = book
        self._loop = loop

    def start(self) -> None:
        self._loop.add(self._session.stream)

    def stop(self) -> None:
        self._loop.remove(self._session.stream)

    def subscribe(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            if self._book.id_of(symbol) is None:
                self._loop.background(partial(self._look_up, symbol))
            else:
                self._add(symbol)

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            self._loop.call(partial(self._session.remove, symbol))

    def _add(self, symbol: str) -> None:
        self._loop.call(lambda: self._session.add(symbol))

    def _look_up(self, symbol: str) -> None:
        """Quotes name their contract by id only."""
        try:
            contract = self._client.find_contract(symbol)
        except BrokerError as error:
            logger.warning("no quotes for %s: %s", symbol, error)
            return
        self._book.learn(contract.id, contract.name)
        self._add(symbol)


def _price(entries: parse.Json, name: str) -> Decimal | None:
    entry = entries.get(name)
    return parse.decimal_of(entry.get("price")) if isinstance(entry, dict) else None


def _ignore(_answer: Any) -> None:
    """Neither the answer nor its refusal changes anything."""
