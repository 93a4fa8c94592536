"""What happens to accepted orders: they begin to work, are filled, canceled, changed; and the events of that."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import partial

from brokers.matching import pricing
from brokers.matching.types import Execution, Order
from brokers.sandbox.faults import Fault
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.webull import rows
from brokers.sandbox.webull.books import Group, Ticket
from brokers.sandbox.webull.desk import POLICY, Desk
from brokers.sandbox.webull.wire import Row, now_ms

_KEPT_VERSIONS = 8
PLACE = "trading/orders/place"


def take_in(desk: Desk, ticket: Ticket) -> None:
    """From here on the order exists, and its client_order_id is used up."""
    ticket.order.extra = ticket
    ticket.group.tickets.append(ticket)
    ticket.account.tickets[ticket.client_order_id] = ticket
    ticket.account.live[ticket] = None
    desk.active.add(ticket.contract.id)
    desk.engine.hold(ticket.order)
    noted(desk, ticket)


def noted(desk: Desk, ticket: Ticket) -> None:
    """Remember what queries say of it from now on."""
    ticket.versions.append((now_ms(), rows.order_row(ticket)))
    del ticket.versions[:-_KEPT_VERSIONS]
    if ticket.order.is_done:
        ticket.account.live.pop(ticket, None)
    desk.note_change()


def launch(desk: Desk, group: Group) -> None:
    """Accepted orders go to the market; exits with a master wait for its fill."""
    first = [ticket for ticket in group.tickets if group.master is None or ticket is group.master]
    for ticket in first:
        _begin(desk, ticket)


def _begin(desk: Desk, ticket: Ticket) -> None:
    if ticket.order.is_done or ticket.order.is_working:
        return
    if any(_engine_fault(desk, "reject", ticket, mode) is not None for mode in _modes(ticket)):
        fail(desk, ticket)
        return
    scripted = _engine_fault(desk, "partial_fill", ticket)
    if scripted is not None:
        ticket.parts = deque(scripted.params["parts"])
        ticket.part_interval = scripted.params["interval"]
        ticket.order.is_held = True
        desk.scripted[ticket] = None
    activate(desk, ticket)
    if scripted is not None:
        fill_parts(desk, ticket)


def activate(desk: Desk, ticket: Ticket) -> None:
    """Let the order trade."""
    desk.engine.activate(ticket.order)
    if not ticket.order.is_done:
        noted(desk, ticket)


def _modes(ticket: Ticket) -> tuple[str, ...]:
    """A synchronous rejection of an entry has happened before; an exit is never refused in a reply."""
    return ("async", "exchange") if ticket.leg == "entry" else ("async", "exchange", "sync")


def _engine_fault(desk: Desk, kind: str, ticket: Ticket, mode: str | None = None) -> Fault | None:
    """Faults of the engine name no endpoint, or the one at which the order was placed."""
    if mode is None:
        return desk.faults.take(kind, ticket.account, PLACE, leg=ticket.leg)
    return desk.faults.take(kind, ticket.account, PLACE, leg=ticket.leg, mode=mode)


def on_move(desk: Desk, contract: Contract) -> None:
    for ticket in [ticket for ticket in desk.scripted if ticket.contract is contract]:
        fill_parts(desk, ticket)
    desk.engine.on_quote(contract)


def fill_parts(desk: Desk, ticket: Ticket) -> None:
    """The next scripted part, if the market would trade the order and the part is due."""
    order = ticket.order
    if order.is_done or not ticket.parts:
        desk.scripted.pop(ticket, None)
        return
    while ticket.parts and order.is_working and now_ms() >= ticket.part_due:
        quote = desk.quote_of(order.contract)
        if quote is not None:
            pricing.trail(order, quote)
        price = None if quote is None else pricing.fill_price(order, quote, POLICY)
        if price is None:
            if quote is not None and not order.has_rested:
                order.has_rested, order.rested_at = True, quote.last
            return
        ticket.part_due = now_ms() + int(ticket.part_interval * 1000)
        desk.engine.execute(order, min(ticket.parts.popleft(), order.remaining), price)
    if ticket.parts and order.is_working:
        desk.queue.later(ticket.part_interval, partial(fill_parts, desk, ticket))


def on_execution(desk: Desk, execution: Execution) -> None:
    """Book what a fill costs, tell it, and move what hangs together with the order."""
    ticket: Ticket = execution.order.extra
    account = ticket.account
    account.fills += 1
    if desk.switches.fees:
        account.book.cash -= rows.fees_of(ticket.contract, execution.qty)
    ticket.filled_at = now_ms()
    noted(desk, ticket)
    scene = "FINAL_FILLED" if ticket.order.is_done else "FILLED"
    _tell(desk, ticket, scene)
    if ticket is ticket.group.master and ticket.order.is_done:
        for leg in ticket.group.exits:
            _begin(desk, leg)
    elif ticket in ticket.group.exits:
        _shrink_partners(desk, ticket, execution.qty)


def _shrink_partners(desk: Desk, ticket: Ticket, filled: int) -> None:
    """Either exit closes the same position, so the other keeps only what is still open."""
    for partner in ticket.group.exits:
        if partner is ticket or partner.order.is_done:
            continue
        if ticket.order.is_done or partner.order.remaining <= filled:
            cancel(desk, partner)
        else:
            desk.engine.amend(partner.order, qty=partner.order.qty - filled)
            noted(desk, partner)


def cancel(desk: Desk, ticket: Ticket) -> None:
    """End it; the exits of a master that never filled go with it and are not found any more."""
    if not desk.engine.cancel(ticket.order):
        _tell(desk, ticket, "CANCEL_FAILED")
        return
    noted(desk, ticket)
    _tell(desk, ticket, "CANCEL_SUCCESS")
    if ticket is ticket.group.master:
        _after_master(desk, ticket)


def fail(desk: Desk, ticket: Ticket) -> None:
    if desk.engine.reject(ticket.order):
        noted(desk, ticket)
        _tell(desk, ticket, "PLACE_FAILED")
        if ticket is ticket.group.master:
            _after_master(desk, ticket)


def _after_master(desk: Desk, master: Ticket) -> None:
    """A master that filled in part leaves its exits with what it got."""
    for leg in master.group.exits:
        if leg.order.is_done:
            continue
        if master.order.filled > 0:
            desk.engine.amend(leg.order, qty=min(leg.order.qty, master.order.filled))
            _begin(desk, leg)
        else:
            leg.is_forgotten = True
            cancel(desk, leg)


def amend(desk: Desk, ticket: Ticket, wanted: Order, fields: Row) -> None:
    """Give the order the terms of ``wanted``, and the ticket what it repeats of the request."""
    order = ticket.order
    if order.is_done or wanted.qty < order.filled:
        _tell(desk, ticket, "MODIFY_FAILED")
        return
    trail = wanted.trail if wanted.trail != order.trail else None
    stop = None if trail is not None else wanted.stop
    ticket.terms |= fields
    desk.engine.amend(order, qty=wanted.qty, limit=wanted.limit, stop=stop, trail=trail, kind=wanted.kind)
    noted(desk, ticket)
    _tell(desk, ticket, "MODIFY_SUCCESS")


def _tell(desk: Desk, ticket: Ticket, scene: str) -> None:
    event = rows.event_row(ticket, scene, with_order_id=desk.switches.event_order_id)
    ticket.account.events.append(event)
    desk.tell(ticket.account, event)


def expire_day_orders(desk: Desk, tickets: Iterable[Ticket]) -> None:
    for ticket in tickets:
        if ticket.terms["time_in_force"] == "DAY" and not ticket.order.is_done:
            cancel(desk, ticket)
