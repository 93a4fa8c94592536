"""Logins, accounts and the venue's own record of each order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.matching.types import Account as Book
from brokers.matching.types import Order
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.projectx.codes import DONE, OrderStatus, OrderType

if TYPE_CHECKING:
    from brokers.sandbox.projectx.sockets import HubSocket

Row = dict[str, Any]
FIRST_ACCOUNT_ID = 20_481_001
FIRST_USER_ID = 310_001
FIRST_ORDER_ID = 9_056_712_001
FIRST_TRADE_ID = 1_704_500_001
FIRST_POSITION_ID = 614_200_001
ENTRY, TARGET, STOP = "entry", "target", "stop"


@dataclass(slots=True)
class Ids:
    """One increasing sequence."""

    following: int

    def take(self) -> int:
        taken = self.following
        self.following += 1
        return taken


@dataclass(slots=True, eq=False)
class Ticket:
    """One order as the Gateway tells it; ``order`` is what the engine trades.

    ``ticks`` is a bracket leg's signed distance from its entry's fill. ``parts`` are scripted partial fills, each
    ``interval`` seconds after the one before.
    """

    order: Order
    contract: Contract
    type: OrderType
    status: OrderStatus
    created: str
    updated: str | None = None
    tag: str | None = None
    role: str = ENTRY
    ticks: int = 0
    parent: Ticket | None = None
    legs: list[Ticket] = field(default_factory=list)
    parts: list[int] | None = None
    interval: float = 0.0

    @property
    def id(self) -> int:
        return self.order.id

    @property
    def is_done(self) -> bool:
        return self.status in DONE

    @property
    def linked_id(self) -> int | None:
        """A target names its stop."""
        if self.parent is None or self.role != TARGET:
            return None
        return next((leg.id for leg in self.parent.legs if leg.role == STOP), None)


@dataclass(slots=True, eq=False)
class Login:
    """A user; ``password`` is the API key, ``sockets`` are its hub connections."""

    username: str
    password: str
    user_id: int
    accounts: list[Account] = field(default_factory=list)
    sockets: list[HubSocket] = field(default_factory=list)

    def account(self, account_id: int) -> Account | None:
        return next((account for account in self.accounts if account.id == account_id), None)


@dataclass(slots=True)
class Holding:
    """What the Gateway knows of a position besides the engine's books: its id and when it was opened."""

    id: int
    created: str


@dataclass(slots=True)
class Event:
    """One user event: ``kind`` as in Subscribe<kind>, ``action`` 0 to 2, the full row."""

    kind: str
    action: int
    row: Row


@dataclass(slots=True, eq=False)
class Account:
    """``book`` is the engine's side. ``entries`` lists accepted order requests; ``outbox`` events not sent yet.

    ``late_until`` (event loop time) holds events back. ``realized_before`` is what was realized in earlier sessions.
    """

    id: int
    name: str
    login: Login
    opening_balance: Decimal
    book: Book
    tickets: dict[int, Ticket] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    trades: list[Row] = field(default_factory=list)
    holdings: dict[str, Holding] = field(default_factory=dict)
    entries: list[Row] = field(default_factory=list)
    steps: deque[Callable[[], None]] = field(default_factory=deque)
    outbox: list[Event] = field(default_factory=list)
    late_until: float = 0.0
    realized_before: Decimal = Decimal(0)

    @property
    def is_live(self) -> bool:
        """Not simulated, as a live funded account; told by its name."""
        return self.name.startswith("LIVE")

    @property
    def is_follower(self) -> bool:
        return self.name.startswith("FOLLOW")

    @property
    def realized(self) -> Decimal:
        """USD of this session, before fees."""
        return sum((p.realized for p in self.book.positions.values()), -self.realized_before)

    def working(self) -> list[Ticket]:
        return [ticket for ticket in self.tickets.values() if ticket.status is OrderStatus.OPEN]

    def net(self, contract: Contract) -> int:
        return self.book.position(contract).net


def ticket_of(order: Order) -> Ticket:
    ticket = order.extra
    if not isinstance(ticket, Ticket):
        raise TypeError(f"order {order.id} has no ticket")
    return ticket


def account_of(order: Order) -> Account:
    account = order.account.extra
    if not isinstance(account, Account):
        raise TypeError(f"account {order.account.id} has no owner")
    return account
