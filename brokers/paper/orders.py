"""From requests to the engine's orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.base import (
    FlattenPosition,
    ModifyOrder,
    OrderRole,
    SubmitOco,
    SubmitOrder,
    role_of,
)
from brokers.errors import Refused
from brokers.matching.types import Kind, Order
from brokers.paper.books import Books
from brokers.paper.listings import Listing
from brokers.paper.records import KINDS, Record


@dataclass(frozen=True, slots=True)
class Making:
    """Makes orders that are not placed; ids are the books'."""

    books: Books

    def order(self, request: SubmitOrder, listing: Listing, last: Decimal | None, now: datetime) -> Order:
        """`last` is the price that a trailing stop counts its distance from. Raises `Refused` when it needs one."""
        order = self._new(listing, request.side.sign, request.qty, Record(request.client_order_id, _role(request), now))
        record: Record = order.extra
        record.bracket = request.bracket
        order.kind = KINDS[request.order_type]
        order.limit = request.price if order.kind is Kind.LIMIT else None
        if order.kind in {Kind.STOP, Kind.TRAILING}:
            order.stop = request.stop_price
        if order.kind is Kind.TRAILING:
            order.trail = _distance(last, request.stop_price)
        return order

    def pair(self, request: SubmitOco, listing: Listing, now: datetime) -> list[Order]:
        """Target and stop."""
        sign, qty = request.side.sign, request.qty
        target = self._new(listing, sign, qty, Record(request.client_order_id, OrderRole.TARGET, now))
        target.kind, target.limit = Kind.LIMIT, request.target_price
        stop = self._new(listing, sign, qty, Record(request.stop_client_order_id, OrderRole.STOP, now))
        stop.kind, stop.stop = Kind.STOP, request.stop_price
        return [target, stop]

    def closing(self, request: FlattenPosition, listing: Listing, net: int, now: datetime) -> Order:
        record = Record(request.client_order_id, OrderRole.EXIT, now)
        return self._new(listing, -1 if net > 0 else 1, abs(net), record)

    def change(
        self, order: Order, request: ModifyOrder, last: Decimal | None
    ) -> tuple[Kind, dict[str, Decimal | None]]:
        """The kind and prices that a change states; a trailing stop without a price keeps what it has."""
        kind = KINDS[request.order_type]
        if kind is Kind.LIMIT:
            return kind, {"limit": request.price}
        if kind is Kind.STOP:
            return kind, {"stop": request.stop_price}
        if kind is Kind.TRAILING and (request.stop_price is not None or order.trail is None):
            return kind, {"stop": request.stop_price, "trail": _distance(last, request.stop_price)}
        return kind, {}

    def _new(self, listing: Listing, side: int, qty: int, record: Record) -> Order:
        return Order(self.books.take_id(), self.books.account, listing, side, qty, Kind.MARKET, extra=record)


def _role(request: SubmitOrder) -> OrderRole:
    return role_of(request.client_order_id)


def _distance(last: Decimal | None, stop: Decimal | None) -> Decimal:
    if last is None or stop is None or last == stop:
        raise Refused("NO_QUOTE", "a trailing stop needs a price to count its distance from")
    return abs(last - stop)
