"""Our side of the accounts that were looked at: what can be compared, from rows. A few queries, however many accounts.

A contract is left out while something of it is under way, or when we know of a fill that the look could not know.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from brokers.base import OrderRole, OrderStatus, Side
from brokers.reports import FillReport
from execution.models import BrokerPosition, Fill, IntentKind, IntentStatus, Order, OrderIntent, Position
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import DONE, IN_FLIGHT, LIVE, WORKING
from execution.reconcile.compare import SETTLE, Contract, Guard, OldFill, Ours, Resting
from execution.reports.ledger import Ledger
from execution.reports.looks import Key, Look, expected_at_venue
from execution.reports.positions import AT_VENUE

SENT_JUST_NOW = timedelta(seconds=30)
"""An intent that was sent longer ago than this, and whose order is not in flight, keeps nothing from being compared."""
LEGS = frozenset({OrderRole.STOP, OrderRole.TARGET})
LEAVING = frozenset({IntentKind.EXIT, IntentKind.REDUCE, IntentKind.FLATTEN})
FILLS_MISSING_SINCE = timedelta(days=1)


@dataclass(slots=True)
class Books:
    """The rows of the accounts. `busy` are the contracts that nothing can be said about now."""

    positions: dict[UUID, list[Position]] = field(default_factory=lambda: defaultdict(list))
    at_venue: dict[UUID, dict[str, BrokerPosition]] = field(default_factory=lambda: defaultdict(dict))
    orders: dict[UUID, list[Order]] = field(default_factory=lambda: defaultdict(list))
    intents: dict[UUID, list[OrderIntent]] = field(default_factory=lambda: defaultdict(list))
    busy: dict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))

    def has_at_venue(self, account_id: UUID) -> bool:
        """Whether an order works there, as far as we know."""
        return any(order.status in AT_VENUE for order in self.orders[account_id])


def read(ledger: Ledger, looks: Mapping[UUID, Look]) -> Books:
    """Read after the batch was written, in its transaction."""
    books = Books()
    for position in Position.objects.filter(account_id__in=looks).exclude(net_qty=0):
        books.positions[position.account_id].append(position)
    for row in BrokerPosition.objects.filter(account_id__in=looks):
        books.at_venue[row.account_id][row.symbol] = row
    for order in Order.objects.filter(account_id__in=looks, status__in=[status.value for status in LIVE]):
        books.orders[order.account_id].append(order)
    lanes = {look.account.login.lane_slot for look in looks.values()}
    live = OrderIntent.objects.filter(account_id__in=looks, lane_slot__in=lanes, status__in=sorted(LIVE_INTENTS))
    for intent in live.defer("bracket", "exits"):
        books.intents[intent.account_id].append(intent)
    for account_id, look in looks.items():
        books.busy[account_id] |= look.late
    for account_id, symbol in _in_flight(books) | _just_sent(ledger, books) | _unpriced(looks):
        books.busy[account_id].add(symbol)
    return books


def _in_flight(books: Books) -> set[Key]:
    return {
        (account_id, order.symbol)
        for account_id, orders in books.orders.items()
        for order in orders
        if order.status in IN_FLIGHT
    }


def _just_sent(ledger: Ledger, books: Books) -> set[Key]:
    """What is on the wire and not at rest at the venue."""
    resting = {order.intent_id for orders in books.orders.values() for order in orders if order.status in WORKING}
    return {
        (account_id, intent.symbol)
        for account_id, intents in books.intents.items()
        for intent in intents
        if intent.status in {IntentStatus.DISPATCHED, IntentStatus.UNKNOWN}
        and intent.kind != IntentKind.PROTECT
        and not (intent.kind == IntentKind.ENTRY and intent.id in resting)
        and (intent.dispatched_at is None or ledger.now - intent.dispatched_at < SENT_JUST_NOW)
    }


def _unpriced(looks: Mapping[UUID, Look]) -> set[Key]:
    """Contracts with a fill of ours that is not booked yet, because the venue still owes its price."""
    ours = Order.objects.filter(
        account_id=OuterRef("account_id"), broker_order_id=OuterRef("broker_order_id"), trader__isnull=False
    )
    waiting = Fill.objects.filter(Exists(ours), account_id__in=looks, applied_at__isnull=True)
    return set(waiting.order_by().values_list("account_id", "symbol").distinct())


def side_of(look: Look, books: Books, old_fills: Sequence[OldFill]) -> Ours:
    """One account's part, for `compare`."""
    account_id = look.account.id
    busy = books.busy[account_id]
    orders = [order for order in books.orders[account_id] if order.symbol not in busy]
    listed = [order for order in orders if order.broker_order_id in look.orders and order.status in WORKING]
    entering = {intent.id: intent for intent in books.intents[account_id] if intent.kind == IntentKind.ENTRY}
    return Ours(
        contracts=_contracts(look, books),
        guards=_guards(account_id, books, [order for order in listed if order.trader_id is not None], entering),
        strangers=[_resting(o, entering) for o in listed if o.trader_id is None and o.intent_id is None],
        old_fills=old_fills,
    )


