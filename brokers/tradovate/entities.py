"""What one login's stream has told us, by id: applying the same entity twice changes nothing.

Tradovate spreads an order over entities that arrive in any order. This cache keeps them and knows which orders,
fills and positions changed; `reports` joins them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brokers.tradovate.types import (
    Account,
    CashBalance,
    Command,
    Contract,
    Entity,
    Fill,
    Order,
    OrderVersion,
    Position,
    Refusal,
    Strategy,
    StrategyLink,
)

_PROGRESS = {"Unknown": 0, "PendingNew": 0, "Suspended": 1, "Working": 2}
FAILED_STRATEGIES = frozenset({"ExecutionFailed", "NotEnoughLiquidity"})
TERMINAL = frozenset({"Filled", "Canceled", "Rejected", "Expired", "Completed"})


class EntityCache:
    """Owned by one thread. `changed_*` collect ids until the reporter takes them."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.contracts: dict[int, str] = {}
        self.orders: dict[int, Order] = {}
        self.versions: dict[int, OrderVersion] = {}
        self.client_ids: dict[int, str] = {}
        self.order_of_command: dict[int, int] = {}
        self.refusals: dict[int, Refusal] = {}
        self.strategies: dict[int, Strategy] = {}
        self.strategy_of_order: dict[int, int] = {}
        self.bracket_index: dict[int, int] = {}
        self.orders_of_strategy: dict[int, list[int]] = {}
        self.orphan_strategies: dict[int, Strategy] = {}
        self.children: dict[int, list[int]] = {}
        self.fills: dict[int, Fill] = {}
        self.fills_of_order: dict[int, list[int]] = {}
        self.priceless: set[int] = set()
        self.positions: dict[tuple[int, int], Position] = {}
        self.balances: dict[int, CashBalance] = {}
        self.changed_orders: dict[int, None] = {}
        self.changed_fills: dict[int, None] = {}
        self.changed_positions: dict[tuple[int, int], None] = {}
        self.changed_balances: dict[int, None] = {}
        self.changed_strategies: dict[int, None] = {}
        self._earlier_versions: dict[int, OrderVersion] = {}
        self._refusals_by_command: dict[int, Refusal] = {}
        self._changes: set[int] = set()
        self._refused_changes: set[int] = set()
        self._appliers: dict[type, Callable[[Any], object]] = {
            Account: lambda account: self.accounts.update({account.id: account}),
            Contract: lambda contract: self.contracts.update({contract.id: contract.name}),
            Order: self._apply_order,
            OrderVersion: self._apply_version,
            Command: self._apply_command,
            Refusal: self._apply_refusal,
            Fill: self._apply_fill,
            Position: self._apply_position,
            CashBalance: self._apply_balance,
            Strategy: self._apply_strategy,
            StrategyLink: self._apply_link,
        }

    def apply(self, entity: Entity) -> None:
        self._appliers[type(entity)](entity)

    def complete(self, entity: Entity) -> None:
        """Apply what REST listed: it may be older than what the stream has said since, so no order ever goes back."""
        known = self.orders.get(entity.id) if isinstance(entity, Order) else None
        if known is not None and isinstance(entity, Order) and _progress(entity.status) <= _progress(known.status):
            return
        self.apply(entity)

    def filled_qty(self, order_id: int) -> int:
        return sum(self.fills[fill_id].qty for fill_id in self.fills_of_order.get(order_id, ()))

    def forget_changes(self) -> None:
        self.changed_orders.clear()
        self.changed_fills.clear()
        self.changed_positions.clear()
        self.changed_balances.clear()
        self.changed_strategies.clear()

    def _apply_order(self, order: Order) -> None:
        known = self.orders.get(order.id)
        # A replayed older state never reopens an order that has ended.
        if known == order or (known is not None and known.status in TERMINAL and order.status not in TERMINAL):
            return
        self.orders[order.id] = order
        if order.status == "Rejected":
            self._adopt_rejected()
        if known is None and order.parent_id is not None:
            self.children.setdefault(order.parent_id, []).append(order.id)
        self.changed_orders[order.id] = None

    def _apply_version(self, version: OrderVersion) -> None:
        known = self.versions.get(version.order_id)
        if known == version or version.id in self._refused_changes:
            return
        if known is not None and known.id > version.id:
            self._keep_earlier(version)
            return
        if known is not None and known.id < version.id:
            self._keep_earlier(known)
        self.versions[version.order_id] = version
        self.changed_orders[version.order_id] = None

    def _keep_earlier(self, version: OrderVersion) -> None:
        """The terms that stay in force should the newest ones be refused."""
        kept = self._earlier_versions.get(version.order_id)
        if kept is None or kept.id < version.id:
            self._earlier_versions[version.order_id] = version

    def _apply_command(self, command: Command) -> None:
        self.order_of_command[command.id] = command.order_id
        if command.command_type != "New":
            self._changes.add(command.id)
        refusal = self._refusals_by_command.pop(command.id, None)
        if refusal is not None:
            self._apply_refusal(refusal)
        if command.command_type != "New":
            return
        if command.client_order_id and self.client_ids.get(command.order_id) != command.client_order_id:
            self.client_ids[command.order_id] = command.client_order_id
            self._identify(command.order_id)

    def _apply_refusal(self, refusal: Refusal) -> None:
        """Only its command says what was refused: the order, or a cancel or change of an order that goes on."""
        order_id = self.order_of_command.get(refusal.command_id)
        if order_id is None:
            known = self._refusals_by_command.get(refusal.command_id)
            if known is None or not known.text:
                self._refusals_by_command[refusal.command_id] = refusal
        elif refusal.command_id in self._changes:
            self._refuse_change(order_id, refusal.command_id)
        else:
            self._refuse(order_id, refusal)

    def _refuse_change(self, order_id: int, command_id: int) -> None:
        """The venue shows a modification's version before it has passed: it has its command's id."""
        self._refused_changes.add(command_id)
        current, earlier = self.versions.get(order_id), self._earlier_versions.get(order_id)
        if current is not None and current.id == command_id and earlier is not None:
            self.versions[order_id] = earlier
            self.changed_orders[order_id] = None

    def _refuse(self, order_id: int, refusal: Refusal) -> None:
        known = self.refusals.get(order_id)
        # The report with a text beats the one without, whichever came first.
        if known is None or (refusal.text and not known.text):
            self.refusals[order_id] = refusal
            self.changed_orders[order_id] = None

    def _apply_fill(self, fill: Fill) -> None:
        known = self.fills.get(fill.id)
        if known == fill or (known is not None and fill.price is None):
            return
        self.fills[fill.id] = fill
        if fill.price is None:
            self.priceless.add(fill.id)
        else:
            self.priceless.discard(fill.id)
        if known is None:
            self.fills_of_order.setdefault(fill.order_id, []).append(fill.id)
            self.changed_orders[fill.order_id] = None
        self.changed_fills[fill.id] = None

    def _apply_position(self, position: Position) -> None:
        key = (position.account_id, position.contract_id)
        known = self.positions.get(key)
        if known is not None and (known == position or position.at < known.at):
            return
        self.positions[key] = position
        self.changed_positions[key] = None

    def _apply_balance(self, balance: CashBalance) -> None:
        known = self.balances.get(balance.account_id)
        if known is not None and (known.amount == balance.amount or balance.at < known.at):
            return
        self.balances[balance.account_id] = balance
        self.changed_balances[balance.account_id] = None

    def _apply_strategy(self, strategy: Strategy) -> None:
        known = self.strategies.get(strategy.id)
        if known == strategy:
            return
        self.strategies[strategy.id] = strategy
        self.changed_strategies[strategy.id] = None
        if strategy.status in FAILED_STRATEGIES and strategy.id not in self.orders_of_strategy:
            self.orphan_strategies[strategy.id] = strategy
            self._adopt_rejected()
        if known is None:
            for order_id in self.orders_of_strategy.get(strategy.id, ()):
                self._identify(order_id)

    def _apply_link(self, link: StrategyLink) -> None:
        if self.strategy_of_order.get(link.order_id) == link.strategy_id:
            return
        self.strategy_of_order[link.order_id] = link.strategy_id
        if link.bracket_index is not None:
            self.bracket_index[link.order_id] = link.bracket_index
        self.orphan_strategies.pop(link.strategy_id, None)
        self.orders_of_strategy.setdefault(link.strategy_id, []).append(link.order_id)
        self._identify(link.order_id)

    def _adopt_rejected(self) -> None:
        """An entry that fails the risk check is never linked: the first refused order after its strategy is it.

        Ids come from one rising sequence (Tradovate wire facts, entities).
        """
        for strategy in tuple(self.orphan_strategies.values()):
            for order in self.orders.values():
                if self._fits(order, strategy):
                    self._apply_link(StrategyLink(0, strategy.id, order.id, None))
                    break

    def _fits(self, order: Order, strategy: Strategy) -> bool:
        nobodys = order.id not in self.strategy_of_order and order.id not in self.client_ids
        like = (order.account_id, order.contract_id, order.action)
        wanted = (strategy.account_id, strategy.contract_id, strategy.action)
        refused_after = order.status == "Rejected" and order.parent_id is None and order.id > strategy.id
        return nobodys and refused_after and like == wanted

    def _identify(self, order_id: int) -> None:
        """An order's identity became known, and with it that of the legs it is the parent of."""
        self.changed_orders[order_id] = None
        for child_id in self.children.get(order_id, ()):
            self.changed_orders[child_id] = None


def _progress(status: str) -> int:
    """How far on its way an order is: a change or a cancel under way counts as working, any end as the furthest."""
    return 3 if status in TERMINAL else _PROGRESS.get(status, 2)
