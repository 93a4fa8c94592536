"""Orders, bracket groups and strategies as the engine holds them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from brokers.sandbox.tradovate.wire import Row, money

if TYPE_CHECKING:
    from brokers.sandbox.market.catalog import Contract
    from brokers.sandbox.tradovate.books import Account

TERMINAL = frozenset({"Filled", "Canceled", "Expired", "Rejected", "Completed"})
TRAILING = frozenset({"TrailingStop", "TrailingStopLimit"})
STOPPED = frozenset({"Stop", "StopLimit", "TrailingStop", "TrailingStopLimit"})
LIMITED = frozenset({"Limit", "StopLimit", "TrailingStopLimit", "LimitIfTouched"})
OPPOSITE = {"Buy": "Sell", "Sell": "Buy"}
SIGN = {"Buy": 1, "Sell": -1}
_PRICE_FIELDS = (
    ("price", "price"),
    ("stop_price", "stopPrice"),
    ("touch_price", "limitIfTouchedPrice"),
    ("peg", "pegDifference"),
)


@dataclass(slots=True)
class Terms:
    """What an order version says. Prices and ``peg`` (trailing distance) are in price points."""

    qty: int
    order_type: str
    price: Decimal | None = None
    stop_price: Decimal | None = None
    touch_price: Decimal | None = None
    peg: Decimal | None = None
    tif: str = "Day"
    max_show: int | None = None
    expire_time: str | None = None
    text: str | None = None

    def row(self, version_id: int, order_id: int) -> Row:
        row: Row = {"id": version_id, "orderId": order_id, "orderQty": self.qty, "orderType": self.order_type}
        for name, wire_name in _PRICE_FIELDS:
            value = getattr(self, name)
            if value is not None:
                row[wire_name] = money(value)
        if self.max_show is not None:
            row["maxShow"] = self.max_show
        row["timeInForce"] = self.tif
        if self.expire_time is not None:
            row["expireTime"] = self.expire_time
        if self.text is not None:
            row["text"] = self.text
        return row


@dataclass(slots=True)
class Sender:
    """Who sent a command and what they stamped on it."""

    user_id: int
    session_id: int
    cl_ord_id: str | None = None
    is_automated: bool = False
    activation_time: str | None = None


@dataclass(slots=True, eq=False)
class Order:
    """One order. ``row``, ``command`` and ``version`` are its entity, latest command and latest version.

    ``held``: a script keeps the rest from trading. ``rested``: it has been in the book before. ``is_fixed``: a leg
    whose terms were modified by hand and no longer follow the entry's fill.
    """

    id: int
    account: Account
    contract: Contract
    action: str
    terms: Terms
    sender: Sender
    row: Row = field(default_factory=dict)
    command: Row = field(default_factory=dict)
    version: Row = field(default_factory=dict)
    filled: int = 0
    value: Decimal = Decimal(0)
    admin: bool = False
    parent_id: int | None = None
    oco_id: int | None = None
    group: ExitGroup | None = None
    role: str = "entry"
    brackets: list[ExitGroup] = field(default_factory=list)
    strategy: Strategy | None = None
    parts: deque[int] | None = None
    part_interval: float = 0.0
    held: bool = False
    rested: bool = False
    triggered: bool = False
    is_fixed: bool = False

    @property
    def status(self) -> str:
        return str(self.row["ordStatus"])

    @property
    def is_done(self) -> bool:
        return self.row["ordStatus"] in TERMINAL

    @property
    def is_working(self) -> bool:
        return bool(self.row["ordStatus"] == "Working")

    @property
    def remaining(self) -> int:
        return self.terms.qty - self.filled

    @property
    def sign(self) -> int:
        return SIGN[self.action]

    @property
    def average(self) -> Decimal | None:
        return None if self.filled == 0 else self.value / self.filled


@dataclass(slots=True)
class BracketPlan:
    """One bracket of a strategy. Offsets are signed price points from the entry fill, or prices when ``absolute``."""

    target: Decimal | None
    stop: Decimal | None
    trailing: bool = False
    absolute: bool = False
    trail_distance: Decimal | None = None
    trail_trigger: Decimal | None = None
    trail_step: Decimal | None = None

    def target_price(self, entry: Decimal) -> Decimal | None:
        return None if self.target is None else self._price(self.target, entry)

    def stop_price(self, entry: Decimal) -> Decimal | None:
        return None if self.stop is None else self._price(self.stop, entry)

    def _price(self, offset: Decimal, entry: Decimal) -> Decimal:
        return offset if self.absolute else entry + offset


@dataclass(slots=True, eq=False)
class ExitGroup:
    """Exits of which one cancels the other: an OCO pair, the legs of an OSO, or one bracket of a strategy.

    ``qty`` is the share of the entry this group closes; ``entry`` is None for a plain OCO pair.
    """

    qty: int
    entry: Order | None = None
    exits: list[Order] = field(default_factory=list)
    plan: BracketPlan | None = None
    label: str = "0"

    @property
    def is_done(self) -> bool:
        return bool(self.exits) and all(order.is_done for order in self.exits)


@dataclass(slots=True, eq=False)
class Strategy:
    """A bracket strategy: one entry, exits per bracket, linked by orderStrategyLink rows."""

    id: int
    account: Account
    row: Row
    entry: Order

    @property
    def is_active(self) -> bool:
        return self.row["status"] in {"ActiveStrategy", "InactiveStrategy"}
