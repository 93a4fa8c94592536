"""Position/closeContract and partialCloseContract: market orders. Whatever else works in the contract stays."""

from __future__ import annotations

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.projectx import exchange
from brokers.sandbox.projectx.books import Account, Login
from brokers.sandbox.projectx.calls import Call, RefusedError, Reply, done
from brokers.sandbox.projectx.checks import Wish
from brokers.sandbox.projectx.codes import Close, OrderType, PartialClose
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.rows import inactive_code
from brokers.sandbox.projectx.trading import open_ticket


def close_contract(desk: Desk, call: Call, login: Login) -> Reply:
    account, contract = _position_of(desk, call, login)
    _check_can_trade(desk, account, Close.ORDER_REJECTED, Close.ACCOUNT_REJECTED)
    return _close(desk, account, contract, abs(account.net(contract)))


def partial_close_contract(desk: Desk, call: Call, login: Login) -> Reply:
    account, contract = _position_of(desk, call, login)
    size = call.fields.integer("size")
    if not 0 < size <= abs(account.net(contract)):
        raise RefusedError(PartialClose.INVALID_CLOSE_SIZE)
    _check_can_trade(desk, account, PartialClose.ORDER_REJECTED, PartialClose.ACCOUNT_REJECTED)
    return _close(desk, account, contract, size)


def _position_of(desk: Desk, call: Call, login: Login) -> tuple[Account, Contract]:
    """Both endpoints share the codes of these refusals."""
    account = login.account(call.fields.integer("accountId"))
    if account is None:
        raise RefusedError(Close.ACCOUNT_NOT_FOUND)
    contract = desk.listing.find(call.fields.text("contractId") or "")
    if contract is None:
        raise RefusedError(Close.CONTRACT_NOT_FOUND)
    if desk.catalog.expired(contract):
        raise RefusedError(Close.CONTRACT_NOT_ACTIVE)
    if account.net(contract) == 0:
        raise RefusedError(Close.POSITION_NOT_FOUND)
    return account, contract


def _check_can_trade(desk: Desk, account: Account, rejected: int, locked: int) -> None:
    if inactive_code(desk, account) is not None:
        raise RefusedError(locked)
    if desk.switches.session == "closed":
        raise RefusedError(rejected)


def _close(desk: Desk, account: Account, contract: Contract, size: int) -> Reply:
    side = -1 if account.net(contract) > 0 else 1
    wish = Wish(contract, OrderType.MARKET, side, size, None, None, None, None, ())
    ticket = open_ticket(desk, account, wish)
    return done(account, lambda: exchange.submit(desk, ticket))
