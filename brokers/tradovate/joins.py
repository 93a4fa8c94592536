"""Joins a login's entities to the venue-neutral values of `brokers.base`.

Whose an order is: `orderStrategyLink` leads to the strategy, whose uuid is our id (the order that trades in the
strategy's own direction is the entry, the others are its legs); `parentId` leads to the entry of an OSO; else the
New command's clOrdId is our id, which tells what the order is for (Tradovate wire facts, entities, event sequences).
"""

from __future__ import annotations

from datetime import datetime

from brokers.base import AccountRef, OrderRole, OrderStatus, OrderType, Side, role_of
from brokers.reports import BalanceReport, FillReport, OrderReport, PositionReport, SyncReport
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.entities import EntityCache
from brokers.tradovate.types import CashBalance, Fill, Order, Position, Strategy

_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_STATUSES = {
    "Unknown": OrderStatus.SUBMITTING,
    "PendingNew": OrderStatus.SUBMITTING,
    "Suspended": OrderStatus.SUSPENDED,
    "Working": OrderStatus.WORKING,
    "PendingReplace": OrderStatus.WORKING,
    "PendingCancel": OrderStatus.PENDING_CANCEL,
    "Filled": OrderStatus.FILLED,
    "Canceled": OrderStatus.CANCELED,
    "Rejected": OrderStatus.REJECTED,
    "Expired": OrderStatus.EXPIRED,
}
_TYPES = {
    "Market": OrderType.MARKET,
    "Limit": OrderType.LIMIT,
    "Stop": OrderType.STOP,
    "StopLimit": OrderType.STOP,
    "TrailingStop": OrderType.TRAILING_STOP,
    "TrailingStopLimit": OrderType.TRAILING_STOP,
}


