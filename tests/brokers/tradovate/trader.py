"""A follower of the sandbox venue, as a test drives it."""

from __future__ import annotations

import itertools
from decimal import Decimal

from brokers.base import (
    AccountRef,
    BracketLeg,
    ConnectionState,
    FlattenPosition,
    OrderRole,
    OrderStatus,
    Side,
    SubmitOrder,
)
from brokers.reports import Accepted, NotSent, OrderReport, PositionReport, Rejected, Unknown
from brokers.sandbox.testing import RunningSandbox, SandboxAccount
from tests.brokers.scripted import until
from tests.brokers.tradovate.venue import Client

SYMBOL = "MNQZ6"
PRICE = 25_000
_serial = itertools.count(1)


class Trader:
    """One account of the sandbox with its live connection."""

    def __init__(self, sandbox: RunningSandbox, account: SandboxAccount) -> None:
        self.sandbox = sandbox
        self.id = account.id
        self.ref = AccountRef(str(account.id), account.name)
        self.client = Client(sandbox.rest_url, sandbox.ws_url, username=account.username, password=account.password)

    def live(self) -> Trader:
        self.client.connection.start()
        self.client.wait_state(ConnectionState.LIVE)
        return self

    def enter(self, side: Side = Side.BUY, qty: int = 1, target: int | None = 10, stop: int | None = 20) -> str:
        """Submit a bracketed market entry; its client order id."""
        distances = [None if points is None else Decimal(points) for points in (target, stop)]
        return self.submit(bracket=(BracketLeg(qty, *distances),), side=side, qty=qty)

    def submit(self, side: Side = Side.BUY, qty: int = 1, **terms: object) -> str:
        client_order_id = f"test-{next(_serial):022d}"
        order = SubmitOrder(client_order_id, self.ref, SYMBOL, side, qty, **terms)  # type: ignore[arg-type]
        self.client.connection.submit([order])
        return client_order_id

    def flatten(self) -> str:
        client_order_id = f"flat-{next(_serial):022d}"
        self.client.connection.submit([FlattenPosition(client_order_id, self.ref, SYMBOL)])
        return client_order_id

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
