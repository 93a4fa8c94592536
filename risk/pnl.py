"""Average-price arithmetic of a position. Pure, exact."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from brokers.base import Side


@dataclass(frozen=True, slots=True)
class Holding:
    """Net signed contracts, average price in points (None when flat), realised P&L in the account's money."""

    net_qty: int = 0
    avg_price: Decimal | None = None
    realized_pnl: Decimal = Decimal(0)


def after_fill(held: Holding, side: Side, qty: int, price: Decimal, point_value: Decimal) -> Holding:
    """The holding after `qty` contracts filled at `price`: closes first, what is left over opens the other way."""
    signed = side.sign * qty
    if held.net_qty == 0 or held.avg_price is None:
        return Holding(held.net_qty + signed, price, held.realized_pnl)
    if (held.net_qty > 0) == (signed > 0):
        total = held.net_qty + signed
        average = (held.avg_price * abs(held.net_qty) + price * qty) / abs(total)
        return Holding(total, average, held.realized_pnl)
    closed = min(abs(held.net_qty), qty)
    direction = 1 if held.net_qty > 0 else -1
    realized = held.realized_pnl + (price - held.avg_price) * closed * direction * point_value
    left = held.net_qty + signed
    if left == 0:
        return Holding(0, None, realized)
    crossed_zero = (left > 0) != (held.net_qty > 0)
    return Holding(left, price if crossed_zero else held.avg_price, realized)


def open_pnl(net_qty: int, avg_price: Decimal, price: Decimal, point_value: Decimal) -> Decimal:
    """What closing the whole position at `price` would realise now, in the account's money."""
    return (price - avg_price) * net_qty * point_value


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution as an account's books count it; `price` in points."""

    symbol: str
    side: Side
    qty: int
    price: Decimal


@dataclass(slots=True)
class Book:
    """What an account holds and has realised since its book began, fill by fill, whoever traded. Dollars.

    `contracts` counts every contract and side traded, for fees. `holdings` keeps what is flat, too.
    """

    holdings: dict[str, Holding] = field(default_factory=dict)
    realized: Decimal = Decimal(0)
    contracts: int = 0

    def apply(self, trade: Trade, point_value: Decimal) -> None:
        before = self.holdings.get(trade.symbol, Holding())
        after = after_fill(before, trade.side, trade.qty, trade.price, point_value)
        self.holdings[trade.symbol] = after
        self.realized += after.realized_pnl - before.realized_pnl
        self.contracts += trade.qty

    @property
    def held(self) -> dict[str, Holding]:
        """What is not flat, by symbol."""
        return {symbol: holding for symbol, holding in self.holdings.items() if holding.net_qty != 0}
