"""What owners hold and are about to hold, counted for limits on contracts and positions. Read only where one is set.

Contracts count by product, whichever way they are held: on a trader and a recorder its own shares, on an account and a
user what is left after its traders' shares are netted. A position that is not ours counts once it has been adopted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from brokers.instruments import UnknownTicker, product_of
from execution.followers import holdings_of_owners
from risk.around import Count
from risk.models import LimitKind, LimitScope
from risk.restrictions import Limit, Target, array_of
from traders.models import Trader

_EXTERNAL = """
    SELECT b.account_id, a.owner_id, b.symbol, b.net_qty - coalesce((
        SELECT sum(p.net_qty) FROM execution_position p WHERE p.account_id = b.account_id AND p.symbol = b.symbol), 0)
    FROM execution_brokerposition b JOIN brokers_brokeraccount a ON a.id = b.account_id
    WHERE a.owner_id = ANY(%s::uuid[]) AND b.net_qty <> 0 AND EXISTS (
        SELECT 1 FROM execution_break k WHERE k.account_id = b.account_id AND k.symbol = b.symbol
                                          AND k.kind = 'external_position' AND k.state <> 'resolved')
"""
_TRADER, _ACCOUNT, _RECORDER, _USER = (
    LimitScope.TRADER.value, LimitScope.ACCOUNT.value, LimitScope.RECORDER.value, LimitScope.USER.value,
)  # fmt: skip
_WORDS = {_TRADER: "this trader", _ACCOUNT: "this account", _RECORDER: "this recorder", _USER: "all of your accounts"}


class Place(NamedTuple):
    """Where a trader's contracts count."""

    trader_id: UUID
    account_id: UUID
    recorder_id: UUID
    owner_id: UUID

    @property
    def own(self) -> tuple[Target, Target]:
        return (_TRADER, self.trader_id), (_RECORDER, self.recorder_id)

    @property
    def netted(self) -> tuple[Target, Target]:
        return (_ACCOUNT, self.account_id), (_USER, self.owner_id)


@dataclass(slots=True)
class Exposure:
    """Grows with what a plan adds, so that two entries of one plan cannot both take what is left."""

    shares: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    nets: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    contracts: Counter[Target] = field(default_factory=Counter)
    positions: Counter[Target] = field(default_factory=Counter)

    @classmethod
    def read(cls, owners: Collection[UUID]) -> Exposure:
        found, held = cls(), holdings_of_owners(owners)
        holders = Trader.objects.filter(pk__in={trader_id for trader_id, _ in held})
        places = {row[0]: Place(*row) for row in holders.values_list("pk", "account_id", "recorder_id", "owner_id")}
        for (trader_id, root), holding in held.items():
            found.set_share(places[trader_id], root, holding.expected_qty)
        with connection.cursor() as cursor:
            cursor.execute(_EXTERNAL, [array_of(owners)])
            for account_id, owner_id, symbol, net in cursor.fetchall():
                found.add_external(account_id, owner_id, root_of(symbol), net)
        return found

    def set_share(self, place: Place, root: str, net: int) -> None:
        """The trader is to hold `net` contracts, signed, from here on."""
        share, total = (place.trader_id, root), (place.account_id, root)
        before = self.shares[share]
        self._move(place.own, before, net)
        self._move(place.netted, self.nets[total], self.nets[total] + net - before)
        self.shares[share] = net
        self.nets[total] += net - before

    def add_external(self, account_id: UUID, owner_id: UUID, root: str, net: int) -> None:
        """Only where it makes the account hold more: what it takes away may be about to be sold."""
        held = self.nets[account_id, root]
        if abs(held + net) > abs(held):
            self._move(((_ACCOUNT, account_id), (_USER, owner_id)), held, held + net)
            self.nets[account_id, root] = held + net

    def counts(
        self, limits: Iterable[Limit], place: Place, root: str, net: int
    ) -> tuple[tuple[Count, ...], tuple[Count, ...]]:
        """Contracts and positions as they would be if the trader held `net`, where that is more than now."""
        before = self.shares[place.trader_id, root]
        held = self.nets[place.account_id, root]
        steps = dict.fromkeys(place.own, (before, net)) | dict.fromkeys(place.netted, (held, held + net - before))
        contracts, positions = [], []
        for limit in limits:
            target = limit.target
            was, becomes = steps[target]
            if limit.kind == LimitKind.MAX_CONTRACTS and abs(becomes) > abs(was):
                had = self.contracts[target] + abs(becomes) - abs(was)
                contracts.append(Count(f"contracts of {_WORDS[target[0]]}", had, int(limit.amount)))
            elif limit.kind == LimitKind.MAX_POSITIONS and was == 0 and becomes != 0:
                had = self.positions[target] + 1
                positions.append(Count(f"open positions of {_WORDS[target[0]]}", had, int(limit.amount)))
        return tuple(contracts), tuple(positions)

    def of_account(self, account_id: UUID) -> dict[str, int]:
        """Signed contracts by product root."""
        return {root: net for (account, root), net in self.nets.items() if account == account_id and net != 0}

    def _move(self, targets: Iterable[Target], before: int, after: int) -> None:
        for target in targets:
            self.contracts[target] += abs(after) - abs(before)
            self.positions[target] += (after != 0) - (before != 0)


def root_of(symbol: str) -> str:
    """The product's root; of what our table does not have, the whole name."""
    try:
        return product_of(symbol).root
    except UnknownTicker:
        return symbol
