"""The model venue under a watchdog's eyes: it refuses, loses and owes what a test says, and serves a lane's desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import time_machine

from brokers.base import (
    AccountRef,
    BracketLeg,
    CancelOrder,
    ConnectionState,
    FlattenPosition,
    OrderRole,
    OrderStatus,
    Request,
    Side,
    SubmitOco,
    SubmitOrder,
)
from brokers.errors import NotReached
from brokers.reports import Accepted, Event, FillReport, PositionReport, Rejected, SyncReport
from execution.models import Alarm, Order, OrderIntent, Position
from execution.submitting import bracket_rows
from execution.watchdog import Watchdog
from justtrades import clock
from recorders.settings import read_settings
from risk.models import AccountRules
from tests.execution.desk import MNQ
from tests.execution.plain_venue import PlainVenue, Resting
from tests.execution.venue import Venue
from tests.traders.cases import MNQ as CONTRACT
from tests.traders.cases import targets
from traders.exits import template_of

D = Decimal
NATIVE = "tradovate"
STOP, TARGET = OrderRole.STOP, OrderRole.TARGET
ONE_PAIR = {"targets": targets((40, 100)), "stop_distance": 20}
THREE_TARGETS = {"targets": targets((40, 34), (80, 33), (120, 33)), "stop_distance": 20}


class _Inbox:
    def __init__(self, venue: WatchedVenue) -> None:
        self._venue = venue

    def put(self, _login_id: object, events: Sequence[Event]) -> None:
        self._venue.desk.apply(*events)
        self._venue.run()


class _Loop:
    def background(self, action: Callable[[], object]) -> None:
        action()


@dataclass
class WatchedVenue(PlainVenue):
    """`refuses` counts the orders to be refused by the prefix of their id; `answers` false fails every look; what is
    named in `hidden` works there, and no report has told of it; `deaf` orders take no cancel.
    """

    refuses: dict[str, int] = field(default_factory=dict)
    answers: bool = True
    hidden: dict[str, Resting] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)
    looks: int = 0
    index: int = 0
    state: ConnectionState = ConnectionState.LIVE
    watchdog: Any = None

    def __post_init__(self) -> None:
        self.inbox, self.loop = _Inbox(self), _Loop()
        self.watchdog = Watchdog(self)

    # What a lane's desk offers.

    def dispatch(self) -> None:
        self.run()

    def connection_of(self, _login_id: object) -> Any:
        return self

    def query(self, account: AccountRef) -> SyncReport:
        self.looks += 1
        if not self.answers:
            raise NotReached("away")
        self.book |= self.hidden
        told = tuple(
            self._leg_report(name) if name in self.hidden else self._report(name)
            for name, order in self.book.items()
            if name in self.hidden or order.status is OrderStatus.WORKING
        )
        self.hidden = {}
        held = PositionReport(account, MNQ, self.net, None, clock.now())
        return SyncReport(clock.now(), (account,), told, (), (held,))

    # What the venue does.

    def make_leg(self, role: OrderRole, name: str, qty: int, price: str, *, is_told: bool = True) -> None:
        """An exit that the venue made with the entry; one that is not told of is found by a look, or by `tell`."""
        self.hidden[name] = Resting(None, role, Side.SELL, qty, price=D(price))
        if is_told:
            self.tell()

    def tell(self) -> None:
        """The reports that the venue owes arrive."""
        names = list(self.hidden)
        self.book |= self.hidden
        self.hidden = {}
        self.desk.apply(*[self._leg_report(name) for name in names])

    def refuse(self, name: str) -> None:
        """The venue refuses an exit that it made."""
        self.book[name].status = OrderStatus.REJECTED
        self.desk.apply(self._leg_report(name))

    def end(self, name: str) -> None:
        """An order is canceled, by the venue or by hand."""
        self.book[name].status = OrderStatus.CANCELED
        self.desk.apply(self._report(name))

    def _leg_report(self, name: str) -> Any:
        leg = self.book[name]
        price = {"stop_price" if leg.role is STOP else "price": leg.price}
        refusal = {"reject_code": "TooClose", "reject_text": "too close"} if leg.status == "rejected" else {}
        return self.desk.leg(leg.role, name, leg.status, qty=leg.qty, bracket_index=0, **price, **refusal)

    def _serve(self, request: Request) -> None:
        if isinstance(request, FlattenPosition):
            self._flatten(request)
        elif isinstance(request, SubmitOco):
            legs = ((request.client_order_id, request.target_price), (request.stop_client_order_id, request.stop_price))
            for name, price in legs:
                self._place(SubmitOrder(name, request.account, request.symbol, request.side, request.qty, price=price))
        elif isinstance(request, CancelOrder) and request.broker_order_id in self.deaf:
            return
        elif isinstance(request, SubmitOrder) and self._is_refused(request.client_order_id):
            self.desk.apply(Rejected(request.client_order_id, "TooClose", "too close to the market", clock.now()))
        else:
            super()._serve(request)
            if isinstance(request, SubmitOrder) and request.client_order_id.startswith("X-"):
                self.fill(self._name_of(request.client_order_id), request.qty)

    def _is_refused(self, client_order_id: str) -> bool:
        left = self.refuses.get(client_order_id[:2], 0)
        self.refuses[client_order_id[:2]] = left - 1
        return left > 0

    def _name_of(self, client_order_id: str) -> str:
        return next(name for name, one in self.book.items() if one.name == client_order_id)

    def _flatten(self, request: FlattenPosition) -> None:
        for name in [*self.names(STOP), *self.names(TARGET)]:
            self.end(name)
        if self.net == 0:
            self.desk.apply(Accepted(request.client_order_id, None, clock.now()))
            return
        name = str(600 + len(self.book))
        side = Side.SELL if self.net > 0 else Side.BUY
        self.desk.apply(Accepted(request.client_order_id, name, clock.now()))
        self.book[name] = Resting(request.client_order_id, OrderRole.EXIT, side, abs(self.net))
        self.fill(name, abs(self.net))

    def take_entry(self) -> None:
        """The desk's entry works, and nothing of it is filled."""
        self.book["500"] = Resting(self.desk.name, OrderRole.ENTRY, Side.BUY, self.desk.intent.qty)
        self.desk.apply(Accepted(self.desk.name, "500", clock.now()), self._report("500"))

    def fill_unpriced(self, name: str, qty: int) -> FillReport:
        """The market takes contracts, and the venue does not say at which price."""
        order = self.book[name]
        order.filled += qty
        self.net += order.side.sign * qty
        self.fills += 1
        order.status = OrderStatus.FILLED if order.filled == order.qty else OrderStatus.WORKING
        fill = FillReport(self.desk.account, f"f{self.fills}", name, MNQ, order.side, qty, None, clock.now())
        self.desk.apply(self._report(name), fill)
        return fill

    def state_position(self, average: str | None) -> None:
        """The venue says what it holds."""
        stated = None if average is None else D(average)
        self.desk.apply(PositionReport(self.desk.account, MNQ, self.net, stated, clock.now()))


