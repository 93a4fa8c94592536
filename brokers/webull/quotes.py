"""Live quotes of one Webull login: pushed where the venue pushes, else asked for.

Only stocks and funds are documented to be pushed, and a login without the market data subscription gets nothing at
all: that is normal, and nothing that trades may depend on it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

from brokers.access import Access
from brokers.base import OnQuote
from brokers.errors import BrokerError, Refused
from brokers.webull.client import Client
from brokers.webull.instruments import Traded, traded_of
from brokers.webull.prices import Price, categories_of, price_of
from brokers.webull.streaming import QuotePush

logger = logging.getLogger(__name__)

ASK_EVERY_SECONDS = 1.0
PUSHED_FOR_SECONDS = 3.0
MOST_ASKED = 20


class WebullQuotes:
    """`subscribe` and `unsubscribe` take our symbols and are safe in any thread, as `start` and `stop` are.

    One thread subscribes and asks: a symbol is asked for about once a second unless it was pushed lately.
    """

    def __init__(self, client: Client, access: Access, on_quote: OnQuote) -> None:
        self._client = client
        self._on_quote = on_quote
        self._push = QuotePush(
            client, access.endpoints.md_url, access.credentials.username, self._on_push, self._on_push_up
        )
        self._lock = threading.Lock()
        self._wanted: dict[str, Traded] = {}
        self._categories: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._pushed_at: dict[str, float] = {}
        self._to_subscribe: set[str] = set()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webull-quotes", daemon=True)

    def start(self) -> None:
        self._push.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._push.stop()

    def subscribe(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            try:
                traded = traded_of(symbol)
            except Refused as error:
                logger.warning("no quotes for %s: %s", symbol, error)
                continue
            with self._lock:
                self._wanted[symbol] = traded
                self._names[traded.symbol] = symbol
                self._to_subscribe.add(symbol)
        self._wake.set()

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            with self._lock:
                traded = self._wanted.pop(symbol, None)
                self._to_subscribe.discard(symbol)
                category = self._categories.pop(symbol, None)
                was_pushed = traded is not None and self._pushed_at.pop(traded.symbol, None) is not None
            if traded is not None and was_pushed:
                self._push.unsubscribe(category or traded.category, [traded.symbol])

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._subscribe_pushes()
                self._ask()
            except BrokerError as error:
                logger.info("quotes could not be asked for: %s", error)
            except Exception:  # the outermost frame of this thread: a bug costs one round of quotes
                logger.exception("quotes of webull failed inside this program")
            self._wake.wait(ASK_EVERY_SECONDS)
            self._wake.clear()

    def _on_push_up(self) -> None:
        with self._lock:
            self._to_subscribe.update(self._wanted)
        self._wake.set()

    def _subscribe_pushes(self) -> None:
        if not self._push.is_up:
            return
        with self._lock:
            wanted = {symbol: self._wanted[symbol] for symbol in self._to_subscribe}
            self._to_subscribe.clear()
        for symbol, traded in wanted.items():
            self._subscribe_push(symbol, traded)

    def _subscribe_push(self, symbol: str, traded: Traded) -> None:
        """A symbol that no category pushes is asked for instead."""
        for category in categories_of(traded):
            try:
                self._push.subscribe(category, [traded.symbol])
            except Refused as error:
                logger.info("%s is not pushed as %s: %s", symbol, category, error.code)
            else:
                self._categories[symbol] = category
                return

    def _ask(self) -> None:
        now = time.monotonic()
        with self._lock:
            silent = [
                (symbol, traded)
                for symbol, traded in self._wanted.items()
                if now - self._pushed_at.get(traded.symbol, 0.0) > PUSHED_FOR_SECONDS
            ]
        by_category: dict[str, list[str]] = {}
        for symbol, traded in silent:
            by_category.setdefault(self._categories.get(symbol, traded.category), []).append(traded.symbol)
        for category, names in by_category.items():
            for start in range(0, len(names), MOST_ASKED):
                for row in self._snapshots(category, names[start : start + MOST_ASKED]):
                    self._tell(price_of(row))

    def _snapshots(self, category: str, names: list[str]) -> list[dict[str, object]]:
        """Without a market data subscription there are no quotes, and no reason to fail for it."""
        try:
            return self._client.snapshots(category, ",".join(names))
        except Refused as error:
            logger.info("no quotes for %s: %s", ", ".join(names), error)
            return []

    def _on_push(self, price: Price) -> None:
        with self._lock:
            self._pushed_at[price.symbol] = time.monotonic()
        self._tell(price)

    def _tell(self, price: Price) -> None:
        with self._lock:
            symbol = self._names.get(price.symbol)
            is_wanted = symbol in self._wanted
        if symbol is not None and is_wanted:
            self._on_quote(symbol, price.bid, price.ask, price.last, price.at)
