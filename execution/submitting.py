"""P3: an intent becomes a SUBMITTING order, and the requests that go on the wire once that is committed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from brokers.base import (
    AccountRef,
    BracketLeg,
    CancelOrder,
    FlattenPosition,
    OrderRole,
    OrderStatus,
    OrderType,
    Request,
    Side,
    SubmitOrder,
)
from execution import transitions
from execution.bulk import copy_rows, update_rows
from execution.models import IntentKind, ObjectKind, Order
from execution.transitions import Change
from justtrades.ids import new_id


class Due(NamedTuple):
    """A claimed intent with what its request needs; `predecessor` is the status of the intent that it waited for."""

    id: UUID
    owner_id: UUID
    trader_id: UUID
    account_id: UUID
    kind: str
    client_order_id: str
    symbol: str
    side: str
    qty: int
    target_distance: Decimal | None
    stop_distance: Decimal | None
    broker_id: str
    account_name: str
    login_id: UUID
    expires_at: datetime | None = None
    predecessor: str | None = None
    predecessor_kind: str | None = None
    held_qty: int | None = None
    live_legs: list[str] | None = None
    is_shared: bool = False
    order_id: UUID | None = None
    attempts: int = 0
    reason_code: str = ""
    reason_text: str = ""


_ORDER_COLUMNS = (
    "id", "owner_id", "intent_id", "trader_id", "account_id", "role", "client_order_id", "broker_strategy_id",
    "symbol", "side", "qty", "order_type", "status", "filled_qty", "reject_code", "reject_text",
    "queries_without_trace", "submit_started_at", "created_at", "updated_at", "version",
)  # fmt: skip

Routed = tuple[UUID, Request]
"""A request and the id of the broker login that it goes through."""


@dataclass(slots=True)
class Batch:
    """Orders to be written, and the requests that may go once they are."""

    now: datetime
    version: str = settings.VERSION
    orders: list[tuple[object, ...]] = field(default_factory=list)
    revived: list[tuple[object, ...]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    requests: list[Routed] = field(default_factory=list)

    def write(self) -> None:
        copy_rows(Order, _ORDER_COLUMNS, self.orders)
        update_rows(Order, ("status", "submit_started_at", "updated_at"), self.revived)
        transitions.record(self.changes)


def take_up(batch: Batch, intent: Due) -> None:
    """Put the intent's order and requests into the batch."""
    requests = requests_for(intent, AccountRef(intent.broker_id, intent.account_name))
    if not all(isinstance(request, CancelOrder) for request in requests):
        _mark_submitting(batch, intent)
    batch.requests += [(intent.login_id, request) for request in requests]


def requests_for(intent: Due, account: AccountRef) -> list[Request]:
    """What goes on the wire: an entry with its bracket in one request, an exit as the venue's own flatten.

    When another recorder's trader holds the same contract on the account, a flatten would close its share too: then
    only our own legs are canceled and our own quantity is closed.
    """
    if intent.kind == IntentKind.ENTRY:
        leg = BracketLeg(intent.qty, intent.target_distance, intent.stop_distance)
        has_exits = leg.target_distance is not None or leg.stop_distance is not None
        bracket = (leg,) if has_exits else ()
        side = Side(intent.side)
        return [SubmitOrder(intent.client_order_id, account, intent.symbol, side, intent.qty, bracket=bracket)]
    if not intent.is_shared:
        return [FlattenPosition(intent.client_order_id, account, intent.symbol)]
    held = intent.held_qty or 0
    cancels: list[Request] = [CancelOrder(f"C{leg}", account, leg) for leg in intent.live_legs or ()]
    if held == 0:
        return cancels
    side = Side.SELL if held > 0 else Side.BUY
    return [*cancels, SubmitOrder(intent.client_order_id, account, intent.symbol, side, abs(held))]


def _mark_submitting(batch: Batch, intent: Due) -> None:
    role = OrderRole.ENTRY if intent.kind == IntentKind.ENTRY else OrderRole.EXIT
    held = intent.held_qty or 0
    is_exit = role is OrderRole.EXIT
    side = (Side.SELL if held > 0 else Side.BUY) if is_exit and held != 0 else Side(intent.side)
    qty = abs(held) if is_exit else intent.qty
    submitting = OrderStatus.SUBMITTING.value
    order_id = intent.order_id or new_id()
    if intent.order_id is not None:
        batch.revived.append((order_id, submitting, batch.now, batch.now))
    else:
        batch.orders.append((
            order_id, intent.owner_id, intent.id, intent.trader_id, intent.account_id, role.value,
            intent.client_order_id, "", intent.symbol, side.value, qty, OrderType.MARKET.value, submitting, 0, "", "",
            0, batch.now, batch.now, batch.now, batch.version,
        ))  # fmt: skip
    before = OrderStatus.NOT_PLACED.value if intent.order_id is not None else ""
    batch.changes.append(Change(intent.owner_id, ObjectKind.ORDER, order_id, before, submitting, batch.now))
