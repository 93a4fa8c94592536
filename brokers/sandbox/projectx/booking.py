"""What comes of an execution: half-turn trades, fees, the position, the account (ProjectX wire facts, 9, 10)."""

from __future__ import annotations

from decimal import Decimal

from brokers.matching.types import Execution
from brokers.sandbox.projectx import brackets, lifecycle
from brokers.sandbox.projectx.books import Account, Event, Holding, Ticket, account_of, ticket_of
from brokers.sandbox.projectx.codes import ASK, BID, OrderStatus
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.rows import Row, account_row, position_row, wire

# Estimates in USD per contract and half turn: exchange with regulator's fee, and commission.
MICRO_FEE, FULL_FEE = Decimal("0.37"), Decimal("1.40")
MICRO_COMMISSION, FULL_COMMISSION = Decimal("0.25"), Decimal("0.50")


def book(desk: Desk, execution: Execution) -> None:
    """Tell everything that the engine has booked, in whatever order; then let the bracket follow."""
    ticket, account = ticket_of(execution.order), account_of(execution.order)
    is_filled = execution.order.remaining == 0
    lifecycle.set_status(desk, ticket, OrderStatus.FILLED if is_filled else OrderStatus.OPEN)
    trades = _half_turns(desk, account, ticket, execution)
    chunks = [
        [lifecycle.order_event(desk, ticket)],
        [Event("trades", lifecycle.TRADED, row) for row in trades],
        [_position_event(desk, account, ticket)],
        [Event("accounts", lifecycle.LIVES, account_row(desk, account))],
    ]
    if desk.switches.shuffle_events:
        desk.random.shuffle(chunks)
    desk.emit(account, [event for chunk in chunks for event in chunk])
    desk.note_change()
    brackets.after_fill(desk, ticket)


def _half_turns(desk: Desk, account: Account, ticket: Ticket, execution: Execution) -> list[Row]:
    """A trade for what closed and one for what opened; only the first has a profit."""
    legs = [
        (execution.closed, execution.realized),
        (execution.qty - execution.closed, None),
    ]
    rows = [_trade(desk, account, ticket, execution.price, size, profit) for size, profit in legs if size > 0]
    account.trades += rows
    return rows


def _trade(desk: Desk, account: Account, ticket: Ticket, price: Decimal, size: int, profit: Decimal | None) -> Row:
    order, is_micro = ticket.order, ticket.contract.product.is_micro
    fees = (MICRO_FEE if is_micro else FULL_FEE) * size
    commissions = (MICRO_COMMISSION if is_micro else FULL_COMMISSION) * size
    row: Row = {
        "id": desk.trade_ids.take(),
        "accountId": account.id,
        "contractId": desk.listing.contract_id(ticket.contract),
        "creationTimestamp": desk.stamp(),
        "price": wire(price),
        "profitAndLoss": wire(profit),
        "fees": wire(fees),
        "side": BID if order.side > 0 else ASK,
        "size": size,
        "voided": False,
        "orderId": order.id,
    }
    account.book.cash -= fees
    if desk.switches.commissions:
        row["commissions"] = wire(commissions)
        account.book.cash -= commissions
    return row


def _position_event(desk: Desk, account: Account, ticket: Ticket) -> Event:
    name = ticket.contract.name
    holding = account.holdings.get(name)
    if holding is None:
        holding = account.holdings[name] = Holding(desk.position_ids.take(), desk.stamp())
    row = position_row(desk, account, name, holding)
    if row["size"] > 0:
        return Event("positions", lifecycle.LIVES, row)
    del account.holdings[name]
    return Event("positions", lifecycle.FINAL, row)
