"""Balances, margin pre-check and the broker-side risk limits (Tradovate wire facts, 4 and 5.7)."""

from __future__ import annotations

from brokers.sandbox.tradovate import autoliq, validation
from brokers.sandbox.tradovate.books import Account, Login
from brokers.sandbox.tradovate.calls import Call, CommandRefusedError, HttpRefusalError, Reply
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.margins import open_profit, used_margin
from brokers.sandbox.tradovate.orders import Order, Sender
from brokers.sandbox.tradovate.wire import Row, money

MOST_DRY_RUN_ORDERS = 4


def cash_balance_snapshot(desk: Desk, call: Call, login: Login) -> Reply:
    """Money of one account now; the only place where open P&L is told."""
    return Reply(200, snapshot_row(desk, _visible_account(call, login)))


def snapshot_row(desk: Desk, account: Account) -> Row:
    cash, open_pnl = account.cash, open_profit(desk, account)
    day, full = used_margin(desk, account)
    return {
        "totalCashValue": money(cash.amount),
        "totalPnL": money(open_pnl + cash.realized),
        "initialMargin": money(day),
        "maintenanceMargin": money(day),
        "netLiq": money(cash.amount + open_pnl),
        "openPnL": money(open_pnl),
        "realizedPnL": money(cash.realized),
        "weekRealizedPnL": money(cash.week_realized),
        "netLiqSOD": money(cash.start_of_day),
        "totalCashValueSOD": money(cash.start_of_day),
        "fullInitialMargin": money(full),
    }


def dry_run(desk: Desk, call: Call, login: Login) -> Reply:
    account = _visible_account(call, login)
    orders = validation.array(call.params, "orders", dict)
    if not 0 < len(orders) <= MOST_DRY_RUN_ORDERS:
        raise HttpRefusalError(400, f"orders must hold 1 to {MOST_DRY_RUN_ORDERS} orders")
    before, _ = used_margin(desk, account)
    needed = before
    for fields in orders:
        contract = desk.catalog.by_id.get(validation.integer(fields, "contractId"))
        if contract is None:
            return Reply(200, {"rejectReason": "InvalidContract", "comment": "Unknown contract"})
        try:
            terms = validation.order_terms(desk, contract, fields, validation.quantity(fields))
        except CommandRefusedError as refused:
            return Reply(200, {"rejectReason": refused.reason, "comment": refused.text})
        action = validation.choice(fields, "action", validation.ACTIONS)
        trial = Order(0, account, contract, action, terms, Sender(login.user_id, 0))
        needed += used_margin(desk, account, trial)[0] - before
    net_liq = account.cash.amount + open_profit(desk, account)
    details = {
        "excess": money(net_liq - needed),
        "initialMarginReq": money(needed),
        "totalCash": money(account.cash.amount),
        "netLiqValue": money(net_liq),
    }
    enough = needed <= net_liq
    return Reply(200, {"rejectReason": "Success" if enough else "UnknownReason", "details": details, "fees": {}})


def write_auto_liq(desk: Desk, call: Call, login: Login) -> Reply:
    """userAccountAutoLiq/create and update: the whole entity replaces the old one."""
    account = login.account(call.params.get("id"))
    if account is None:
        raise HttpRefusalError(404)
    row = {name: value for name, value in call.params.items() if value is not None}
    account.rows["userAccountAutoLiq"][account.id] = row
    autoliq.watch(desk, account)
    return Reply(200, row, lambda: account.updated("userAccountAutoLiq", row), account)


def _visible_account(call: Call, login: Login) -> Account:
    account = login.account(validation.integer(call.params, "accountId"))
    if account is None:
        raise HttpRefusalError(404)
    return account
