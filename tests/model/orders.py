"""The model broker's books: orders that rest, what was executed, the net that follows from it, and whose it is.

Of the net `by_hand` is what a person traded, and the rest is ours: exits are watched on ours alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from brokers.base import AccountRef, BracketLeg, OrderRole, OrderStatus, OrderType, Side
from brokers.reports import Event, FillReport, OrderReport, PositionReport
from justtrades import clock

OVER = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED})
LEGS = frozenset({OrderRole.STOP, OrderRole.TARGET})
CLOSING = LEGS | {OrderRole.EXIT}
TICK = Decimal("0.25")


@dataclass(eq=False)
class Pair:
    """A bracket's pair of exits; the orders are made when its entry begins to fill."""

    terms: BracketLeg
    index: int
    share: int = 0
    legs: list[Resting] = field(default_factory=list)


@dataclass(eq=False)
class Resting:
    """`for_hand` contracts of a close are for what was held by hand. What `is_loose` works on by no fault of ours."""

    role: OrderRole
    side: Side
    qty: int
    kind: OrderType = OrderType.MARKET
    price: Decimal | None = None
    name: str | None = None
    parent: str | None = None
    index: int | None = None
    partner: Resting | None = None
    bracket: tuple[Pair, ...] = ()
    id: str = ""
    filled: int = 0
    spent: Decimal = Decimal(0)
    status: OrderStatus = OrderStatus.WORKING
    for_hand: int = 0
    is_loose: bool = False

    @property
    def left(self) -> int:
        return self.qty - self.filled


