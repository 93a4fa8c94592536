"""The states of an order, each change told on the hub (ProjectX wire facts, 8.3 and 12.3)."""

from __future__ import annotations

from brokers.sandbox.projectx.books import Event, Ticket, account_of
from brokers.sandbox.projectx.codes import OrderStatus
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.rows import order_row

# What the live hub was seen to say: 0 of trades, 1 of rows that live, 2 of rows that are final.
TRADED, LIVES, FINAL = 0, 1, 2


def order_event(desk: Desk, ticket: Ticket) -> Event:
    return Event("orders", FINAL if ticket.is_done else LIVES, order_row(desk, ticket))


def announce(desk: Desk, ticket: Ticket) -> None:
    desk.emit(account_of(ticket.order), [order_event(desk, ticket)])


def change(desk: Desk, ticket: Ticket, status: OrderStatus) -> None:
    """A new status, or new terms at the same one."""
    set_status(desk, ticket, status)
    announce(desk, ticket)


def set_status(desk: Desk, ticket: Ticket, status: OrderStatus) -> None:
    ticket.status = status
    ticket.updated = desk.stamp()


def end(desk: Desk, ticket: Ticket, status: OrderStatus) -> None:
    """Canceled, expired or rejected: it trades no more. What hangs on it is the caller's business."""
    if ticket.is_done:
        return
    if status is OrderStatus.REJECTED:
        desk.engine.reject(ticket.order)
    else:
        desk.engine.cancel(ticket.order)
    change(desk, ticket, status)
