"""A paper account, its market and its clock, as a test drives them."""

from __future__ import annotations

import gc
import itertools
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

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
    Request,
    Side,
    SubmitOco,
    SubmitOrder,
)
from brokers.paper.connection import PaperConnection, PaperLogin
from brokers.paper.floor import Floor
from brokers.paper.house import House
from brokers.paper.store import MemoryStore, PaperStore
from brokers.paper.terms import Terms
from brokers.quotes.quote import Quote
from brokers.reports import (
    Accepted,
    BalanceReport,
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
from tests.brokers.scripted import until

SYMBOL = "MNQZ6"
PRICE = 25_000
TICK = Decimal("0.25")
OPENING_HOURS = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
THANKSGIVING_EVENING = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)  # the hour's break of every day
_serial = itertools.count(1)
_E = TypeVar("_E")
Outcomes = (Accepted, Rejected, NotSent, Unknown)


class Market:
    """Quotes and the time of day; the floor looks at every change of either."""

    def __init__(self) -> None:
        self.now = OPENING_HOURS
        self.quotes: dict[str, Quote] = {}
        self.asked: set[str] = set()
        self.house = House(quotes=self._read, want=self.asked.update)
        self.floor = Floor(self.house)

    def _read(self, symbols: Iterable[str], _source: str) -> Mapping[str, Quote]:
        return {symbol: self.quotes[symbol] for symbol in list(symbols) if symbol in self.quotes}

    def clock(self) -> datetime:
        return self.now

    def price(self, last: Decimal | float, *, spread: Decimal = TICK, symbol: str = SYMBOL) -> None:
        """A new quote: the bid is the last price, the ask one tick above it."""
        price = Decimal(str(last))
        self.quotes[symbol] = Quote(symbol, price, price, price + spread, self.now, "scripted/live")
        self.floor.look_now()

    def silence(self) -> None:
        self.quotes.clear()
        self.wait(seconds=30)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.floor.look_now()


