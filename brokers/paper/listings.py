"""The contracts that paper accounts trade: every future of the product table, until its last trading day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from brokers import expiry, instruments, sessions
from brokers.instruments import Product, UnknownTicker

# A fourth of a percent of what a contract is worth, near what futures brokers ask for day trading.
MARGIN_SHARE = Decimal("0.0025")


@dataclass(frozen=True, slots=True)
class Listing:
    """One contract; `name` is the exchange's, such as MNQZ6."""

    name: str
    tick: Decimal
    point_value: Decimal
    product: Product
    last_trade: date

    def is_open(self, now: datetime) -> bool:
        return sessions.is_open(self.product, now)

    def margin(self, price: Decimal) -> Decimal:
        """Dollars that one contract ties up at this price."""
        return abs(price) * self.point_value * MARGIN_SHARE


@lru_cache(maxsize=1024)
def listing_of(symbol: str, today: date) -> Listing | None:
    """None for what is no dated contract of a known product."""
    try:
        contract = instruments.resolve(symbol, today)
    except UnknownTicker:
        return None
    if contract.symbol != symbol:
        return None
    last_trade = expiry.last_trade_date(contract.product.last_trade, contract.year, contract.month)
    return Listing(symbol, contract.tick, contract.point_value, contract.product, last_trade)
