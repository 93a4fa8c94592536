"""What the engine trades: contracts, quotes, orders, positions and accounts.

Prices and distances are `Decimal` points, quantities whole contracts, money `Decimal` dollars, a side +1 or -1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

# Finer than any cent, coarse enough that sums of shares stay exact in 28 digits.
_SHARE_QUANTUM = Decimal("1E-10")


class Contract(Protocol):
    """`tick` is in points, `point_value` in dollars per 1.0 of price; `name` is what positions are kept by."""

    @property
    def name(self) -> str: ...

    @property
    def tick(self) -> Decimal: ...

    @property
    def point_value(self) -> Decimal: ...


class Quote(Protocol):
    @property
    def last(self) -> Decimal: ...

    @property
    def bid(self) -> Decimal: ...

    @property
    def ask(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class TopOfBook:
    """A quote for those who have no class of their own."""

    last: Decimal
    bid: Decimal
    ask: Decimal


class Kind(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING = "trailing"


class Status(StrEnum):
    """`SUSPENDED` is known and not working, as a bracket leg before its entry's fill."""

    SUSPENDED = "suspended"
    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"


DONE = frozenset({Status.FILLED, Status.CANCELED, Status.REJECTED})


@dataclass(slots=True, eq=False)
class Order:
    """One order, compared by identity. `extra` is the venue's own record of it.

    `trail` is the distance that the `stop` of a TRAILING order keeps from the best price; its `stop` may be left None,
    which starts it at that distance from the first quote. `is_triggered` says that a STOP_LIMIT works as a limit,
    `has_rested` that a quote has found the order and could not trade it, `rested_at` what was the last trade then.
    `is_held` keeps the engine's hands off: its venue fills it with `Engine.execute`.
    """

    id: int
    account: Account
    contract: Contract
    side: int
    qty: int
    kind: Kind
    limit: Decimal | None = None
    stop: Decimal | None = None
    trail: Decimal | None = None
    status: Status = Status.SUSPENDED
    filled: int = 0
    average: Decimal | None = None
    extra: Any = None
    is_triggered: bool = False
    has_rested: bool = False
    rested_at: Decimal | None = None
    is_held: bool = False

    @property
    def remaining(self) -> int:
        return self.qty - self.filled

    @property
    def is_working(self) -> bool:
        return self.status is Status.WORKING

    @property
    def is_done(self) -> bool:
        return self.status in DONE


@dataclass(slots=True, eq=False)
class Position:
    """One contract of one account. `cost` is what the open contracts were bought for in dollars, negative for sold."""

    contract: Contract
    net: int = 0
    cost: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)

    @property
    def average(self) -> Decimal | None:
        """Weighted price of the open contracts; None when flat."""
        if self.net == 0:
            return None
        return self.cost / (self.net * self.contract.point_value)

    def open_profit(self, price: Decimal) -> Decimal:
        return self.net * price * self.contract.point_value - self.cost

    def apply(self, side: int, qty: int, price: Decimal) -> tuple[int, Decimal]:
        """Book an execution: how many contracts it closed, and the dollars that they realized.

        More than the position holds closes it and opens the rest on the other side.
        """
        closed = min(qty, abs(self.net)) if self.net * side < 0 else 0
        released = self._release(closed)
        value = self.contract.point_value * price
        realized = -side * closed * value - released
        self.net += side * qty
        self.cost += side * (qty - closed) * value - released
        self.realized += realized
        return closed, realized

    def _release(self, closed: int) -> Decimal:
        """The cost of `closed` contracts: a last one takes all that is left, so that rounding never stays behind."""
        held = abs(self.net)
        if closed in {0, held}:
            return self.cost if closed > 0 else Decimal(0)
        share = self.cost * closed / held
        rounded = share.quantize(_SHARE_QUANTUM)
        return share if share == rounded else rounded


@dataclass(slots=True, eq=False)
class Account:
    """`cash` holds what positions realized, not what they are worth open. `positions` are kept by contract name."""

    id: int
    name: str
    cash: Decimal = Decimal(0)
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    extra: Any = None

    def position(self, contract: Contract) -> Position:
        """Its position, flat when it never had one."""
        found = self.positions.get(contract.name)
        if found is None:
            found = self.positions[contract.name] = Position(contract)
        return found


@dataclass(frozen=True, slots=True)
class Execution:
    """`closed` of its `qty` contracts closed a position and `realized` that many dollars; the rest opened one."""

    order: Order
    qty: int
    price: Decimal
    realized: Decimal = Decimal(0)
    closed: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """`trade_through`: a resting limit fills only once the market is beyond its price, as behind a queue.

    `slippage_ticks` make each market and stop fill worse than the touch.
    """

    trade_through: bool = False
    slippage_ticks: int = 0
