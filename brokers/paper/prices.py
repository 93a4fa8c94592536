"""The prices that a paper account is filled at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from brokers.matching.types import Contract, Order, TopOfBook
from brokers.paper.listings import Listing
from brokers.quotes.quote import Quote


class Prices:
    """The newest quotes, looked at from the moment `now`, which its owner moves on."""

    def __init__(self, now: datetime, *, is_always_open: bool) -> None:
        self.now = now
        self._is_always_open = is_always_open
        self._quotes: dict[str, Quote] = {}

    def update(self, quotes: Mapping[str, Quote]) -> None:
        self._quotes.update(quotes)

    def is_open(self, listing: Listing) -> bool:
        return self._is_always_open or listing.is_open(self.now)

    def last(self, listing: Contract) -> Decimal | None:
        """The last price known, however old."""
        quote = self._quotes.get(listing.name)
        return quote.last if quote is not None else None

    def top_of_book(self, contract: Contract) -> TopOfBook | None:
        """What orders may trade at: a fresh quote while the exchange is open, else None.

        A source that tells only trades has them as both sides.
        """
        quote = self._quotes.get(contract.name)
        if quote is None or quote.last is None or not quote.is_fresh(self.now):
            return None
        if isinstance(contract, Listing) and not self.is_open(contract):
            return None
        bid = quote.last if quote.bid is None else quote.bid
        ask = quote.last if quote.ask is None else quote.ask
        return TopOfBook(quote.last, bid, ask)

    def for_margin(self, order: Order) -> Decimal:
        known = [order.limit, order.stop, self.last(order.contract), order.average]
        return next((price for price in known if price is not None), Decimal(0))
