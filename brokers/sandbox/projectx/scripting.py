"""What the control interface does to the venue: immediate faults, manual trades, reset, the end of a session."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from brokers.matching.types import Account as Book
from brokers.sandbox.errors import BadFieldError
from brokers.sandbox.faults import Fault
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.projectx import brackets, exchange, lifecycle, signalr
from brokers.sandbox.projectx.books import Account, Event, Login
from brokers.sandbox.projectx.checks import Wish
from brokers.sandbox.projectx.codes import OrderStatus, OrderType
from brokers.sandbox.projectx.kinds import INACTIVE, concerns
from brokers.sandbox.projectx.rows import Row, account_row, position_row
from brokers.sandbox.projectx.trading import open_ticket

if TYPE_CHECKING:
    from brokers.sandbox.projectx.venue import Venue

EVERY_ACCOUNT = "*"
MAINTENANCE = "Maintenance"


def contract_named(venue: Venue, symbol: object) -> Contract:
    contract = venue.desk.catalog.resolve(symbol) if isinstance(symbol, str) else None
    if contract is None:
        raise BadFieldError("symbol", f"was {symbol!r}, not a listed contract or product")
    return contract


def subject_named(venue: Venue, name: object) -> Account | Login | None:
    """Account by id or name, login by username; None for ``*``."""
    if name == EVERY_ACCOUNT:
        return None
    for account in venue.accounts.values():
        if name in (account.id, str(account.id), account.name):
            return account
    login = venue.logins.get(name) if isinstance(name, str) else None
    if login is None:
        raise BadFieldError("account", f"was {name!r}, not a known account id, account name, username or *")
    return login


def act_at_once(venue: Venue, fault: Fault, subject: Account | Login | None) -> int:
    """Carry out a fault that happens now instead of waiting for a request; how many it touched."""
    login = subject.login if isinstance(subject, Account) else subject
    sockets = venue.sockets_of(login)
    if fault.kind == "token_expiry":
        logins = list(venue.logins.values()) if login is None else [login]
        for each in logins:
            venue.tokens.expire(each.username)
        if fault.params["drop_sockets"]:
            for socket in sockets:
                socket.abort()
        return len(logins)
    if fault.kind == "replay":
        return _replay(venue, subject)
    for socket in sockets:
        if fault.kind == "silent_socket":
            socket.silent = True
        elif fault.kind == "shutdown":
            if fault.params["reasonCode"] == MAINTENANCE:
                socket.log_out()
            socket.close(signalr.CLOSED_WITH_ERROR, allow_reconnect=True)
    return len(sockets)


def act(venue: Venue, fault: Fault) -> None:
    """The venue's own faults that do something when they come into force."""
    accounts = [account for account in venue.accounts.values() if concerns(fault, account)]
    if fault.kind == INACTIVE:
        for account in accounts:
            _tell_account(venue, account)
        venue.desk.flush()
        return
    logins = {id(account.login): account.login for account in accounts}
    for socket in [s for login in logins.values() for s in venue.sockets_of(login)]:
        socket.log_out()
        if fault.params["close"]:
            socket.close(None, allow_reconnect=False)


def _tell_account(venue: Venue, account: Account) -> None:
    venue.desk.emit(account, [Event("accounts", lifecycle.LIVES, account_row(venue.desk, account))])


def _replay(venue: Venue, subject: Account | Login | None) -> int:
    """Send every order and trade again as it stands, and the open positions."""
    accounts = list(venue.accounts.values())
    if isinstance(subject, Login):
        accounts = subject.accounts
    elif subject is not None:
        accounts = [subject]
    count = 0
    for account in accounts:
        events = [lifecycle.order_event(venue.desk, ticket) for ticket in account.tickets.values()]
        events += [Event("trades", lifecycle.TRADED, row) for row in account.trades]
        for name, held in account.holdings.items():
            events.append(Event("positions", lifecycle.LIVES, position_row(venue.desk, account, name, held)))
        venue.desk.emit(account, events)
        count += len(events)
    venue.desk.flush()
    return count


def manual_trade(venue: Venue, account: Account, contract: Contract, action: str, qty: int) -> Row:
    """A market order that nobody's software placed, as typed into the venue's own platform."""
    if not venue.desk.listing.is_offered(contract):
        raise BadFieldError("symbol", f"was {contract.name}, which this venue does not offer")
    side = 1 if action == "Buy" else -1
    ticket = open_ticket(venue.desk, account, Wish(contract, OrderType.MARKET, side, qty, None, None, None, None, ()))
    venue.desk.step(account, lambda: exchange.submit(venue.desk, ticket))
    venue.note_change()
    return {"orderId": ticket.id}


def reset(venue: Venue) -> None:
    """Back to the start: orders canceled, positions flat, balances restored, told on the hubs as events.

    Accounts, tokens and connections stay.
    """
    venue.faults.clear()
    venue.arrivals.clear()
    venue.limits.clear()
    for account in venue.accounts.values():
        venue.desk.run(account)
        _end_orders(venue, account, OrderStatus.CANCELED)
        _clear_books(venue, account)
    venue.desk.flush()
    venue.desk.board.reset()
    venue.note_change()


def roll_session(venue: Venue) -> None:
    """Orders are good for the day, so those that still work expire; positions carry over."""
    for account in venue.accounts.values():
        venue.desk.run(account)
        _end_orders(venue, account, OrderStatus.EXPIRED)
        account.realized_before += account.realized
    venue.desk.flush()
    venue.note_change()


def _end_orders(venue: Venue, account: Account, status: OrderStatus) -> None:
    for ticket in account.working():
        if ticket.status is OrderStatus.OPEN:
            lifecycle.end(venue.desk, ticket, status)
            if ticket.order.filled == 0:
                brackets.after_end(venue.desk, ticket)


def _clear_books(venue: Venue, account: Account) -> None:
    """Told as closed positions and the first balance, then forgotten."""
    holdings = account.holdings
    account.book = Book(account.id, account.name, account.opening_balance, extra=account)
    account.holdings = {}
    for name, held in holdings.items():
        row = position_row(venue.desk, account, name, held)
        venue.desk.emit(account, [Event("positions", lifecycle.FINAL, row)])
    _tell_account(venue, account)
    for forgotten in (account.tickets, account.tags, account.trades, account.entries, account.steps):
        forgotten.clear()
    account.realized_before = Decimal(0)
