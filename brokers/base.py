"""The contract between the product and a venue.

Requests go down as frozen values, outcomes and reports come up through one sink. Quantities are whole contracts,
prices and distances are `Decimal` in the contract's own price points, times are aware UTC. Nothing here knows Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from uuid import UUID

if TYPE_CHECKING:
    from brokers.reports import Event, SyncReport


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    TRAILING_STOP = "trailing_stop"


class OrderRole(StrEnum):
    """What an order is for. `EXTERNAL` is one that we did not create."""

    ENTRY = "entry"
    EXIT = "exit"
    TARGET = "target"
    STOP = "stop"
    EXTERNAL = "external"


class OrderStatus(StrEnum):
    """FIX OrdStatus (39) in our words; `SUSPENDED` is a bracket leg that waits for its entry's fill."""

    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    SUSPENDED = "suspended"
    WORKING = "working"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    NOT_PLACED = "not_placed"


class ConnectionState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    DOWN = "down"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AccountRef:
    """A broker account as the venue names it: `broker_id` is the venue's key, `name` what its screens show."""

    broker_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Trail:
    """How a stop follows the market, all in positive price points.

    It starts once the price is `trigger` in the position's favor (0: at once), keeps `distance` from the best price,
    and moves in steps of `step` (0: with every tick).
    """

    distance: Decimal
    trigger: Decimal = Decimal(0)
    step: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class BracketLeg:
    """One exit pair of an entry: distances from the entry's fill in price points, positive; None places nothing.

    `trail` moves the stop; where it has a trigger, `stop_distance` holds until that is reached.
    """

    qty: int
    target_distance: Decimal | None
    stop_distance: Decimal | None
    trail: Trail | None = None


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    """Place one order, with its protection in the same request where the venue has native brackets.

    `client_order_id` is 26 to 32 characters of `[A-Za-z0-9_-]`, derived from the intent and never reused. What
    `is_protective` guards a position that is open already, so it stays in force until canceled, as a bracket does.
    """

    client_order_id: str
    account: AccountRef
    symbol: str
    side: Side
    qty: int
    order_type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    stop_price: Decimal | None = None
    bracket: tuple[BracketLeg, ...] = ()
    is_protective: bool = False


@dataclass(frozen=True, slots=True)
class FlattenPosition:
    """Cancel the working orders of one contract and close its net position at market. Cannot open or increase."""

    client_order_id: str
    account: AccountRef
    symbol: str


@dataclass(frozen=True, slots=True)
class CancelOrder:
    client_order_id: str
    account: AccountRef
    broker_order_id: str


@dataclass(frozen=True, slots=True)
class ModifyOrder:
    """Replace a working order's terms: each is stated or does not apply to `order_type`. It is GTC from then on.

    `client_order_id` names this change, not the order. Safe to repeat: the same terms twice are the same order.
    """

    client_order_id: str
    account: AccountRef
    broker_order_id: str
    qty: int
    order_type: OrderType
    price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SubmitOco:
    """Two exits of a position that is already open, at absolute prices; either one's end cancels the other.

    Both stay in force until canceled. `client_order_id` is the target's.
    """

    client_order_id: str
    stop_client_order_id: str
    account: AccountRef
    symbol: str
    side: Side
    qty: int
    target_price: Decimal
    stop_price: Decimal


Request = SubmitOrder | SubmitOco | ModifyOrder | FlattenPosition | CancelOrder

# How client order ids of exits and of changes begin: an order that only the venue remembers still tells what it is for.
TARGET_PREFIX = "T-"
STOP_PREFIX = "S-"
EXIT_PREFIX = "X-"
CHANGE_PREFIX = "M-"
_ROLES = {TARGET_PREFIX: OrderRole.TARGET, STOP_PREFIX: OrderRole.STOP, EXIT_PREFIX: OrderRole.EXIT}


def role_of(client_order_id: str) -> OrderRole:
    """What an order of ours is for, told by its id alone."""
    return _ROLES.get(client_order_id[:2], OrderRole.ENTRY)


def client_ids(request: Request) -> tuple[str, ...]:
    """The ids under which the outcomes of a request arrive: an OCO's two orders have one each."""
    if isinstance(request, SubmitOco):
        return request.client_order_id, request.stop_client_order_id
    return (request.client_order_id,)


Sink = Callable[[UUID, "Sequence[Event]"], None]
"""Called with the login's id and events in the venue's order, on a stream thread: must return at once."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a venue does by itself; everything else is done, and watched, by us."""

    native_brackets: bool
    """An entry takes its stop and one target with it, for its whole size."""
    native_multi_bracket: bool
    """And several targets, each with its part of the size and of the stop."""
    native_oco: bool
    """`SubmitOco` is one request, and the venue cancels the other order itself."""
    modifies_orders: bool
    enforces_unique_client_ids: bool
    streams_reports: bool
    trailing_stops: bool = True
    auto_trail: bool = False
    """A stop begins to trail from a trigger on, and moves in steps."""


OnQuote = Callable[[str, Decimal | None, Decimal | None, Decimal | None, datetime], None]
"""Symbol, bid, ask, last (None: this message does not say) and the venue's time; called on a stream thread."""


class QuoteSource(Protocol):
    """Live prices by contract name. They are for screens and limits; nothing that trades may wait for one."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def subscribe(self, symbols: Iterable[str]) -> None: ...

    def unsubscribe(self, symbols: Iterable[str]) -> None: ...


class Connection(Protocol):
    """One broker login, kept live by its lane: prewarmed, heartbeating, reconnecting, resyncing."""

    @property
    def login_id(self) -> UUID: ...

    @property
    def state(self) -> ConnectionState: ...

    @property
    def books_at(self) -> datetime | None:
        """When the venue last vouched for what we were told of the accounts, aware UTC; None: never.

        Now while a stream is live, which its heartbeats guard; else the adapter's last look of its own.
        """

    def start(self) -> None:
        """Begin connecting; returns at once, progress arrives as `ConnectionReport`s and a `SyncReport`."""

    def stop(self) -> None: ...

    def submit(self, requests: Sequence[Request]) -> None:
        """Put each request on the wire once; an account's requests go in their order. Thread-safe.

        Exactly one `Outcome` for each of the request's `client_ids` reaches the sink.
        """

    def query(self, account: AccountRef) -> SyncReport:
        """Ask the venue, over REST, for the account's orders, fills, positions and cash: evidence for an UNKNOWN.

        Raises a `brokers.errors.BrokerError`; an error is never evidence of anything.
        """

    def day_pnl(self, account: AccountRef) -> Decimal | None:
        """The venue's own figure for the account's trading day: realised and open together, in dollars.

        Before fees where the venue tells them apart; None where it has no such figure now. Blocks, raises like `query`.
        """

    def front_month(self, root: str) -> str | None:
        """The venue's own front contract of a product (MNQ: MNQZ6), or None. Blocks, and raises like `query`."""

    def quotes(self, on_quote: OnQuote) -> QuoteSource | None:
        """Live quotes through this login's sign-in, not started; None where the venue has no market of its own."""


@runtime_checkable
class Surveyor(Protocol):
    """A connection that looks at all accounts of its login at once, for less than a `query` of each would take."""

    def survey(self) -> None:
        """Read over REST what the stream may have left out; the whole reaches the sink as a `SyncReport` soon after.

        Only while the connection is live. Blocks, and raises like `Connection.query`.
        """
