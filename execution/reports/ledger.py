"""The rows that one batch of events touches: loaded and locked together, changed in memory, written together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from brokers.base import OrderRole, OrderStatus
from brokers.models import BrokerAccount
from brokers.reports import OrderReport
from execution import locks, transitions
from execution.bulk import copy_rows, update_rows
from execution.models import IntentKind, IntentSource, IntentStatus, ObjectKind, Order, OrderIntent
from execution.models.intent import FINISHED, TRANSITIONS
from execution.models.order import DONE
from execution.transitions import Change

log = structlog.get_logger(__name__)
_WISH_COLUMNS = ("wanted_qty", "wanted_price", "change_sent_at", "change_attempts")
_ORDER_COLUMNS = (
    "broker_order_id", "broker_strategy_id", "role", "qty", "order_type", "price", "stop_price", "status",
    "filled_qty", "avg_price", "reject_code", "reject_text", "queries_without_trace", "queried_at", "updated_at",
    "exits_wished",
    *_WISH_COLUMNS,
)  # fmt: skip
_INTENT_COLUMNS = (
    "client_order_id", "status", "reason_code", "reason_text", "cleared_at", "sent_at", "acknowledged_at", "filled_at",
    "protected_at", "finished_at",
)  # fmt: skip


FLATTENING = (IntentKind.EXIT, IntentKind.FLATTEN)
"""Kinds that go as the venue's own flatten, which carries no id of ours at some venues."""
FOUND = "FOUND"
"""The code of what was in doubt and turned up at the broker."""
CLOCK_SKEW = timedelta(seconds=5)
"""By how much a broker's clock may be behind ours."""
RETRY_PAUSE = timedelta(seconds=0.5)
"""Before what was proven not sent goes again, times the number of tries: a broker that is away is not hammered."""


