"""A model of a venue that links no orders: it does what the lane's requests say, and reports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from brokers import registry
from brokers.base import (
    CancelOrder,
    ModifyOrder,
    OrderRole,
    OrderStatus,
    OrderType,
    Request,
    Side,
    SubmitOrder,
    role_of,
)
from brokers.reports import Accepted, Event, FillReport, OrderReport
from execution import changes, dispatch
from execution.models import Order
from execution.submitting import Routed
from justtrades import clock
from tests.execution.desk import MNQ
from tests.execution.venue import Venue

PLAIN, SINGLE = "plain", "single"


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """`plain` makes no exits with an entry, `single` one pair for all of it; neither cancels anything by itself."""
    usual = registry.VENUES["tradovate"]
    plain = replace(
        usual.capabilities, native_brackets=False, native_multi_bracket=False, native_oco=False, auto_trail=False
    )
    single = replace(plain, native_brackets=True)
    known = {PLAIN: replace(usual, capabilities=plain), SINGLE: replace(usual, capabilities=single)}
    monkeypatch.setattr(registry, "VENUES", {**registry.VENUES, **known})
    monkeypatch.setattr("execution.abilities.VENUES", registry.VENUES)


@dataclass(slots=True)
class Resting:
    name: str | None
    role: OrderRole
    side: Side
    qty: int
    filled: int = 0
    price: Decimal | None = None
    status: OrderStatus = OrderStatus.WORKING


@dataclass
class PlainVenue:
    """`book` holds every order by broker order id; `net` is what the fills made."""

    desk: Venue
    book: dict[str, Resting] = field(default_factory=dict)
    sent: list[Request] = field(default_factory=list)
    net: int = 0
    fills: int = 0

    def run(self) -> None:
        """Let the lane send what is due, until it has nothing more to send."""
        while True:
            waiting: list[Request] = []
            dispatch.dispatch_due(0, lambda routed, kept=waiting: _keep(kept, routed))
            changes.send_changes(0, lambda routed, kept=waiting: _keep(kept, routed))
            if not waiting:
                return
            self.sent += waiting
            for request in waiting:
                self._serve(request)

    def fill(self, name: str, qty: int, price: str = "25000") -> None:
        """The market takes `qty` contracts of an order; what that makes us send is not sent yet."""
        order = self.book[name]
        order.filled += qty
        self.net += order.side.sign * qty
        self.fills += 1
        order.status = OrderStatus.FILLED if order.filled == order.qty else OrderStatus.WORKING
        at = clock.now()
        fill = FillReport(self.desk.account, f"f{self.fills}", name, MNQ, order.side, qty, Decimal(price), at)
        self.desk.apply(self._report(name), fill)

    def open_entry(self, qty: int, price: str = "25000", broker_id: str = "500") -> None:
        """The entry of the desk is accepted and filled by `qty` contracts."""
        if broker_id not in self.book:
            self.book[broker_id] = Resting(self.desk.name, OrderRole.ENTRY, Side.BUY, self.desk.intent.qty)
        self.fill(broker_id, qty, price)

    def working(self, role: OrderRole) -> list[tuple[int, Decimal | None]]:
        """Remaining contracts and price of each working order of a role."""
        rests = [o for o in self.book.values() if o.role is role and o.status is OrderStatus.WORKING]
        return sorted((one.qty - one.filled, one.price) for one in rests)

    def names(self, role: OrderRole) -> list[str]:
        return [n for n, o in self.book.items() if o.role is role and o.status is OrderStatus.WORKING]

    def _serve(self, request: Request) -> None:
        if isinstance(request, SubmitOrder):
            self._place(request)
        elif isinstance(request, CancelOrder):
            self.book[request.broker_order_id].status = OrderStatus.CANCELED
            self.desk.apply(self._report(request.broker_order_id))
        elif isinstance(request, ModifyOrder):
            order = self.book[request.broker_order_id]
            order.qty = request.qty
            order.price = request.price if request.order_type is OrderType.LIMIT else request.stop_price
            self.desk.apply(self._report(request.broker_order_id))
        else:
            pytest.fail(f"a venue that links nothing was asked for {request}")

    def _place(self, request: SubmitOrder) -> None:
        name = str(600 + len(self.book))
        role = role_of(request.client_order_id)
        price = request.stop_price if request.price is None else request.price
        self.book[name] = Resting(request.client_order_id, role, request.side, request.qty, price=price)
        events: list[Event] = [Accepted(request.client_order_id, name, clock.now()), self._report(name)]
        self.desk.apply(*events)

    def _report(self, name: str) -> OrderReport:
        order = self.book[name]
        kind = {OrderRole.TARGET: OrderType.LIMIT, OrderRole.STOP: OrderType.STOP}.get(order.role, OrderType.MARKET)
        prices: dict[str, Any] = {"stop_price" if kind is OrderType.STOP else "price": order.price}
        return OrderReport(
            self.desk.account, name, order.status, order.side, MNQ, clock.now(), order.role,
            client_order_id=order.name, order_type=kind, qty=order.qty, **prices,
        )  # fmt: skip


def _keep(kept: list[Request], routed: Sequence[Routed]) -> None:
    kept += [request for _, request in routed]


def live_legs() -> list[tuple[str, int]]:
    """Role and remaining contracts of our own live exit rows."""
    rows = Order.objects.filter(role__in=["stop", "target"], status__in=["working", "partially_filled"])
    return sorted((row.role, row.qty - row.filled_qty) for row in rows)
