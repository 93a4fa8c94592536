"""What a paper account made in its trading day, by its own books."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from brokers.paper.books import Books
from brokers.paper.prices import Prices


def day_pnl(books: Books, prices: Prices, now: datetime) -> Decimal | None:
    """Dollars since the trading day of `now` began, before commissions; None while a price is missing."""
    books.begin_day(now)
    total = books.realized - books.realized_before
    for position in books.account.positions.values():
        if position.net == 0:
            continue
        last = prices.last(position.contract)
        if last is None:
            return None
        total += position.open_profit(last)
    return total
