"""Logins with their accounts, and what the venue remembers of each order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from brokers.matching.types import Account as Book
from brokers.matching.types import Kind, Order, Status
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.webull.tokens import Token
from brokers.sandbox.webull.wire import Row

FUTURES_CLASS, MARGIN_CLASS = "FUTURES", "INDIVIDUAL_MARGIN"
LABELS = {FUTURES_CLASS: "Futures", MARGIN_CLASS: "Individual Margin"}
NORMAL, MASTER, STOP_PROFIT, STOP_LOSS = "NORMAL", "MASTER", "STOP_PROFIT", "STOP_LOSS"
EXITS = frozenset({STOP_PROFIT, STOP_LOSS})
LEGS = {MASTER: "entry", STOP_PROFIT: "target", STOP_LOSS: "stop"}
_CLOSING_LEGS = {Kind.LIMIT: "target", Kind.STOP: "stop", Kind.STOP_LIMIT: "stop", Kind.TRAILING: "stop"}
_STATUSES = {
    Status.SUSPENDED: "PENDING",
    Status.WORKING: "SUBMITTED",
    Status.FILLED: "FILLED",
    Status.CANCELED: "CANCELLED",
    Status.REJECTED: "FAILED",
}


@dataclass(slots=True, eq=False)
class Login:
    """One app key: ``username`` is the key, ``password`` its secret. ``nonces`` maps those used to their epoch ms."""

    username: str
    password: str
    number: int
    user_id: str
    accounts: list[Account] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)

    @property
    def futures(self) -> Account:
        return self.accounts[0]

    def account(self, account_id: object) -> Account | None:
        return next((account for account in self.accounts if account.account_id == account_id), None)


@dataclass(slots=True, eq=False)
class Account:
    """``account_id`` is the venue's text, ``id`` the sandbox's number. ``opening_equity``: of the session, USD.

    ``tickets`` has all orders by their client_order_id, ``live`` those that are not done.
    """

    id: int
    name: str
    login: Login
    account_id: str
    account_class: str
    opening_balance: Decimal
    opening_equity: Decimal
    book: Book
    tickets: dict[str, Ticket] = field(default_factory=dict)
    live: dict[Ticket, None] = field(default_factory=dict)
    entries: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    fills: int = 0

    @property
    def is_futures(self) -> bool:
        return self.account_class == FUTURES_CLASS

    def groups(self) -> list[Group]:
        """Each once, oldest first."""
        return list({id(ticket.group): ticket.group for ticket in self.tickets.values()}.values())


@dataclass(slots=True, eq=False)
class Group:
    """Orders that were placed as one: a single one, or a master with its exits, or exits of what is held."""

    combo_order_id: str
    client_combo_order_id: str
    tickets: list[Ticket] = field(default_factory=list)

    @property
    def master(self) -> Ticket | None:
        return next((ticket for ticket in self.tickets if ticket.combo_type == MASTER), None)

    @property
    def exits(self) -> list[Ticket]:
        return [ticket for ticket in self.tickets if ticket.combo_type in EXITS]


@dataclass(slots=True, eq=False)
class Ticket:
    """The venue's record of one order. ``terms`` are fields of the request that queries repeat; times are epoch ms.

    ``versions`` are (when, row) of what queries have said, for the history, which is behind. ``parts`` are quantities
    in which it is to be filled, whatever the market offers.
    """

    account: Account
    group: Group
    client_order_id: str
    order_id: str
    combo_type: str
    terms: Row
    contract: Contract
    order: Order
    placed_at: int
    filled_at: int | None = None
    versions: list[tuple[int, Row]] = field(default_factory=list)
    parts: deque[int] | None = None
    part_interval: float = 0.0
    part_due: int = 0
    is_forgotten: bool = False

    @property
    def leg(self) -> str:
        """As faults call it: entry, target or stop. A plain order that closes something is told by its kind."""
        return LEGS.get(self.combo_type) or _leg_of(self.order)

    @property
    def status(self) -> str:
        if self.order.is_working and self.order.filled > 0:
            return "PARTIAL_FILLED"
        return _STATUSES[self.order.status]


def _leg_of(order: Order) -> str:
    position = order.account.positions.get(order.contract.name)
    is_closing = position is not None and position.net * order.side < 0
    return _CLOSING_LEGS.get(order.kind, "entry") if is_closing else "entry"
