"""What the venue has told of one login, and the reports that follow from it; pure.

The hub has no sequence numbers and what it says may be older than what REST has said: an order never goes back from
done, nor to an older time or a smaller fill. Each half-turn counts once.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from brokers.base import AccountRef, OrderRole, OrderStatus, OrderType, Side, role_of
from brokers.projectx.contracts import ContractBook
from brokers.projectx.reading import Reading, is_older
from brokers.projectx.types import Account, Order, OrderKind, OrderSide, OrderState, Position, Record, Trade
from brokers.reports import BalanceReport, FillReport, OrderReport, PositionReport, Report, SyncReport

logger = logging.getLogger(__name__)

_OURS = re.compile(r"[A-Za-z0-9_-]{26,32}")
_LEG = re.compile(r"(?P<entry>[A-Za-z0-9_-]{26,32})-(?P<leg>SL|TP)")
_LEG_ROLES = {"SL": OrderRole.STOP, "TP": OrderRole.TARGET}
_STATUSES = {
    # An order that the venue has not sent on yet, or in a state newer than this code, is there and may fill.
    OrderState.NONE: OrderStatus.WORKING,
    OrderState.OPEN: OrderStatus.WORKING,
    OrderState.PENDING: OrderStatus.WORKING,
    OrderState.FILLED: OrderStatus.FILLED,
    OrderState.CANCELED: OrderStatus.CANCELED,
    OrderState.EXPIRED: OrderStatus.EXPIRED,
    OrderState.REJECTED: OrderStatus.REJECTED,
    OrderState.PENDING_CANCELLATION: OrderStatus.PENDING_CANCEL,
    OrderState.SUSPENDED: OrderStatus.SUSPENDED,
}
_TYPES = {
    OrderKind.LIMIT: OrderType.LIMIT,
    OrderKind.JOIN_BID: OrderType.LIMIT,
    OrderKind.JOIN_ASK: OrderType.LIMIT,
    OrderKind.MARKET: OrderType.MARKET,
    OrderKind.STOP: OrderType.STOP,
    OrderKind.TRAILING_STOP: OrderType.TRAILING_STOP,
}
REJECTED_CODE = "OrderRejected"
REJECTED_TEXT = "the venue refused the order and gave no reason"


@dataclass(slots=True)
class Replies:
    """Client ids by what our own requests know of them. Written by order threads, read in the loop's.

    A refused `place` leaves a rejected order behind: whoever gets the refusal as the answer must not get it twice.
    """

    awaited: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    exits: dict[int, str] = field(default_factory=dict)
    """The close orders that the venue made for a flatten: order id → the flatten's client id."""

    def tells_refusal_of(self, tag: str) -> bool:
        return tag in self.awaited or tag in self.refused


