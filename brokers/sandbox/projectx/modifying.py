"""Order/modify: members that are null stay as they are."""

from __future__ import annotations

from decimal import Decimal

from brokers.sandbox.projectx import checks, codes, lifecycle, parts
from brokers.sandbox.projectx.books import Login, Ticket
from brokers.sandbox.projectx.calls import Call, RefusedError, Reply, done
from brokers.sandbox.projectx.codes import Change, OrderStatus, OrderType
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.fields import Fields
from brokers.sandbox.projectx.trading import changeable

_LIMITED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.JOIN_BID, OrderType.JOIN_ASK})
_STOPPED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


def modify(desk: Desk, call: Call, login: Login) -> Reply:
    account = login.account(call.fields.integer("accountId"))
    if account is None:
        raise RefusedError(Change.ACCOUNT_NOT_FOUND)
    ticket = changeable(desk, account, call.fields.integer("orderId"))
    if ticket.status is not OrderStatus.OPEN or desk.switches.session == "closed":
        raise RefusedError(Change.REJECTED)
    try:
        size, limit, stop, trail = _terms(desk, ticket, call.fields)
    except RefusedError as refused:
        raise RefusedError(Change.REJECTED, refused.text) from None
    desk.engine.amend(ticket.order, qty=size, limit=limit, stop=stop, trail=trail)
    if not ticket.is_done:
        filled = OrderStatus.FILLED if ticket.order.is_done else ticket.status
        lifecycle.change(desk, ticket, filled)
        parts.start(desk, ticket)
    desk.note_change()
    return done(account, lambda: None)


def _terms(
    desk: Desk, ticket: Ticket, fields: Fields
) -> tuple[int | None, Decimal | None, Decimal | None, Decimal | None]:
    """(size, limit, stop, trail distance), None for what is not asked to change. Raises RefusedError."""
    contract, kind = ticket.contract, ticket.type
    size = fields.optional_integer("size")
    if size is not None and size < max(1, ticket.order.filled):
        raise checks.rejected(codes.INVALID_ORDER_SIZE)
    limit, stop = fields.number("limitPrice"), fields.number("stopPrice")
    trail_price = fields.number("trailPrice")
    has_trail = kind is OrderType.TRAILING_STOP and trail_price is not None
    return (
        size,
        checks.on_tick(contract, limit) if kind in _LIMITED and limit is not None else None,
        checks.on_tick(contract, stop) if kind in _STOPPED and stop is not None else None,
        checks.trail_distance(desk, contract, trail_price) if has_trail else None,
    )
