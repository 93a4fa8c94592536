"""Wire entities for tests, and a cache with its reporter to feed them to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from brokers.base import AccountRef
from brokers.reports import FillReport, OrderReport, Report
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.entities import EntityCache
from brokers.tradovate.joins import Joins
from brokers.tradovate.parse import entities_of
from brokers.tradovate.reports import Reporter

ID = "in_0123456789abcdef0123456789"
STAMP = "2026-10-01T14:00:00.045Z"
AT = datetime(2026, 10, 1, 14, tzinfo=UTC)
ACCOUNT = AccountRef("5001", "DEMO70001")
Change = tuple[str, dict[str, Any]]


class Desk:
    """A cache with its reporter; `feed` applies changes and returns what is reported."""

    def __init__(self) -> None:
        self.cache = EntityCache()
        self.exits: dict[int, str] = {}
        self.joins = Joins(self.cache, ContractBook(), self.exits)
        self.reporter = Reporter(self.joins)
        self.feed(("account", {"id": 5001, "name": "DEMO70001", "active": True}), ("contract", contract()))

    def feed(self, *changes: Change, now: float = 0.0) -> list[Report]:
        for entity_type, item in changes:
            for entity in entities_of(entity_type, item):
                self.cache.apply(entity)
        return self.reporter.take(now, AT)


def contract() -> dict[str, Any]:
    return {"id": 43, "name": "MNQZ6", "contractMaturityId": 1}


def order(order_id: int, status: str, action: str = "Buy", **more: Any) -> Change:
    base = {"id": order_id, "accountId": 5001, "contractId": 43, "timestamp": STAMP, "action": action}
    return "order", {**base, "ordStatus": status, **more}


def version(order_id: int, order_type: str = "Market", qty: int = 2, **prices: float) -> Change:
    terms = {"orderQty": qty, "orderType": order_type, "timeInForce": "Day"}
    return "orderVersion", {"id": order_id, "orderId": order_id, **terms, **prices}


def command(order_id: int, client_order_id: str | None = None, *, kind: str = "New", id_: int = 0) -> Change:
    named = {} if client_order_id is None else {"clOrdId": client_order_id}
    base = {"id": id_ or order_id, "orderId": order_id, "commandType": kind, "commandStatus": "Pending"}
    return "command", {**base, "timestamp": STAMP, **named}


def strategy(status: str = "ActiveStrategy", **more: Any) -> Change:
    base = {"id": 10, "accountId": 5001, "contractId": 43, "action": "Buy", "uuid": ID, "timestamp": STAMP}
    return "orderStrategy", {**base, "status": status, **more}


def link(order_id: int, label: str) -> Change:
    return "orderStrategyLink", {"id": order_id + 500, "orderStrategyId": 10, "orderId": order_id, "label": label}


def fill(fill_id: int, order_id: int, qty: int, price: float | None = 25000.0, action: str = "Buy") -> Change:
    base = {"id": fill_id, "orderId": order_id, "contractId": 43, "timestamp": STAMP, "action": action}
    return "fill", {**base, "qty": qty, "price": price}


def position(net: int, price: float | None, stamp: str = STAMP) -> Change:
    priced = {} if price is None else {"netPrice": price}
    return "position", {"id": 90, "accountId": 5001, "contractId": 43, "timestamp": stamp, "netPos": net, **priced}


BRACKETED_ENTRY: list[Change] = [
    strategy("InactiveStrategy"),
    strategy(),
    order(11, "Unknown"),
    command(11),
    version(11),
    order(11, "PendingNew"),
    link(11, "256"),
    order(11, "Working"),
    order(12, "Unknown", "Sell"),
    command(12),
    version(12, "Limit", price=25010.0),
    order(12, "Suspended", "Sell"),
    link(12, "0"),
    order(13, "Unknown", "Sell"),
    command(13),
    version(13, "Stop", stopPrice=24987.5),
    order(13, "Suspended", "Sell"),
    link(13, "0"),
    fill(14, 11, 1, 25000.0),
    fill(15, 11, 1, 25000.25),
    order(11, "Filled"),
    position(2, 25000.125),
    order(12, "Working", "Sell"),
    order(13, "Working", "Sell"),
]


def orders(reports: list[Report]) -> dict[str, OrderReport]:
    return {report.broker_order_id: report for report in reports if isinstance(report, OrderReport)}


def fills(reports: list[Report]) -> list[FillReport]:
    return [report for report in reports if isinstance(report, FillReport)]
