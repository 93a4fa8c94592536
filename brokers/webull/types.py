"""What Webull tells, as typed frozen values. Symbols are in our words, quantities whole, money `Decimal`, times UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from brokers.base import AccountRef, OrderType, Side

NORMAL, MASTER, STOP_PROFIT, STOP_LOSS = "NORMAL", "MASTER", "STOP_PROFIT", "STOP_LOSS"
EXIT_LEGS = frozenset({STOP_PROFIT, STOP_LOSS})


class Market(StrEnum):
    """The venue's `instrument_type`."""

    FUTURES = "FUTURES"
    EQUITY = "EQUITY"
    OPTION = "OPTION"


class Status(StrEnum):
    PENDING = "PENDING"
    SUBMITTED = "SUBMITTED"
    PARTIAL_FILLED = "PARTIAL_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


DONE = frozenset({Status.FILLED, Status.CANCELLED, Status.FAILED})


@dataclass(frozen=True, slots=True)
class Account:
    """`kind` is the venue's `account_class`, such as FUTURES or INDIVIDUAL_MARGIN."""

    ref: AccountRef
    kind: str


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order as one answer has it. `master` is the client order id of its combo's entry; an exit leg has one.

    `leg_ids` are the venue's ids of an option's legs, which a replace must name.
    """

    client_order_id: str
    order_id: str
    combo_type: str
    master: str | None
    symbol: str
    market: str
    side: Side
    status: Status
    order_type: OrderType | None
    qty: int
    filled: int
    average: Decimal | None
    limit: Decimal | None
    stop: Decimal | None
    step: Decimal | None
    at: datetime | None
    leg_ids: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        return self.status in DONE


@dataclass(frozen=True, slots=True)
class PositionState:
    """`net` is signed: long above 0. `last` is the venue's price of it now."""

    symbol: str
    market: str
    net: int
    average: Decimal | None
    last: Decimal | None


@dataclass(frozen=True, slots=True)
class TradeEvent:
    """A message of the event stream. It names neither the order's id nor its prices."""

    account_id: str
    client_order_id: str
    status: Status | None
    qty: int | None
    filled: int | None
    average: Decimal | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountPicture:
    """All that was read of an account. `started` is the moment before the first question."""

    account: AccountRef
    started: datetime
    orders: tuple[OrderState, ...]
    positions: tuple[PositionState, ...]
    cash: Decimal | None = None
