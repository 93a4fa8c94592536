"""What the control interface does to the venue: prices, immediate faults, manual trades, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.sandbox.errors import BadFieldError
from brokers.sandbox.faults import Fault
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.tradovate import brackets, execution
from brokers.sandbox.tradovate.books import Account, Cash, Login
from brokers.sandbox.tradovate.lifecycle import set_strategy_status
from brokers.sandbox.tradovate.margins import refresh_margin
from brokers.sandbox.tradovate.orders import Order, Sender, Terms
from brokers.sandbox.tradovate.wire import Row

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.venue import Venue

EVERY_ACCOUNT = "*"
_BROKER_DESK = Sender(1, 1)


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
        if fault.params["drop_sockets"]:
            for socket in sockets:
                socket.abort()
        return venue.sessions.expire(login)
    for socket in sockets:
        if fault.kind == "silent_socket":
            socket.silent = True
        elif fault.kind == "shutdown":
            socket.shut_down(fault.params["reasonCode"])
    if fault.kind == "replay":
        return _replay(venue, subject)
    if fault.kind == "position_lie":
        return _lie(venue, _accounts_of(venue, subject), fault.params["by"])
    return len(sockets)


def _replay(venue: Venue, subject: Account | Login | None) -> int:
    """Send every fill, executionReport and order of the session again, unchanged."""
    count = 0
    for account in _accounts_of(venue, subject):
        for entity_type, event_type in (("order", "Updated"), ("executionReport", "Created"), ("fill", "Created")):
            for row in account.rows[entity_type].values():
                account.emit(entity_type, event_type, row)
                count += 1
        account.flush()
    return count


def _accounts_of(venue: Venue, subject: Account | Login | None) -> list[Account]:
    if isinstance(subject, Login):
        return subject.accounts
    return list(venue.accounts.values()) if subject is None else [subject]


def _lie(venue: Venue, accounts: list[Account], by: int) -> int:
    """Show open positions bigger than they are; the engine knows better, and so does the next fill."""
    held = [(account, one) for account in accounts for one in account.positions.values() if one.net != 0]
    for account, position in held:
        position.row = {**position.row, "timestamp": venue.desk.stamp(), "netPos": position.net + by}
        account.updated("position", position.row)
        account.end_frame()
        account.flush()
    return len(held)


def manual_trade(venue: Venue, account: Account, contract: Contract, action: str, qty: int) -> Row:
    """A market order that nobody's software placed, as typed into the venue's own platform."""
    order = Order(venue.desk.ids.take(), account, contract, action, Terms(qty, "Market"), _BROKER_DESK)
    venue.desk.step(account, lambda: execution.submit(venue.desk, order))
    venue.note_change()
    return {"orderId": order.id}


def reset(venue: Venue) -> None:
    """Back to the start: orders canceled, positions flat, balances restored, told on the sockets as events.

    Accounts, tokens and sockets stay.
    """
    venue.faults.clear()
    venue.arrivals.clear()
    venue.limits.forget()
    for account in venue.accounts.values():
        venue.desk.run(account)
        for order in list(account.orders.values()):
            if not order.is_done:
                brackets.cancel_order(venue.desk, order, order.sender)
        for strategy in account.strategies.values():
            if strategy.is_active:
                set_strategy_status(strategy, "ExecutionInterrupted")
        _flatten(venue, account)
        account.flush()
        _clear_books(venue, account)
    venue.desk.fresh.clear()
    venue.desk.board.reset()
    venue.note_change()


def _flatten(venue: Venue, account: Account) -> None:
    for position in account.positions.values():
        if position.net != 0:
            position.net = 0
            position.lots.clear()
            position.refresh_row(venue.desk.stamp(), venue.desk.trade_date())
            account.updated("position", position.row)
    account.cash = Cash(account.opening_balance, account.opening_balance)
    account.updated("cashBalance", account.cash_row(venue.desk.stamp()))
    refresh_margin(venue.desk, account)
    account.end_frame()


def _clear_books(venue: Venue, account: Account) -> None:
    cash_row = account.cash_row(venue.desk.stamp())
    for rows in account.rows.values():
        rows.clear()
    account.positions.clear()
    account.strategies.clear()
    account.orders.clear()
    account.entries.clear()
    venue.open_books(account)
    account.rows["cashBalance"] = {cash_row["id"]: cash_row}
