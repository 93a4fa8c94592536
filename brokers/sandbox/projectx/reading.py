"""Endpoints that only look: accounts, contracts, orders, positions, trades."""

from __future__ import annotations

from datetime import datetime

from brokers.sandbox.projectx.books import Account, Login, Ticket
from brokers.sandbox.projectx.calls import Call, RefusedError, Reply, done
from brokers.sandbox.projectx.codes import Search
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.fields import Fields, InvalidFieldError
from brokers.sandbox.projectx.rows import account_row, order_row, position_row

LARGEST_PAGE = 1000
DEFAULT_PAGE = 100
BY_CREATION, BY_ID = 0, 1
ASCENDING, DESCENDING = 0, 1


def search_accounts(desk: Desk, _call: Call, login: Login) -> Reply:
    return done(accounts=[account_row(desk, account) for account in login.accounts])


def search_contracts(desk: Desk, call: Call, _login: Login) -> Reply:
    """Simulated users have no live data, so ``live`` finds nothing."""
    found = [] if call.fields.flag("live") else desk.listing.search(call.fields.text("searchText") or "")
    return done(contracts=[desk.listing.row(contract) for contract in found])


def contract_by_id(desk: Desk, call: Call, _login: Login) -> Reply:
    contract = desk.listing.find(call.fields.text("contractId") or "")
    if contract is None:
        raise RefusedError(Search.NOT_FOUND, contract=None)
    return done(contract=desk.listing.row(contract))


def available_contracts(desk: Desk, call: Call, _login: Login) -> Reply:
    found = [] if call.fields.flag("live") else desk.listing.available()
    return done(contracts=[desk.listing.row(contract) for contract in found])


def open_orders(desk: Desk, call: Call, login: Login) -> Reply:
    """Status 1 only: suspended bracket legs are not listed."""
    account = _account(call.fields, login, "orders")
    return done(orders=[order_row(desk, ticket) for ticket in account.working()])


def search_orders(desk: Desk, call: Call, login: Login) -> Reply:
    """All orders created in a span, oldest first."""
    since, until = call.fields.required_moment("startTimestamp"), call.fields.moment("endTimestamp")
    account = _account(call.fields, login, "orders")
    found = [ticket for ticket in account.tickets.values() if _within(ticket.created, since, until)]
    return done(orders=[order_row(desk, ticket) for ticket in found])


def order_by_id(desk: Desk, call: Call, login: Login) -> Reply:
    account = login.account(call.fields.integer("accountId"))
    ticket = None if account is None else account.tickets.get(call.fields.integer("orderId"))
    if ticket is None:
        raise RefusedError(Search.NOT_FOUND, order=None)
    return done(order=order_row(desk, ticket))


def query_orders(desk: Desk, call: Call, login: Login) -> Reply:
    """Order/v2/query: filtered, sorted, in pages."""
    fields = call.fields
    wanted = fields.inner("filter") or Fields({})
    size, offset = fields.integer("pageSize", DEFAULT_PAGE), fields.integer("pageOffset")
    _check_between("pageSize", size, 1, LARGEST_PAGE)
    _check_between("pageOffset", offset, 0, 2**31 - 1)
    _check_between("sortBy", fields.integer("sortBy"), BY_CREATION, BY_ID)
    _check_between("sortDirection", fields.integer("sortDirection"), ASCENDING, DESCENDING)
    account = _account(wanted, login, "orders", "totalCount")
    found = [ticket for ticket in account.tickets.values() if _matches(desk, ticket, wanted)]
    by_id = fields.integer("sortBy") == BY_ID
    found.sort(
        key=lambda ticket: (0.0 if by_id else datetime.fromisoformat(ticket.created).timestamp(), ticket.id),
        reverse=fields.integer("sortDirection") == DESCENDING,
    )
    rows = [order_row(desk, ticket) for ticket in found[offset : offset + size]]
    return done(orders=rows, totalCount=len(found) if fields.flag("includeTotalCount") else None)


def open_positions(desk: Desk, call: Call, login: Login) -> Reply:
    account = _account(call.fields, login, "positions")
    return done(positions=[position_row(desk, account, name, held) for name, held in account.holdings.items()])


def search_trades(desk: Desk, call: Call, login: Login) -> Reply:
    """Half-turns of a span, newest first."""
    since, until = call.fields.required_moment("startTimestamp"), call.fields.moment("endTimestamp")
    account = _account(call.fields, login, "trades")
    found = [row for row in reversed(account.trades) if _within(row["creationTimestamp"], since, until)]
    return done(trades=found)


def _account(fields: Fields, login: Login, *payload: str) -> Account:
    account = login.account(fields.integer("accountId"))
    if account is None:
        raise RefusedError(Search.NOT_FOUND, **dict.fromkeys(payload))
    return account


def _within(stamp: str, since: datetime | None, until: datetime | None) -> bool:
    moment = datetime.fromisoformat(stamp)
    return (since is None or moment >= since) and (until is None or moment <= until)


def _matches(desk: Desk, ticket: Ticket, wanted: Fields) -> bool:
    statuses, contract_id = wanted.integers("statuses"), wanted.text("contractId")
    if statuses and ticket.status not in statuses:
        return False
    if contract_id and contract_id.upper() != desk.listing.contract_id(ticket.contract):
        return False
    return _within(ticket.created, wanted.moment("createdAfter"), wanted.moment("createdBefore"))


def _check_between(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise InvalidFieldError(name, f"The field {name} must be between {lowest} and {highest}.")
