"""What an open position is worth now. Pure `Decimal` arithmetic; prices in points, results in dollars or ticks."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from brokers.instruments import Contract, UnknownTicker, contract_of
from brokers.quotes.quote import Quote


@lru_cache(maxsize=512)
def known_contract(symbol: str) -> Contract | None:
    """The contract of `symbol`, or None for one that our table does not have."""
    try:
        return contract_of(symbol)
    except UnknownTicker:
        return None


def price_that_counts(quote: Quote | None) -> Decimal | None:
    """The last price, None where its source is late: that is a number for a screen, and no money is counted by it.

    An old price counts; whoever shows what comes of it says how old it is.
    """
    return None if quote is None or quote.is_indicative else quote.last


def lateness(quote: Quote | None) -> str:
    """What to write behind the price of a source that is late or for screens only; "" for any other's."""
    if quote is None or not quote.is_indicative:
        return ""
    if quote.delay_s == 0:
        return " for reference"
    return " late" if quote.delay_s is None else f" {max(1, round(quote.delay_s / 60))} min late"


def open_pnl(net_qty: int, cost: Decimal | None, last: Decimal | None, contract: Contract | None) -> Decimal | None:
    """Dollars. `cost` is Σ net x average price of the same contracts; None in, None out: never a guess."""
    if cost is None or last is None or contract is None:
        return None
    return (last * net_qty - cost) * contract.point_value


def open_ticks(net_qty: int, avg_price: Decimal | None, last: Decimal | None, contract: Contract | None) -> int | None:
    """Whole ticks per contract in the position's favor, negative against it."""
    if avg_price is None or last is None or contract is None or net_qty == 0:
        return None
    moved = last - avg_price if net_qty > 0 else avg_price - last
    return int((moved / contract.tick).to_integral_value())
