"""Orders as queries and events show them (wire facts, 6.2 and 8)."""

from __future__ import annotations

import secrets
from decimal import Decimal

from brokers.matching.types import Kind, Order
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.webull.books import Group, Ticket
from brokers.sandbox.webull.listings import FUTURES, OPTION, StockOption, category, instrument_type, wire_symbol
from brokers.sandbox.webull.wire import Row, figure, iso_offset, iso_z, money

# USD per contract: (type, of a full contract, of a micro).
_FUTURES_FEES = (
    ("FUT_CLEARING", Decimal("0.14"), Decimal("0.09")),
    ("FUT_EXCHANGE", Decimal("1.38"), Decimal("0.35")),
    ("FUT_NFA", Decimal("0.02"), Decimal("0.02")),
)
_OPTION_FEES = (("OPT_REGULATORY", Decimal("0.02")), ("OPT_CLEARING", Decimal("0.02")))
ORDER_TYPES = {
    Kind.MARKET: "MARKET",
    Kind.LIMIT: "LIMIT",
    Kind.STOP: "STOP_LOSS",
    Kind.STOP_LIMIT: "STOP_LOSS_LIMIT",
    Kind.TRAILING: "TRAILING_STOP_LOSS",
}
_REPEATED = (
    "time_in_force",
    "support_trading_session",
    "position_intent",
    "option_strategy",
    "trailing_type",
    "trailing_stop_step",
)


def leg_id(ticket: Ticket) -> str:
    return f"{ticket.order_id[:-1]}1"


def fee_table(contract: Contract) -> list[tuple[str, Decimal]]:
    """(type, USD per contract); shares cost nothing."""
    kind = instrument_type(contract)
    if kind == FUTURES:
        return [(name, micro if contract.product.is_micro else full) for name, full, micro in _FUTURES_FEES]
    return list(_OPTION_FEES) if kind == OPTION else []


def fees_of(contract: Contract, qty: int) -> Decimal:
    return sum((fee * qty for _, fee in fee_table(contract)), Decimal(0))


def order_row(ticket: Ticket) -> Row:
    order, contract = ticket.order, ticket.contract
    row: Row = {
        "symbol": wire_symbol(contract),
        "side": ticket.terms["side"],
        "status": ticket.status,
        "fees": [_fee_row(name, fee * order.qty) for name, fee in fee_table(contract)],
        "commission": {},
        "client_order_id": ticket.client_order_id,
        "order_type": ORDER_TYPES[order.kind],
        "instrument_type": instrument_type(contract),
        "order_id": ticket.order_id,
        "entrust_type": "QTY",
        "total_quantity": str(order.qty),
        "filled_quantity": str(order.filled),
        "place_time": str(ticket.placed_at),
        "place_time_at": iso_z(ticket.placed_at),
    }
    row |= {name: ticket.terms[name] for name in _REPEATED if ticket.terms.get(name) is not None}
    row |= _price_fields(order)
    if ticket.filled_at is not None and order.average is not None:
        row["filled_price"] = figure(order.average)
        row["filled_time"] = str(ticket.filled_at)
        row["filled_time_at"] = iso_z(ticket.filled_at)
    if isinstance(contract, StockOption):
        row["legs"] = [_leg_row(ticket, contract)]
    return row


def group_row(group: Group, orders: list[Row]) -> Row:
    """A group as lists and the detail show it; a combo goes by its master's name, or its own."""
    first = group.tickets[0]
    return {
        "client_order_id": first.client_order_id,
        "combo_type": first.combo_type,
        "combo_order_id": group.combo_order_id,
        "orders": orders,
    }


def event_row(ticket: Ticket, scene: str, *, with_order_id: bool) -> Row:
    """A trade event's payload. The documented samples lack the order_id; some of the library's have it."""
    order, contract = ticket.order, ticket.contract
    row: Row = {
        "request_id": str(secrets.randbits(60)),
        "account_id": ticket.account.account_id,
        "client_order_id": ticket.client_order_id,
        "instrument_id": str(contract.id),
        "order_status": "SUBMITTED" if scene == "FILLED" else ticket.status,
        "symbol": wire_symbol(contract),
        "qty": money(Decimal(order.qty)),
        "filled_qty": money(Decimal(order.filled)),
        "side": ticket.terms["side"],
        "scene_type": scene,
        "category": category(contract),
        "order_type": ORDER_TYPES[order.kind],
    }
    if ticket.filled_at is not None and order.average is not None:
        row["filled_price"] = figure(order.average)
        row["filled_time"] = iso_offset(ticket.filled_at)
    if with_order_id:
        row["order_id"] = ticket.order_id
    return row


def _fee_row(name: str, amount: Decimal) -> Row:
    return {"type": name, "actual_value": money(amount), "receivable_value": money(amount)}


def _price_fields(order: Order) -> Row:
    fields: Row = {}
    if order.kind in (Kind.LIMIT, Kind.STOP_LIMIT) and order.limit is not None:
        fields["limit_price"] = figure(order.limit)
    if order.kind in (Kind.STOP, Kind.STOP_LIMIT, Kind.TRAILING) and order.stop is not None:
        fields["stop_price"] = figure(order.stop)
    return fields


def _leg_row(ticket: Ticket, option: StockOption) -> Row:
    return {
        "id": leg_id(ticket),
        "symbol": option.underlying.name,
        "side": ticket.terms["side"],
        "quantity": str(ticket.order.qty),
        "option_type": option.right,
        "option_expire_date": option.expires.isoformat(),
        "strike_price": money(option.strike),
        "option_category": "AMERICAN",
    }