class Joins:
    """`exits` maps the order ids of our flattens to their client order ids: their commands carry none."""

    def __init__(self, cache: EntityCache, book: ContractBook, exits: dict[int, str]) -> None:
        self.cache = cache
        self._book = book
        self._exits = exits

    def symbol(self, contract_id: int | None) -> str | None:
        if contract_id is None:
            return None
        return self.cache.contracts.get(contract_id) or self._book.name_of(contract_id)

    def missing_contracts(self) -> set[int]:
        """Contract ids of orders, fills and positions whose names we do not know yet."""
        cache = self.cache
        ids = {order.contract_id for order in cache.orders.values()}
        ids |= {fill.contract_id for fill in cache.fills.values()}
        ids |= {position.contract_id for position in cache.positions.values()}
        return {contract_id for contract_id in ids if contract_id is not None and self.symbol(contract_id) is None}

    def identity(self, order: Order) -> tuple[str | None, str | None, OrderRole]:
        """Client order id, parent's client order id, and role."""
        if order.id in self._exits:
            return self._exits[order.id], None, OrderRole.EXIT
        strategy = self.cache.strategies.get(self.cache.strategy_of_order.get(order.id, 0))
        if strategy is not None and strategy.uuid is not None:
            if order.action == strategy.action:
                return strategy.uuid, None, OrderRole.ENTRY
            return None, strategy.uuid, self._leg_role(order)
        own = self.cache.client_ids.get(order.id)
        parent = self.cache.client_ids.get(order.parent_id) if order.parent_id is not None else None
        if parent is not None:
            return own, parent, self._leg_role(order)
        return own, None, OrderRole.EXTERNAL if own is None else role_of(own)

    def order_report(self, order: Order, at: datetime) -> OrderReport | None:
        """None while the contract's name is not known."""
        symbol = self.symbol(order.contract_id)
        if symbol is None:
            return None
        client_order_id, parent_client_order_id, role = self.identity(order)
        version = self.cache.versions.get(order.id)
        refusal = self.cache.refusals.get(order.id) if order.status == "Rejected" else None
        return OrderReport(
            account=self._account(order.account_id),
            broker_order_id=str(order.id),
            status=self._status(order),
            side=_SIDES[order.action],
            symbol=symbol,
            at=at,
            role=role,
            client_order_id=client_order_id,
            parent_client_order_id=parent_client_order_id,
            order_type=_TYPES.get(version.order_type) if version is not None else None,
            qty=version.qty if version is not None else None,
            price=version.price if version is not None else None,
            stop_price=version.stop_price if version is not None else None,
            reject_code=refusal.code if refusal is not None else "",
            reject_text=refusal.text if refusal is not None else "",
            bracket_index=self.cache.bracket_index.get(order.id),
        )

    def failed_entry(self, strategy: Strategy, at: datetime) -> OrderReport | None:
        """A strategy that failed without making an order, as the rejected entry it would have been."""
        symbol = self.symbol(strategy.contract_id)
        if symbol is None or strategy.uuid is None:
            return None
        return OrderReport(
            account=self._account(strategy.account_id),
            broker_order_id=f"strategy-{strategy.id}",
            status=OrderStatus.REJECTED,
            side=_SIDES[strategy.action],
            symbol=symbol,
            at=at,
            role=OrderRole.ENTRY,
            client_order_id=strategy.uuid,
            reject_code=strategy.status,
            reject_text=strategy.failure,
        )

    def fill_report(self, fill: Fill) -> FillReport | None:
        """None while the fill's order or contract is not known: a fill does not name its account."""
        order = self.cache.orders.get(fill.order_id)
        symbol = self.symbol(fill.contract_id)
        if order is None or symbol is None:
            return None
        return FillReport(
            account=self._account(order.account_id),
            broker_fill_id=str(fill.id),
            broker_order_id=str(fill.order_id),
            symbol=symbol,
            side=_SIDES[fill.action],
            qty=fill.qty,
            price=fill.price,
            at=fill.at,
        )

    def position_report(self, position: Position) -> PositionReport | None:
        symbol = self.symbol(position.contract_id)
        if symbol is None:
            return None
        average = None if position.net == 0 else position.avg_price
        return PositionReport(self._account(position.account_id), symbol, position.net, average, position.at)

    def balance_report(self, balance: CashBalance) -> BalanceReport:
        return BalanceReport(self._account(balance.account_id), balance.amount, balance.at)

    def sync_report(self, at: datetime, account_id: int | None = None) -> SyncReport:
        """The whole cache, or one account of it. Contracts must be known: see `missing_contracts`."""
        cache = self.cache
        accounts = [a for a in cache.accounts.values() if a.open and account_id in (None, a.id)]
        ids = {account.id for account in accounts}
        orders = [self.order_report(order, at) for order in cache.orders.values() if order.account_id in ids]
        of_ids = {order.id for order in cache.orders.values() if order.account_id in ids}
        fills = [self.fill_report(fill) for fill in cache.fills.values() if fill.order_id in of_ids]
        positions = [self.position_report(p) for p in cache.positions.values() if p.account_id in ids]
        return SyncReport(
            at,
            tuple(AccountRef(str(account.id), account.name) for account in accounts),
            tuple(report for report in orders if report is not None),
            tuple(report for report in fills if report is not None),
            tuple(report for report in positions if report is not None),
            tuple(self.balance_report(balance) for key, balance in cache.balances.items() if key in ids),
        )

    def _account(self, account_id: int) -> AccountRef:
        account = self.cache.accounts.get(account_id)
        return AccountRef(str(account_id), account.name if account is not None else "")

    def _leg_role(self, order: Order) -> OrderRole:
        version = self.cache.versions.get(order.id)
        return OrderRole.TARGET if version is not None and version.order_type == "Limit" else OrderRole.STOP

    def _status(self, order: Order) -> OrderStatus:
        version = self.cache.versions.get(order.id)
        filled = self.cache.filled_qty(order.id)
        if order.status == "Completed":
            return OrderStatus.FILLED if version is not None and filled >= version.qty else OrderStatus.EXPIRED
        status = _STATUSES.get(order.status, OrderStatus.SUBMITTING)
        # The venue has no word for it: a partially filled order stays Working.
        partly = version is not None and 0 < filled < version.qty
        return OrderStatus.PARTIALLY_FILLED if partly and status is OrderStatus.WORKING else status
