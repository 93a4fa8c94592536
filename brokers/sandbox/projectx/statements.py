"""The venue's books as the control interface shows them: for checkers, so complete and never delayed by faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.sandbox.projectx.books import Account, Login, Ticket
from brokers.sandbox.projectx.codes import TYPE_NAMES, OrderStatus, OrderType
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.rows import Row, wire

if TYPE_CHECKING:
    from brokers.sandbox.projectx.venue import Venue

STATUS_NAMES = {OrderStatus.OPEN: "Working", OrderStatus.SUSPENDED: "Suspended"}
_JOINS = frozenset({OrderType.JOIN_BID, OrderType.JOIN_ASK})


def venue_state(venue: Venue) -> Row:
    """Besides the accounts, ``requests``: what each user has used of the budgets."""
    accounts = [account_state(venue.desk, account) for account in venue.accounts.values()]
    return {"accounts": accounts, "requests": venue.limits.counts()}


def account_state(desk: Desk, account: Account) -> Row:
    positions = [p for p in account.book.positions.values() if p.net != 0]
    tickets = account.tickets.values()
    return {
        "id": account.id,
        "name": account.name,
        "username": account.login.username,
        "positions": [{"symbol": p.contract.name, "netPos": p.net, "netPrice": wire(p.average)} for p in positions],
        "workingOrders": [_order_state(t) for t in tickets if t.status is OrderStatus.OPEN],
        "suspendedOrders": [_order_state(t) for t in tickets if t.status is OrderStatus.SUSPENDED],
        "orders": len(account.tickets),
        "fills": len(account.trades),
        "balance": wire(account.book.cash),
        "realizedPnL": wire(account.realized),
        "openPnL": wire(desk.engine.open_profit(account.book)),
        "entries": account.entries,
    }


def login_description(login: Login) -> list[Row]:
    """One row per account, with what is needed to sign in: the password is the API key."""
    return [
        {"id": account.id, "name": account.name, "username": login.username, "password": login.password}
        for account in login.accounts
    ]


def description(venue: Venue) -> Row:
    return {
        "rest_url": venue.rest_url,
        "ws_url": venue.ws_url,
        "md_url": venue.md_url,
        "accounts": [row for login in venue.logins.values() for row in login_description(login)],
    }


def _order_state(ticket: Ticket) -> Row:
    order = ticket.order
    siblings = [] if ticket.parent is None else [leg.id for leg in ticket.parent.legs if leg is not ticket]
    return {
        "id": order.id,
        "symbol": ticket.contract.name,
        "action": "Buy" if order.side > 0 else "Sell",
        "orderType": "Limit" if ticket.type in _JOINS else TYPE_NAMES[ticket.type],
        "qty": order.remaining,
        "orderQty": order.qty,
        "price": wire(order.limit),
        "stopPrice": wire(order.stop),
        "ordStatus": STATUS_NAMES[ticket.status],
        "clOrdId": ticket.tag,
        "parentId": None if ticket.parent is None else ticket.parent.id,
        "ocoId": siblings[0] if siblings else None,
    }
