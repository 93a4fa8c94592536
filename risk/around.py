"""What surrounds an entry beyond its follower's own rows: `execution.clearing` gathers it for `risk.checks`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Denial:
    """`code` for machines, `text` for the owner; `had` and `limit` as they are shown."""

    code: str
    text: str
    had: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Tripped:
    """A kill switch that is on: whose trading it stops, how far, and why."""

    whose: str
    mode: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lock:
    """A limit was reached; `had` and `limit` as they were then."""

    until: datetime
    text: str
    had: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """An account whose limits a monitor watches: seconds since it last looked, None when it never did."""

    silent_s: float | None


@dataclass(frozen=True, slots=True)
class Market:
    """The exchange at this moment; `ended_on` is the last day on which the contract could be opened, if that is over.

    None in `Around` where there is no exchange: sandboxes and paper accounts trade around the clock.
    """

    symbol: str
    is_open: bool
    ended_on: date | None = None

    @property
    def is_fine(self) -> bool:
        return self.is_open and self.ended_on is None


@dataclass(frozen=True, slots=True)
class Count:
    """What there would be with this order, and the most that is allowed."""

    what: str
    had: int
    limit: int


@dataclass(frozen=True, slots=True)
class Collar:
    """A limit price, the fresh last price beside it, and how many percent may lie between them."""

    price: Decimal
    last: Decimal
    percent: Decimal

    @property
    def off_percent(self) -> Decimal:
        return HUNDRED if self.last == 0 else abs(self.price - self.last) / abs(self.last) * HUNDRED


@dataclass(frozen=True, slots=True)
class Room:
    """How a limit of money stands by the figures last written down; not `is_known`: one of them is missing or old."""

    name: str
    had: str
    limit: str
    is_used_up: bool
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Around:
    """Nothing by default: most entries have nothing around them, and share one object that says so.

    `silent_until`: nothing more may be asked of the broker before that, and the entry has expired by then.
    """

    tripped: Tripped | None = None
    lock: Lock | None = None
    paused_by: str = ""
    watch: Watch | None = None
    market: Market | None = None
    contracts: tuple[Count, ...] = ()
    positions: tuple[Count, ...] = ()
    collar: Collar | None = None
    working_orders: tuple[Count, ...] = ()
    rates: tuple[Count, ...] = ()
    rooms: tuple[Room, ...] = ()
    pack: Denial | None = None
    silent_until: datetime | None = None


NOTHING = Around()
