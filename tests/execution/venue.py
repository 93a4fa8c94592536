"""One follower's entry on the wire, and the reports that a venue could make about it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from brokers.base import AccountRef, OrderRole, OrderStatus, OrderType, Side
from brokers.reports import Event, FillReport, OrderReport, PositionReport, SyncReport
from execution.models import IntentKind, IntentStatus, Order, OrderIntent, Position
from execution.reports.apply import apply_events
from justtrades import clock
from tests.execution.desk import MNQ
from tests.factories import OrderFactory, OrderIntentFactory


class Venue:
    """One follower with an entry for two contracts on the wire, and the reports about it."""

    def __init__(self, **intent: Any) -> None:
        usual = {"symbol": MNQ, "qty": 2, "status": IntentStatus.DISPATCHED, "attempts": 1, "signal__status": "planned"}
        self.intent: OrderIntent = OrderIntentFactory(**{**usual, **intent})
        kind = "exit" if self.intent.kind == IntentKind.EXIT else "entry"
        self.order: Order = OrderFactory(
            intent=self.intent, role=kind, status="submitting", broker_order_id=None, submit_started_at=clock.now()
        )
        self.account = AccountRef(self.intent.account.broker_id, self.intent.account.name)
        self.name = self.intent.client_order_id

    def apply(self, *events: Event) -> None:
        apply_events([(self.intent.account.login_id, event) for event in events])
        self.intent.refresh_from_db()
        self.order = Order.objects.get(client_order_id=self.name)

    def report(self, status: OrderStatus, broker_id: str = "500", **fields: Any) -> OrderReport:
        usual = {"side": Side.BUY, "role": OrderRole.ENTRY, "client_order_id": self.name, "qty": 2}
        terms = {**usual, **fields}
        return OrderReport(self.account, broker_id, status, symbol=MNQ, at=clock.now(), **terms)

    def leg(
        self, role: OrderRole, broker_id: str, status: OrderStatus = OrderStatus.WORKING, **fields: Any
    ) -> OrderReport:
        usual = {"side": Side.SELL, "role": role, "client_order_id": None, "parent_client_order_id": self.name}
        kind = OrderType.STOP if role is OrderRole.STOP else OrderType.LIMIT
        return self.report(status, broker_id, order_type=kind, **{**usual, **fields})

    def fill(self, number: str, qty: int = 2, price: str | None = "100", **fields: Any) -> FillReport:
        usual = {"broker_order_id": "500", "symbol": MNQ, "side": Side.BUY, "at": clock.now()}
        stated = None if price is None else Decimal(price)
        return FillReport(self.account, number, qty=qty, price=stated, **{**usual, **fields})

    def sync(self, *parts: OrderReport | FillReport | PositionReport) -> SyncReport:
        def of(kind: type) -> tuple[Any, ...]:
            return tuple(part for part in parts if isinstance(part, kind))

        return SyncReport(clock.now(), (self.account,), of(OrderReport), of(FillReport), of(PositionReport))

    @property
    def position(self) -> Position | None:
        return Position.objects.filter(trader=self.intent.trader, symbol=MNQ).first()
