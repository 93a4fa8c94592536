"""P3: an intent becomes a SUBMITTING order, and the requests that go on the wire once that is committed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from brokers.base import (
    AccountRef,
    BracketLeg,
    FlattenPosition,
    OrderRole,
    OrderStatus,
    OrderType,
    Request,
    Side,
    SubmitOrder,
    Trail,
)
from execution import transitions
from execution.abilities import abilities_of, native_part
from execution.bulk import copy_rows, update_rows
from execution.models import IntentKind, ObjectKind, Order
from execution.transitions import Change
from justtrades.ids import new_id


class Due(NamedTuple):
    """A claimed intent with what its request needs; `predecessor` is the status of the intent that it waited for."""

    id: UUID
    owner_id: UUID
    trader_id: UUID | None
    account_id: UUID
    kind: str
    client_order_id: str
    symbol: str
    side: str
    qty: int
    bracket: str | Sequence[BracketLeg]
    order_type: str
    price: Decimal | None
    broker_id: str
    account_name: str
    login_id: UUID
    expires_at: datetime | None = None
    predecessor: str | None = None
    predecessor_kind: str | None = None
    held_qty: int | None = None
    leaves_qty: int | None = None
    is_shared: bool = False
    exits: str = ""
    order_id: UUID | None = None
    attempts: int = 0
    reason_code: str = ""
    reason_text: str = ""
    cleared_at: datetime = datetime.min.replace(tzinfo=UTC)
    venue: str = ""


_ORDER_COLUMNS = (
    "id", "owner_id", "intent_id", "trader_id", "account_id", "role", "client_order_id", "broker_strategy_id",
    "symbol", "side", "qty", "order_type", "price", "stop_price", "target_index", "status", "filled_qty",
    "reject_code", "reject_text",
    "queries_without_trace", "change_attempts", "submit_started_at", "created_at", "updated_at", "version",
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
    _mark_submitting(batch, intent)
    batch.requests += [(intent.login_id, request) for request in requests]


BracketRow = tuple[int, str | None, str | None, str | None, str | None, str | None, int]
"""Contracts, target and stop distance, trail distance, trigger and step in points, the target's place in the exits."""


def bracket_rows(legs: Sequence[BracketLeg], targets: Sequence[int]) -> list[BracketRow]:
    """The legs as they are stored with their intent; `bracket_of` reads them."""
    return [
        (
            leg.qty,
            _text(leg.target_distance),
            _text(leg.stop_distance),
            *((None, None, None) if leg.trail is None else
              (_text(leg.trail.distance), _text(leg.trail.trigger), _text(leg.trail.step))),
            target,
        )
        for leg, target in zip(legs, targets, strict=True)
    ]  # fmt: skip


def bracket_of(stored: str | Sequence[BracketLeg]) -> tuple[BracketLeg, ...]:
    """From the JSON text of `bracket_rows`; legs that were never stored pass through."""
    return bracket_of_rows(json.loads(stored)) if isinstance(stored, str) else tuple(stored)


def bracket_of_rows(rows: Sequence[BracketRow]) -> tuple[BracketLeg, ...]:
    """The legs that an intent's row keeps."""
    return tuple(BracketLeg(row[0], _number(row[1]), _number(row[2]), _trail(row[3], row[4], row[5])) for row in rows)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _trail(distance: str | None, trigger: str | None, step: str | None) -> Trail | None:
    if distance is None or trigger is None or step is None:
        return None
    return Trail(Decimal(distance), Decimal(trigger), Decimal(step))


def requests_for(intent: Due, account: AccountRef) -> list[Request]:
    """What goes on the wire: an entry with its bracket in one request, an exit as the venue's own flatten.

    What of the bracket the venue cannot take along follows the fill (see `execution.synthetic`).

    A part of a position, and all of it where another trader is on the same account, goes as a plain order: a flatten
    would close the other's share too, also one that is just on its way. Its exit legs are out of the way by then (see
    `execution.shrink`).
    """
    side = Side(intent.side)
    if intent.kind == IntentKind.ENTRY:
        order_type = OrderType(intent.order_type)
        bracket = native_part(bracket_of(intent.bracket), abilities_of(intent.venue, intent.symbol))
        entry = SubmitOrder(
            intent.client_order_id, account, intent.symbol, side, intent.qty, order_type, intent.price, bracket=bracket
        )
        return [entry]
    if intent.kind == IntentKind.FLATTEN or (intent.kind == IntentKind.EXIT and not intent.is_shared):
        return [FlattenPosition(intent.client_order_id, account, intent.symbol)]
    held = intent.held_qty or 0
    way_out = Side.SELL if held > 0 else Side.BUY
    qty = _closing_qty(intent, held)
    return [SubmitOrder(intent.client_order_id, account, intent.symbol, way_out, qty)]


def _mark_submitting(batch: Batch, intent: Due) -> None:
    role = OrderRole.ENTRY if intent.kind == IntentKind.ENTRY else OrderRole.EXIT
    held = intent.held_qty or 0
    is_exit = role is OrderRole.EXIT
    side = (Side.SELL if held > 0 else Side.BUY) if is_exit and held != 0 else Side(intent.side)
    qty = _closing_qty(intent, held) if is_exit else intent.qty
    submitting = OrderStatus.SUBMITTING.value
    order_id = intent.order_id or new_id()
    if intent.order_id is not None:
        batch.revived.append((order_id, submitting, batch.now, batch.now))
    else:
        terms = Terms(role, intent.client_order_id, side, qty, intent.order_type, intent.price)
        batch.orders.append(order_row(batch, intent, order_id, terms))
    before = OrderStatus.NOT_PLACED.value if intent.order_id is not None else ""
    batch.changes.append(Change(intent.owner_id, ObjectKind.ORDER, order_id, before, submitting, batch.now))


class Terms(NamedTuple):
    """What distinguishes an order from its intent; `target_index` is an exit leg's place in the exit template."""

    role: OrderRole
    name: str
    side: Side
    qty: int
    order_type: str
    price: Decimal | None = None
    stop_price: Decimal | None = None
    target_index: int | None = None


def order_row(batch: Batch, intent: Due, order_id: UUID, terms: Terms) -> tuple[object, ...]:
    """A SUBMITTING order, in the order of `_ORDER_COLUMNS`."""
    return (
        order_id, intent.owner_id, intent.id, intent.trader_id, intent.account_id, terms.role.value, terms.name, "",
        intent.symbol, terms.side.value, terms.qty, terms.order_type, terms.price, terms.stop_price,
        terms.target_index, OrderStatus.SUBMITTING.value, 0, "", "", 0, 0, batch.now, batch.now, batch.now,
        batch.version,
    )  # fmt: skip


def _closing_qty(intent: Due, held: int) -> int:
    """What a partial exit leaves was decided, not what it takes: a target may have taken it meanwhile."""
    if intent.kind == IntentKind.FLATTEN:
        return intent.qty
    left = 0 if intent.kind == IntentKind.EXIT or intent.leaves_qty is None else intent.leaves_qty
    return max(0, abs(held) - left)
