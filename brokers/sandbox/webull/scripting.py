"""What the control interface does to the venue: immediate faults, manual trades, reset, the end of a session."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from brokers.matching.types import Account as Book
from brokers.matching.types import Kind, Order
from brokers.sandbox.errors import BadFieldError
from brokers.sandbox.faults import Fault
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.webull import execution, tokens
from brokers.sandbox.webull.books import NORMAL, Account, Group, Login, Ticket
from brokers.sandbox.webull.desk import order_id
from brokers.sandbox.webull.listings import FUTURES, instrument_type
from brokers.sandbox.webull.wire import Row, now_ms

if TYPE_CHECKING:
    from brokers.sandbox.webull.venue import Venue

EVERY_ACCOUNT = "*"


def contract_named(venue: Venue, symbol: object) -> Contract:
    contract = venue.desk.listings.resolve(symbol) if isinstance(symbol, str) else None
    if contract is None:
        raise BadFieldError("symbol", f"was {symbol!r}, not a listed contract or product")
    return contract


def subject_named(venue: Venue, name: object) -> Account | Login | None:
    """Account by number, name or account_id, login by app key; None for ``*``."""
    if name == EVERY_ACCOUNT:
        return None
    for account in venue.accounts.values():
        if name in (account.id, str(account.id), account.name, account.account_id):
            return account
    login = venue.logins.get(name) if isinstance(name, str) else None
    if login is None:
        raise BadFieldError("account", f"was {name!r}, not a known account id, account name, username or *")
    return login


def act_at_once(venue: Venue, fault: Fault, subject: Account | Login | None) -> int:
    """Carry out a fault that happens now instead of waiting for a request; how many it touched."""
    login = subject.login if isinstance(subject, Account) else subject
    if fault.kind == "replay":
        return _replay(venue, subject)
    if fault.kind == "token_expiry":
        if fault.params["drop_sockets"]:
            _drop(venue, login)
        logins = venue.logins.values() if login is None else [login]
        return sum(tokens.expire(each) for each in logins)
    streams, clients = venue.streams_of(login), venue.mqtt.of_login(login)
    if fault.kind == "shutdown":
        _drop(venue, login)
        return len(streams) + len(clients)
    for stream in streams:
        stream.silent = True
    for client in clients:
        client.silent = True
    return len(streams) + len(clients)


def _drop(venue: Venue, login: Login | None) -> None:
    for stream in venue.streams_of(login):
        stream.end()
    for client in venue.mqtt.of_login(login):
        client.abort()


def _replay(venue: Venue, subject: Account | Login | None) -> int:
    """Tell every trade event of the session again, unchanged."""
    accounts = list(venue.accounts.values())
    if isinstance(subject, Login):
        accounts = subject.accounts
    elif subject is not None:
        accounts = [subject]
    for account in accounts:
        for event in account.events:
            venue.desk.tell(account, event)
    return sum(len(account.events) for account in accounts)


def manual_trade(venue: Venue, account: Account, contract: Contract, action: str, qty: int) -> Row:
    """A market order that nobody's software placed, as tapped in the venue's own app."""
    if account.is_futures != (instrument_type(contract) == FUTURES):
        raise BadFieldError("symbol", f"was {contract.name}, which {account.name} cannot trade")
    number = venue.desk.take_number()
    side = 1 if action == "Buy" else -1
    order = Order(number, account.book, contract, side, qty, Kind.MARKET)
    name = secrets.token_hex(16)
    terms = {"side": "BUY" if side > 0 else "SELL", "time_in_force": "DAY", "support_trading_session": "CORE"}
    group = Group(order_id(number), name)
    ticket = Ticket(account, group, name, order_id(number), NORMAL, terms, contract, order, now_ms())
    execution.take_in(venue.desk, ticket)
    venue.queue.add_step(lambda: execution.activate(venue.desk, ticket))
    venue.note_change()
    return {"orderId": number}


def reset(venue: Venue) -> None:
    """Back to the start: orders canceled, told as events, positions flat, balances restored, prices seeded again.

    Logins, tokens and connections stay.
    """
    venue.faults.clear()
    venue.arrivals.clear()
    venue.dispatcher.limits.clear()
    for account in venue.accounts.values():
        for ticket in tuple(account.live):
            if not ticket.order.is_done:
                execution.cancel(venue.desk, ticket)
        account.tickets.clear()
        account.live.clear()
        account.entries.clear()
        account.events.clear()
        account.fills = 0
        account.opening_equity = account.opening_balance
        account.book = Book(account.id, account.name, account.opening_balance)
    venue.desk.scripted.clear()
    venue.desk.days.clear()
    venue.board.reset()
    venue.note_change()


def roll_session(venue: Venue) -> None:
    """Day orders end, and the day's profit starts again at nothing."""
    for account in venue.accounts.values():
        execution.expire_day_orders(venue.desk, tuple(account.live))
        account.events.clear()
        account.opening_equity = account.book.cash + venue.desk.engine.open_profit(account.book)
    venue.desk.days.clear()
    venue.note_change()
