"""What comes up from a venue: the outcome of each request, and reports of what is there. Frozen values.

Denied is our own word and not here: these are Accepted, Rejected with proof, NotSent with proof, and Unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.base import AccountRef, ConnectionState, OrderRole, OrderStatus, OrderType, Side


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue took the request. `broker_order_id` is None where the venue names the order only on its stream."""

    client_order_id: str
    broker_order_id: str | None
    at: datetime
    broker_strategy_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue refused, with proof. `code` is the venue's own reason, `text` safe to show to the owner."""

    client_order_id: str
    code: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NotSent:
    """Proof that no byte of the request reached the venue: it may be sent again while it is fresh."""

    client_order_id: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request may or may not have taken effect. Only evidence may resolve it; never send it again."""

    client_order_id: str
    reason: str
    at: datetime


Outcome = Accepted | Rejected | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class Sent:
    """The request's last byte was handed to the operating system."""

    client_order_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderReport:
    """An order as the venue has it now; reports are idempotent, the newest state wins.

    `client_order_id` is ours where the venue's own records join to it (Tradovate: command.clOrdId, or the
    orderStrategy's uuid for the entry). A bracket leg carries `parent_client_order_id`, the id of its entry, and
    `bracket_index`, its place in `SubmitOrder.bracket` where the venue tells it.
    """

    account: AccountRef
    broker_order_id: str
    status: OrderStatus
    side: Side
    symbol: str
    at: datetime
    role: OrderRole
    client_order_id: str | None = None
    parent_client_order_id: str | None = None
    order_type: OrderType | None = None
    qty: int | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    reject_code: str = ""
    reject_text: str = ""
    bracket_index: int | None = None


@dataclass(frozen=True, slots=True)
class FillReport:
    """One execution; `broker_fill_id` makes it count once. `price` None means that the venue has not said it yet."""

    account: AccountRef
    broker_fill_id: str
    broker_order_id: str
    symbol: str
    side: Side
    qty: int
    price: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PositionReport:
    """The venue's own net position (signed contracts); `avg_price` None when flat or not said yet."""

    account: AccountRef
    symbol: str
    net_qty: int
    avg_price: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True)
class BalanceReport:
    """What the account is worth: cash with the realised result, without open positions, in dollars."""

    account: AccountRef
    cash: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    state: ConnectionState
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """The venue's whole truth at one moment, after every (re)connect: what is absent here does not exist there."""

    at: datetime
    accounts: tuple[AccountRef, ...]
    orders: tuple[OrderReport, ...]
    fills: tuple[FillReport, ...]
    positions: tuple[PositionReport, ...]
    balances: tuple[BalanceReport, ...] = ()


Report = OrderReport | FillReport | PositionReport | BalanceReport | ConnectionReport | SyncReport
Event = Report | Outcome | Sent
