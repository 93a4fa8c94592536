"""Closing a position: cancel what works, see it canceled, read what is held, close exactly that, see it closed.

An order that may still fill would turn the close into an opening, so nothing is closed before every working order of
the contract is seen to have ended. Until the close itself has left, the outcome is `NotSent`: a flatten that stopped
there may be sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from brokers.access import Priority
from brokers.base import AccountRef, FlattenPosition
from brokers.errors import AuthFailed, BrokerError, Refused
from brokers.reports import Accepted, NotSent, Outcome, Rejected
from brokers.webull import orders
from brokers.webull.book import Book
from brokers.webull.clearing import Clearing
from brokers.webull.client import Client
from brokers.webull.codes import is_too_much_to_close
from brokers.webull.instruments import traded_of

logger = logging.getLogger(__name__)

MOST_CLOSES = 3

Place = Callable[[AccountRef, str, orders.Body, Priority], Outcome]
Settle = Callable[[Outcome, datetime | None], None]


class Flattener:
    """`place` is the desk's: one place, and what became of it."""

    def __init__(self, client: Client, book: Book, place: Place) -> None:
        self._client = client
        self._book = book
        self._place = place

    def flatten(self, request: FlattenPosition, settle: Settle) -> None:
        """Blocks. `settle` is called exactly once, as soon as the close was taken or there was nothing to close."""
        account, name = request.account, request.client_order_id
        try:
            traded = traded_of(request.symbol)
            clearing = Clearing(self._client, self._book, account, traded)
            clearing.cancel_working()
            sent_at, outcome = self._close(clearing, name)
        except BrokerError as error:
            settle(unsent(name, error), None)
            return
        settle(outcome, sent_at)
        if isinstance(outcome, Accepted):
            self._verify(Clearing(self._client, self._book, account, traded), name)

    def _close(self, clearing: Clearing, name: str) -> tuple[datetime | None, Outcome]:
        """Close what is held. A close that is refused as too big is sized anew: something else closed a part."""
        account, traded = clearing.account, clearing.traded
        refused: Outcome | None = None
        before = 0
        for _ in range(MOST_CLOSES):
            net = clearing.net()
            if net == 0:
                return None, Accepted(name, None, _now())
            if refused is not None and net == before:
                return None, refused
            sent_at, before = _now(), net
            body = orders.close_body(account.broker_id, name, traded, net)
            outcome = self._place(account, name, body, Priority.FLATTEN)
            if not (isinstance(outcome, Rejected) and is_too_much_to_close(outcome.code)):
                return sent_at, outcome
            refused = outcome
        return None, refused or NotSent(name, "the position kept changing", _now())

    def _verify(self, clearing: Clearing, name: str) -> None:
        """Wait for the close, read the position, and leave nothing working. The account's next request waits for it."""
        try:
            clearing.await_end(name)
            net = clearing.net()
            if net != 0:
                # Not closed again here: a list that lags would make that an opening.
                logger.warning("%s of %s is at %s after its close", clearing.traded.symbol, clearing.account.name, net)
            clearing.cancel_working()
        except BrokerError as error:
            logger.warning("the close of %s could not be verified: %s", clearing.traded.symbol, error)


def unsent(name: str, error: BrokerError) -> Outcome:
    """The outcome of a request that failed before any of it left. A login that is refused may be accepted again."""
    if isinstance(error, Refused) and not isinstance(error, AuthFailed):
        return Rejected(name, error.code, error.text, _now())
    return NotSent(name, str(error), _now())


def _now() -> datetime:
    return datetime.now(UTC)
