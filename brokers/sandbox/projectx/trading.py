"""Order/place and Order/cancel (ProjectX wire facts, 8)."""

from __future__ import annotations

from brokers.matching.types import Order
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.projectx import brackets, checks, codes, exchange, lifecycle, margins
from brokers.sandbox.projectx.books import Account, Login, Ticket
from brokers.sandbox.projectx.calls import Call, RefusedError, Reply, done
from brokers.sandbox.projectx.checks import KINDS, Wish
from brokers.sandbox.projectx.codes import Change, OrderStatus, OrderType, Place
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.fields import Fields
from brokers.sandbox.projectx.rows import Row, inactive_code

# A place that fails for these is kept as a rejected order, and its tag is used up.
_STORED = frozenset({Place.ORDER_REJECTED, Place.INSUFFICIENT_FUNDS})


def place(desk: Desk, call: Call, login: Login) -> Reply:
    account = login.account(call.fields.integer("accountId"))
    if account is None:
        raise RefusedError(Place.ACCOUNT_NOT_FOUND, orderId=0)
    try:
        ticket = accept(desk, account, call.fields)
    except RefusedError as refused:
        refused.members = {"orderId": _kept_as(desk, account, call.fields, refused)}
        raise
    account.entries.append(_entry(desk, ticket))
    return done(account, lambda: exchange.submit(desk, ticket), orderId=ticket.id)


def accept(desk: Desk, account: Account, fields: Fields) -> Ticket:
    """The pending order with its suspended legs. Raises RefusedError."""
    contract = desk.listing.find(fields.text("contractId") or "")
    if contract is None:
        raise RefusedError(Place.CONTRACT_NOT_FOUND)
    if desk.catalog.expired(contract):
        raise RefusedError(Place.CONTRACT_NOT_ACTIVE)
    locked = inactive_code(desk, account)
    if locked is not None:
        raise RefusedError(locked)
    if desk.switches.session == "closed":
        if desk.switches.closed_session == "code_2":
            raise checks.rejected(codes.OUTSIDE_HOURS)
        raise RefusedError(Place.OUTSIDE_TRADING_HOURS)
    wish = checks.read_wish(desk, account, contract, fields)
    if not margins.can_carry(desk, account, contract, wish.side * wish.size):
        raise RefusedError(Place.INSUFFICIENT_FUNDS)
    _check_script(desk, account)
    return open_ticket(desk, account, wish)


def _check_script(desk: Desk, account: Account) -> None:
    """A scripted rejection; its reason may be one of the venue's code names, as ``AccountViolation``."""
    fault = desk.faults.take("reject", account, "order/place", mode="sync", leg="entry")
    if fault is not None:
        known = {code.name.replace("_", ""): code for code in Place}
        code = known.get(fault.params["reason"].upper(), Place.ORDER_REJECTED)
        raise RefusedError(code, fault.params["text"])


def open_ticket(desk: Desk, account: Account, wish: Wish) -> Ticket:
    """Ids of an entry and its legs follow one another, and all were made in the same instant."""
    ticket = _ticket(desk, account, wish, OrderStatus.PENDING)
    ticket.updated = ticket.created
    for leg in wish.legs:
        brackets.add_leg(desk, ticket, leg.role, leg.type, leg.ticks)
    for each in (ticket, *ticket.legs):
        lifecycle.announce(desk, each)
    return ticket


def _ticket(desk: Desk, account: Account, wish: Wish, status: OrderStatus) -> Ticket:
    order = Order(
        desk.order_ids.take(),
        account.book,
        wish.contract,
        wish.side,
        wish.size,
        KINDS[wish.type],
        limit=wish.limit,
        stop=wish.stop,
        trail=wish.trail,
    )
    ticket = Ticket(order, wish.contract, wish.type, status, desk.stamp(), tag=wish.tag)
    order.extra = ticket
    account.tickets[ticket.id] = ticket
    if wish.tag is not None:
        account.tags.add(wish.tag)
    return ticket


def _kept_as(desk: Desk, account: Account, fields: Fields, refused: RefusedError) -> int:
    """The order id that a refusal carries: of the rejected order, where one is kept."""
    contract = desk.listing.find(fields.text("contractId") or "")
    if refused.code not in _STORED or refused.text == codes.TAG_IN_USE or contract is None:
        return 0
    ticket = _rejected_ticket(desk, account, contract, fields)
    desk.flush()
    return ticket.id if desk.switches.rejected_order_id else 0


def _rejected_ticket(desk: Desk, account: Account, contract: Contract, fields: Fields) -> Ticket:
    number = fields.integer("type")
    wish = Wish(
        contract,
        OrderType(number) if number in KINDS else OrderType.MARKET,
        -1 if fields.integer("side") == codes.ASK else 1,
        max(1, fields.integer("size")),
        fields.number("limitPrice"),
        fields.number("stopPrice"),
        None,
        fields.text("customTag") or None,
        (),
    )
    ticket = _ticket(desk, account, wish, OrderStatus.PENDING)
    lifecycle.end(desk, ticket, OrderStatus.REJECTED)
    return ticket


def cancel(desk: Desk, call: Call, login: Login) -> Reply:
    account = login.account(call.fields.integer("accountId"))
    if account is None:
        raise RefusedError(Change.ACCOUNT_NOT_FOUND)
    if account.is_follower:
        raise RefusedError(Change.ACCOUNT_REJECTED, codes.FOLLOWER)
    if account.is_live:
        raise RefusedError(Change.ACCOUNT_REJECTED, codes.LIVE)
    ticket = changeable(desk, account, call.fields.integer("orderId"))
    brackets.cancel(desk, ticket)
    return done(account, lambda: None)


def changeable(desk: Desk, account: Account, order_id: int) -> Ticket:
    """An order that is neither finished nor still on its way. Raises RefusedError."""
    ticket = account.tickets.get(order_id)
    if ticket is None:
        raise RefusedError(Change.ORDER_NOT_FOUND)
    if ticket.is_done:
        as_rejected = desk.switches.finished_order == "rejected"
        raise RefusedError(Change.REJECTED if as_rejected else Change.ORDER_NOT_FOUND)
    if ticket.status is OrderStatus.PENDING:
        raise RefusedError(Change.PENDING)
    return ticket


def _entry(desk: Desk, ticket: Ticket) -> Row:
    order = ticket.order
    return {
        "id": ticket.id,
        "clOrdId": ticket.tag,
        "uuid": None,
        "symbol": ticket.contract.name,
        "action": "Buy" if order.side > 0 else "Sell",
        "orderType": codes.TYPE_NAMES[ticket.type],
        "qty": order.qty,
        "time": ticket.created,
    }
