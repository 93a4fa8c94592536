"""Scripted partial fills: an order that fills in stated parts instead of at once."""

from __future__ import annotations

from brokers.matching import pricing
from brokers.matching.types import Policy
from brokers.sandbox.projectx.books import Ticket, account_of
from brokers.sandbox.projectx.desk import Desk

_PRICING = Policy()


def script(desk: Desk, ticket: Ticket) -> None:
    """Take the fault for this order, if there is one; what is left after the last part stays working."""
    fault = desk.faults.take("partial_fill", account_of(ticket.order), leg=ticket.role)
    if fault is not None:
        ticket.parts, ticket.interval = list(fault.params["parts"]), float(fault.params["interval"])
        ticket.order.is_held = True


def start(desk: Desk, ticket: Ticket) -> None:
    """Begin the parts once the market would fill the order."""
    order = ticket.order
    if ticket.parts is None or order.filled > 0 or not order.is_working:
        return
    quote = desk.quote(ticket.contract)
    pricing.trail(order, quote)
    if pricing.fill_price(order, quote, _PRICING) is not None:
        _fill_next(desk, ticket)
    elif not order.has_rested:
        order.has_rested, order.rested_at = True, quote.last


def go_on(desk: Desk, ticket: Ticket) -> None:
    """Take up the parts of an order of saved books where they were."""
    if ticket.parts and ticket.order.filled > 0:
        desk.later(ticket.interval, account_of(ticket.order), lambda: _fill_next(desk, ticket))


def _fill_next(desk: Desk, ticket: Ticket) -> None:
    """Parts without an interval are filled in a row, each an execution of its own."""
    while ticket.parts and ticket.order.is_working:
        order, quote = ticket.order, desk.quote(ticket.contract)
        touch = quote.ask if order.side > 0 else quote.bid
        price = touch if order.limit is None else order.limit
        desk.engine.execute(order, min(ticket.parts.pop(0), order.remaining), price)
        if ticket.interval > 0:
            desk.later(ticket.interval, account_of(order), lambda: _fill_next(desk, ticket))
            return
