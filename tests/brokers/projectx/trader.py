"""A ProjectX login as a test drives it, and every event that it is told."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import TypeVar
from uuid import UUID, uuid4

from brokers.access import Access, Budget, Credentials, Endpoints, Unlimited
from brokers.base import (
    CHANGE_PREFIX,
    AccountRef,
    BracketLeg,
    CancelOrder,
    ConnectionState,
    FlattenPosition,
    ModifyOrder,
    OrderRole,
    OrderStatus,
    OrderType,
    Request,
    Side,
    SubmitOrder,
)
from brokers.connector import Backoff
from brokers.projectx.adapter import ProjectXConnection
from brokers.projectx.contracts import ContractBook
from brokers.reports import (
    Accepted,
    ConnectionReport,
    Event,
    FillReport,
    NotSent,
    OrderReport,
    Outcome,
    PositionReport,
    Rejected,
    Sent,
    Unknown,
)
from brokers.sandbox.testing import RunningSandbox, SandboxAccount
from brokers.streams import StreamLoop
from tests.brokers.projectx.frames import SYMBOL
from tests.brokers.scripted import until
from tests.brokers.tradovate.stores import MemoryStore

PRICE = 25_000
_serial = itertools.count(1)
_E = TypeVar("_E", bound=Event)
OUTCOMES = (Accepted, Rejected, NotSent, Unknown)


@cache
def _loop() -> StreamLoop:
    """One for all: each would load the certificate store anew."""
    loop = StreamLoop(name="tests", backoff=Backoff(first=0.01, most=0.05))
    loop.start()
    return loop


class Client:
    """A connection, and every event that it is told."""

    def __init__(self, endpoints: Endpoints, username: str, api_key: str, budget: Budget | None = None) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()
        self.loop = _loop()
        self.store = MemoryStore()
        self.login_id = uuid4()
        credentials = Credentials("projectx", "live", username, "device-1", {"password": api_key})
        access = Access(credentials, endpoints, self.store, budget or Unlimited())
        self.connection = ProjectXConnection(self.login_id, access, self._sink, self.loop, ContractBook())

    def _sink(self, login_id: UUID, events: Sequence[Event]) -> None:
        assert login_id == self.login_id
        with self._lock:
            self.events.extend(events)

    def heard(self, *kinds: type[_E]) -> list[_E]:
        with self._lock:
            return [event for event in self.events if isinstance(event, kinds)]

    def wait(self, kind: type[_E], count: int = 1, seconds: float = 5.0) -> list[_E]:
        """The events of this kind, as soon as there are `count`."""
        until(lambda: len(self.heard(kind)) >= count, seconds)
        return self.heard(kind)

    def live(self) -> None:
        self.connection.start()
        self.wait_state(ConnectionState.LIVE)

    def wait_state(self, state: ConnectionState, seconds: float = 5.0) -> None:
        until(lambda: self.connection.state is state, seconds)

    def states(self) -> list[ConnectionState]:
        return [report.state for report in self.heard(ConnectionReport)]

    def outcome(self, name: str) -> Outcome:
        """The one outcome of this client id."""
        return until(lambda: next((o for o in self.outcomes() if o.client_order_id == name), None))  # type: ignore[return-value]

    def outcomes(self) -> list[Outcome]:
        with self._lock:
            return [event for event in self.events if isinstance(event, OUTCOMES)]

    def sent(self) -> list[str]:
        return [event.client_order_id for event in self.heard(Sent)]

    def close(self) -> None:
        self.connection.stop()


class Trader:
    """One account of a venue with its connection."""

    def __init__(self, client: Client, ref: AccountRef) -> None:
        self.client = client
        self.ref = ref

    def submit(self, side: Side = Side.BUY, qty: int = 1, prefix: str = "test-", **terms: object) -> str:
        name = f"{prefix}{next(_serial):022d}".ljust(26, "x")
        self.put(SubmitOrder(name, self.ref, SYMBOL, side, qty, **terms))  # type: ignore[arg-type]
        return name

    def enter(self, side: Side = Side.BUY, qty: int = 1, target: int | None = 10, stop: int | None = 20) -> str:
        distances = [None if points is None else Decimal(points) for points in (target, stop)]
        return self.submit(side, qty, bracket=(BracketLeg(qty, *distances),))

    def rest(self, price: int, side: Side = Side.BUY, qty: int = 1) -> str:
        """A limit order."""
        return self.submit(side, qty, order_type=OrderType.LIMIT, price=Decimal(price))

    def flatten(self) -> str:
        name = f"X-flat{next(_serial):022d}"
        self.put(FlattenPosition(name, self.ref, SYMBOL))
        return name

    def change(self, order: OrderReport, qty: int | None = None, **prices: Decimal) -> str:
        """Submit an order's terms anew, these instead of its own; the change's client id."""
        assert order.order_type is not None
        own = {"price": order.price, "stop_price": order.stop_price}
        name = f"{CHANGE_PREFIX}{next(_serial):026d}"
        terms = {**own, **prices}
        self.put(ModifyOrder(name, self.ref, order.broker_order_id, qty or order.qty or 0, order.order_type, **terms))
        return name

    def cancel(self, order: OrderReport) -> str:
        name = f"{CHANGE_PREFIX}{next(_serial):026d}"
        self.put(CancelOrder(name, self.ref, order.broker_order_id))
        return name

    def put(self, request: Request) -> None:
        self.client.connection.submit([request])

    def accepted(self, name: str) -> Accepted:
        outcome = self.client.outcome(name)
        assert isinstance(outcome, Accepted), outcome
        return outcome

    def rejected(self, name: str) -> Rejected:
        outcome = self.client.outcome(name)
        assert isinstance(outcome, Rejected), outcome
        return outcome

    def unknown(self, name: str) -> Unknown:
        outcome = self.client.outcome(name)
        assert isinstance(outcome, Unknown), outcome
        return outcome

    def not_sent(self, name: str) -> NotSent:
        outcome = self.client.outcome(name)
        assert isinstance(outcome, NotSent), outcome
        return outcome

    def orders(self) -> dict[str, OrderReport]:
        return {report.broker_order_id: report for report in self.client.heard(OrderReport)}

    def order(self, role: OrderRole, status: OrderStatus) -> OrderReport:
        """The order of this role, once its newest report has this status."""

        def found() -> OrderReport | None:
            return next((o for o in self.orders().values() if o.role is role and o.status is status), None)

        report = until(found)
        assert report is not None
        return report

    def net_told(self) -> int | None:
        told = self.client.heard(PositionReport)
        return told[-1].net_qty if told else None

    def filled(self) -> int:
        return sum(fill.side.sign * fill.qty for fill in self.client.heard(FillReport))


class SandboxTrader(Trader):
    """An account of the sandbox venue."""

    def __init__(self, sandbox: RunningSandbox, account: SandboxAccount, budget: Budget | None = None) -> None:
        endpoints = Endpoints(sandbox.rest_url, sandbox.ws_url, sandbox.md_url)
        client = Client(endpoints, account.username, account.password, budget)
        super().__init__(client, AccountRef(str(account.id), account.name))
        self.sandbox = sandbox
        self.id = account.id
        self.username = account.username

    def live(self) -> SandboxTrader:
        self.client.live()
        return self

    def at_venue(self) -> list[tuple[str, int, float]]:
        """(type, quantity left, price) of what the venue says is working, in order."""
        working = self.sandbox.account_state(self.id)["workingOrders"]
        priced = [(o["orderType"], o["qty"], o["price"] if o["price"] is not None else o["stopPrice"]) for o in working]
        return sorted(priced)

    def net(self) -> int:
        """The venue's own position."""
        return sum(position["netPos"] for position in self.sandbox.account_state(self.id)["positions"])

    def entries(self) -> int:
        """How many orders the venue itself says were entered."""
        entries: list[object] = self.sandbox.account_state(self.id)["entries"]
        return len(entries)

    def fault(self, kind: str, **params: object) -> None:
        self.sandbox.fault(self.id, kind, **params)


def logins(trader: SandboxTrader, since: float) -> int:
    """How often the login has signed in since then."""
    arrivals = trader.sandbox.arrivals(since)
    return len([a for a in arrivals if (a["endpoint"], a["username"]) == ("auth/loginkey", trader.username)])
