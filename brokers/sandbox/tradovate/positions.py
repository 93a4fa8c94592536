"""Position of one account in one contract: FIFO lots, netting and the row the venue shows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.tradovate.wire import Row, money


@dataclass(slots=True)
class Lot:
    """Open part of a fill; ``qty`` is unsigned."""

    fill_id: int
    qty: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Pair:
    """A buy and a sell matched first in, first out."""

    buy_fill: int
    sell_fill: int
    qty: int
    buy_price: Decimal
    sell_price: Decimal

    def profit(self, point_value: Decimal) -> Decimal:
        return (self.sell_price - self.buy_price) * point_value * self.qty


@dataclass(slots=True, eq=False)
class Position:
    contract: Contract
    row: Row
    net: int = 0
    lots: deque[Lot] = field(default_factory=deque)
    bought: int = 0
    bought_value: Decimal = Decimal(0)
    sold: int = 0
    sold_value: Decimal = Decimal(0)

    @property
    def average(self) -> Decimal | None:
        """Weighted price of the open side; None when flat."""
        if self.net == 0:
            return None
        return sum((lot.price * lot.qty for lot in self.lots), Decimal(0)) / abs(self.net)

    def open_profit(self, last: Decimal) -> Decimal:
        average = self.average
        if average is None:
            return Decimal(0)
        return (last - average) * self.net * self.contract.product.point_value

    def apply(self, fill_id: int, sign: int, qty: int, price: Decimal) -> list[Pair]:
        """Book one fill; the pairs it closed, oldest lot first."""
        if sign > 0:
            self.bought += qty
            self.bought_value += price * qty
        else:
            self.sold += qty
            self.sold_value += price * qty
        pairs: list[Pair] = []
        left = qty
        while left > 0 and self.net * sign < 0:
            lot = self.lots[0]
            closed = min(left, lot.qty)
            pairs.append(self._pair(lot, fill_id, sign, closed, price))
            lot.qty -= closed
            if lot.qty == 0:
                self.lots.popleft()
            left -= closed
            self.net += sign * closed
        if left > 0:
            self.lots.append(Lot(fill_id, left, price))
            self.net += sign * left
        return pairs

    def refresh_row(self, stamp: str, trade_date: dict[str, int]) -> None:
        """Bring a fresh copy of the row up to date; the old object may still be shown somewhere."""
        row = {
            **self.row,
            "timestamp": stamp,
            "tradeDate": trade_date,
            "netPos": self.net,
            "bought": self.bought,
            "boughtValue": money(self.bought_value),
            "sold": self.sold,
            "soldValue": money(self.sold_value),
        }
        average = self.average
        row.pop("netPrice", None)
        if average is not None:
            row["netPrice"] = money(average)
        self.row = row

    def _pair(self, lot: Lot, fill_id: int, sign: int, qty: int, price: Decimal) -> Pair:
        if sign > 0:
            return Pair(fill_id, lot.fill_id, qty, price, lot.price)
        return Pair(lot.fill_id, fill_id, qty, lot.price, price)
