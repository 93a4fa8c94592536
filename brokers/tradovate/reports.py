"""Which reports are due after a frame: every state once, and no half-joined order.

An order is *settled* when it is known whose it is and the venue has taken it, or refused it with a reason. Until
then its report waits, at most a second: the parts arrive within milliseconds of each other, and a bracket leg without
its link would look like a stranger's order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from brokers.base import OrderRole
from brokers.reports import BalanceReport, FillReport, OrderReport, PositionReport, Report, SyncReport
from brokers.tradovate.joins import Joins
from brokers.tradovate.types import Order

HOLD_SECONDS = 1.0


class Reporter:
    """Takes the changes of a cache; belongs to the cache's thread. `now` is monotonic seconds everywhere."""

    def __init__(self, joins: Joins) -> None:
        self._joins = joins
        self._cache = joins.cache
        self._held_since: dict[int, float] = {}
        self._told: dict[int, OrderReport] = {}

    def take(self, now: float, at: datetime) -> list[Report]:
        """Reports that are due; `at` stamps orders, which carry no time of change. What is not settled stays."""
        cache = self._cache
        reports: list[Report] = []
        if cache.changed_orders:
            reports.extend(self._due_orders(now, at))
        if cache.changed_strategies:
            reports.extend(self._due_failures(now, at))
        if cache.changed_fills:
            reports.extend(self._due_fills())
        if cache.changed_positions:
            reports.extend(self._due_positions())
        if cache.changed_balances:
            reports.extend(self._due_balances())
        return reports

    def snapshot(self, at: datetime) -> SyncReport:
        """Everything, which thereby counts as told."""
        report = self._joins.sync_report(at)
        self._told = {int(order.broker_order_id): order for order in report.orders}
        self._cache.forget_changes()
        return report

    def whole(self, at: datetime) -> SyncReport:
        """A snapshot in the middle of a session: what is not in it, because a part is missing, waits on."""
        fills, strategies = self.orphans(), dict(self._cache.changed_strategies)
        report = self.snapshot(at)
        self._cache.changed_fills.update(fills)
        self._cache.changed_strategies.update(strategies)
        return report

    def waiting(self) -> bool:
        return self.settles_soon() or bool(self._cache.changed_fills or self._cache.changed_strategies)

    def settles_soon(self) -> bool:
        """Whether something waits that is told within a second, whatever comes."""
        return bool(self._cache.changed_orders or self._cache.changed_positions)

    def missing_contracts(self) -> set[int]:
        """Contracts that reports wait for."""
        return self._joins.missing_contracts() if self.waiting() else set()

    def missing_orders(self) -> set[int]:
        """Orders that fills wait for."""
        return {self._cache.fills[fill_id].order_id for fill_id in self.orphans()}

    def orphans(self) -> dict[int, None]:
        """Fills that wait for their orders."""
        fills, orders = self._cache.fills, self._cache.orders
        return {fill_id: None for fill_id in self._cache.changed_fills if fills[fill_id].order_id not in orders}

    def _due_orders(self, now: float, at: datetime) -> Iterator[OrderReport]:
        changed, self._cache.changed_orders = self._cache.changed_orders, {}
        for order_id in changed:
            order = self._cache.orders.get(order_id)
            if order is None:
                continue
            report = self._joins.order_report(order, at)
            if report is None or not (self._settled(order, report) or self._waited(order_id, now)):
                self._cache.changed_orders[order_id] = None
                continue
            self._held_since.pop(order_id, None)
            told = self._told.get(order_id)
            if told is None or replace(told, at=at) != report:
                self._told[order_id] = report
                yield report

    def _due_failures(self, now: float, at: datetime) -> Iterator[OrderReport]:
        changed, self._cache.changed_strategies = self._cache.changed_strategies, {}
        for strategy_id in changed:
            strategy = self._cache.strategies[strategy_id]
            if strategy_id not in self._cache.orphan_strategies:
                continue
            report = self._joins.failed_entry(strategy, at)
            if report is None or not self._waited(strategy_id, now):
                self._cache.changed_strategies[strategy_id] = None
                continue
            self._held_since.pop(strategy_id, None)
            yield report

    def _due_fills(self) -> Iterator[FillReport]:
        changed, self._cache.changed_fills = self._cache.changed_fills, {}
        for fill_id in changed:
            fill = self._cache.fills[fill_id]
            report = self._joins.fill_report(fill)
            if report is None or fill.order_id not in self._told:
                self._cache.changed_fills[fill_id] = None
            else:
                yield report

    def _due_positions(self) -> Iterator[PositionReport]:
        changed, self._cache.changed_positions = self._cache.changed_positions, {}
        for key in changed:
            position = self._cache.positions[key]
            report = self._joins.position_report(position)
            if report is None:
                self._cache.changed_positions[key] = None
            else:
                yield report

    def _due_balances(self) -> Iterator[BalanceReport]:
        changed, self._cache.changed_balances = self._cache.changed_balances, {}
        for account_id in changed:
            yield self._joins.balance_report(self._cache.balances[account_id])

    def _settled(self, order: Order, report: OrderReport) -> bool:
        if order.status in ("Unknown", "PendingNew"):
            return False
        if order.status == "Rejected" and not report.reject_code:
            return False
        return report.role is not OrderRole.EXTERNAL

    def _waited(self, entity_id: int, now: float) -> bool:
        return now - self._held_since.setdefault(entity_id, now) >= HOLD_SECONDS
