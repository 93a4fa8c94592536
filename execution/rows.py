"""One line of a trading table, ready to print. Built from rows that the caller has fetched: no queries here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from brokers.base import OrderRole, OrderStatus
from brokers.quotes.quote import QuoteBook, source_of
from execution.models import Fill, Order, Position
from execution.prices import format_money, format_price, format_ticks
from execution.timing import SignalTiming
from execution.valuation import known_contract, lateness, open_pnl, open_ticks, price_that_counts
from recorders.models import Signal

LegKey = tuple[UUID | None, str]


@dataclass(frozen=True, slots=True)
class Leg:
    """A live stop or target of a position. `is_waiting` until its entry has filled."""

    role: str
    qty: int
    price_text: str
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class PositionRow:
    """`protection` is `protected`, `unprotected` or `none` (its template demands no stop)."""

    position: Position
    description: str
    qty: int
    is_long: bool
    avg_text: str
    last_text: str
    last_at: datetime | None
    open: Decimal | None
    open_text: str
    ticks_text: str
    stops: list[Leg]
    targets: list[Leg]
    protection: str


@dataclass(frozen=True, slots=True)
class OrderRow:
    """`at_text` is the price the order works at, `filled_text` the average it filled at."""

    order: Order
    at_text: str
    filled_text: str


@dataclass(frozen=True, slots=True)
class FillRow:
    fill: Fill
    price_text: str


@dataclass(frozen=True, slots=True)
class SignalRow:
    """`outcomes` counts the signal's intents by how they ended; empty where it has none."""

    signal: Signal
    price_text: str
    outcomes: Mapping[str, int]
    timing: SignalTiming | None


def legs_by_trader(orders: Iterable[Order]) -> dict[LegKey, list[Leg]]:
    legs: dict[LegKey, list[Leg]] = defaultdict(list)
    for order in orders:
        legs[(order.trader_id, order.symbol)].append(
            Leg(order.role, order.qty, _working_price(order), order.status == OrderStatus.SUSPENDED)
        )
    return legs


def position_row(position: Position, book: QuoteBook, legs: Mapping[LegKey, list[Leg]]) -> PositionRow:
    """`position.account.login` says whose quotes it goes by."""
    contract = known_contract(position.symbol)
    login = position.account.login
    quote = book.quote(position.symbol, source_of(login.venue, login.environment))
    last = quote.last if quote is not None else None
    counts = price_that_counts(quote)
    cost = None if position.avg_price is None else position.avg_price * position.net_qty
    value = open_pnl(position.net_qty, cost, counts, contract)
    own_legs = legs.get((position.trader_id, position.symbol), [])
    return PositionRow(
        position=position,
        description=contract.product.description if contract is not None else "",
        qty=abs(position.net_qty),
        is_long=position.net_qty > 0,
        avg_text=format_price(position.avg_price, contract),
        last_text=format_price(last, contract) + lateness(quote),
        last_at=quote.at if quote is not None else None,
        open=value,
        open_text=format_money(value),
        ticks_text=format_ticks(open_ticks(position.net_qty, position.avg_price, counts, contract)),
        stops=[leg for leg in own_legs if leg.role == OrderRole.STOP],
        targets=[leg for leg in own_legs if leg.role == OrderRole.TARGET],
        protection=protection_of(position),
    )


def protection_of(position: Position) -> str:
    if position.unprotected_since is not None:
        return "unprotected"
    return "none" if position.stop_distance is None else "protected"


def order_row(order: Order) -> OrderRow:
    return OrderRow(order, _working_price(order), format_price(order.avg_price, known_contract(order.symbol)))


def fill_row(fill: Fill) -> FillRow:
    return FillRow(fill, format_price(fill.price, known_contract(fill.symbol)))


def signal_row(
    signal: Signal, outcomes: Mapping[UUID, Mapping[str, int]], timings: Mapping[UUID, SignalTiming]
) -> SignalRow:
    # An alert's price is shown as it came: its ticker need not be one that we know.
    return SignalRow(
        signal=signal,
        price_text=format_price(signal.price, None),
        outcomes=outcomes.get(signal.pk, {}),
        timing=timings.get(signal.pk),
    )


def _working_price(order: Order) -> str:
    price: Any = order.stop_price if order.stop_price is not None else order.price
    return "market" if price is None else format_price(price, known_contract(order.symbol))
