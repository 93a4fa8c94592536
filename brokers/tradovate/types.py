"""The venue's entities, reduced to what we join and report. Ids are 64-bit, prices exact, times aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    name: str
    open: bool


@dataclass(frozen=True, slots=True)
class Contract:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Order:
    """Identity and status only: terms are in `OrderVersion`, our id in `Command`, fills in `Fill`."""

    id: int
    account_id: int
    contract_id: int | None
    action: str
    status: str
    parent_id: int | None


@dataclass(frozen=True, slots=True)
class OrderVersion:
    id: int
    order_id: int
    qty: int
    order_type: str
    price: Decimal | None
    stop_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Command:
    id: int
    order_id: int
    client_order_id: str | None
    command_type: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command was refused: from a commandReport or an executionReport."""

    id: int
    command_id: int
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Fill:
    """`price` None: the venue sometimes sends null or 0 first, for the stops of a bracket."""

    id: int
    order_id: int
    contract_id: int
    action: str
    qty: int
    price: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Position:
    id: int
    account_id: int
    contract_id: int
    net: int
    avg_price: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True)
class CashBalance:
    """Dollars of one account, with the realised result and without open positions."""

    account_id: int
    amount: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Strategy:
    id: int
    account_id: int
    contract_id: int | None
    action: str
    uuid: str | None
    status: str
    failure: str


@dataclass(frozen=True, slots=True)
class StrategyLink:
    """`bracket_index` is None for the entry."""

    id: int
    strategy_id: int
    order_id: int
    bracket_index: int | None


Entity = (
    Account
    | Contract
    | Order
    | OrderVersion
    | Command
    | Refusal
    | Fill
    | Position
    | CashBalance
    | Strategy
    | StrategyLink
)
