"""P3: cleared intents become SUBMITTING orders in one transaction, then requests on the wire.

Whoever holds the lane may call this at any time; the claim (`FOR UPDATE SKIP LOCKED` on CLEARED rows) makes sure that
an intent is sent by one caller. What is on the wire is never sent again from here: see `execution.reports.outcomes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

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
from execution import feed, transitions
from execution.bulk import copy_rows, update_rows
from execution.models import IntentKind, IntentStatus, ObjectKind, Order, OrderIntent
from execution.models.intent import FINISHED
from execution.transitions import Change
from justtrades import clock
from justtrades.ids import new_id
from justtrades.killpoints import killpoint

CHUNK = 125
"""Intents per transaction: small enough that the first is on the wire while the rest are still being written."""


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
    expires_at: datetime | None
    broker_id: str
    account_name: str
    login_id: UUID
    predecessor: str | None
    predecessor_kind: str | None
    held_qty: int | None
    live_legs: list[str] | None
    is_shared: bool
    order_id: UUID | None
    attempts: int


_CLAIM = """
    SELECT i.id, i.owner_id, i.trader_id, i.account_id, i.kind, i.client_order_id, i.symbol, i.side, i.qty,
           i.target_distance, i.stop_distance, i.expires_at, a.broker_id, a.name, a.login_id, b.status, b.kind,
           p.net_qty,
           CASE WHEN i.kind = 'exit' THEN ARRAY(
               SELECT o.broker_order_id FROM execution_order o
               WHERE o.trader_id = i.trader_id AND o.account_id = i.account_id AND o.symbol = i.symbol
                 AND o.role IN ('target', 'stop') AND o.broker_order_id IS NOT NULL
                 AND o.status IN ('suspended', 'working', 'partially_filled')) END,
           i.kind = 'exit' AND EXISTS (
               SELECT 1 FROM execution_position s
               WHERE s.account_id = i.account_id AND s.symbol = i.symbol AND s.trader_id <> i.trader_id
                 AND s.net_qty <> 0),
           (SELECT o.id FROM execution_order o WHERE i.attempts > 0 AND o.client_order_id = i.client_order_id),
           i.attempts
    FROM execution_orderintent i
    JOIN brokers_brokeraccount a ON a.id = i.account_id
    LEFT JOIN execution_orderintent b ON b.id = i.after_id
    LEFT JOIN execution_position p ON p.trader_id = i.trader_id AND p.symbol = i.symbol
    WHERE i.status = 'cleared' AND i.lane_slot %% %s = %s AND (b.id IS NULL OR b.status = ANY(%s))
    ORDER BY i.created_at, i.id
    LIMIT %s
    FOR UPDATE OF i SKIP LOCKED
"""
_ORDER_COLUMNS = (
    "id", "owner_id", "intent_id", "trader_id", "account_id", "role", "client_order_id", "broker_strategy_id",
    "symbol", "side", "qty", "order_type", "status", "filled_qty", "reject_code", "reject_text",
    "queries_without_trace", "submit_started_at", "created_at", "updated_at", "version",
)  # fmt: skip

Routed = tuple[UUID, Request]
Submit = Callable[[Sequence[Routed]], None]


@dataclass(slots=True)
class _Batch:
    now: datetime
    orders: list[tuple[object, ...]] = field(default_factory=list)
    revived: list[tuple[object, ...]] = field(default_factory=list)
    statuses: list[tuple[object, ...]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    requests: list[Routed] = field(default_factory=list)
    owners: set[UUID] = field(default_factory=set)


def dispatch_due(lane: int, submit: Submit) -> int:
    """Send every cleared intent of the lane whose predecessor is finished; returns how many were taken up."""
    taken = 0
    while True:
        batch, count = _claim_chunk(lane)
        killpoint("dispatch.pre_send")
        if batch.requests:
            submit(batch.requests)
        killpoint("dispatch.post_send")
        for owner_id in batch.owners:
            feed.announce(owner_id, "intents", "orders")
        taken += count
        if count < CHUNK:
            return taken


def _claim_chunk(lane: int) -> tuple[_Batch, int]:
    batch = _Batch(clock.now())
    with transaction.atomic():
        killpoint("dispatch.pre_mark")
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, [settings.LANES, lane, sorted(FINISHED), CHUNK])
            due = [Due(*row) for row in cursor.fetchall()]
        for intent in due:
            _take_up(batch, intent)
        columns = ("status", "reason_code", "reason_text", "dispatched_at", "finished_at", "attempts")
        update_rows(OrderIntent, columns, batch.statuses)
        copy_rows(Order, _ORDER_COLUMNS, batch.orders)
        update_rows(Order, ("status", "submit_started_at", "updated_at"), batch.revived)
        transitions.record(batch.changes)
    return batch, len(due)


def _take_up(batch: _Batch, intent: Due) -> None:
    batch.owners.add(intent.owner_id)
    verdict = _verdict(intent, batch.now)
    if verdict is not None:
        _set_intent(batch, intent, *verdict)
        return
    account = AccountRef(intent.broker_id, intent.account_name)
    requests = requests_for(intent, account)
    if not all(isinstance(request, CancelOrder) for request in requests):
        _mark_submitting(batch, intent)
    _set_intent(batch, intent, IntentStatus.DISPATCHED, "", "")
    batch.requests += [(intent.login_id, request) for request in requests]


def _verdict(intent: Due, now: datetime) -> tuple[IntentStatus, str, str] | None:
    """Why a claimed intent is not to be sent after all; None when it is."""
    if intent.kind == IntentKind.EXIT:
        if (intent.held_qty or 0) == 0 and not intent.live_legs:
            return IntentStatus.DONE, "ALREADY_FLAT", f"the position in {intent.symbol} was closed before"
        return None
    if intent.expires_at is not None and now > intent.expires_at:
        age = (now - intent.expires_at).total_seconds()
        return IntentStatus.EXPIRED, "STALE", f"age: {age:.1f} s over the limit of 30 s, entries are not sent late"
    if intent.predecessor_kind == IntentKind.EXIT and intent.predecessor != IntentStatus.DONE:
        return IntentStatus.DENIED, "EXIT_NOT_DONE", f"the exit before it ended as {intent.predecessor}"
    return None


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


def _mark_submitting(batch: _Batch, intent: Due) -> None:
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
            0, batch.now, batch.now, batch.now, settings.VERSION,
        ))  # fmt: skip
    before = OrderStatus.NOT_PLACED.value if intent.order_id is not None else ""
    batch.changes.append(Change(intent.owner_id, ObjectKind.ORDER, order_id, before, submitting, batch.now))


def _set_intent(batch: _Batch, intent: Due, status: IntentStatus, code: str, text: str) -> None:
    is_sent = status is IntentStatus.DISPATCHED
    batch.statuses.append((
        intent.id, status.value, code, text, batch.now if is_sent else None, None if is_sent else batch.now,
        intent.attempts + 1 if is_sent else intent.attempts,
    ))  # fmt: skip
    batch.changes.append(
        Change(intent.owner_id, ObjectKind.INTENT, intent.id, IntentStatus.CLEARED, status.value, batch.now, text)
    )
