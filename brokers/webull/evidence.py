"""Reading accounts over HTTP, as evidence of what is and what is not there.

The list of open orders is current; the history lags, so it is believed only where it says that an order has ended.
What neither list settles is asked for by its client order id, which is what the venue keys orders by.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from brokers.base import AccountRef
from brokers.errors import BrokerError, RateLimited, Refused
from brokers.webull import limits
from brokers.webull.book import Book
from brokers.webull.client import Client
from brokers.webull.codes import ORDER_NOT_FOUND, is_code
from brokers.webull.parse import cash_of, day_pnl_of, orders_of, positions_of
from brokers.webull.types import AccountPicture, OrderState, PositionState

logger = logging.getLogger(__name__)

SPACING_SECONDS = 1.0
PATIENCE_SECONDS = 20.0
_T = TypeVar("_T")


class Reader:
    """Reads that can wait, with a distance between questions to one endpoint and patience where none are left.

    Safe in several threads. `stopping` ends every wait.
    """

    def __init__(self, client: Client, book: Book, stopping: threading.Event) -> None:
        self._client = client
        self._book = book
        self._stopping = stopping
        self._lock = threading.Lock()
        self._free_at: dict[str, float] = {}

    def account(self, account: AccountRef, back: timedelta | None = None) -> AccountPicture:
        """The account's orders, positions and cash. Raises a `BrokerError`.

        `back` limits the history; without it the venue's own default of seven days is read.
        """
        started = datetime.now(UTC)
        working = self.working(account)
        history = self.history(account, back)
        ended = [state for state in history if state.is_done]
        settled = {state.client_order_id for state in (*working, *ended)}
        names = (*self._book.unfinished(account), *(state.client_order_id for state in history))
        details = [state for name in dict.fromkeys(names) if name not in settled for state in self.order(account, name)]
        positions = self.positions(account)
        return AccountPicture(account, started, (*ended, *working, *details), positions, self._known_cash(account))

    def working(self, account: AccountRef) -> tuple[OrderState, ...]:
        query = {"account_id": account.broker_id}
        return self._ask(limits.OPEN, lambda: orders_of(self._client.pages(limits.OPEN, query)))

    def history(self, account: AccountRef, back: timedelta | None) -> tuple[OrderState, ...]:
        """Orders of the last days as they were a little while ago."""
        query = _history_query(account, datetime.now(UTC), back)
        return self._ask(limits.HISTORY, lambda: orders_of(self._client.pages(limits.HISTORY, query)))

    def order(self, account: AccountRef, name: str) -> tuple[OrderState, ...]:
        """The order's group, empty where the venue says that it has no such order. Raises a `BrokerError`."""
        query = {"account_id": account.broker_id, "client_order_id": name}
        try:
            return self._ask(limits.DETAIL, lambda: orders_of(self._client.read(limits.DETAIL, query)))
        except Refused as error:
            if not is_code(error, ORDER_NOT_FOUND):
                raise
            self._book.missing(account, name)
            return ()

    def positions(self, account: AccountRef) -> tuple[PositionState, ...]:
        query = {"account_id": account.broker_id}
        return self._ask(limits.POSITIONS, lambda: positions_of(self._client.read(limits.POSITIONS, query)))

    def cash(self, account: AccountRef) -> Decimal | None:
        query = {"account_id": account.broker_id}
        return self._ask(limits.BALANCES, lambda: cash_of(self._client.read(limits.BALANCES, query)))

    def day_pnl(self, account: AccountRef) -> Decimal | None:
        query = {"account_id": account.broker_id}
        return self._ask(limits.BALANCES, lambda: day_pnl_of(self._client.read(limits.BALANCES, query)))

    def _known_cash(self, account: AccountRef) -> Decimal | None:
        """No evidence of any order: an account whose cash cannot be read goes without."""
        try:
            return self.cash(account)
        except BrokerError as error:
            logger.info("no cash balance of %s: %s", account.name, error)
            return None

    def _ask(self, endpoint: str, ask: Callable[[], _T]) -> _T:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._space_out(endpoint)
            try:
                return ask()
            except RateLimited as error:
                pause = max((error.until - datetime.now(UTC)).total_seconds(), 0.0)
                if time.monotonic() + pause > deadline or self._stopping.wait(pause):
                    raise

    def _space_out(self, endpoint: str) -> None:
        with self._lock:
            now = time.monotonic()
            free_at = max(self._free_at.get(endpoint, 0.0), now)
            self._free_at[endpoint] = free_at + SPACING_SECONDS
        self._stopping.wait(free_at - now)


def _history_query(account: AccountRef, now: datetime, back: timedelta | None) -> dict[str, str]:
    query = {"account_id": account.broker_id}
    if back is not None:
        query["start_time"] = (now - back).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return query
