"""From an accepted order to its executions: scripted rejections, price moves."""

from __future__ import annotations

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.projectx import brackets, lifecycle, parts
from brokers.sandbox.projectx.books import Ticket, account_of, ticket_of
from brokers.sandbox.projectx.codes import OrderStatus
from brokers.sandbox.projectx.desk import Desk

LATER_MODES = ("async", "exchange")


def submit(desk: Desk, ticket: Ticket) -> None:
    """Hand a pending order to the exchange; a rejection here has no text, as the hub has none."""
    if ticket.is_done:
        return
    account = account_of(ticket.order)
    for mode in LATER_MODES:
        if desk.faults.take("reject", account, mode=mode, leg=ticket.role) is not None:
            lifecycle.end(desk, ticket, OrderStatus.REJECTED)
            brackets.after_end(desk, ticket)
            return
    parts.script(desk, ticket)
    desk.engine.place(ticket.order)
    parts.start(desk, ticket)
    if ticket.status is OrderStatus.PENDING:
        lifecycle.change(desk, ticket, OrderStatus.OPEN)


def on_move(desk: Desk, contract: Contract) -> None:
    """A new quote: what it triggers trades at once."""
    desk.engine.on_quote(contract)
    for order in desk.engine.working(contract):
        parts.start(desk, ticket_of(order))
