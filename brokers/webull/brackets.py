"""A bracket's exits after its entry: moved to their distances from the fill.

The venue takes absolute prices with the entry, measured from a limit or from the market of that moment; the promise is
a distance from the fill. A replace states the same terms however often it is sent, so it may be repeated.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from brokers.access import Priority
from brokers.base import AccountRef, SubmitOrder
from brokers.errors import BrokerError, RateLimited
from brokers.webull import limits, orders
from brokers.webull.book import Book
from brokers.webull.client import Client
from brokers.webull.instruments import traded_of
from brokers.webull.parse import orders_of
from brokers.webull.types import STOP_LOSS, OrderState, Status

logger = logging.getLogger(__name__)

Watch = Callable[[AccountRef, str], None]
TRIES = 4
PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 3.0


def move_exits(
    client: Client, book: Book, account: AccountRef, order: SubmitOrder, entry: OrderState, watch: Watch
) -> None:
    """Bring the exits of a filled entry to where they belong; what cannot be moved stays where it protects already."""
    for attempt in range(TRIES):
        try:
            _move(client, book, account, order, entry)
        except BrokerError as error:
            logger.warning("exits of %s could not be moved (try %s): %s", order.client_order_id, attempt + 1, error)
            time.sleep(_pause(error))
        else:
            break
    watch(account, order.client_order_id)


def _move(client: Client, book: Book, account: AccountRef, order: SubmitOrder, entry: OrderState) -> None:
    if entry.average is None:
        return
    prices = orders.exit_prices(order.side, order.bracket[0], entry.average, traded_of(order.symbol))
    for leg in _legs(client, book, account, entry):
        body = None if leg.is_done else orders.move_body(account.broker_id, leg, prices)
        if body is not None:
            client.write(limits.REPLACE, body, Priority.STOP if leg.combo_type == STOP_LOSS else Priority.EXIT)


def _legs(client: Client, book: Book, account: AccountRef, entry: OrderState) -> list[OrderState]:
    """The exits as last seen, or as the venue has them where nothing was seen, or where it must have resized them."""
    known = book.legs_of(account, entry.client_order_id)
    if known and entry.status is Status.FILLED:
        return known
    query = {"account_id": account.broker_id, "client_order_id": entry.client_order_id}
    book.take(account, orders_of(client.read(limits.DETAIL, query, Priority.STOP)))
    return book.legs_of(account, entry.client_order_id)


def _pause(error: BrokerError) -> float:
    if not isinstance(error, RateLimited):
        return PAUSE_SECONDS
    wanted = (error.until - datetime.now(UTC)).total_seconds()
    return min(max(wanted, PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
