"""Everything that may stand against entries at one moment, in two statements; more only where limits are set.

What cannot be read counts as a kill switch that is on: entries are denied, exits are not asked.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from execution.clearing import pack_facts
from execution.clearing.exposure import Exposure
from execution.models.order import LIVE as LIVE_ORDERS
from recorders.models import SignalStatus
from risk import restrictions, room
from risk.models import LimitScope
from risk.monitors import Gauge
from risk.restrictions import InForce, Limit, Target, array_of
from risk.room import Book
from risk.throttle import MINUTE

log = structlog.get_logger(__name__)

_OURS = """
    SELECT 'break', account_id, text, 0 FROM execution_break
    WHERE account_id = ANY(%(accounts)s::uuid[]) AND state = 'open' AND pauses_entries
    UNION ALL
    SELECT 'orders', account_id, '', count(*) FROM execution_order
    WHERE account_id = ANY(%(accounts)s::uuid[]) AND status = ANY(%(live)s)
    GROUP BY account_id HAVING count(*) >= %(most_orders)s
    UNION ALL
    SELECT 'signals', NULL::uuid, '', count(*) FROM recorders_signal
    WHERE owner_id = ANY(%(owners)s::uuid[]) AND received_at > %(minute_ago)s AND recorder_id = %(recorder)s
          AND status = %(planned)s
    HAVING count(*) >= %(most_signals)s
"""


@dataclass(frozen=True, slots=True)
class Who:
    """Whose entries on which accounts; `recorder_id` where one recorder's signal or command is planned."""

    owners: frozenset[UUID]
    accounts: frozenset[UUID]
    recorder_id: UUID | None = None


@dataclass(slots=True)
class Restraints:
    """`busy` are accounts with as many working orders as are allowed, or more; `signals` what the recorder's minute had
    where that is all that it may have. `used_up` are limits of money without room, by account or user; `lifted` those
    that act no more in an account's session. `exposure` is None where nothing counts contracts.
    """

    in_force: InForce = field(default_factory=InForce)
    paused_by: dict[UUID, str] = field(default_factory=dict)
    busy: dict[UUID, int] = field(default_factory=dict)
    signals: int = 0
    books: dict[UUID, Book] = field(default_factory=dict)
    used_up: dict[UUID, list[Gauge]] = field(default_factory=dict)
    lifted: set[tuple[str, UUID]] = field(default_factory=set)
    exposure: Exposure | None = None
    open_risks: dict[UUID, Decimal] = field(default_factory=dict)
    by_target: dict[Target, list[Limit]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that any single account would have to be looked at for."""
        return self.in_force.is_empty and not (self.paused_by or self.busy) and self.signals == 0

    def limits_on(self, *targets: Target) -> list[Limit]:
        return [limit for target in targets for limit in self.by_target.get(target, ())]


def read(who: Who, now: datetime) -> Restraints:
    """In a savepoint of its own, so that a statement that fails does not take the exits of a plan along."""
    try:
        with transaction.atomic():
            return _read(who, now)
    except DatabaseError as error:
        if connection.needs_rollback:
            raise
        log.error("restraints.unreadable", reason=type(error).__name__)  # noqa: TRY400 - the class says all
        return Restraints(InForce(everybody=restrictions.UNREADABLE))


def _read(who: Who, now: datetime) -> Restraints:
    found = Restraints(restrictions.read(who.owners, who.accounts, now))
    with connection.cursor() as cursor:
        cursor.execute(_OURS, _parameters(who, now))
        for kind, account_id, text, count in cursor.fetchall():
            if kind == "break":
                found.paused_by[account_id] = text or "a difference that nobody has settled"
            elif kind == "orders":
                found.busy[account_id] = count
            else:
                found.signals = count
    if found.in_force.limits or found.in_force.packs:
        _read_limited(found, who, now)
    return found


def _parameters(who: Who, now: datetime) -> dict[str, Any]:
    return {
        "accounts": array_of(who.accounts),
        "owners": array_of(who.owners),
        "recorder": who.recorder_id,
        "live": sorted(LIVE_ORDERS),
        "planned": SignalStatus.PLANNED.value,
        "minute_ago": now - MINUTE,
        "most_orders": settings.MOST_WORKING_ORDERS,
        "most_signals": settings.SIGNALS_PER_MINUTE_RECORDER,
    }


def _read_limited(found: Restraints, who: Who, now: datetime) -> None:
    limits = found.in_force.limits
    for limit in limits:
        found.by_target.setdefault(limit.target, []).append(limit)
    of_money = [limit for limit in limits if limit.is_of_money]
    if of_money or found.in_force.packs:
        _read_figures(found, who, of_money, now)
    if len(of_money) < len(limits) or found.in_force.packs:
        found.exposure = Exposure.read(who.owners)
    if found.in_force.packs:
        found.open_risks = pack_facts.open_risks(found.in_force.packs.keys(), now)


def _read_figures(found: Restraints, who: Who, of_money: Collection[Limit], now: datetime) -> None:
    users = {limit.target[1] for limit in of_money if limit.target[0] == LimitScope.USER}
    found.books = room.read_books(who.accounts, users, now)
    found.lifted = room.lifted(who.accounts, now)
    found.used_up = room.used_up(of_money, found.books)
