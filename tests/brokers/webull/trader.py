"""A login of the sandbox venue with its live connection, as a test drives it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

from brokers.access import Access, Budget, Credentials, Endpoints, TokenStore, Unlimited
from brokers.base import (
    CHANGE_PREFIX,
    EXIT_PREFIX,
    STOP_PREFIX,
    TARGET_PREFIX,
    AccountRef,
    BracketLeg,
    CancelOrder,
    ConnectionState,
    FlattenPosition,
    ModifyOrder,
    OrderRole,
    OrderStatus,
    OrderType,
    Side,
    SubmitOrder,
)
from brokers.expiry import FRIDAY, nth_weekday, shift_month
from brokers.reports import (
    Accepted,
    ConnectionReport,
    Event,
    FillReport,
    NotSent,
    OrderReport,
    PositionReport,
    Rejected,
    SyncReport,
    Unknown,
)
from brokers.sandbox.testing import RunningSandbox, SandboxAccount
from brokers.webull.accounts import list_accounts
from brokers.webull.adapter import WebullConnection
from brokers.webull.client import Client
from brokers.webull.instruments import ContractBook
from tests.brokers.scripted import until
from tests.brokers.tradovate.stores import MemoryStore

MNQ, AAPL = "MNQZ6", "AAPL"
# The venue lists the coming months' options, which end on third Fridays.
_NEXT_BUT_ONE = shift_month(datetime.now(UTC).year, datetime.now(UTC).month, 2)
OPTION = f"AAPL{nth_weekday(*_NEXT_BUT_ONE, FRIDAY, 3):%y%m%d}C00320000"
_serial = itertools.count(1)
_E = TypeVar("_E")


def access_to(
    sandbox: RunningSandbox, login: SandboxAccount, budget: Budget | None = None, store: TokenStore | None = None
) -> Access:
    credentials = Credentials("webull", "sandbox", login.username, "device-1", {"password": login.password})
    endpoints = Endpoints(sandbox.rest_url, sandbox.ws_url, sandbox.md_url)
    return Access(credentials, endpoints, store or MemoryStore(), budget or Unlimited())


def entry_id() -> str:
    return f"JT{next(_serial):026d}".translate(str.maketrans("0189", "ABCD"))


def exit_id(prefix: str = EXIT_PREFIX) -> str:
    return f"{prefix}{next(_serial):026d}"


class Trader:
    """`events` is everything that the connection has told, in its order."""

    def __init__(self, sandbox: RunningSandbox, login: SandboxAccount, budget: Budget | None = None) -> None:
        self.sandbox = sandbox
        self.login = login
        self.access = access_to(sandbox, login, budget)
        self.events: list[Event] = []
        self._lock = threading.Lock()
        kinds = {account.kind: account.ref for account in list_accounts(Client(access_to(sandbox, login)))}
        self.futures, self.stocks = kinds["FUTURES"], kinds["INDIVIDUAL_MARGIN"]
        self.ids = {self.futures: login.id, self.stocks: login.id + 1}
        self.connection = self._connect()

    def _connect(self) -> WebullConnection:
        return WebullConnection(uuid4(), self.access, self._sink, ContractBook())

    def _sink(self, _login_id: UUID, events: Sequence[Event]) -> None:
        with self._lock:
            self.events.extend(events)

    def live(self) -> Trader:
        self.connection.start()
        self.wait_state(ConnectionState.LIVE)
        self.wait(SyncReport)
        return self

    def reconnect(self) -> None:
        """What a new process does: everything that was known is forgotten."""
        self.connection.stop()
        with self._lock:
            self.events.clear()
        self.connection = self._connect()
        self.live()

    def close(self) -> None:
        self.connection.stop()

    def heard(self, kind: type[_E]) -> list[_E]:
        with self._lock:
            return [event for event in self.events if isinstance(event, kind)]

    def wait(self, kind: type[_E], count: int = 1) -> list[_E]:
        until(lambda: len(self.heard(kind)) >= count)
        return self.heard(kind)

    def wait_state(self, state: ConnectionState) -> None:
        until(lambda: self.connection.state is state)

    def states(self) -> list[ConnectionState]:
        return [report.state for report in self.heard(ConnectionReport)]

    def submit(self, side: Side = Side.BUY, qty: int = 1, *, symbol: str = MNQ, name: str = "", **terms: Any) -> str:
        """Submit an order to the account that trades the symbol; its client order id."""
        name = name or entry_id()
        account = self.futures if symbol == MNQ else self.stocks
        self.connection.submit([SubmitOrder(name, account, symbol, side, qty, **terms)])
        return name

    def bracket(self, target: str | None, stop: str | None, qty: int = 1, *, symbol: str = AAPL, **terms: Any) -> str:
        distances = [None if points is None else Decimal(points) for points in (target, stop)]
        return self.submit(qty=qty, symbol=symbol, bracket=(BracketLeg(qty, *distances),), **terms)

    def protect(self, side: Side, qty: int, stop: str, symbol: str = MNQ) -> str:
        return self.submit(
            side, qty, symbol=symbol, name=exit_id(STOP_PREFIX), order_type=OrderType.STOP,
            stop_price=Decimal(stop), is_protective=True,
        )  # fmt: skip

    def target(self, side: Side, qty: int, price: str, symbol: str = MNQ) -> str:
        return self.submit(
            side, qty, symbol=symbol, name=exit_id(TARGET_PREFIX), order_type=OrderType.LIMIT,
            price=Decimal(price), is_protective=True,
        )  # fmt: skip

    def flatten(self, symbol: str = MNQ) -> str:
        name = exit_id()
        account = self.futures if symbol == MNQ else self.stocks
        self.connection.submit([FlattenPosition(name, account, symbol)])
        return name

    def cancel(self, order: OrderReport) -> str:
        name = exit_id(CHANGE_PREFIX)
        self.connection.submit([CancelOrder(name, order.account, order.broker_order_id)])
        return name

    def change(self, order: OrderReport, qty: int | None = None, **prices: Decimal) -> str:
        """Submit an order's terms anew, these instead of its own; the change's client order id."""
        assert order.order_type is not None
        assert order.qty is not None
        trails = order.order_type is OrderType.TRAILING_STOP
        own = {} if trails else {"price": order.price, "stop_price": order.stop_price}
        name = exit_id(CHANGE_PREFIX)
        change = ModifyOrder(
            name, order.account, order.broker_order_id, qty or order.qty, order.order_type, **{**own, **prices}
        )
        self.connection.submit([change])
        return name

    def outcomes(self) -> list[Accepted | Rejected | NotSent | Unknown]:
        return self.heard((Accepted, Rejected, NotSent, Unknown))  # type: ignore[arg-type]

    def outcome(self, name: str) -> Accepted | Rejected | NotSent | Unknown:
        """The one outcome of this client order id, once it is there."""
        until(lambda: any(outcome.client_order_id == name for outcome in self.outcomes()))
        (found,) = [outcome for outcome in self.outcomes() if outcome.client_order_id == name]
        return found

    def orders(self) -> dict[str, OrderReport]:
        """The newest report of each order, by client order id."""
        synced = [order for sync in self.heard(SyncReport) for order in sync.orders]
        return {str(order.client_order_id): order for order in (*synced, *self.heard(OrderReport))}

    def order(self, name: str, status: OrderStatus) -> OrderReport:
        """The order's newest report, once it has this status."""
        until(lambda: name in self.orders() and self.orders()[name].status is status)
        return self.orders()[name]

    def leg(self, entry: str, role: OrderRole, status: OrderStatus) -> OrderReport:
        """A bracket's exit, once it has this status."""

        def found() -> OrderReport | None:
            legs = (o for o in self.orders().values() if o.parent_client_order_id == entry and o.role is role)
            return next((leg for leg in legs if leg.status is status), None)

        return until(found)

    def fills(self) -> list[FillReport]:
        """Each told fill once, as a ledger keeps it."""
        synced = [fill for sync in self.heard(SyncReport) for fill in sync.fills]
        return list({fill.broker_fill_id: fill for fill in (*synced, *self.heard(FillReport))}.values())

    def wait_net(self, net: int, symbol: str = MNQ) -> None:
        """The newest report of the position says so."""

        def is_so() -> bool:
            told = [p for p in self.heard(PositionReport) if p.symbol == symbol]
            return bool(told) and told[-1].net_qty == net

        until(is_so)

    def state(self, account: AccountRef) -> dict[str, Any]:
        """The venue's own books."""
        return self.sandbox.account_state(self.ids[account])

    def net(self, symbol: str = MNQ) -> int:
        positions = self.state(self.futures if symbol == MNQ else self.stocks)["positions"]
        return sum(position["netPos"] for position in positions if position["symbol"] == symbol)

    def working(self, symbol: str = MNQ) -> list[tuple[str, int, float]]:
        """(type, quantity left, price) of what the venue says is working, in order."""
        working = self.state(self.futures if symbol == MNQ else self.stocks)["workingOrders"]
        rows = [(o["orderType"], o["qty"], o["price"] if o["price"] is not None else o["stopPrice"]) for o in working]
        return sorted(rows)

    def entries(self, account: AccountRef | None = None) -> list[str]:
        """Client order ids of all orders that the venue took."""
        return [entry["clOrdId"] for entry in self.state(account or self.futures)["entries"]]

    def wait_cleared(self) -> None:
        """Every fault has been used up."""
        until(lambda: self.sandbox.faults() == [])

    def fault(self, kind: str, account: AccountRef | None = None, **params: Any) -> None:
        self.sandbox.fault(self.ids[account or self.futures], kind, **params)