class Trader:
    """One paper login with its connection; `store` may be the books of an earlier one."""

    def __init__(
        self,
        market: Market,
        terms: Terms | None = None,
        store: PaperStore | None = None,
    ) -> None:
        self.market = market
        self.store = MemoryStore() if store is None else store
        self.ref = AccountRef("PAPER-1", "Paper")
        self.events: list[Event] = []
        self._lock = threading.Lock()
        login = PaperLogin(uuid.uuid4(), self.ref, terms or Terms(), "paper/demo")
        self.connection = PaperConnection(login, self.store, market.floor, self._sink, market.clock)

    def _sink(self, _login_id: uuid.UUID, events: Sequence[Event]) -> None:
        with self._lock:
            self.events += events

    def live(self) -> Trader:
        self.connection.start()
        until(lambda: self.heard(SyncReport))
        return self

    def heard(self, kind: type[_E]) -> list[_E]:
        with self._lock:
            return [event for event in self.events if isinstance(event, kind)]

    # Requests

    def send(self, request: Request) -> str:
        self.connection.submit([request])
        return request.client_order_id

    def submit(
        self, side: Side = Side.BUY, qty: int = 1, *, name: str = "", symbol: str = SYMBOL, **terms: object
    ) -> str:
        client_order_id = name or f"test-{next(_serial):022d}"
        return self.send(SubmitOrder(client_order_id, self.ref, symbol, side, qty, **terms))  # type: ignore[arg-type]

    def limit(self, price: float, side: Side = Side.BUY, qty: int = 1) -> str:
        return self.submit(side, qty, order_type=OrderType.LIMIT, price=Decimal(str(price)))

    def enter(self, qty: int = 1, side: Side = Side.BUY, *legs: BracketLeg) -> str:
        """A market entry, filled."""
        name = self.submit(side, qty, bracket=legs)
        self.order_called(name, OrderStatus.FILLED)
        return name

    def exit(self, side: Side = Side.SELL, qty: int = 1) -> str:
        return self.submit(side, qty, name=f"{EXIT_PREFIX}{next(_serial):026d}")

    def flatten(self) -> str:
        return self.send(FlattenPosition(f"flat-{next(_serial):022d}", self.ref, SYMBOL))

    def protect(self, target: float, stop: float, side: Side = Side.SELL, qty: int = 1) -> SubmitOco:
        names = [f"{prefix}{next(_serial):026d}" for prefix in (TARGET_PREFIX, STOP_PREFIX)]
        prices = Decimal(str(target)), Decimal(str(stop))
        pair = SubmitOco(names[0], names[1], self.ref, SYMBOL, side, qty, *prices)
        self.send(pair)
        return pair

    def change(self, order: OrderReport, qty: int | None = None, **prices: Decimal) -> str:
        """State an order's terms anew, these instead of its own."""
        assert order.order_type is not None
        assert order.qty is not None
        is_trailing = order.order_type is OrderType.TRAILING_STOP
        own = {} if is_trailing else {"price": order.price, "stop_price": order.stop_price}
        name = f"{CHANGE_PREFIX}{next(_serial):026d}"
        terms = {**own, **prices}
        return self.send(
            ModifyOrder(name, self.ref, order.broker_order_id, qty or order.qty, order.order_type, **terms)
        )

    def cancel(self, order: OrderReport) -> str:
        return self.send(CancelOrder(f"{CHANGE_PREFIX}{next(_serial):026d}", self.ref, order.broker_order_id))

    # What was heard

    def outcome(self, name: str) -> Accepted | Rejected | NotSent | Unknown:
        """The one outcome of a request."""

        def found() -> list[Accepted | Rejected | NotSent | Unknown]:
            every = [*self.heard(Accepted), *self.heard(Rejected), *self.heard(NotSent), *self.heard(Unknown)]
            return [one for one in every if one.client_order_id == name]

        until(found)
        assert len(found()) == 1
        return found()[0]

    def refusal(self, name: str) -> tuple[str, str]:
        outcome = self.outcome(name)
        assert isinstance(outcome, Rejected), outcome
        return outcome.code, outcome.text

    def orders(self) -> dict[str, OrderReport]:
        """The newest report of each order."""
        return {report.broker_order_id: report for report in self.heard(OrderReport)}

    def order(self, role: OrderRole, status: OrderStatus) -> OrderReport:
        return self._until_order(lambda report: report.role is role and report.status is status)

    def order_called(self, name: str, status: OrderStatus) -> OrderReport:
        return self._until_order(lambda report: report.client_order_id == name and report.status is status)

    def _until_order(self, fits: object) -> OrderReport:
        assert callable(fits)
        return until(lambda: next((report for report in self.orders().values() if fits(report)), None))  # type: ignore[return-value]

    def working(self) -> list[tuple[str, int, Decimal | None]]:
        """(type, quantity, price) of what the venue says is working."""
        orders = self.connection.query(self.ref).orders
        live = [order for order in orders if order.status in {OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED}]
        return sorted((str(o.order_type), o.qty or 0, o.price if o.price is not None else o.stop_price) for o in live)  # type: ignore[type-var]

    def net(self) -> int:
        """The venue's own position."""
        return sum(position.net_qty for position in self.connection.query(self.ref).positions)

    def cash(self) -> Decimal:
        return self.connection.query(self.ref).balances[0].cash

    def fills(self) -> list[tuple[Side, int, Decimal | None]]:
        return [(fill.side, fill.qty, fill.price) for fill in self.heard(FillReport)]

    def wait_flat(self) -> None:
        until(lambda: self.heard(PositionReport) and self.heard(PositionReport)[-1].net_qty == 0)

    def wait_state(self, state: ConnectionState) -> None:
        until(lambda: state in [report.state for report in self.heard(ConnectionReport)][-1:])

    def settled(self) -> None:
        """Everything sent and quoted before this has been worked on."""
        self.outcome(self.send(CancelOrder(f"{CHANGE_PREFIX}{next(_serial):026d}", self.ref, "0")))

    def balances(self) -> list[Decimal]:
        return [report.cash for report in self.heard(BalanceReport)]


def let_threads_end() -> None:
    """A database cannot be dropped while a thread that is gone still holds a connection to it."""
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("paper")])
    gc.collect()
