"""Webull's order and position states as the reports of `brokers.reports`; pure."""

from __future__ import annotations

import re
from datetime import datetime

from brokers.base import AccountRef, OrderRole, OrderStatus, role_of
from brokers.reports import FillReport, OrderReport, PositionReport
from brokers.webull.lots import Lot
from brokers.webull.types import EXIT_LEGS, STOP_PROFIT, OrderState, PositionState, Status

_STATUSES = {
    Status.PENDING: OrderStatus.WORKING,
    Status.SUBMITTED: OrderStatus.WORKING,
    Status.PARTIAL_FILLED: OrderStatus.PARTIALLY_FILLED,
    Status.FILLED: OrderStatus.FILLED,
    Status.CANCELLED: OrderStatus.CANCELED,
    Status.FAILED: OrderStatus.REJECTED,
}
# How the product names its orders: after a restart the shape alone tells ours from the owner's.
_OURS = re.compile(r"JT[A-Z2-7]{26}|[TSX]-[A-Za-z0-9_-]{24,30}")
FAILED_TEXT = "the venue could not place the order and gives no reason"


def order_report(
    account: AccountRef, state: OrderState, at: datetime, *, parent: str | None, is_ours: bool
) -> OrderReport:
    """`parent` is the client order id of the entry whose exit this is."""
    is_failed = state.status is Status.FAILED
    return OrderReport(
        account=account,
        broker_order_id=state.order_id,
        status=status_of(state),
        side=state.side,
        symbol=state.symbol,
        at=at,
        role=_role(state, parent, is_ours=is_ours),
        client_order_id=state.client_order_id,
        parent_client_order_id=parent,
        order_type=state.order_type,
        qty=state.qty,
        price=state.limit,
        stop_price=state.stop,
        reject_code=Status.FAILED.value if is_failed else "",
        reject_text=FAILED_TEXT if is_failed else "",
        bracket_index=0 if parent is not None else None,
    )


def status_of(state: OrderState) -> OrderStatus:
    """An exit that is pending waits for its entry; any other pending order is the venue's to work."""
    if state.combo_type in EXIT_LEGS and state.status is Status.PENDING:
        return OrderStatus.SUSPENDED
    if state.status is Status.SUBMITTED and state.filled > 0:
        return OrderStatus.PARTIALLY_FILLED
    return _STATUSES[state.status]


def is_our_name(client_order_id: str) -> bool:
    return _OURS.fullmatch(client_order_id) is not None


def _role(state: OrderState, parent: str | None, *, is_ours: bool) -> OrderRole:
    if parent is not None:
        return OrderRole.TARGET if state.combo_type == STOP_PROFIT else OrderRole.STOP
    return role_of(state.client_order_id) if is_ours else OrderRole.EXTERNAL


def fill_report(account: AccountRef, state: OrderState, lot: Lot, at: datetime) -> FillReport:
    return FillReport(
        account=account,
        broker_fill_id=f"{state.order_id}:{lot.end}",
        broker_order_id=state.order_id,
        symbol=state.symbol,
        side=state.side,
        qty=lot.qty,
        price=lot.price,
        at=state.at or at,
    )


def position_report(account: AccountRef, position: PositionState, at: datetime) -> PositionReport:
    return PositionReport(account, position.symbol, position.net, position.average if position.net else None, at)
