"""What an open position is worth now. Pure `Decimal` arithmetic; prices in points, results in dollars or ticks."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from brokers.instruments import Contract, UnknownTicker, contract_of


@lru_cache(maxsize=512)
def known_contract(symbol: str) -> Contract | None:
    """The contract of `symbol`, or None for one that our table does not have."""
    try:
        return contract_of(symbol)
    except UnknownTicker:
        return None


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
