"""What the Gateway tells, as typed values. Ids are the venue's numbers; a contract's id is text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum


class OrderState(IntEnum):
    NONE = 0
    OPEN = 1
    FILLED = 2
    CANCELED = 3
    EXPIRED = 4
    REJECTED = 5
    PENDING = 6
    PENDING_CANCELLATION = 7
    SUSPENDED = 8


DONE_STATES = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED})


class OrderKind(IntEnum):
    UNKNOWN = 0
    LIMIT = 1
    MARKET = 2
    STOP_LIMIT = 3
    STOP = 4
    TRAILING_STOP = 5
    JOIN_BID = 6
    JOIN_ASK = 7


class OrderSide(IntEnum):
    BID = 0
    ASK = 1


class PositionKind(IntEnum):
    UNDEFINED = 0
    LONG = 1
    SHORT = 2


@dataclass(frozen=True, slots=True)
class Account:
    """`balance` is cash with the realised result; the API knows neither equity nor loss limits."""

    id: int
    name: str
    balance: Decimal
    can_trade: bool
    is_visible: bool
    is_simulated: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """`name` is the exchange's (MNQZ6), `symbol_id` the platform's (F.US.MNQ), `tick_value` dollars per tick."""

    id: str
    name: str
    symbol_id: str
    tick: Decimal
    tick_value: Decimal
    is_front: bool


@dataclass(frozen=True, slots=True)
class Order:
    """`filled` counts up while the state is OPEN: a partial fill has no state of its own."""

    id: int
    account_id: int
    contract_id: str
    state: OrderState
    kind: OrderKind
    side: OrderSide
    size: int
    filled: int
    created_at: datetime
    updated_at: datetime
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    average: Decimal | None = None
    tag: str = ""
    parent_id: int | None = None

    @property
    def is_done(self) -> bool:
        return self.state in DONE_STATES


@dataclass(frozen=True, slots=True)
class Position:
    """`net` is signed contracts."""

    account_id: int
    contract_id: str
    net: int
    average: Decimal | None


@dataclass(frozen=True, slots=True)
class Trade:
    """One half-turn: `pnl` is None where it opened, and before `fees` and `commissions`; all in dollars."""

    id: int
    account_id: int
    contract_id: str
    order_id: int
    side: OrderSide
    size: int
    price: Decimal
    at: datetime
    pnl: Decimal | None
    fees: Decimal
    commissions: Decimal
    is_voided: bool


Record = Account | Order | Position | Trade
