"""What the Gateway shows of its books: the models of orders, positions, trades and accounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from brokers.sandbox.projectx.books import Account, Holding, Ticket
from brokers.sandbox.projectx.codes import ASK, BID, OrderType
from brokers.sandbox.projectx.desk import Desk

Row = dict[str, Any]
LONG, SHORT, UNDEFINED = 1, 2, 0
NEWER_ORDER_MEMBERS = ("trailDistance", "trailPrice", "parentOrderId", "linkedOrderId")


def wire(value: Decimal | None) -> float | None:
    """Decimal as the JSON number the venue sends."""
    return None if value is None else float(value)


def order_row(desk: Desk, ticket: Ticket) -> Row:
    order, listing = ticket.order, desk.listing
    trail = order.trail if ticket.type is OrderType.TRAILING_STOP else None
    row = {
        "id": order.id,
        "accountId": order.account.id,
        "contractId": listing.contract_id(ticket.contract),
        "symbolId": listing.symbol_id(ticket.contract),
        "creationTimestamp": ticket.created,
        "updateTimestamp": ticket.updated,
        "status": int(ticket.status),
        "type": int(ticket.type),
        "side": BID if order.side > 0 else ASK,
        "size": order.qty,
        "limitPrice": wire(order.limit),
        "stopPrice": wire(order.stop),
        "fillVolume": order.filled,
        "filledPrice": wire(order.average),
        "customTag": ticket.tag,
        "trailDistance": None if trail is None else int(trail / ticket.contract.tick),
        "trailPrice": wire(trail),
        "parentOrderId": None if ticket.parent is None else ticket.parent.id,
        "linkedOrderId": ticket.linked_id,
    }
    if desk.switches.models == "old":
        for name in NEWER_ORDER_MEMBERS:
            del row[name]
    return row


def position_row(desk: Desk, account: Account, name: str, holding: Holding) -> Row:
    """``type`` and ``size`` are 0 once it is closed."""
    contract = desk.catalog.by_name[name]
    position = account.book.position(contract)
    side = UNDEFINED if position.net == 0 else LONG if position.net > 0 else SHORT
    row = {
        "id": holding.id,
        "accountId": account.id,
        "contractId": desk.listing.contract_id(contract),
        "contractDisplayName": contract.name,
        "creationTimestamp": holding.created,
        "type": side,
        "size": abs(position.net),
        "averagePrice": wire(position.average) or 0.0,
    }
    if desk.switches.models == "old":
        del row["contractDisplayName"]
    return row


def account_row(desk: Desk, account: Account) -> Row:
    return {
        "id": account.id,
        "name": account.name,
        "balance": wire(account.book.cash),
        "canTrade": inactive_code(desk, account) is None,
        "isVisible": True,
        "simulated": not account.is_live,
    }


def inactive_code(desk: Desk, account: Account) -> int | None:
    """The code with which a locked account refuses to trade; None when it may."""
    return next((fault.params["code"] for fault in desk.faults.in_force("inactive", account)), None)
