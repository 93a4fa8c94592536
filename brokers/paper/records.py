"""What the paper venue remembers of an order and of a fill, beyond what the engine does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.base import (
    AccountRef,
    BracketLeg,
    OrderRole,
    OrderStatus,
    OrderType,
    Side,
    Trail,
)
from brokers.matching.types import Kind, Order, Status
from brokers.paper.listings import Listing
from brokers.reports import FillReport, OrderReport

_STATUSES = {
    Status.SUSPENDED: OrderStatus.SUSPENDED,
    Status.WORKING: OrderStatus.WORKING,
    Status.FILLED: OrderStatus.FILLED,
    Status.CANCELED: OrderStatus.CANCELED,
    Status.REJECTED: OrderStatus.REJECTED,
}
KINDS = {
    OrderType.MARKET: Kind.MARKET,
    OrderType.LIMIT: Kind.LIMIT,
    OrderType.STOP: Kind.STOP,
    OrderType.TRAILING_STOP: Kind.TRAILING,
}
_TYPES = {kind: order_type for order_type, kind in KINDS.items()}


@dataclass(slots=True)
class Record:
    """`Order.extra`. `bracket` are the exits that follow the fill, `sibling` is the order that this one's end ends.

    `trail` moves a STOP in steps or from a trigger on, counted from `entry_price`; a stop that trails plainly is a
    TRAILING order of the engine.
    """

    client_order_id: str | None
    role: OrderRole
    at: datetime
    parent: str | None = None
    bracket_index: int | None = None
    bracket: tuple[BracketLeg, ...] = ()
    sibling: int | None = None
    trail: Trail | None = None
    entry_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    id: int
    order_id: int
    symbol: str
    side: int
    qty: int
    price: Decimal
    at: datetime

    def report(self, account: AccountRef) -> FillReport:
        return FillReport(
            account=account,
            broker_fill_id=str(self.id),
            broker_order_id=str(self.order_id),
            symbol=self.symbol,
            side=side_of(self.side),
            qty=self.qty,
            price=self.price,
            at=self.at,
        )


def record_of(order: Order) -> Record:
    record = order.extra
    if not isinstance(record, Record):
        raise TypeError(f"order {order.id} is not the paper venue's")
    return record


def listing_of(order: Order) -> Listing:
    listing = order.contract
    if not isinstance(listing, Listing):
        raise TypeError(f"order {order.id} is not in a listed contract")
    return listing


def side_of(sign: int) -> Side:
    return Side.BUY if sign > 0 else Side.SELL


def order_report(order: Order, account: AccountRef) -> OrderReport:
    record = record_of(order)
    is_stop = order.kind in {Kind.STOP, Kind.TRAILING}
    is_part_filled = order.is_working and order.filled > 0
    return OrderReport(
        account=account,
        broker_order_id=str(order.id),
        status=OrderStatus.PARTIALLY_FILLED if is_part_filled else _STATUSES[order.status],
        side=side_of(order.side),
        symbol=order.contract.name,
        at=record.at,
        role=record.role,
        client_order_id=record.client_order_id,
        parent_client_order_id=record.parent,
        order_type=_TYPES[order.kind],
        qty=order.qty,
        price=order.limit if order.kind is Kind.LIMIT else None,
        stop_price=order.stop if is_stop else None,
        bracket_index=record.bracket_index,
    )
