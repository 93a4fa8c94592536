"""Clearing the way for a close: one contract's working orders canceled and seen to have ended, its position read.

Events usually tell that a cancel went through; where they do not, the list of open orders tells it for all orders at
once. An order whose cancel was not even answered is asked for itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from brokers.access import Priority
from brokers.base import AccountRef
from brokers.errors import OutcomeUnknown, RateLimited, Refused
from brokers.webull import limits, orders
from brokers.webull.book import Book
from brokers.webull.client import Client
from brokers.webull.codes import NOT_CANCELABLE, ORDER_NOT_FOUND, is_code
from brokers.webull.instruments import Traded
from brokers.webull.parse import orders_of, positions_of
from brokers.webull.types import OrderState, PositionState

logger = logging.getLogger(__name__)

# Shorter than what makes an unanswered request count as lost.
PATIENCE_SECONDS = 6.5
LOOK_EVERY_SECONDS = 0.25
_T = TypeVar("_T")


class Clearing:
    """One contract of one account, for as long as one flatten lasts; its calls block and raise a `BrokerError`."""

    def __init__(self, client: Client, book: Book, account: AccountRef, traded: Traded) -> None:
        self.account = account
        self.traded = traded
        self._client = client
        self._book = book
        self._query = {"account_id": account.broker_id}
        self._deadline = time.monotonic() + PATIENCE_SECONDS

    def cancel_working(self) -> None:
        """Raises `OutcomeUnknown` while an order of the contract may still fill."""
        listed = self._open_orders()
        names = {state.client_order_id for state in listed}
        ours = [self._state(name) for name in self._book.unfinished(self.account) if name not in names]
        known = [*listed, *(state for state in ours if state is not None)]
        working = [state for state in known if state.symbol == self.traded.symbol and not state.is_done]
        answered = {state.client_order_id for state in working if self._cancel(state)}
        self._await_ends([state.client_order_id for state in working], answered)

    def net(self) -> int:
        """What is held, signed."""
        held = self._positions()
        if self._book.take_positions(self.account, held):
            time.sleep(LOOK_EVERY_SECONDS)
            held = self._positions()
            self._book.take_positions(self.account, held)
        return sum(position.net for position in held if position.symbol == self.traded.symbol)

    def await_end(self, name: str) -> None:
        """Until an order of ours has ended, or for as long as patience lasts."""
        while not self._has_ended(name) and time.monotonic() < self._deadline:
            time.sleep(LOOK_EVERY_SECONDS)
            if not self._has_ended(name):
                self._ask_for(name)

    def _await_ends(self, names: list[str], answered: set[str]) -> None:
        while names := [name for name in names if not self._has_ended(name)]:
            if time.monotonic() > self._deadline:
                raise OutcomeUnknown(f"an order of {self.traded.symbol} is still working")
            time.sleep(LOOK_EVERY_SECONDS)
            doubtful = [name for name in names if name not in answered and not self._has_ended(name)]
            if doubtful:
                self._ask_for(doubtful[0])
            elif any(not self._has_ended(name) for name in names):
                listed = {state.client_order_id for state in self._open_orders()}
                names = [name for name in names if name in listed]

    def _cancel(self, order: OrderState) -> bool:
        """Whether the venue answered that it is canceled, or that there is nothing left to cancel."""
        body = orders.cancel_body(self.account.broker_id, order.client_order_id)
        try:
            self._patiently(lambda: self._client.write(limits.CANCEL, body, Priority.FLATTEN))
        except (Refused, OutcomeUnknown) as error:
            logger.info("a cancel before a close was not confirmed: %s", error)
            return is_code(error, ORDER_NOT_FOUND, NOT_CANCELABLE)
        return True

    def _ask_for(self, name: str) -> None:
        query = {**self._query, "client_order_id": name}
        try:
            found = orders_of(self._patiently(lambda: self._client.read(limits.DETAIL, query, Priority.FLATTEN)))
        except Refused as error:
            if not is_code(error, ORDER_NOT_FOUND):
                raise
            self._book.missing(self.account, name)
        else:
            self._book.take(self.account, found)

    def _has_ended(self, name: str) -> bool:
        state = self._state(name)
        return state is not None and state.is_done

    def _state(self, name: str) -> OrderState | None:
        return self._book.state_of(self.account, name)

    def _open_orders(self) -> tuple[OrderState, ...]:
        listed = orders_of(self._patiently(lambda: self._client.pages(limits.OPEN, self._query, Priority.FLATTEN)))
        self._book.take(self.account, listed)
        return listed

    def _positions(self) -> tuple[PositionState, ...]:
        return positions_of(self._patiently(lambda: self._client.read(limits.POSITIONS, self._query, Priority.FLATTEN)))

    def _patiently(self, ask: Callable[[], _T]) -> _T:
        """Wait out a short silence: what has come this far must get through."""
        while True:
            try:
                return ask()
            except RateLimited as error:
                pause = max((error.until - datetime.now(UTC)).total_seconds(), LOOK_EVERY_SECONDS)
                if time.monotonic() + pause > self._deadline:
                    raise
                time.sleep(pause)
