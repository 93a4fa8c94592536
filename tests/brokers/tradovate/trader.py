"""A follower of the sandbox venue, as a test drives it."""

from __future__ import annotations

import itertools
from decimal import Decimal

from brokers.base import (
    CHANGE_PREFIX,
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
    SubmitOco,
    SubmitOrder,
)
from brokers.reports import Accepted, NotSent, OrderReport, PositionReport, Rejected, Unknown
from brokers.sandbox.testing import RunningSandbox, SandboxAccount
from brokers.venue import Connect
from tests.brokers.scripted import until
from tests.brokers.tradovate.venue import Client

SYMBOL = "MNQZ6"
PRICE = 25_000
_serial = itertools.count(1)


class Trader:
    """One account of the sandbox with its live connection."""

    def __init__(self, sandbox: RunningSandbox, account: SandboxAccount, connect: Connect | None = None) -> None:
        self.sandbox = sandbox
        self.id = account.id
        self.ref = AccountRef(str(account.id), account.name)
        self.account = account
        self.client = Client(
            sandbox.rest_url,
            sandbox.ws_url,
            username=account.username,
            password=account.password,
            connect=connect,
        )

    def live(self) -> Trader:
        self.client.connection.start()
        self.client.wait_state(ConnectionState.LIVE)
        return self

    def enter(self, side: Side = Side.BUY, qty: int = 1, target: int | None = 10, stop: int | None = 20) -> str:
        """Submit a bracketed market entry; its client order id."""
        distances = [None if points is None else Decimal(points) for points in (target, stop)]
        return self.submit(bracket=(BracketLeg(qty, *distances),), side=side, qty=qty)

    def submit(self, side: Side = Side.BUY, qty: int = 1, symbol: str = SYMBOL, **terms: object) -> str:
        client_order_id = f"test-{next(_serial):022d}"
        order = SubmitOrder(client_order_id, self.ref, symbol, side, qty, **terms)  # type: ignore[arg-type]
        self.client.connection.submit([order])
        return client_order_id

    def flatten(self) -> str:
        client_order_id = f"flat-{next(_serial):022d}"
        self.client.connection.submit([FlattenPosition(client_order_id, self.ref, SYMBOL)])
        return client_order_id

    def protect(self, side: Side, qty: int, target: int, stop: int) -> SubmitOco:
        """Submit a pair of exits at these prices."""
        names = [f"{prefix}{next(_serial):026d}" for prefix in (TARGET_PREFIX, STOP_PREFIX)]
        pair = SubmitOco(names[0], names[1], self.ref, SYMBOL, side, qty, Decimal(target), Decimal(stop))
        self.client.connection.submit([pair])
        return pair

    def change(self, order: OrderReport, qty: int | None = None, **prices: Decimal) -> str:
        """Submit an order's terms anew, these instead of its own; the change's client order id."""
        assert order.order_type is not None
        assert order.qty is not None
        own = (
            {}
            if order.order_type is OrderType.TRAILING_STOP
            else {"price": order.price, "stop_price": order.stop_price}
        )
        name = f"{CHANGE_PREFIX}{next(_serial):026d}"
        change = ModifyOrder(
            name, self.ref, order.broker_order_id, qty or order.qty, order.order_type, **{**own, **prices}
        )
        self.client.connection.submit([change])
        return name

    def cancel(self, order: OrderReport) -> None:
        name = f"{CHANGE_PREFIX}{next(_serial):026d}"
        self.client.connection.submit([CancelOrder(name, self.ref, order.broker_order_id)])

    def newest(self, order: OrderReport) -> OrderReport:
        return self.orders()[order.broker_order_id]

    def at_venue(self) -> list[tuple[str, int, float]]:
        """(type, quantity left, price) of what the venue says is working, in order."""
        working = self.sandbox.account_state(self.id)["workingOrders"]
        priced = [(o["orderType"], o["qty"], o["price"] if o["price"] is not None else o["stopPrice"]) for o in working]
        return sorted(priced)

    def net(self) -> int:
        """The venue's own position."""
        return sum(position["netPos"] for position in self.sandbox.account_state(self.id)["positions"])

    def orders(self) -> dict[str, OrderReport]:
        return {report.broker_order_id: report for report in self.client.heard(OrderReport)}

    def order(self, role: OrderRole, status: OrderStatus) -> OrderReport:
        """The order of this role, once its newest report has this status."""

        def found() -> OrderReport | None:
            return next((o for o in self.orders().values() if o.role is role and o.status is status), None)

        until(found)
        report = found()
        assert report is not None
        return report

    def wait_flat(self) -> None:
        until(lambda: self.client.heard(PositionReport) and self.client.heard(PositionReport)[-1].net_qty == 0)

    def entries(self) -> int:
        """How many orders the venue itself says were entered."""
        entries: list[object] = self.sandbox.account_state(self.id)["entries"]
        return len(entries)

    def fault(self, kind: str, **params: object) -> None:
        self.sandbox.fault(self.id, kind, **params)


def outcomes(trader: Trader) -> list[object]:
    return trader.client.heard((Accepted, Rejected, NotSent, Unknown))  # type: ignore[arg-type]
