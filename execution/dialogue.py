"""What was asked of a broker for one intent and what it answered, order by order, in words that name no venue.

A request is told from the rows that it was made of, which are written before it goes out and not changed by its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from brokers.base import OrderRole, OrderStatus
from execution.models import IntentKind, Order, OrderIntent
from execution.models.order import WORKING
from execution.prices import format_price
from execution.rows import FillRow, OrderRow, order_row
from execution.valuation import known_contract
from recorders.redact import redact

ACCEPTED = WORKING | {
    OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.SUSPENDED, OrderStatus.PENDING_CANCEL,
}  # fmt: skip
"""States that only a broker that has the order can have reported."""


@dataclass(frozen=True, slots=True)
class BracketLine:
    """Exits that went with an entry: contracts and distances in points; None where there is no such exit."""

    contracts: int
    target_points: str | None
    stop_points: str | None
    trail_points: str | None
    trail_after_points: str | None
    trail_step_points: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """`kind` is `order`, `order_with_bracket`, `close_position`, `bracket_leg` (came with its entry) or `exit_order`.

    How a whole position was closed is the venue's business: `contracts` is what was held, and `side` the way out.
    """

    kind: str
    side: str
    contracts: int
    symbol: str
    order_type: str
    price: Any
    stop_price: Any
    client_order_id: str | None
    bracket: list[BracketLine]


@dataclass(frozen=True, slots=True)
class Answered:
    """`accepted` is None while nobody knows; a rejection carries the broker's own code and text."""

    accepted: bool | None
    status: str
    broker_order_id: str | None
    broker_strategy_id: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One order: the request as it went out, the answer, and what has filled. `terms` are its type and price."""

    order: Order
    row: OrderRow
    request: Asked
    terms: str
    response: Answered
    fills: list[FillRow]


def exchange(intent: OrderIntent, order: Order, fills: Sequence[FillRow]) -> Exchange:
    asked = _asked(intent, order)
    return Exchange(order, order_row(order), asked, _terms(asked), _answered(order), list(fills))


def without_secrets(text: str) -> str:
    """A broker's text as it may be shown: it may echo what it was sent."""
    return redact(text.encode()).decode()


def bracket_lines(intent: OrderIntent) -> list[BracketLine]:
    return [BracketLine(row[0], *row[1:6]) for row in intent.bracket]


def _asked(intent: OrderIntent, order: Order) -> Asked:
    is_entry = order.role == OrderRole.ENTRY
    kind = _kind(intent, order)
    return Asked(
        kind=kind,
        side=order.side,
        # The entry's row follows what the broker reports; what was asked for is the intent's.
        contracts=intent.qty if is_entry else order.qty,
        symbol=order.symbol,
        order_type=intent.order_type if is_entry else order.order_type,
        price=intent.price if is_entry else order.price,
        stop_price=order.stop_price,
        client_order_id=order.client_order_id,
        bracket=bracket_lines(intent) if is_entry else [],
    )


def _kind(intent: OrderIntent, order: Order) -> str:
    if order.role == OrderRole.ENTRY:
        return "order_with_bracket" if intent.bracket else "order"
    if order.role in {OrderRole.STOP, OrderRole.TARGET}:
        return "bracket_leg" if order.client_order_id is None else "exit_order"
    return "close_position" if intent.kind == IntentKind.EXIT else "order"


def _answered(order: Order) -> Answered:
    status = OrderStatus(order.status)
    accepted: bool | None = None
    if status in {OrderStatus.REJECTED, OrderStatus.NOT_PLACED}:
        accepted = False
    elif status in ACCEPTED or order.broker_order_id is not None:
        accepted = True
    return Answered(
        accepted=accepted,
        status=order.status,
        broker_order_id=order.broker_order_id,
        broker_strategy_id=order.broker_strategy_id,
        code=order.reject_code,
        text=without_secrets(order.reject_text),
    )


def _terms(asked: Asked) -> str:
    """`market`, `limit 20,431.25`, `stop 20,400.00`."""
    contract = known_contract(asked.symbol)
    price = asked.stop_price if asked.stop_price is not None else asked.price
    kind = asked.order_type.replace("_", " ")
    return kind if price is None else f"{kind} {format_price(price, contract)}"
