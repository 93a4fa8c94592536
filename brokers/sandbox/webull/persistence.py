"""The venue as plain data and back: books, orders with their groups, tokens, prices, counters."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.matching.types import Account as Book
from brokers.matching.types import Kind, Order, Position, Status
from brokers.sandbox.webull import rows
from brokers.sandbox.webull.books import Account, Group, Login, Ticket
from brokers.sandbox.webull.tokens import Token

if TYPE_CHECKING:
    from brokers.sandbox.webull.venue import Venue

FORMAT = 1
Saved = dict[str, Any]
_PLAIN_ORDER_FIELDS = ("id", "side", "qty", "filled", "is_triggered", "has_rested", "is_held")
_ORDER_PRICES = ("limit", "stop", "trail", "average", "rested_at")
_PLAIN_TICKET_FIELDS = (
    "client_order_id",
    "order_id",
    "combo_type",
    "terms",
    "placed_at",
    "filled_at",
    "part_interval",
    "part_due",
    "is_forgotten",
)


def dump_venue(venue: Venue) -> Saved:
    """Everything a second start needs. Decimals are left to the writer, which turns them to text."""
    return {
        "format": FORMAT,
        "following": venue.desk.following,
        "prices": venue.board.dump(),
        "logins": [_dump_login(login) for login in venue.logins.values()],
    }


def load_venue(venue: Venue, saved: Saved) -> None:
    """Fill an empty venue. Raises KeyError or TypeError when ``saved`` is not what dump_venue made.

    Options that have expired since then, and are listed no more, are left out.
    """
    if saved["format"] != FORMAT:
        raise KeyError("format")
    venue.desk.following = saved["following"]
    prices = {key: row for key, row in saved["prices"].items() if int(key) in venue.desk.listings.by_id}
    venue.board.load(prices, venue.desk.listings)
    for row in saved["logins"]:
        login = Login(row["username"], row["password"], row["number"], row["user_id"])
        login.tokens = {token["token"]: Token(**token) for token in row["tokens"]}
        venue.logins[login.username] = login
        for account_row in row["accounts"]:
            account = _load_account(venue, login, account_row)
            login.accounts.append(account)
            venue.accounts[account.id] = account


def _dump_login(login: Login) -> Saved:
    return {
        "username": login.username,
        "password": login.password,
        "number": login.number,
        "user_id": login.user_id,
        "tokens": [asdict(token) for token in login.tokens.values()],
        "accounts": [_dump_account(account) for account in login.accounts],
    }


def _dump_account(account: Account) -> Saved:
    plain = ("id", "name", "account_id", "account_class", "opening_balance", "opening_equity")
    return {
        **{name: getattr(account, name) for name in plain},
        "cash": account.book.cash,
        "positions": [
            {"contract": p.contract.name, "net": p.net, "cost": p.cost, "realized": p.realized}
            for p in account.book.positions.values()
        ],
        "groups": [_dump_group(group) for group in account.groups()],
        "entries": account.entries,
        "events": account.events,
        "fills": account.fills,
    }


def _dump_group(group: Group) -> Saved:
    return {
        "combo_order_id": group.combo_order_id,
        "client_combo_order_id": group.client_combo_order_id,
        "tickets": [_dump_ticket(ticket) for ticket in group.tickets],
    }


def _dump_ticket(ticket: Ticket) -> Saved:
    order = ticket.order
    return {
        **{name: getattr(ticket, name) for name in _PLAIN_TICKET_FIELDS},
        "parts": None if ticket.parts is None else list(ticket.parts),
        "order": {
            **{name: getattr(order, name) for name in (*_PLAIN_ORDER_FIELDS, *_ORDER_PRICES)},
            "contract": order.contract.name,
            "kind": order.kind.value,
            "status": order.status.value,
        },
    }


def _load_account(venue: Venue, login: Login, saved: Saved) -> Account:
    account = Account(
        id=saved["id"],
        name=saved["name"],
        login=login,
        account_id=saved["account_id"],
        account_class=saved["account_class"],
        opening_balance=Decimal(saved["opening_balance"]),
        opening_equity=Decimal(saved["opening_equity"]),
        book=Book(saved["id"], saved["name"], Decimal(saved["cash"])),
        entries=saved["entries"],
        events=saved["events"],
        fills=saved["fills"],
    )
    listed = venue.desk.listings.by_name
    for row in saved["positions"]:
        if row["contract"] in listed:
            position = Position(listed[row["contract"]], row["net"], Decimal(row["cost"]), Decimal(row["realized"]))
            account.book.positions[position.contract.name] = position
    for row in saved["groups"]:
        if all(ticket["order"]["contract"] in listed for ticket in row["tickets"]):
            _load_group(venue, account, row)
    return account


def _load_group(venue: Venue, account: Account, saved: Saved) -> None:
    group = Group(saved["combo_order_id"], saved["client_combo_order_id"])
    for row in saved["tickets"]:
        order = _load_order(venue, account, row["order"])
        contract = venue.desk.listings.by_name[order.contract.name]
        fields = {name: row[name] for name in _PLAIN_TICKET_FIELDS}
        ticket = Ticket(account=account, group=group, contract=contract, order=order, **fields)
        order.extra = ticket
        ticket.versions.append((ticket.placed_at, rows.order_row(ticket)))
        group.tickets.append(ticket)
        account.tickets[ticket.client_order_id] = ticket
        if row["parts"] is not None:
            ticket.parts = deque(row["parts"])
            venue.desk.scripted[ticket] = None
        venue.desk.engine.restore(order)
        venue.desk.active.add(contract.id)
        if not order.is_done:
            account.live[ticket] = None


def _load_order(venue: Venue, account: Account, saved: Saved) -> Order:
    order = Order(
        account=account.book,
        contract=venue.desk.listings.by_name[saved["contract"]],
        kind=Kind(saved["kind"]),
        status=Status(saved["status"]),
        **{name: saved[name] for name in _PLAIN_ORDER_FIELDS},
    )
    for name in _ORDER_PRICES:
        setattr(order, name, None if saved[name] is None else Decimal(saved[name]))
    return order
