"""One look at the books, and which of two rows of an order is the newer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from brokers.projectx.types import Account, Order, Position, Trade


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the books over REST; `started` is the moment before the first question."""

    started: datetime
    accounts: tuple[Account, ...]
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]
    positions: tuple[Position, ...]

    def contract_ids(self) -> set[str]:
        rows: Iterable[Order | Trade | Position] = (*self.orders, *self.trades, *self.positions)
        return {row.contract_id for row in rows}


def merged(*lists: Sequence[Order]) -> tuple[Order, ...]:
    """Orders of several lists by id, each as the list that saw it latest has it."""
    found: dict[int, Order] = {}
    for order in (order for orders in lists for order in orders):
        known = found.get(order.id)
        if known is None or not is_older(order, known):
            found[order.id] = order
    return tuple(found[key] for key in sorted(found))


def is_older(order: Order, known: Order) -> bool:
    if known.is_done != order.is_done:
        return known.is_done
    return order.updated_at < known.updated_at or order.filled < known.filled
