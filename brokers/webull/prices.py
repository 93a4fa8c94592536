"""Webull's quotes as prices, and the one that an order is measured from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from brokers.access import Priority
from brokers.base import AccountRef, Side
from brokers.errors import OutcomeUnknown, Refused
from brokers.webull import limits
from brokers.webull.client import Client
from brokers.webull.instruments import Traded, on_tick
from brokers.webull.parse import decimal_of, positions_of, time_of
from brokers.webull.types import Market

NO_PRICE = "NO_MARKET_PRICE"
FUND_CATEGORY = "US_ETF"


@dataclass(frozen=True, slots=True)
class Price:
    """A quote of one symbol; what the venue does not say is None."""

    symbol: str
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    at: datetime


def price_of(row: Mapping[str, Any]) -> Price:
    """A snapshot's row. Raises `OutcomeUnknown`."""
    try:
        bid, ask, last = (decimal_of(row.get(name)) for name in ("bid", "ask", "price"))
        at = time_of(row.get("quote_time") or row.get("last_trade_time")) or datetime.now(UTC)
        return Price(str(row["symbol"]), bid, ask, last, at)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise OutcomeUnknown("a quote could not be read") from None


def categories_of(traded: Traded) -> tuple[str, ...]:
    """Under which of the venue's classes its quotes are found: a fund is not told by its symbol."""
    return (traded.category, FUND_CATEGORY) if traded.market is Market.EQUITY else (traded.category,)


def reference_price(client: Client, account: AccountRef, traded: Traded, side: Side, priority: Priority) -> Decimal:
    """What a market order of this side would roughly get now.

    A login without market data has the price at which the venue values its position. Raises a `BrokerError`, `Refused`
    where there is no price at all.
    """
    refusal = None
    for category in categories_of(traded):
        try:
            rows = client.snapshots(category, traded.symbol, priority)
        except Refused as error:
            refusal = error
            continue
        for price in map(price_of, rows):
            wanted = price.ask if side is Side.BUY else price.bid
            found = price.last if wanted is None else wanted
            if price.symbol == traded.symbol and found is not None:
                return on_tick(found, traded)
    held = positions_of(client.read(limits.POSITIONS, {"account_id": account.broker_id}, priority))
    last = next((position.last for position in held if position.symbol == traded.symbol), None)
    if last is None:
        why = str(refusal) if refusal is not None else "the venue quotes nothing"
        raise Refused(NO_PRICE, f"{traded.symbol} has no price to measure the order from: {why}")
    return on_tick(last, traded)
