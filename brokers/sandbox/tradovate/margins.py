"""Margin in use and the marginSnapshot row. Rates are per lot from the product table (ours, not the venue's)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from brokers.sandbox.tradovate.books import Account
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.orders import Order
from brokers.sandbox.tradovate.wire import money


def open_profit(desk: Desk, account: Account) -> Decimal:
    positions = account.positions.values()
    return sum((p.open_profit(desk.board.quote(p.contract).last) for p in positions if p.net != 0), Decimal(0))


def used_margin(desk: Desk, account: Account, extra: Order | None = None) -> tuple[Decimal, Decimal]:
    """(day, full) margin in USD of positions and working orders: per contract the worse of both sides."""
    buys: defaultdict[int, int] = defaultdict(int)
    sells: defaultdict[int, int] = defaultdict(int)
    others = [order for order in account.orders.values() if order is not extra]
    for order in others if extra is None else [*others, extra]:
        if order is extra or order.row["ordStatus"] not in {"Suspended", "Unknown"}:
            side = buys if order.sign > 0 else sells
            side[order.contract.id] += order.remaining
    day = full = Decimal(0)
    for contract_id in {*buys, *sells, *account.positions}:
        position = account.positions.get(contract_id)
        net = 0 if position is None else position.net
        lots = max(abs(net), abs(net + buys[contract_id]), abs(net - sells[contract_id]))
        product = desk.catalog.by_id[contract_id].product
        day += product.day_margin * lots
        full += product.full_margin * lots
    return day, full


def refresh_margin(desk: Desk, account: Account) -> None:
    """Bring the snapshot row up to date and announce it when the margin in use has changed."""
    row = account.rows["marginSnapshot"][account.id]
    day, full = used_margin(desk, account)
    held = _position_margin(account)
    figures = (money(day), money(full), money(held))
    if (row["totalUsedMargin"], row["totalUsedFullMargin"], row["positionMargin"]) == figures:
        return
    row["timestamp"] = desk.stamp()
    row["totalUsedMargin"], row["totalUsedFullMargin"], row["positionMargin"] = figures
    row["initialMargin"] = row["maintenanceMargin"] = money(held)
    account.updated("marginSnapshot", row)


def _position_margin(account: Account) -> Decimal:
    positions = account.positions.values()
    return sum((p.contract.product.day_margin * abs(p.net) for p in positions if p.net != 0), Decimal(0))
