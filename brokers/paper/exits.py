"""Exits at the paper venue: brackets that follow their entry's fill, pairs that end each other, stops that trail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from brokers.base import BracketLeg, OrderRole, Trail
from brokers.matching.engine import Engine
from brokers.matching.types import Kind, Order, Quote
from brokers.paper.books import Books
from brokers.paper.records import Record, record_of

Tell = Callable[[Order], None]


@dataclass(frozen=True, slots=True)
class Exits:
    """`tell` reports an order as it now is."""

    engine: Engine
    books: Books
    tell: Tell

    def after_end(self, order: Order) -> None:
        """An order has ended: so does its sibling."""
        sibling = self.books.account.orders.get(record_of(order).sibling or 0)
        if sibling is not None and self.engine.cancel(sibling):
            self.tell(sibling)

    def after_fill(self, entry: Order, now: datetime) -> None:
        """Place the exits of an entry that has filled."""
        record, price = record_of(entry), entry.average
        if price is None:
            return
        for index, leg in enumerate(record.bracket):
            legs = [self._target(entry, leg, index, now), self._stop(entry, leg, index, now)]
            self.place([order for order in legs if order is not None])

    def place(self, orders: list[Order]) -> None:
        """Have orders work, linked so that one's end ends the other, and report them."""
        if len(orders) > 1:
            first, second = orders
            record_of(first).sibling, record_of(second).sibling = second.id, first.id
        for order in orders:
            self.engine.hold(order)
            self.tell(order)
        for order in orders:
            # The first may have traded at once, which has canceled the second.
            if not order.is_done:
                self.engine.activate(order)
                if order.is_working:
                    self.tell(order)

    def follow(self, order: Order, quote: Quote) -> None:
        """Move a stop that trails from a trigger on or in steps."""
        trail, entry_price, stop = record_of(order).trail, record_of(order).entry_price, order.stop
        if trail is None or entry_price is None or stop is None or order.kind is not Kind.STOP:
            return
        direction = -order.side
        if (quote.last - entry_price) * direction < trail.trigger:
            return
        wanted = on_tick(quote.last - direction * trail.distance, order.contract.tick)
        if (wanted - stop) * direction >= max(trail.step, order.contract.tick):
            self.engine.amend(order, stop=wanted)

    def _target(self, entry: Order, leg: BracketLeg, index: int, now: datetime) -> Order | None:
        if leg.target_distance is None:
            return None
        order = self._leg(entry, leg, index, OrderRole.TARGET, now)
        order.kind, order.limit = Kind.LIMIT, _away(entry, leg.target_distance)
        return order

    def _stop(self, entry: Order, leg: BracketLeg, index: int, now: datetime) -> Order | None:
        trail = leg.trail
        starts_at_once = trail is not None and trail.trigger == 0
        distance = trail.distance if trail is not None and starts_at_once else leg.stop_distance
        if distance is None:
            return None
        order = self._leg(entry, leg, index, OrderRole.STOP, now)
        order.kind, order.stop = Kind.STOP, _away(entry, -distance)
        if trail is not None and _is_plain(trail):
            order.kind, order.trail = Kind.TRAILING, trail.distance
        elif trail is not None:
            record_of(order).trail = trail
        return order

    def _leg(self, entry: Order, leg: BracketLeg, index: int, role: OrderRole, now: datetime) -> Order:
        parent = record_of(entry).client_order_id
        record = Record(None, role, now, parent=parent, bracket_index=index, entry_price=entry.average)
        order_id = self.books.take_id()
        return Order(order_id, entry.account, entry.contract, -entry.side, leg.qty, Kind.MARKET, extra=record)


def _is_plain(trail: Trail) -> bool:
    return trail.trigger == 0 and trail.step == 0


def _away(entry: Order, distance: Decimal) -> Decimal:
    """`distance` points from the entry's fill, in its favor."""
    if entry.average is None:
        raise ValueError(f"order {entry.id} has no fill to count from")
    return on_tick(entry.average + entry.side * distance, entry.contract.tick)


def on_tick(price: Decimal, tick: Decimal) -> Decimal:
    return (price / tick).quantize(Decimal(1), ROUND_HALF_EVEN) * tick
