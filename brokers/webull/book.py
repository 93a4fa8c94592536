"""What a login's connection knows of its orders, and what of it has been told. Safe in several threads.

States come from answers and events in any order; a finished order stays finished and what was filled stays filled,
whatever a lagging list says. Every report leaves through here, in one order, and each state once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from brokers.base import AccountRef, OrderType, SubmitOrder
from brokers.reports import BalanceReport, Event, FillReport, OrderReport, Report, SyncReport
from brokers.webull import lots
from brokers.webull.reports import fill_report, is_our_name, order_report, position_report
from brokers.webull.types import AccountPicture, OrderState, PositionState, Status, TradeEvent

KEPT_FOR = timedelta(hours=24)
SOUGHT_FOR = timedelta(seconds=60)
_Key = tuple[str, str]


@dataclass(slots=True)
class _Record:
    """An order of one account. `state` None: sent, and nothing is known of it yet."""

    account: AccountRef
    sent_at: datetime
    request: SubmitOrder | None = None
    parent: str | None = None
    is_ours: bool = False
    state: OrderState | None = None
    reported: OrderReport | None = None
    told: lots.Told = field(default_factory=lots.Told)
    fills: list[FillReport] = field(default_factory=list)


class Book:
    """`tell` is called with the lock held, so that reports never overtake each other: it must return at once."""

    def __init__(self, tell: Callable[[Sequence[Event]], None]) -> None:
        self._tell = tell
        self.on_entry_filled: Callable[[AccountRef, SubmitOrder, OrderState], object] = lambda *_: None
        """Called once, with the lock held, when an entry that took a bracket along has all the fills it will get."""
        self._lock = threading.RLock()
        self._records: dict[_Key, _Record] = {}
        self._by_order: dict[_Key, str] = {}
        self._positions: dict[_Key, PositionState] = {}
        self._vanished: set[_Key] = set()
        self._moved: dict[_Key, PositionState] = {}
        self._cash: dict[str, BalanceReport] = {}

    def say(self, events: Sequence[Event]) -> None:
        with self._lock:
            self._tell(events)

    def say_outcome(self, account: AccountRef, events: Sequence[Event], client_order_id: str) -> None:
        """Say what became of a request, and after it the order that it made, if nothing has reported that yet."""
        with self._lock:
            self._tell(events)
            record = self._records.get((account.broker_id, client_order_id))
            if record is not None and record.state is not None and record.reported is None:
                self.take(account, [record.state])

    def expect(self, account: AccountRef, client_order_id: str, request: SubmitOrder | None = None) -> None:
        """An order that is about to be sent."""
        now = datetime.now(UTC)
        with self._lock:
            record = self._record(account, client_order_id, now)
            record.request, record.is_ours = request, True

    def forget(self, account: AccountRef, client_order_id: str) -> None:
        """The venue refused it or never saw it: nothing is to be looked for."""
        with self._lock:
            record = self._records.get((account.broker_id, client_order_id))
            if record is not None and record.state is None:
                del self._records[account.broker_id, client_order_id]

    def placed(self, account: AccountRef, state: OrderState) -> None:
        """The venue took an order with these terms. Nothing is reported here: the outcome comes first."""
        with self._lock:
            record = self._record(account, state.client_order_id, datetime.now(UTC))
            if record.state is None:
                record.state = state
                self._by_order[account.broker_id, state.order_id] = state.client_order_id

    def by_order_id(self, account: AccountRef, broker_order_id: str) -> OrderState | None:
        with self._lock:
            name = self._by_order.get((account.broker_id, broker_order_id))
            return self._records[account.broker_id, name].state if name is not None else None

    def state_of(self, account: AccountRef, client_order_id: str) -> OrderState | None:
        with self._lock:
            record = self._records.get((account.broker_id, client_order_id))
            return record.state if record is not None else None

    def legs_of(self, account: AccountRef, entry_id: str) -> list[OrderState]:
        """The exits of an entry, as far as they were seen."""
        with self._lock:
            records = [record for key, record in self._records.items() if key[0] == account.broker_id]
            return [record.state for record in records if record.parent == entry_id and record.state is not None]

    def unfinished(self, account: AccountRef) -> list[str]:
        """Names of orders whose end has not been seen, and of those that nothing was seen of yet."""
        with self._lock:
            return [
                name
                for (account_id, name), record in self._records.items()
                if account_id == account.broker_id and _is_open(record)
            ]

    def in_flight(self, account: AccountRef) -> list[str]:
        """Names of orders that are on their way: sent and not seen, or market orders that have not filled."""
        with self._lock:
            return [
                name
                for (account_id, name), record in self._records.items()
                if account_id == account.broker_id and _is_in_flight(record)
            ]

    def missing(self, account: AccountRef, client_order_id: str) -> None:
        """The venue says that it has no such order. What was sent is looked for no longer than a minute.

        Exits vanish with an entry that was canceled before it filled.
        """
        now = datetime.now(UTC)
        with self._lock:
            record = self._records.get((account.broker_id, client_order_id))
            if record is not None and record.state is None and now - record.sent_at > SOUGHT_FOR:
                del self._records[account.broker_id, client_order_id]
            if record is None or record.state is None or record.parent is None:
                return
            entry = self.state_of(account, record.parent)
            if entry is not None and entry.is_done and entry.filled == 0:
                self.take(account, [replace(record.state, status=Status.CANCELLED)])

    def take(self, account: AccountRef, states: Iterable[OrderState]) -> None:
        """Report what is new in these states."""
        now = datetime.now(UTC)
        with self._lock:
            reports: list[Report] = []
            for state in states:
                reports.extend(self._taken(account, state, now))
            if reports:
                self._tell(reports)

    def take_event(self, account: AccountRef, event: TradeEvent) -> bool:
        """Report an event that says all there is to say; False where the order itself must be asked for."""
        with self._lock:
            record = self._records.get((account.broker_id, event.client_order_id))
            state = _after(record.told.filled, record.state, event) if record is not None else None
            if state is None:
                return False
            self.take(account, [state])
            return True

    def take_positions(self, account: AccountRef, positions: Iterable[PositionState]) -> bool:
        """The account's whole list: what is missing from it twice in a row is flat.

        True when something is missing for the first time: one empty answer is no proof, and another look is due.
        """
        now = datetime.now(UTC)
        with self._lock:
            changed = self._changed_positions(account, positions)
            if changed:
                self._tell([position_report(account, position, now) for position in changed])
            return any(account_id == account.broker_id for account_id, _ in self._vanished)

    def take_cash(self, report: BalanceReport) -> None:
        with self._lock:
            known = self._cash.get(report.account.broker_id)
            self._cash[report.account.broker_id] = report
            if known is None or known.cash != report.cash:
                self._tell([report])

    def sync(self, pictures: Sequence[AccountPicture], *, tell: bool = True) -> SyncReport:
        """Take what was read of whole accounts, and say everything that is known of them as one report."""
        with self._lock:
            at = min(picture.started for picture in pictures)
            for picture in pictures:
                for state in picture.orders:
                    for _ in self._taken(picture.account, state, at):
                        """Told by the sync itself."""
                self._changed_positions(picture.account, picture.positions)
                if picture.cash is not None:
                    balance = BalanceReport(picture.account, picture.cash, at)
                    self._cash[picture.account.broker_id] = balance
            report = self._snapshot([picture.account for picture in pictures], at)
            if tell:
                self._tell([report])
            self._prune(at)
            return report

    def _snapshot(self, accounts: Sequence[AccountRef], at: datetime) -> SyncReport:
        ids = {account.broker_id: account for account in accounts}
        records = [record for key, record in self._records.items() if key[0] in ids and record.reported is not None]
        positions = tuple(
            position_report(ids[account_id], position, at)
            for (account_id, _), position in self._positions.items()
            if account_id in ids
        )
        return SyncReport(
            at=at,
            accounts=tuple(accounts),
            orders=tuple(record.reported for record in records if record.reported is not None),
            fills=tuple(fill for record in records for fill in record.fills),
            positions=positions,
            balances=tuple(self._cash[name] for name in ids if name in self._cash),
        )

    def _taken(self, account: AccountRef, state: OrderState, now: datetime) -> Iterable[Report]:
        record = self._record(account, state.client_order_id, now)
        known = record.state
        if known is not None and ((known.is_done and not state.is_done) or state.filled < known.filled):
            return
        record.state = state
        record.parent = state.master or record.parent
        record.is_ours = record.is_ours or is_our_name(state.client_order_id)
        self._by_order[account.broker_id, state.order_id] = state.client_order_id
        if state.is_done and state.filled > 0 and record.request is not None and record.request.bracket:
            request, record.request = record.request, None
            self.on_entry_filled(account, request, state)
        report = order_report(account, state, now, parent=record.parent, is_ours=record.is_ours)
        if record.reported is None or replace(record.reported, at=now) != report:
            record.reported = report
            yield report
        fills = [fill_report(account, state, lot, now) for lot in lots.take(record.told, state)]
        record.fills.extend(fills)
        if fills:
            self._moved[account.broker_id, state.symbol] = PositionState(state.symbol, state.market, 0, None, None)
        yield from fills

    def _changed_positions(self, account: AccountRef, positions: Iterable[PositionState]) -> list[PositionState]:
        held = {(account.broker_id, position.symbol): position for position in positions}
        expected = {key for key, position in self._positions.items() if position.net != 0} | self._moved.keys()
        missing = {key for key in expected if key[0] == account.broker_id and key not in held}
        confirmed = missing & self._vanished
        self._vanished = {key for key in self._vanished if key[0] != account.broker_id} | (missing - confirmed)
        gone = {key: replace(self._positions.get(key) or self._moved[key], net=0, average=None) for key in confirmed}
        fresh = {key: p for key, p in held.items() if key not in self._positions or _differs(self._positions[key], p)}
        for key in (*confirmed, *held):
            self._moved.pop(key, None)
        self._positions |= gone | fresh
        return [*gone.values(), *fresh.values()]

    def _record(self, account: AccountRef, client_order_id: str, now: datetime) -> _Record:
        return self._records.setdefault((account.broker_id, client_order_id), _Record(account, now))

    def _prune(self, now: datetime) -> None:
        for key, record in list(self._records.items()):
            if record.state is not None and record.state.is_done and now - record.sent_at > KEPT_FOR:
                del self._records[key]
                self._by_order.pop((key[0], record.state.order_id), None)


def _is_open(record: _Record) -> bool:
    return record.state is None or not record.state.is_done


def _is_in_flight(record: _Record) -> bool:
    state = record.state
    return state is None or (state.order_type is OrderType.MARKET and not state.is_done)


def _differs(known: PositionState, now: PositionState) -> bool:
    return (known.net, known.average) != (now.net, now.average)


def _after(told: int, state: OrderState | None, event: TradeEvent) -> OrderState | None:
    """The order after a final event that leaves nothing open, None otherwise.

    The price of an event is trusted only where there was one fill: whether it is the average is not documented.
    """
    if state is None or state.is_done or event.status is None or event.filled is None:
        return None
    if event.status is Status.FILLED and told == 0 and event.filled == event.qty and event.average is not None:
        filled = replace(state, qty=event.filled, filled=event.filled, average=event.average)
        return replace(filled, status=Status.FILLED, at=event.at or state.at)
    if event.status in (Status.CANCELLED, Status.FAILED) and event.filled == told == state.filled:
        return replace(state, status=event.status)
    return None
