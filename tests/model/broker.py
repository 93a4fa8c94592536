"""A model of a broker: its books are always true, and it serves and speaks as badly as it is told to.

Two kinds. One `links`: an entry takes its exits along, they grow with its fill, and either exit of a pair ends the
other (Tradovate). The other links nothing, and takes no client order id twice (Webull). Prices are points.

It keeps an account of its own of what must never happen: `wrongs`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from brokers.base import (
    AccountRef,
    CancelOrder,
    FlattenPosition,
    ModifyOrder,
    OrderRole,
    OrderType,
    Request,
    Side,
    SubmitOco,
    SubmitOrder,
    client_ids,
    role_of,
)
from brokers.reports import Accepted, Event, NotSent, Rejected, Sent, SyncReport, Unknown
from justtrades import clock
from tests.model.orders import OVER, TICK, Books, Pair, Resting

LATE = timedelta(seconds=8)


class Fault(StrEnum):
    """What becomes of the next request. Only the first two are known to us at once."""

    REFUSED = "refused"
    NOT_SENT = "not sent"
    LOST = "lost, and we are told that nobody knows"
    LOST_SILENTLY = "lost without a word"
    UNANSWERED = "taken, and we are told that nobody knows"
    SILENT = "taken without an answer"
    LATE = "taken after eight seconds"


TAKEN = frozenset({None, Fault.UNANSWERED, Fault.SILENT})
"""The broker does at once what is asked of it."""


@dataclass
class Broker:
    """One account. `replies`, `orders` and `fills` are on their way to us, each in its own order."""

    account: AccountRef
    links: bool
    symbol: str
    price: Decimal = Decimal(25_000)
    fault: Fault | None = None
    books: Books = field(init=False)
    replies: list[Event] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    late: list[tuple[datetime, Request]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.books = Books(self.account, self.symbol, self.links)

    def submit(self, request: Request) -> None:
        fault, self.fault = self.fault, None
        now = clock.now()
        if fault not in TAKEN and isinstance(request, CancelOrder | ModifyOrder):
            self._loosen(request)
        names = client_ids(request)
        if fault is Fault.NOT_SENT:
            self.replies += [NotSent(name, "the venue could not be reached", now) for name in names]
            return
        self.replies += [Sent(name, now) for name in names]
        if fault is Fault.REFUSED:
            self.replies += [Rejected(name, "NO_MARGIN", "there is no margin for it", now) for name in names]
        elif fault is Fault.LATE:
            self.late.append((now + LATE, request))
        elif fault not in {Fault.LOST, Fault.LOST_SILENTLY}:
            answers = self._take(request)
            self.replies += answers if fault is None else []
        if fault in {Fault.LOST, Fault.UNANSWERED, Fault.LATE}:
            self.replies += [Unknown(name, "no answer within five seconds", now) for name in names]

    def arrive(self) -> None:
        """What was late and is due by now.

        A close that comes so late meets what nobody could know when it was sent: that an account is closed meanwhile
        waits for no order of unknown fate.
        """
        now = clock.now()
        due = [request for at, request in self.late if at <= now]
        self.late = [(at, request) for at, request in self.late if at > now]
        known = set(self.books.orders)
        for request in due:
            self._take(request)
        for order in [order for name, order in self.books.orders.items() if name not in known]:
            order.is_loose = order.role is OrderRole.EXIT

    def sync(self) -> SyncReport:
        """The whole truth of this moment."""
        books, now = self.books, clock.now()
        orders = tuple(books.report(order) for order in books.orders.values())
        return SyncReport(now, (self.account,), orders, tuple(books.executed), (books.position(),))

    def move(self, ticks: int, *, is_told: bool) -> None:
        """The market moves, and takes what rests in its way. `is_told`: we know all that happened until now."""
        self.price += ticks * TICK
        self.books.is_told = is_told
        for order in self.books.reached(self.price):
            if order.status not in OVER:
                self.books.execute(order, order.left, self.price)
        self.books.is_told = True

    def fill_market(self, qty: int | None = None) -> bool:
        """The oldest market order fills, by `qty` contracts or wholly; whether there was one."""
        waiting = [order for order in self.books.working() if order.kind is OrderType.MARKET]
        for order in waiting[:1]:
            self.books.execute(order, order.left if qty is None else min(qty, order.left), self.price)
        return bool(waiting)

    def trade_by_hand(self, side: Side, qty: int) -> None:
        order = self.books.add(Resting(OrderRole.EXTERNAL, side, qty))
        self.books.tell(order)
        self.books.execute(order, qty, self.price)

    def _loosen(self, request: CancelOrder | ModifyOrder) -> None:
        """We did what we could: until it is asked for again the order works on."""
        order = self.books.orders.get(request.broker_order_id)
        if order is not None and not self.links:
            order.is_loose = True

    def _take(self, request: Request) -> list[Event]:
        if isinstance(request, CancelOrder | ModifyOrder):
            return [self._change(request)]
        names, now = client_ids(request), clock.now()
        if not self.links and any(self.taken[name] for name in names):
            return [Rejected(name, "DUPLICATE_ID", "this id was used before", now) for name in names]
        if not isinstance(request, FlattenPosition) or self.books.net != 0:
            # A close that found nothing has made no order, and its id is still free.
            self.taken.update(names)
        if isinstance(request, SubmitOrder):
            return self._place(request)
        return self._place_pair(request) if isinstance(request, SubmitOco) else self._flatten(request)

    def _change(self, request: CancelOrder | ModifyOrder) -> Event:
        now = clock.now()
        order = self.books.orders.get(request.broker_order_id)
        if order is None or order.status in OVER:
            return Rejected(request.client_order_id, "TOO_LATE", "the order is over", now)
        if isinstance(request, CancelOrder):
            self.books.cancel(order)
        elif request.qty <= order.filled:
            return Rejected(request.client_order_id, "TOO_LATE", "as much is filled already", now)
        else:
            price = request.price if request.order_type is OrderType.LIMIT else request.stop_price
            self.books.change(order, request.qty, price)
            order.is_loose = False
        return Accepted(request.client_order_id, order.id, now)

    def _place(self, request: SubmitOrder) -> list[Event]:
        role = role_of(request.client_order_id)
        price = request.stop_price if request.price is None else request.price
        order = Resting(role, request.side, request.qty, request.order_type, price, request.client_order_id)
        order.bracket = tuple(Pair(leg, number) for number, leg in enumerate(request.bracket)) if self.links else ()
        self.books.tell(self.books.add(order))
        # A strategy's answer names no order: its entry is told of on the stream alone.
        name = None if order.bracket else order.id
        return [Accepted(request.client_order_id, name, clock.now(), f"strategy{order.id}" if order.bracket else None)]

    def _place_pair(self, request: SubmitOco) -> list[Event]:
        target = Resting(
            OrderRole.TARGET, request.side, request.qty, OrderType.LIMIT, request.target_price, request.client_order_id
        )
        stop = Resting(
            OrderRole.STOP, request.side, request.qty, OrderType.STOP, request.stop_price, request.stop_client_order_id
        )
        target.partner, stop.partner = stop, target
        for order in (target, stop):
            self.books.tell(self.books.add(order))
        return [Accepted(order.name or "", order.id, clock.now()) for order in (target, stop)]

    def _flatten(self, request: FlattenPosition) -> list[Event]:
        """All that works is canceled, and what is held goes at market."""
        for order in self.books.live():
            self.books.cancel(order)
        net = self.books.net
        if net == 0:
            return [Accepted(request.client_order_id, None, clock.now())]
        order = Resting(OrderRole.EXIT, Side.SELL if net > 0 else Side.BUY, abs(net))
        # The close of a venue that links carries no id of ours: only the answer says which order it is.
        order.name = None if self.links else request.client_order_id
        order.for_hand = max(0, order.qty - max(0, -order.side.sign * self.books.ours))
        self.books.tell(self.books.add(order))
        return [Accepted(request.client_order_id, order.id, clock.now())]


def restart_numbers() -> None:
    """Equal stories have equal order ids."""
    Books.numbers = itertools.count(1000)


def duplicates(brokers: Sequence[Broker]) -> list[str]:
    """Entries that a broker took twice."""
    return [
        f"{broker.account.name} took {name} {times} times"
        for broker in brokers
        for name, times in broker.taken.items()
        if times > 1 and role_of(name) is OrderRole.ENTRY
    ]
