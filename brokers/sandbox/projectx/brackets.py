"""The legs of an entry: suspended with it, priced from its fill, one canceling the other (ProjectX wire facts, 8.4).

What becomes of the legs of a partly filled entry is not documented: they grow with it, or wait for the whole (switch
``bracket_partial``). A position that is closed by other means leaves its legs working.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from brokers.matching.types import Kind, Order
from brokers.sandbox.projectx import lifecycle, parts
from brokers.sandbox.projectx.books import STOP, TARGET, Ticket, account_of
from brokers.sandbox.projectx.codes import OrderStatus, OrderType
from brokers.sandbox.projectx.desk import Desk

LEG_KINDS = {
    OrderType.LIMIT: Kind.LIMIT,
    OrderType.STOP: Kind.STOP,
    OrderType.TRAILING_STOP: Kind.TRAILING,
}
TAG_ENDINGS = {STOP: "-SL", TARGET: "-TP"}


def add_leg(desk: Desk, entry: Ticket, role: str, order_type: OrderType, ticks: int) -> Ticket:
    """A suspended leg with the next order id; ``ticks`` counts from the entry's fill, with its sign."""
    order = Order(
        desk.order_ids.take(),
        entry.order.account,
        entry.contract,
        -entry.order.side,
        entry.order.qty,
        LEG_KINDS[order_type],
    )
    leg = Ticket(order, entry.contract, order_type, OrderStatus.SUSPENDED, entry.created, role=role, ticks=ticks)
    leg.tag = None if entry.tag is None else entry.tag + TAG_ENDINGS[role]
    leg.parent = entry
    order.extra = leg
    entry.legs.append(leg)
    account = account_of(entry.order)
    account.tickets[leg.id] = leg
    if leg.tag is not None:
        account.tags.add(leg.tag)
    return leg


def after_fill(desk: Desk, ticket: Ticket) -> None:
    """Legs follow their entry's fill, siblings yield to a leg's."""
    if ticket.legs and (ticket.is_done or desk.switches.bracket_partial == "grow"):
        grow(desk, ticket)
    if ticket.parent is not None:
        _yield_to(desk, ticket, ticket.parent)


def after_end(desk: Desk, ticket: Ticket) -> None:
    """An entry that ended unfilled takes its legs along; a partly filled one leaves them what it got."""
    if ticket.order.filled > 0:
        grow(desk, ticket)
    for leg in ticket.legs:
        if leg.status is OrderStatus.SUSPENDED:
            lifecycle.end(desk, leg, OrderStatus.CANCELED)


def cancel(desk: Desk, ticket: Ticket) -> None:
    lifecycle.end(desk, ticket, OrderStatus.CANCELED)
    after_end(desk, ticket)


def grow(desk: Desk, entry: Ticket) -> None:
    """Bring the legs to the size that is filled; those still suspended begin to work."""
    order = entry.order
    if order.average is None:
        return
    for leg in tuple(entry.legs):
        if leg.status is OrderStatus.SUSPENDED:
            _activate(desk, leg, order.filled, order.average)
        elif leg.status is OrderStatus.OPEN and leg.order.qty < order.filled:
            desk.engine.amend(leg.order, qty=order.filled)
            if not leg.is_done:
                lifecycle.change(desk, leg, leg.status)


def _activate(desk: Desk, leg: Ticket, qty: int, average: Decimal) -> None:
    order, tick = leg.order, leg.contract.tick
    price = on_grid(average + leg.ticks * tick, tick)
    order.qty = qty
    if leg.type is OrderType.LIMIT:
        order.limit = price
    else:
        order.stop = price
    if leg.type is OrderType.TRAILING_STOP:
        order.trail = abs(leg.ticks) * tick
    if desk.faults.take("reject", account_of(order), leg=leg.role) is not None:
        lifecycle.end(desk, leg, OrderStatus.REJECTED)
        return
    parts.script(desk, leg)
    lifecycle.change(desk, leg, OrderStatus.OPEN)
    desk.engine.place(order)
    parts.start(desk, leg)


def _yield_to(desk: Desk, filled: Ticket, entry: Ticket) -> None:
    """The other leg is canceled with a leg's fill, and shrinks with a part of it."""
    for sibling in entry.legs:
        if sibling is filled or sibling.is_done:
            continue
        if not filled.is_done:
            _shrink(desk, sibling, filled.order.remaining)
        elif desk.faults.take("sibling_survives", account_of(sibling.order)) is None:
            lifecycle.end(desk, sibling, OrderStatus.CANCELED)


def _shrink(desk: Desk, leg: Ticket, remaining: int) -> None:
    if leg.status is OrderStatus.OPEN:
        desk.engine.amend(leg.order, qty=leg.order.filled + remaining)
        lifecycle.change(desk, leg, leg.status)


def on_grid(price: Decimal, tick: Decimal) -> Decimal:
    """Nearest price on the tick grid: an average over several fills may lie between ticks."""
    return (price / tick).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * tick
