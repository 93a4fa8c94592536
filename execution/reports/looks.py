"""A sync taken apart: what one account's whole books said at one moment, and what we know that it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet, Sum

from brokers.base import Side
from brokers.models import BrokerAccount
from brokers.reports import FillReport, OrderReport, PositionReport, SyncReport
from execution.models import BrokerPosition, Fill, Position
from execution.reports.ledger import Ledger

Key = tuple[UUID, str]
"""An account and a contract of it."""


@dataclass(slots=True)
class Look:
    """`at` is the moment before the first of the books was read: what came later is newer than this.

    `late` are the contracts of which we know a fill that it could not know (`note_overtaken`), `missed` those that we
    hold by all that we know, and of which it has no word because it says nothing at all.
    """

    account: BrokerAccount
    at: datetime
    late: set[str] = field(default_factory=set)
    missed: set[str] = field(default_factory=set)
    orders: dict[str, OrderReport] = field(default_factory=dict)
    fills: dict[str, FillReport] = field(default_factory=dict)
    positions: dict[str, PositionReport] = field(default_factory=dict)

    @property
    def is_bare(self) -> bool:
        """It says nothing at all, as the answer of a broken server would."""
        return not self.orders and not self.fills and not self.positions

    def net_filled(self, symbol: str) -> int:
        """Signed contracts of the executions that it lists."""
        return sum(Side(fill.side).sign * fill.qty for fill in self.fills.values() if fill.symbol == symbol)


def looks_of(ledger: Ledger, syncs: Iterable[tuple[UUID, SyncReport]]) -> dict[UUID, Look]:
    """The newest look at each account that these syncs are about."""
    looks: dict[UUID, Look] = {}
    for login_id, sync in syncs:
        found = {
            ref.broker_id: Look(account, sync.at)
            for ref in sync.accounts
            if (account := ledger.accounts.get((login_id, ref.broker_id))) is not None
        }
        for order in sync.orders:
            if order.account.broker_id in found:
                found[order.account.broker_id].orders[order.broker_order_id] = order
        for fill in sync.fills:
            if fill.account.broker_id in found:
                found[fill.account.broker_id].fills[fill.broker_fill_id] = fill
        for position in sync.positions:
            if position.account.broker_id in found:
                found[position.account.broker_id].positions[position.symbol] = position
        for look in found.values():
            before = looks.get(look.account.id)
            if before is None or before.at <= look.at:
                looks[look.account.id] = look
    return looks


def note_overtaken(looks: Mapping[UUID, Look]) -> None:
    """Note the contracts of which we have stored a fill since the look began that the look does not know of."""
    if not looks:
        return
    begun = min(look.at for look in looks.values())
    recent = Fill.objects.filter(account_id__in=looks, stored_at__gte=begun)
    rows = recent.order_by().values_list("account_id", "symbol", "broker_fill_id", "stored_at")
    for account_id, symbol, name, stored_at in rows:
        look = looks[account_id]
        if name not in look.fills and stored_at >= look.at:
            look.late.add(symbol)


def held_by_us(account_ids: Iterable[UUID]) -> Counter[Key]:
    """Signed contracts of all traders together."""
    held = Position.objects.filter(account_id__in=account_ids).exclude(net_qty=0)
    rows = held.order_by().values_list("account_id", "symbol").annotate(net=Sum("net_qty"))
    return Counter({(account_id, symbol): net for account_id, symbol, net in rows})


def emptied(looks: Mapping[UUID, Look]) -> set[UUID]:
    """Accounts whose look says nothing at all although fills say that something of ours is open there."""
    bare = {account_id for account_id, look in looks.items() if look.is_bare}
    if not bare:
        return set()
    known = {(row.account_id, row.symbol): row for row in BrokerPosition.objects.filter(account_id__in=bare)}
    held = {key for key, net in held_by_us(bare).items() if net != 0}
    return {key[0] for key in held if expected_at_venue(key, known.get(key)) != 0}


def expected_at_venue(key: Key, known: BrokerPosition | None) -> int:
    """What the venue holds of the contract if the fills that we know of are all that there were."""
    fills = Fill.objects.filter(account_id=key[0], symbol=key[1])
    if known is None or known.settled_at is None:
        return _net_of(fills)
    return known.settled_qty + _net_of(fills.filter(stored_at__gt=known.settled_at))


def _net_of(fills: QuerySet[Fill]) -> int:
    by_side: dict[str, int] = dict(fills.order_by().values_list("side").annotate(total=Sum("qty")))
    return sum(Side(side).sign * total for side, total in by_side.items())