def held_at(venue: str, qty: int, *, settings: dict[str, object] | None = None, **rules: Any) -> WatchedVenue:
    """An entry of `qty` contracts on its way at the venue, with the exits of these settings and its account's rules."""
    wanted = ONE_PAIR if settings is None else settings
    template = template_of(read_settings(wanted), CONTRACT, D(1))
    legs = [BracketLeg(qty, D(10), D(5))] if len(template.targets) < 2 else [BracketLeg(1, D(10), D(5))] * qty
    desk = Venue(
        qty=qty, bracket=bracket_rows(legs, range(len(legs))), exits=template.text,
        trader__account__login__venue=venue, stop_distance=D(5) if template.stop is not None else None,
    )  # fmt: skip
    Order.objects.filter(pk=desk.order.pk).update(qty=qty, symbol=desk.intent.symbol)
    if rules:
        AccountRules.objects.create(account=desk.intent.account, **rules)
    return WatchedVenue(desk)


@contextmanager
def later(start: datetime, seconds: float) -> Iterator[None]:
    with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
        yield


def opened(qty: int = 2, **rules: Any) -> WatchedVenue:
    """A position at a venue that makes the pair with the entry; both legs work."""
    venue = held_at(NATIVE, qty, **rules)
    venue.make_leg(STOP, "501", qty, "24995")
    venue.make_leg(TARGET, "502", qty, "25010")
    venue.open_entry(qty)
    assert position().unprotected_since is None
    return venue


def asked_of(venue: WatchedVenue) -> list[str]:
    """What was asked of the venue, in order: an order by the prefix of its id."""
    names = {FlattenPosition: "flatten", SubmitOco: "pair"}
    return [
        one.client_order_id[:2] if isinstance(one, SubmitOrder) else names.get(type(one), type(one).__name__)
        for one in venue.sent
    ]


def watch_for(venue: WatchedVenue, start: datetime, *moments: float) -> None:
    """The watchdog's rounds, so many seconds after `start`."""
    for seconds in moments:
        with later(start, seconds):
            venue.watchdog.watch()


def position() -> Position:
    return Position.objects.get()


def wished(code: str) -> list[OrderIntent]:
    return list(OrderIntent.objects.filter(reason_code=code).order_by("created_at", "id"))


def open_alarms() -> list[str]:
    return sorted(Alarm.objects.filter(ended_at=None).values_list("code", flat=True))
