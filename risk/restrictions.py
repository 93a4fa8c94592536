"""What is in force against new exposure, read anew for every decision: one statement, whose answer is mostly empty."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from risk.around import Lock, Tripped
from risk.models import MONEY, Basis, LimitKind, LimitScope, SwitchMode, SwitchScope, Unit
from risk.monitors import Kind, Terms, money

UNREADABLE = Tripped("everything", "unreadable", "it could not be read, and what cannot be read counts as on")

# One shape for all of them: rows of models would cost a fan-out under limits more than the order itself, and so would
# an id that nobody compares as anything but text.
_IN_FORCE = """
    SELECT 'switch', owner_id, NULL::uuid, NULL::uuid, NULL::uuid, scope, target, mode, reason,
           NULL::numeric, NULL::numeric, NULL::timestamptz
    FROM risk_switch WHERE released_at IS NULL AND (owner_id IS NULL OR owner_id = ANY(%(owners)s::uuid[]))
    UNION ALL
    SELECT 'lock', NULL, account_id, trader_id, NULL, text, '', '', '', had, allowed, locks_until
    FROM risk_riskaction
    WHERE account_id = ANY(%(accounts)s::uuid[]) AND unlocked_at IS NULL AND locks_until > %(now)s
    UNION ALL
    SELECT 'limit', CASE WHEN scope = 'user' THEN owner_id END, account_id, trader_id, recorder_id, scope, kind,
           unit || ' ' || basis, id::text, amount, NULL, NULL
    FROM risk_risklimit WHERE owner_id = ANY(%(owners)s::uuid[]) AND is_enabled
                              AND (account_id IS NULL OR account_id = ANY(%(accounts)s::uuid[]))
    UNION ALL
    SELECT 'pack', NULL, account_id, NULL, NULL, pack, version::text, '', id::text, start_balance, NULL, NULL
    FROM risk_packassignment WHERE account_id = ANY(%(accounts)s::uuid[]) AND is_enforced
"""


class _Row(NamedTuple):
    what: str
    owner_id: UUID | None
    account_id: UUID | None
    trader_id: UUID | None
    recorder_id: UUID | None
    first: str
    second: str
    third: str
    fourth: str
    amount: Decimal | None
    other_amount: Decimal | None
    until: datetime | None


Target = tuple[str, UUID]
"""The scope of a limit and the id of what it is about."""


class Limit(NamedTuple):
    """An enabled `RiskLimit`, as much of it as a look before an entry needs."""

    id: str
    target: Target
    kind: str
    amount: Decimal
    is_percent: bool
    from_day_end: bool

    @property
    def is_of_money(self) -> bool:
        return self.kind in MONEY

    @property
    def terms(self) -> Terms:
        """As `risk.terms.terms_of` makes them. Raises ValueError for a kind that no money decides."""
        label = str(LimitKind(self.kind).label)
        return Terms(f"limit:{self.id}", Kind(self.kind), self.amount, self.is_percent, self.from_day_end, label=label)


class AssignedPack(NamedTuple):
    """An enforced `PackAssignment`."""

    id: str
    pack: str
    version: int
    start_balance: Decimal


@dataclass(slots=True)
class InForce:
    """`limits` are what the owners limit, on these accounts or on no single one; `packs` are enforced, by account."""

    everybody: Tripped | None = None
    owners: dict[UUID, Tripped] = field(default_factory=dict)
    targets: dict[str, Tripped] = field(default_factory=dict)
    locks: dict[UUID, list[tuple[UUID | None, Lock]]] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)
    packs: dict[UUID, AssignedPack] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        is_free = self.everybody is None and not (self.owners or self.targets or self.locks)
        return is_free and not (self.limits or self.packs)

    def tripped_for(self, owner_id: UUID, account_id: UUID, recorder_id: UUID | None) -> Tripped | None:
        """The widest switch that stops this entry."""
        if self.everybody is not None:
            return self.everybody
        if not self.owners and not self.targets:
            return None
        return (
            self.owners.get(owner_id) or self.targets.get(str(account_id)) or self.targets.get(str(recorder_id))
        )  # fmt: skip

    def lock_for(self, account_id: UUID, trader_id: UUID) -> Lock | None:
        """The one that holds longest, of the whole account or of this trader."""
        mine = [lock for trader, lock in self.locks.get(account_id, ()) if trader in {None, trader_id}]
        return max(mine, key=lambda lock: lock.until, default=None)


def array_of(ids: Iterable[UUID]) -> str:
    """PostgreSQL's text for `uuid[]`: quicker than five hundred adapted values, in the path of an order."""
    return "{" + ",".join([f"{one.int:032x}" for one in ids]) + "}"


def read(owners: Collection[UUID], accounts: Collection[UUID], now: datetime) -> InForce:
    """What stops, locks or limits entries of these owners on these accounts at `now`. Raises `DatabaseError`.

    A switch whose words nobody knows stops all that its owner has, or everybody where it has none; a limit whose words
    nobody knows stops these owners.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, {"owners": array_of(owners), "accounts": array_of(accounts), "now": now})
        rows = cursor.fetchall()
    found = InForce()
    for row in rows:
        _TAKE[row[0]](found, _Row(*row))
    return found


def _take_switch(found: InForce, row: _Row) -> None:
    scope, target, words, reason = row.first, row.second, row.third, row.fourth or "no reason given"
    is_known = words in SwitchMode.values
    mode = str(SwitchMode(words).label) if is_known else UNREADABLE.mode
    if is_known and target and scope in {SwitchScope.ACCOUNT, SwitchScope.RECORDER}:
        found.targets[target] = Tripped(f"this {scope}", mode, reason)
    elif row.owner_id is not None and scope != SwitchScope.PLATFORM:
        found.owners[row.owner_id] = Tripped("all of your trading", mode, reason)
    else:
        found.everybody = Tripped("the whole platform", mode, reason)


def _take_lock(found: InForce, row: _Row) -> None:
    if row.account_id is None or row.until is None:
        return
    had, limit = ("" if amount is None else money(amount) for amount in (row.amount, row.other_amount))
    found.locks.setdefault(row.account_id, []).append((row.trader_id, Lock(row.until, row.first, had, limit)))


_IDS = {
    LimitScope.USER.value: 1, LimitScope.ACCOUNT.value: 2, LimitScope.TRADER.value: 3, LimitScope.RECORDER.value: 4,
}  # fmt: skip
"""Where in a row the id stands of what a limit of the scope is about."""


def _take_limit(found: InForce, row: _Row) -> None:
    scope, kind, terms, limit_id = row.first, row.second, row.third, row.fourth
    if scope not in _IDS or kind not in _KINDS or terms not in _TERMS or row.amount is None:
        found.everybody = Tripped("all of your trading", UNREADABLE.mode, "one of your limits could not be read")
        return
    target: Any = row[_IDS[scope]]
    found.limits.append(Limit(limit_id, (scope, target), kind, row.amount, *_TERMS[terms]))


_KINDS = frozenset(LimitKind.values)
_TERMS = {
    f"{unit.value} {basis.value}": (unit is Unit.PERCENT, basis is Basis.END_OF_DAY) for unit in Unit for basis in Basis
}


def _take_pack(found: InForce, row: _Row) -> None:
    if row.account_id is not None and row.amount is not None:
        found.packs[row.account_id] = AssignedPack(row.fourth, row.first, int(row.second), row.amount)


_TAKE = {"switch": _take_switch, "lock": _take_lock, "limit": _take_limit, "pack": _take_pack}
