"""The venue's books as the control interface shows them: for checkers, so complete and never delayed by faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brokers.sandbox.tradovate.books import Account, Login
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.margins import open_profit
from brokers.sandbox.tradovate.orders import Order
from brokers.sandbox.tradovate.wire import Row, money

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.venue import Venue


def venue_state(venue: Venue) -> Row:
    return {"accounts": [account_state(venue.desk, account) for account in venue.accounts.values()]}


def account_state(desk: Desk, account: Account) -> Row:
    positions = [p for p in account.positions.values() if p.net != 0]
    working = [order for order in account.orders.values() if order.row and order.is_working]
    suspended = [order for order in account.orders.values() if order.row and order.status == "Suspended"]
    return {
        "id": account.id,
        "name": account.name,
        "username": account.login.username,
        "positions": [
            {"symbol": p.contract.name, "netPos": p.net, "netPrice": None if p.average is None else money(p.average)}
            for p in positions
        ],
        "workingOrders": [_order_state(order) for order in working],
        "suspendedOrders": [_order_state(order) for order in suspended],
        "orders": len(account.rows["order"]) + account.retired["order"],
        "fills": len(account.rows["fill"]) + account.retired["fill"],
        "balance": money(account.cash.amount),
        "realizedPnL": money(account.cash.realized),
        "openPnL": money(open_profit(desk, account)),
        "entries": account.entries,
    }


def login_description(login: Login) -> list[Row]:
    """One row per account, with what is needed to sign in."""
    return [
        {"id": account.id, "name": account.name, "username": login.username, "password": login.password}
        for account in login.accounts
    ]


def description(venue: Venue) -> dict[str, Any]:
    """Addresses and accounts, as the command prints them."""
    accounts = [row for login in venue.logins.values() for row in login_description(login)]
    return {
        "rest_url": venue.rest_url,
        "ws_url": venue.ws_url,
        "md_url": venue.md_url,
        "accounts": accounts,
    }


def _order_state(order: Order) -> Row:
    terms = order.terms
    return {
        "id": order.id,
        "symbol": order.contract.name,
        "action": order.action,
        "orderType": terms.order_type,
        "qty": order.remaining,
        "orderQty": terms.qty,
        "price": None if terms.price is None else money(terms.price),
        "stopPrice": None if terms.stop_price is None else money(terms.stop_price),
        "ordStatus": order.status,
        "clOrdId": order.sender.cl_ord_id,
        "strategyId": None if order.strategy is None else order.strategy.id,
        "label": None if order.strategy is None or order.group is None else order.group.label,
        "ocoId": order.oco_id,
        "parentId": order.parent_id,
    }
