"""What is in force against new exposure, read anew for every decision: one statement, whose answer is mostly empty."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from risk.around import Lock, Tripped
from risk.models import LimitScope, PackAssignment, RiskLimit, SwitchMode, SwitchScope
from risk.monitors import money

UNREADABLE = Tripped("everything", "unreadable", "it could not be read, and what cannot be read counts as on")

_IN_FORCE = """
    SELECT 'switch', to_jsonb(s) FROM (
        SELECT owner_id, scope, target, mode, reason FROM risk_switch
        WHERE released_at IS NULL AND (owner_id IS NULL OR owner_id = ANY(%(owners)s::uuid[]))) s
    UNION ALL
    SELECT 'lock', to_jsonb(l) FROM (
        SELECT account_id, trader_id, text, had::text, allowed::text, locks_until FROM risk_riskaction
        WHERE account_id = ANY(%(accounts)s::uuid[]) AND unlocked_at IS NULL AND locks_until > %(now)s) l
    UNION ALL
    SELECT 'limit', to_jsonb(m) FROM (
        SELECT id, owner_id, scope, trader_id, account_id, recorder_id, kind, amount::text, unit, basis
        FROM risk_risklimit WHERE owner_id = ANY(%(owners)s::uuid[]) AND is_enabled) m
    UNION ALL
    SELECT 'pack', to_jsonb(p) FROM (
        SELECT id, account_id, pack, version, start_balance::text FROM risk_packassignment
        WHERE account_id = ANY(%(accounts)s::uuid[]) AND is_enforced) p
"""


@dataclass(slots=True)
class InForce:
    """`limits` are unsaved copies of the owners' enabled limits, `packs` of what is enforced, by account."""

    everybody: Tripped | None = None
    owners: dict[UUID, Tripped] = field(default_factory=dict)
    targets: dict[str, Tripped] = field(default_factory=dict)
    locks: dict[UUID, list[tuple[UUID | None, Lock]]] = field(default_factory=dict)
    limits: list[RiskLimit] = field(default_factory=list)
    packs: dict[UUID, PackAssignment] = field(default_factory=dict)

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

    A switch whose words nobody knows stops all that its owner has, or everybody where it has none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, {"owners": array_of(owners), "accounts": array_of(accounts), "now": now})
        rows = cursor.fetchall()
    found = InForce()
    for kind, document in rows:
        _TAKE[kind](found, json.loads(document) if isinstance(document, str) else document)
    return found


def _take_switch(found: InForce, row: dict[str, Any]) -> None:
    scope, target, owner = row["scope"], row["target"], row["owner_id"]
    is_known = row["mode"] in SwitchMode.values
    mode = SwitchMode(row["mode"]).label if is_known else UNREADABLE.mode
    reason = row["reason"] or "no reason given"
    if is_known and target and scope in {SwitchScope.ACCOUNT, SwitchScope.RECORDER}:
        found.targets[target] = Tripped(f"this {scope}", mode, reason)
    elif owner is not None and scope != SwitchScope.PLATFORM:
        found.owners[UUID(owner)] = Tripped("all of your trading", mode, reason)
    else:
        found.everybody = Tripped("the whole platform", mode, reason)


def _take_lock(found: InForce, row: dict[str, Any]) -> None:
    had, allowed = (None if row[name] is None else Decimal(row[name]) for name in ("had", "allowed"))
    lock = Lock(
        until=datetime.fromisoformat(row["locks_until"]),
        text=row["text"],
        had="" if had is None else money(had),
        limit="" if allowed is None else money(allowed),
    )
    trader_id = None if row["trader_id"] is None else UUID(row["trader_id"])
    found.locks.setdefault(UUID(row["account_id"]), []).append((trader_id, lock))


def _take_limit(found: InForce, row: dict[str, Any]) -> None:
    keys = {name: None if row[name] is None else UUID(row[name]) for name in ("trader_id", "account_id", "recorder_id")}
    plain = {name: row[name] for name in ("scope", "kind", "unit", "basis")}
    limit = RiskLimit(
        id=UUID(row["id"]), owner_id=UUID(row["owner_id"]), amount=Decimal(row["amount"]), **keys, **plain
    )
    found.limits.append(limit)


def _take_pack(found: InForce, row: dict[str, Any]) -> None:
    account_id = UUID(row["account_id"])
    found.packs[account_id] = PackAssignment(
        id=UUID(row["id"]), account_id=account_id, pack=row["pack"], version=row["version"],
        start_balance=Decimal(row["start_balance"]),
    )  # fmt: skip


_TAKE = {"switch": _take_switch, "lock": _take_lock, "limit": _take_limit, "pack": _take_pack}


def target_of(limit: RiskLimit) -> tuple[LimitScope, UUID]:
    """What the limit is about, as a key."""
    scope = LimitScope(limit.scope)
    ids = {
        LimitScope.TRADER: limit.trader_id,
        LimitScope.ACCOUNT: limit.account_id,
        LimitScope.RECORDER: limit.recorder_id,
    }
    return scope, ids.get(scope) or limit.owner_id