@dataclass(slots=True)
class Ledger:
    now: datetime
    accounts: dict[tuple[UUID, str], BrokerAccount]
    venues: dict[UUID, str] = field(default_factory=dict)
    by_client: dict[str, Order] = field(default_factory=dict)
    by_broker: dict[tuple[UUID, str], Order] = field(default_factory=dict)
    nameless_exits: dict[tuple[UUID, str, str], Order] = field(default_factory=dict)
    filled_at: dict[tuple[UUID, str], datetime] = field(default_factory=dict)
    """When each broker order that the batch tells a fill of was filled first."""
    intents: dict[UUID, OrderIntent] = field(default_factory=dict)
    created: dict[UUID, Order] = field(default_factory=dict)
    changed: dict[UUID, Order] = field(default_factory=dict)
    changed_intents: dict[UUID, OrderIntent] = field(default_factory=dict)
    wishes: dict[UUID, Order] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    touched: set[tuple[UUID, str]] = field(default_factory=set)
    owners: set[UUID] = field(default_factory=set)

    def load(self, client_ids: Iterable[str], broker_ids: Iterable[tuple[UUID, str]]) -> None:
        """Lock the intents, then the orders, that these ids name.

        A flatten carries no id of ours: until its reply is known, the close that it causes is found by account,
        contract and side among the exits that wait for their broker order id.
        """
        clients, brokers = set(client_ids), set(broker_ids)
        found = set(Order.objects.filter(client_order_id__in=clients).values_list("id", "intent_id"))
        by_broker = Order.objects.filter(
            account_id__in={account for account, _ in brokers}, broker_order_id__in={name for _, name in brokers}
        )
        found |= set(by_broker.values_list("id", "intent_id"))
        nameless = Order.objects.filter(
            account_id__in={account for account, _ in brokers},
            role=OrderRole.EXIT.value,
            intent__kind__in=FLATTENING,
            broker_order_id__isnull=True,
            status__in=[OrderStatus.SUBMITTING.value, OrderStatus.UNKNOWN.value, OrderStatus.WORKING.value],
        )
        found |= set(nameless.values_list("id", "intent_id"))
        intents = OrderIntent.objects.filter(id__in={intent for _, intent in found if intent is not None})
        for intent in locks.lock_intents(intents):
            self.intents[intent.id] = intent
        waiting: dict[tuple[UUID, str, str], list[Order]] = {}
        for order in locks.lock_orders(Order.objects.filter(id__in={order for order, _ in found})):
            self.index(order)
            wish = self.intent_of(order)
            if wish is None or wish.kind not in FLATTENING:
                continue
            if order.role == OrderRole.EXIT and order.broker_order_id is None:
                # An account's close may have been wished for before it was known which side there is to close.
                for side in {order.side} if wish.kind == IntentKind.EXIT else {"buy", "sell"}:
                    waiting.setdefault((order.account_id, order.symbol, side), []).append(order)
        self.nameless_exits |= {key: orders[0] for key, orders in waiting.items() if len(orders) == 1}

    def index(self, order: Order) -> None:
        if order.client_order_id is not None:
            self.by_client[order.client_order_id] = order
        if order.broker_order_id is not None:
            self.by_broker[order.account_id, order.broker_order_id] = order

    def take_close(self, account_id: UUID, report: OrderReport) -> Order | None:
        """The exit of ours that this close without a name belongs to: never to one that was filled before it was."""
        key = (account_id, report.symbol, report.side.value)
        order = self.nameless_exits.get(key)
        filled_at = self.filled_at.get((account_id, report.broker_order_id))
        if order is None or (filled_at is not None and filled_at < order.created_at - CLOCK_SKEW):
            return None
        return self.nameless_exits.pop(key)

    def changed_entries(self) -> list[Order]:
        """The entries that this batch knows of."""
        return [order for order in self.by_client.values() if order.role == OrderRole.ENTRY]

    def add(self, order: Order) -> None:
        self.created[order.id] = order
        self.index(order)
        self._note(order, "", "")

    def intent_of(self, order: Order) -> OrderIntent | None:
        return self.intents.get(order.intent_id) if order.intent_id is not None else None

    def touch(self, order: Order) -> None:
        order.updated_at = self.now
        if order.id not in self.created:
            self.changed[order.id] = order
        self.owners.add(order.owner_id)
        if order.trader_id is not None:
            self.touched.add((order.trader_id, order.symbol))

    def move(self, order: Order, status: OrderStatus, detail: str = "") -> None:
        """Change an order's status; what is over stays over, unless it was NOT_PLACED and turns up after all."""
        before = OrderStatus(order.status)
        if before is status or (before in DONE and before is not OrderStatus.NOT_PLACED):
            return
        order.status = status.value
        if status in DONE:
            # Nobody can fulfil what was wished of it.
            order.wanted_qty = order.wanted_price = order.change_sent_at = None
            order.change_attempts = 0
        self.touch(order)
        self._note(order, before.value, detail)

    def _note(self, order: Order, before: str, detail: str) -> None:
        self.owners.add(order.owner_id)
        if order.trader_id is not None:
            self.touched.add((order.trader_id, order.symbol))
        self.changes.append(Change(order.owner_id, ObjectKind.ORDER, order.id, before, order.status, self.now, detail))

    def move_intent(self, intent: OrderIntent, status: IntentStatus, code: str = "", text: str = "") -> None:
        before = IntentStatus(intent.status)
        if before is status or before in FINISHED:
            return
        if status not in TRANSITIONS[before]:
            log.error("ledger.illegal_move", intent=str(intent.id), before=before.value, after=status.value)
            return
        intent.status = status.value
        if code or intent.source != IntentSource.RISK_ACTION:
            # Why a risk action was taken stays on it when it is done.
            intent.reason_code, intent.reason_text = code[:64], text[:512]
        intent.finished_at = self.now if status in FINISHED else None
        if status is IntentStatus.CLEARED:
            intent.cleared_at = self.now + RETRY_PAUSE * max(1, intent.attempts)
        self.stamp(intent)
        if intent.trader_id is not None:
            self.touched.add((intent.trader_id, intent.symbol))
        self.changes.append(
            Change(
                intent.owner_id, ObjectKind.INTENT, intent.id, before.value, status.value, self.now, f"{code} {text}"
            )
        )

    def stamp(self, intent: OrderIntent) -> None:
        """Write the intent: a moment of it is known now. Nothing follows from that."""
        self.changed_intents[intent.id] = intent
        self.owners.add(intent.owner_id)

    def write(self) -> None:
        columns = [column.attname for column in Order._meta.concrete_fields]
        copy_rows(Order, columns, ([getattr(order, name) for name in columns] for order in self.created.values()))
        for order in self.created.values():
            order._state.adding = False
        rows = [(order.id, *(getattr(order, name) for name in _ORDER_COLUMNS)) for order in self.changed.values()]
        update_rows(Order, _ORDER_COLUMNS, rows)
        self.created.clear()
        self.changed.clear()

    def write_intents(self) -> None:
        rows = [
            (intent.id, *(getattr(intent, name) for name in _INTENT_COLUMNS))
            for intent in self.changed_intents.values()
        ]
        update_rows(OrderIntent, _INTENT_COLUMNS, rows)
        self.changed_intents.clear()
        wishes = [(o.id, *(getattr(o, name) for name in _WISH_COLUMNS)) for o in self.wishes.values()]
        update_rows(Order, _WISH_COLUMNS, wishes)
        self.wishes.clear()
        transitions.record(self.changes)
        self.changes.clear()
