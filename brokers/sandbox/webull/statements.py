"""The venue's books as the control interface shows them: for checkers, so complete and never delayed by faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.matching.types import Kind, Position
from brokers.sandbox.webull import money
from brokers.sandbox.webull.books import EXITS, Account, Login, Ticket
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.wire import Row

if TYPE_CHECKING:
    from brokers.sandbox.webull.venue import Venue

_ORDER_TYPES = {
    Kind.MARKET: "Market",
    Kind.LIMIT: "Limit",
    Kind.STOP: "Stop",
    Kind.STOP_LIMIT: "StopLimit",
    Kind.TRAILING: "TrailingStop",
}


def venue_state(venue: Venue) -> Row:
    return {"accounts": [account_state(venue.desk, account) for account in venue.accounts.values()]}


def account_state(desk: Desk, account: Account) -> Row:
    tickets = list(account.tickets.values())
    suspended = [ticket for ticket in tickets if not ticket.order.is_done and not ticket.order.is_working]
    return {
        "id": account.id,
        "name": account.name,
        "username": account.login.username,
        "positions": [_position(position) for position in money.open_positions(account)],
        "workingOrders": [_order(ticket, "Working") for ticket in tickets if ticket.order.is_working],
        "suspendedOrders": [_order(ticket, "Suspended") for ticket in suspended],
        "orders": len(tickets),
        "fills": account.fills,
        "balance": float(account.book.cash),
        "realizedPnL": float(sum(position.realized for position in account.book.positions.values())),
        "openPnL": float(desk.engine.open_profit(account.book)),
        "entries": account.entries,
    }


def login_description(login: Login) -> list[Row]:
    """One row per login, with what is needed to sign in; it stands for the futures account."""
    futures = login.futures
    return [{"id": futures.id, "name": futures.name, "username": login.username, "password": login.password}]


def description(venue: Venue) -> Row:
    """Addresses, logins, and by app key the venue's ids of each class."""
    return {
        "rest_url": venue.rest_url,
        "ws_url": venue.ws_url,
        "md_url": venue.md_url,
        "accounts": [row for login in venue.logins.values() for row in login_description(login)],
        "account_ids": {
            login.username: {account.account_class: account.account_id for account in login.accounts}
            for login in venue.logins.values()
        },
    }


def _position(position: Position) -> Row:
    average = position.average
    return {
        "symbol": position.contract.name,
        "netPos": position.net,
        "netPrice": None if average is None else float(average),
    }


def _order(ticket: Ticket, status: str) -> Row:
    order, master = ticket.order, ticket.group.master
    partner = next((exit_ for exit_ in ticket.group.exits if exit_ is not ticket), None)
    is_exit = ticket.combo_type in EXITS
    return {
        "id": order.id,
        "symbol": order.contract.name,
        "action": "Buy" if order.side > 0 else "Sell",
        "orderType": _ORDER_TYPES[order.kind],
        "qty": order.remaining,
        "orderQty": order.qty,
        "price": None if order.limit is None else float(order.limit),
        "stopPrice": None if order.stop is None else float(order.stop),
        "ordStatus": status,
        "clOrdId": ticket.client_order_id,
        "parentId": master.order.id if is_exit and master is not None else None,
        "ocoId": partner.order.id if is_exit and partner is not None else None,
    }
