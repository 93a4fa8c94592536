"""Logins and accounts with their entity tables, and the events that changes to them cause."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from brokers.sandbox.tradovate.wire import Row, money, props_event

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.orders import ExitGroup, Order, Strategy
    from brokers.sandbox.tradovate.positions import Position

FIRST_ID = 516_100_000_001
FIRST_ACCOUNT_ID = 1_200_001
FIRST_USER_ID = 70_001
FIRST_SESSION_ID = 7_001
ACCOUNT_TABLES = (
    "order",
    "orderVersion",
    "command",
    "commandReport",
    "executionReport",
    "fill",
    "fillPair",
    "fillFee",
    "position",
    "cashBalance",
    "cashBalanceLog",
    "marginSnapshot",
    "accountRiskStatus",
    "userAccountAutoLiq",
    "orderStrategy",
    "orderStrategyLink",
)
Event = tuple[str, bytes]


class Ids:
    """One increasing sequence shared by all entity types, as at the venue."""

    def __init__(self, following: int) -> None:
        self.following = following

    def take(self) -> int:
        taken = self.following
        self.following += 1
        return taken


class Subscriber(Protocol):
    def deliver(self, account_id: int, frames: list[list[Event]]) -> None: ...


@dataclass(slots=True, eq=False)
class Login:
    """A user who can sign in. ``subscribers`` are the sockets that have sent a syncrequest."""

    username: str
    password: str
    user_id: int
    created: str
    accounts: list[Account] = field(default_factory=list)
    subscribers: list[Subscriber] = field(default_factory=list)

    def account(self, account_id: object) -> Account | None:
        return next((account for account in self.accounts if account.id == account_id), None)

    def row(self) -> Row:
        return {
            "id": self.user_id,
            "name": self.username,
            "timestamp": self.created,
            "userType": "Trader",
            "email": f"{self.username}@sandbox.test",
            "status": "Active",
            "professional": False,
        }


@dataclass(slots=True)
class Cash:
    """USD amounts. ``realized`` excludes fees and restarts with the session."""

    amount: Decimal
    start_of_day: Decimal
    realized: Decimal = Decimal(0)
    week_realized: Decimal = Decimal(0)


@dataclass(slots=True, eq=False)
class Account:
    """One trading account: its entity tables, live objects and the events not yet sent.

    ``retired`` counts rows that a session roll has dropped.
    """

    id: int
    name: str
    login: Login
    opening_balance: Decimal
    cash: Cash
    created: str
    rows: dict[str, dict[int, Row]] = field(default_factory=lambda: {table: {} for table in ACCOUNT_TABLES})
    orders: dict[int, Order] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    strategies: dict[int, Strategy] = field(default_factory=dict)
    entries: list[Row] = field(default_factory=list)
    retired: dict[str, int] = field(default_factory=lambda: {"order": 0, "fill": 0})
    steps: deque[Callable[[], None]] = field(default_factory=deque)
    frames: list[list[Event]] = field(default_factory=lambda: [[]])

    def create(self, entity_type: str, row: Row) -> None:
        self.rows[entity_type][row["id"]] = row
        self.emit(entity_type, "Created", row)

    def emit(self, entity_type: str, event_type: str, row: Row) -> None:
        if self.login.subscribers:
            self.frames[-1].append((entity_type, props_event(entity_type, event_type, row)))

    def updated(self, entity_type: str, row: Row) -> None:
        self.emit(entity_type, "Updated", row)

    def end_frame(self) -> None:
        """What was emitted since the last call travels as one ``a[...]`` frame."""
        if self.frames[-1]:
            self.frames.append([])

    def flush(self) -> None:
        frames = [frame for frame in self.frames if frame]
        if frames:
            self.frames = [[]]
            for subscriber in tuple(self.login.subscribers):
                subscriber.deliver(self.id, frames)

    def row(self) -> Row:
        return {
            "id": self.id,
            "name": self.name,
            "userId": self.login.user_id,
            "accountType": "Customer",
            "active": True,
            "restricted": False,
            "closed": False,
            "clearingHouseId": 2,
            "riskCategoryId": 2,
            "autoLiqProfileId": 1,
            "marginAccountType": "Speculator",
            "legalStatus": "Individual",
            "timestamp": self.created,
            "archived": False,
        }

    def cash_row(self, now: str) -> Row:
        """The account's one cash balance row, brought up to its Decimal amounts as of ``now``."""
        row = next(iter(self.rows["cashBalance"].values()))
        row["timestamp"] = now
        row["amount"] = money(self.cash.amount)
        row["realizedPnL"] = money(self.cash.realized)
        row["weekRealizedPnL"] = money(self.cash.week_realized)
        row["amountSOD"] = money(self.cash.start_of_day)
        return row


def connected_orders(account: Account) -> tuple[dict[int, Order], list[ExitGroup]]:
    """Live orders, the finished ones they still hang together with, and the groups between them."""
    orders: dict[int, Order] = {}
    groups: dict[int, ExitGroup] = {}
    waiting = [*account.orders.values(), *(s.entry for s in account.strategies.values() if s.is_active)]
    while waiting:
        order = waiting.pop()
        if order.id in orders or not order.row:
            continue
        orders[order.id] = order
        for group in (*order.brackets, *(() if order.group is None else (order.group,))):
            groups[id(group)] = group
            waiting += [*group.exits, *(() if group.entry is None else (group.entry,))]
    return orders, list(groups.values())