@dataclass
class Books:
    """`stream` and `money` are reports on their way: of orders and their fills, and of the net position.

    `flat_since`: the net was flat then although something was ours, so a person closed it. `is_told`: we knew all of
    the books when the market moved. `has_slipped`: something loose has filled since the last entry. `races` is how
    often an exit ended beyond flat by nature.
    """

    account: AccountRef
    symbol: str
    links: bool
    net: int = 0
    by_hand: int = 0
    flat_since: datetime | None = None
    is_told: bool = True
    has_slipped: bool = False
    races: int = 0
    orders: dict[str, Resting] = field(default_factory=dict)
    executed: list[FillReport] = field(default_factory=list)
    stream: list[Event] = field(default_factory=list)
    money: list[Event] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    numbers = itertools.count(1000)

    @property
    def ours(self) -> int:
        return self.net - self.by_hand

    def add(self, order: Resting) -> Resting:
        order.id = str(next(Books.numbers))
        self.orders[order.id] = order
        return order

    def tell(self, order: Resting) -> None:
        self.stream.append(self.report(order))

    def live(self) -> list[Resting]:
        return [order for order in self.orders.values() if order.status not in OVER]

    def working(self) -> list[Resting]:
        return [order for order in self.live() if order.status is not OrderStatus.SUSPENDED]

    def reached(self, price: Decimal) -> list[Resting]:
        """Resting orders that a market at this price takes, stops first."""
        found = [order for order in self.working() if _is_reached(order, price)]
        return sorted(found, key=lambda order: order.kind is not OrderType.STOP)

    def cancel(self, order: Resting) -> None:
        """An exit's end ends its partner, where there is one."""
        for one in (order, order.partner):
            if one is not None and one.status not in OVER:
                one.status = OrderStatus.CANCELED
                self.tell(one)

    def change(self, order: Resting, qty: int, price: Decimal | None) -> None:
        order.qty, order.price = qty, order.price if price is None else price
        self.tell(order)

    def close_by_hand(self, contracts: int) -> None:
        """We believe a broker that was flat: what was ours was closed by hand, and its exits are on the way out."""
        self.by_hand += contracts
        self.flat_since = None
        for order in self.live():
            order.is_loose = order.is_loose or order.role in LEGS

    def execute(self, order: Resting, qty: int, price: Decimal) -> None:
        self._attribute(order, qty)
        order.filled += qty
        order.spent += price * qty
        order.status = OrderStatus.FILLED if order.left == 0 else OrderStatus.PARTIALLY_FILLED
        self.tell(order)
        at, number = clock.now(), f"f{len(self.executed) + 1}-{self.account.broker_id}"
        fill = FillReport(self.account, number, order.id, self.symbol, order.side, qty, price, at)
        self.executed.append(fill)
        self.stream.append(fill)
        self._resize_partner(order)
        self._grow(order)
        self.money.append(self.position())

    def position(self) -> PositionReport:
        return PositionReport(self.account, self.symbol, self.net, None, clock.now())

    def report(self, order: Resting) -> OrderReport:
        prices: dict[str, Any] = {"stop_price" if order.kind is OrderType.STOP else "price": order.price}
        is_nameless = order.name is None and order.parent is None
        return OrderReport(
            self.account,
            order.id,
            order.status,
            order.side,
            self.symbol,
            clock.now(),
            OrderRole.EXTERNAL if is_nameless else order.role,
            client_order_id=order.name,
            parent_client_order_id=order.parent,
            order_type=order.kind,
            qty=order.qty,
            bracket_index=order.index,
            **prices,
        )

    def stop_cover(self) -> int:
        """Contracts that working stops on the closing side of what is ours cover."""
        closing = Side.SELL if self.ours > 0 else Side.BUY
        stops = [order for order in self.working() if order.role is OrderRole.STOP and order.side is closing]
        return sum(order.left for order in stops)

    def _attribute(self, order: Resting, qty: int) -> None:
        """Whose is it: of a close what we hold comes first, then what a person holds."""
        reducible = max(0, -order.side.sign * self.ours)
        by_hand = qty if order.role is OrderRole.EXTERNAL else min(order.for_hand, max(0, qty - reducible))
        own = qty - by_hand
        if order.role in CLOSING:
            self._watch(order, own, reducible)
            order.for_hand -= by_hand
        self.by_hand += order.side.sign * by_hand
        self.net += order.side.sign * qty
        is_closed = self.net == 0 and self.ours != 0
        if is_closed or own:
            self.flat_since = clock.now() if is_closed else None
        if order.role is OrderRole.ENTRY or order.is_loose:
            self.has_slipped = order.is_loose

    def _watch(self, order: Resting, own: int, reducible: int) -> None:
        """An exit may only ever make what is ours smaller, down to flat.

        Where the venue links nothing, the other exit of a pair works until we hear of the first one's fill and cancel
        it: a market that is faster ends beyond flat by nature. It must not stay there, which is asked at the end.
        """
        if own <= reducible:
            return
        is_race = not self.links and not self.is_told and order.role in LEGS
        if is_race or order.is_loose or self.has_slipped:
            self.races += 1
        else:
            after = self.ours + order.side.sign * own
            self.wrongs.append(f"{self.account.name}: {order.role} {order.id} took {self.ours:+d} to {after:+d}")

    def _resize_partner(self, order: Resting) -> None:
        partner = order.partner
        if partner is None or partner.status in OVER:
            return
        if order.left == 0:
            partner.status = OrderStatus.CANCELED
        else:
            partner.qty = partner.filled + order.left
        self.tell(partner)

    def _grow(self, entry: Resting) -> None:
        """Give each pair its share of what has just been filled, the first ones first."""
        left = entry.filled
        for pair in entry.bracket:
            share = min(pair.terms.qty, left)
            left -= share
            fresh, pair.share = share - pair.share, share
            if fresh > 0 and not pair.legs:
                pair.legs = list(self._legs(entry, pair, share))
            elif fresh > 0:
                for leg in [leg for leg in pair.legs if leg.status not in OVER]:
                    self.change(leg, leg.qty + fresh, None)

    def _legs(self, entry: Resting, pair: Pair, share: int) -> Iterator[Resting]:
        average, sign = entry.spent / entry.filled, entry.side.sign
        terms = (
            (OrderRole.TARGET, OrderType.LIMIT, pair.terms.target_distance, sign),
            (OrderRole.STOP, OrderType.STOP, pair.terms.stop_distance, -sign),
        )
        made = [
            Resting(role, entry.side.opposite, share, kind, _on_tick(average + direction * distance))
            for role, kind, distance, direction in terms
            if distance is not None
        ]
        for leg in made:
            leg.parent, leg.index = entry.name, pair.index
            leg.partner = next((other for other in made if other is not leg), None)
            self.tell(self.add(leg))
        yield from made


def _is_reached(order: Resting, price: Decimal) -> bool:
    if order.kind is OrderType.MARKET or order.price is None:
        return False
    is_stop = order.kind is OrderType.STOP
    above = (order.side is Side.BUY) == is_stop
    return price >= order.price if above else price <= order.price


def _on_tick(price: Decimal) -> Decimal:
    return (price / TICK).quantize(Decimal(1)) * TICK