def _resting(order: Order, entering: Mapping[UUID, OrderIntent]) -> Resting:
    return Resting(
        ref=order.broker_order_id or "",
        symbol=order.symbol,
        role=OrderRole(order.role),
        side=Side(order.side),
        remaining=order.qty - order.filled_qty,
        created_at=order.created_at,
        comes_with_entry=order.intent_id in entering,
    )


def _contracts(look: Look, books: Books) -> list[Contract]:
    account_id = look.account.id
    ours, holders = Counter[str](), Counter[str]()
    for position in books.positions[account_id]:
        ours[position.symbol] += position.net_qty
        holders[position.symbol] += 1
    # A contract that the venue never spoke of has a row by now if we hold it: see `reports.positions`.
    return [
        _contract(account_id, symbol, row, ours[symbol], holders[symbol])
        for symbol, row in books.at_venue[account_id].items()
        if symbol not in books.busy[account_id]
    ]


def _contract(account_id: UUID, symbol: str, row: BrokerPosition, ours: int, holders: int) -> Contract:
    theirs = claimed(row)
    if ours == theirs:
        return Contract(symbol, ours, theirs, holders=holders)
    expected = expected_at_venue((account_id, symbol), row)
    is_in_question = ours == 0 and expected != theirs
    return Contract(
        symbol, ours, theirs, expected, holders,
        awaits_fills=is_in_question and _awaits_fills(account_id, symbol, row),
    )  # fmt: skip


def claimed(row: BrokerPosition) -> int:
    """What the venue's newest answer says, whether or not that is believed."""
    return 0 if row.gone_at is not None else row.net_qty


def _awaits_fills(account_id: UUID, symbol: str, row: BrokerPosition) -> bool:
    """An exit may fill for less than we thought that there was; what opens or guards a position fills for its size."""
    filled = Order.objects.filter(
        account_id=account_id, symbol=symbol, trader__isnull=False, status=OrderStatus.FILLED.value,
        filled_qty__lt=F("qty"), updated_at__gt=row.reported_at - FILLS_MISSING_SINCE,
    )  # fmt: skip
    return filled.filter(Q(role=OrderRole.ENTRY.value) | Q(role__in=[role.value for role in LEGS])).exists()


def _guards(
    account_id: UUID, books: Books, orders: Iterable[Order], entering: Mapping[UUID, OrderIntent]
) -> list[Guard]:
    legs: dict[tuple[UUID, str], list[Resting]] = defaultdict(list)
    for order in orders:
        if order.role in LEGS and order.trader_id is not None:
            legs[order.trader_id, order.symbol].append(_resting(order, entering))
    held = {
        (position.trader_id, position.symbol): position
        for position in books.positions[account_id]
        if position.symbol not in books.busy[account_id]
    }
    live = books.intents[account_id]
    leaving = {(one.trader_id, one.symbol) for one in live if one.kind in LEAVING}
    flattened = {symbol for trader_id, symbol in leaving if trader_id is None}
    going_in = {(one.trader_id, one.symbol) for one in entering.values()}
    return [
        Guard(
            trader=str(key[0]),
            symbol=key[1],
            net=held[key].net_qty if key in held else 0,
            is_unprotected=key in held and held[key].unprotected_since is not None,
            is_entering=key in going_in,
            is_leaving=key in leaving or key[1] in flattened,
            exits=tuple(legs[key]),
        )
        for key in held.keys() | legs.keys()
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Before:
    """The orders that the batch knew before it was applied, by account and the venue's id."""

    statuses: Mapping[tuple[UUID, str], str]

    @classmethod
    def of(cls, ledger: Ledger) -> Before:
        return cls({key: order.status for key, order in ledger.by_broker.items() if order.trader_id is not None})

    def old_fills(
        self, ledger: Ledger, looks: Mapping[UUID, Look], fresh: Iterable[tuple[UUID, FillReport]]
    ) -> dict[UUID, list[OldFill]]:
        """Of the fills that were stored just now, those that a look had to tell us of."""
        found: dict[UUID, list[OldFill]] = defaultdict(list)
        for account_id, fill in fresh:
            status = self.statuses.get((account_id, fill.broker_order_id))
            is_of_look = account_id in looks and fill.broker_fill_id in looks[account_id].fills
            if is_of_look and status in WORKING | DONE and ledger.now - fill.at > SETTLE:
                price = "an unknown price" if fill.price is None else f"{fill.price.normalize():f}"
                found[account_id].append(
                    OldFill(fill.broker_fill_id, fill.symbol, fill.side, fill.qty, price, fill.at, status or "")
                )
        return found
