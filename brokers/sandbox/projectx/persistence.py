"""The venue as plain data and back: books, live orders with their brackets, prices, tokens, counters."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.matching.types import Account as Book
from brokers.matching.types import Kind, Order, Position, Status
from brokers.sandbox.projectx import exchange, parts
from brokers.sandbox.projectx.books import Account, Holding, Login, Ticket
from brokers.sandbox.projectx.codes import OrderStatus, OrderType
from brokers.sandbox.projectx.desk import Desk

if TYPE_CHECKING:
    from brokers.sandbox.projectx.venue import Venue

FORMAT = 1
Saved = dict[str, Any]
_PRICES = ("limit", "stop", "trail", "average", "rested_at")
_ORDER_PLAIN = ("id", "side", "qty", "filled", "is_triggered", "has_rested", "is_held")
_TICKET_PLAIN = ("created", "updated", "tag", "role", "ticks", "parts", "interval")


def dump_venue(venue: Venue) -> Saved:
    """Everything a second start needs. Decimals are left to the writer, which turns them to text."""
    desk = venue.desk
    return {
        "format": FORMAT,
        "orderId": desk.order_ids.following,
        "tradeId": desk.trade_ids.following,
        "positionId": desk.position_ids.following,
        "prices": desk.board.dump(),
        "tokens": venue.tokens.dump(),
        "logins": [_dump_login(login) for login in venue.logins.values()],
    }


def load_venue(venue: Venue, saved: Saved) -> None:
    """Fill an empty venue. Raises KeyError or TypeError when ``saved`` is not what dump_venue made."""
    if saved["format"] != FORMAT:
        raise KeyError("format")
    desk = venue.desk
    desk.order_ids.following = saved["orderId"]
    desk.trade_ids.following = saved["tradeId"]
    desk.position_ids.following = saved["positionId"]
    desk.board.load(saved["prices"], desk.catalog)
    venue.tokens.load(saved["tokens"])
    for row in saved["logins"]:
        login = Login(row["username"], row["password"], row["user_id"])
        venue.logins[login.username] = login
        for account_row in row["accounts"]:
            account = _load_account(desk, login, account_row)
            login.accounts.append(account)
            venue.accounts[account.id] = account


def _dump_login(login: Login) -> Saved:
    return {
        "username": login.username,
        "password": login.password,
        "user_id": login.user_id,
        "accounts": [_dump_account(account) for account in login.accounts],
    }


def _dump_account(account: Account) -> Saved:
    positions = account.book.positions.values()
    return {
        "id": account.id,
        "name": account.name,
        "opening_balance": account.opening_balance,
        "cash": account.book.cash,
        "realized_before": account.realized_before,
        "positions": [
            {"contract": p.contract.name, "net": p.net, "cost": p.cost, "realized": p.realized} for p in positions
        ],
        "holdings": {name: asdict(held) for name, held in account.holdings.items()},
        "tickets": [_dump_ticket(ticket) for ticket in account.tickets.values()],
        "tags": sorted(account.tags),
        "trades": account.trades,
        "entries": account.entries,
    }


def _dump_ticket(ticket: Ticket) -> Saved:
    order = ticket.order
    return {
        **{name: getattr(order, name) for name in (*_ORDER_PLAIN, *_PRICES)},
        **{name: getattr(ticket, name) for name in _TICKET_PLAIN},
        "kind": order.kind.value,
        "engine_status": order.status.value,
        "contract": ticket.contract.name,
        "type": int(ticket.type),
        "status": int(ticket.status),
        "parent": None if ticket.parent is None else ticket.parent.id,
    }


def _load_account(desk: Desk, login: Login, saved: Saved) -> Account:
    book = Book(saved["id"], saved["name"], Decimal(saved["cash"]))
    account = Account(saved["id"], saved["name"], login, Decimal(saved["opening_balance"]), book)
    book.extra = account
    account.realized_before = Decimal(saved["realized_before"])
    for row in saved["positions"]:
        contract = desk.catalog.by_name[row["contract"]]
        position = Position(contract, row["net"], Decimal(row["cost"]), Decimal(row["realized"]))
        book.positions[contract.name] = position
    account.holdings = {name: Holding(**row) for name, row in saved["holdings"].items()}
    account.tags = set(saved["tags"])
    account.trades, account.entries = saved["trades"], saved["entries"]
    for row in saved["tickets"]:
        _load_ticket(desk, account, row)
    return account


def _load_ticket(desk: Desk, account: Account, saved: Saved) -> None:
    """Entries come before their legs, as their ids do. What was on its way is handed to the exchange again."""
    contract = desk.catalog.by_name[saved["contract"]]
    order = Order(saved["id"], account.book, contract, saved["side"], saved["qty"], Kind(saved["kind"]))
    for name in _ORDER_PLAIN:
        setattr(order, name, saved[name])
    for name in _PRICES:
        setattr(order, name, None if saved[name] is None else Decimal(saved[name]))
    order.status = Status(saved["engine_status"])
    ticket = Ticket(order, contract, OrderType(saved["type"]), OrderStatus(saved["status"]), saved["created"])
    for name in _TICKET_PLAIN:
        setattr(ticket, name, saved[name])
    order.extra = ticket
    account.tickets[ticket.id] = ticket
    if saved["parent"] is not None:
        ticket.parent = account.tickets[saved["parent"]]
        ticket.parent.legs.append(ticket)
    if ticket.status is OrderStatus.OPEN:
        desk.engine.restore(order)
        parts.go_on(desk, ticket)
    elif ticket.status is OrderStatus.PENDING:
        desk.step(account, lambda: exchange.submit(desk, ticket))