class Book:
    """`take` gives what is new in a record; every contract that it names must be known to `contracts` by then."""

    def __init__(self, contracts: ContractBook, replies: Replies) -> None:
        self._contracts = contracts
        self._replies = replies
        self._accounts: dict[int, Account] = {}
        self._orders: dict[int, Order] = {}
        self._told: dict[int, OrderReport] = {}
        self._trades: set[int] = set()
        self._held: dict[str, Order] = {}
        self._traded: Counter[int] = Counter()
        self._lacking: dict[int, int] = {}
        self._positions: dict[tuple[int, str], Position] = {}

    def knows(self, record: Record) -> bool:
        """Whether the record's contract has a name."""
        return isinstance(record, Account) or self._contracts.symbol_of(record.contract_id) is not None

    def has_account(self, account_id: int) -> bool:
        return account_id in self._accounts

    def live_orders(self, account_id: int, contract_id: str) -> list[Order]:
        """What was not done when it was last heard of, legs that wait for their entry among them. Any thread."""
        orders = tuple(self._orders.values())
        return [o for o in orders if (o.account_id, o.contract_id) == (account_id, contract_id) and not o.is_done]

    def newest_order_id(self, account_id: int) -> int:
        """Any thread; 0 when there is none."""
        return max((o.id for o in tuple(self._orders.values()) if o.account_id == account_id), default=0)

    def lacking(self) -> dict[int, int]:
        """The orders that have filled more than their half-turns tell, by id, with their account's id."""
        return dict(self._lacking)

    def take(self, record: Record, now: datetime) -> Sequence[Report]:
        match record:
            case Account():
                return self._take_account(record, now)
            case Order():
                return self._take_order(record)
            case Position():
                return self._take_position(record, now)
            case Trade():
                return self._take_trade(record)

    def take_all(self, reading: Reading, now: datetime) -> list[Report]:
        """The news of a reading: what it does not list as open is flat."""
        flat = self._flat(reading)
        records: list[Record] = [*reading.accounts, *reading.orders, *reading.trades, *reading.positions, *flat]
        return [report for record in records for report in self.take(record, now)]

    def take_positions(self, account_ids: set[int], found: Sequence[Position], now: datetime) -> list[Report]:
        """All that these accounts hold: what is not among them is flat."""
        open_now = {(p.account_id, p.contract_id) for p in found}
        gone = [key for key in self._positions if key[0] in account_ids and key not in open_now]
        records = [*found, *(Position(*key, net=0, average=None) for key in gone)]
        return [report for record in records for report in self._take_position(record, now)]

    def start_over(self, reading: Reading) -> SyncReport:
        """Believe a reading instead of all that was known, and report the whole of it."""
        flat = self._flat(reading)
        self._orders, self._told, self._trades, self._held = {}, {}, set(), {}
        self._traded, self._lacking = Counter(), {}
        self._accounts = {account.id: account for account in reading.accounts}
        self._positions = {(p.account_id, p.contract_id): p for p in (*reading.positions, *flat)}
        orders = [report for order in reading.orders for report in self._take_order(order)]
        fills = [report for trade in reading.trades for report in self._take_trade(trade)]
        now = reading.started
        balances = [BalanceReport(self._ref(account.id), account.balance, now) for account in reading.accounts]
        return SyncReport(
            at=now,
            accounts=tuple(self._ref(account.id) for account in reading.accounts),
            orders=tuple(orders),
            fills=tuple(fills),
            positions=tuple(self._position_report(p, now) for p in self._positions.values()),
            balances=tuple(balances),
        )

    def take_held(self, tag: str) -> Sequence[Report]:
        """The rejected order of a request whose answer turned out to be no refusal."""
        order = self._held.pop(tag, None)
        return [] if order is None else self._take_order(order)

    def _flat(self, reading: Reading) -> list[Position]:
        """The contracts that were traded or held and are not open: the venue lists no position of nothing."""
        held = {(p.account_id, p.contract_id) for p in reading.positions}
        asked = {account.id for account in reading.accounts}
        traded = {(order.account_id, order.contract_id) for order in reading.orders}
        gone = sorted((traded | {key for key in self._positions if key[0] in asked}) - held)
        return [Position(account_id, contract_id, 0, None) for account_id, contract_id in gone]

    def _take_account(self, account: Account, now: datetime) -> list[Report]:
        known = self._accounts.get(account.id)
        self._accounts[account.id] = account
        if known is not None and known.balance == account.balance:
            return []
        return [BalanceReport(self._ref(account.id), account.balance, now)]

    def _take_position(self, position: Position, now: datetime) -> list[Report]:
        key = (position.account_id, position.contract_id)
        if key[0] not in self._accounts or self._positions.get(key) == position:
            return []
        self._positions[key] = position
        return [self._position_report(position, now)]

    def _take_trade(self, trade: Trade) -> list[FillReport]:
        if trade.account_id not in self._accounts:
            return []
        is_new = trade.id not in self._trades
        if trade.is_voided and not is_new:
            logger.warning("projectx took back trade %s, which was told", trade.id)
        if not is_new:
            return []
        self._trades.add(trade.id)
        self._traded[trade.order_id] += trade.size
        self._compare(trade.order_id)
        if trade.is_voided:
            return []
        return [
            FillReport(
                account=self._ref(trade.account_id),
                broker_fill_id=str(trade.id),
                broker_order_id=str(trade.order_id),
                symbol=self._symbol(trade.contract_id),
                side=_side(trade.side),
                qty=trade.size,
                price=trade.price,
                at=trade.at,
            )
        ]

    def _take_order(self, order: Order) -> list[OrderReport]:
        known = self._orders.get(order.id)
        if order.account_id not in self._accounts or (known is not None and is_older(order, known)):
            return []
        self._orders[order.id] = order
        self._compare(order.id)
        if order.state is OrderState.REJECTED and self._replies.tells_refusal_of(order.tag):
            self._held[order.tag] = order
            return []
        report = self._order_report(order)
        told = self._told.get(order.id)
        if told is not None and replace(report, at=told.at) == told:
            return []
        self._told[order.id] = report
        return [report]

    def _compare(self, order_id: int) -> None:
        order = self._orders.get(order_id)
        if order is not None and order.filled > self._traded[order_id]:
            self._lacking[order_id] = order.account_id
        else:
            self._lacking.pop(order_id, None)

    def _order_report(self, order: Order) -> OrderReport:
        role, own, parent = self._identity(order)
        is_partial = order.state is OrderState.OPEN and 0 < order.filled < order.size
        is_rejected = order.state is OrderState.REJECTED
        return OrderReport(
            account=self._ref(order.account_id),
            broker_order_id=str(order.id),
            status=OrderStatus.PARTIALLY_FILLED if is_partial else _STATUSES[order.state],
            side=_side(order.side),
            symbol=self._symbol(order.contract_id),
            at=order.updated_at,
            role=role,
            client_order_id=own,
            parent_client_order_id=parent,
            order_type=_TYPES.get(order.kind),
            qty=order.size,
            price=order.limit_price,
            stop_price=order.stop_price,
            reject_code=REJECTED_CODE if is_rejected else "",
            reject_text=REJECTED_TEXT if is_rejected else "",
            bracket_index=0 if parent is not None else None,
        )

    def _identity(self, order: Order) -> tuple[OrderRole, str | None, str | None]:
        """Role, our client id, and the entry's for a leg. The venue tags a leg as its entry with -SL or -TP."""
        if order.id in self._replies.exits:
            return OrderRole.EXIT, self._replies.exits[order.id], None
        leg = _LEG.fullmatch(order.tag)
        parent = self._orders.get(order.parent_id) if order.parent_id is not None else None
        entry = parent.tag if parent is not None and _OURS.fullmatch(parent.tag) else None
        if entry is None and leg is not None and (order.parent_id is not None or self._has_tag(order, leg["entry"])):
            entry = leg["entry"]
        if entry is not None:
            by_kind = OrderRole.TARGET if order.kind is OrderKind.LIMIT else OrderRole.STOP
            return (_LEG_ROLES[leg["leg"]] if leg is not None else by_kind), None, entry
        if order.parent_id is None and _OURS.fullmatch(order.tag):
            return role_of(order.tag), order.tag, None
        return OrderRole.EXTERNAL, None, None

    def _has_tag(self, leg: Order, tag: str) -> bool:
        """For hosts that name no parent: one of the orders that came just before is the leg's entry."""
        near = (self._orders.get(leg.id - 1), self._orders.get(leg.id - 2))
        return any(order is not None and order.tag == tag for order in near)

    def _position_report(self, position: Position, now: datetime) -> PositionReport:
        symbol = self._symbol(position.contract_id)
        return PositionReport(self._ref(position.account_id), symbol, position.net, position.average, now)

    def _ref(self, account_id: int) -> AccountRef:
        return ref_of(self._accounts[account_id])

    def _symbol(self, contract_id: str) -> str:
        return self._contracts.symbol_of(contract_id) or contract_id


def ref_of(account: Account) -> AccountRef:
    return AccountRef(str(account.id), account.name)


def _side(side: OrderSide) -> Side:
    return Side.BUY if side is OrderSide.BID else Side.SELL
