"""Rule packs in the monitor: their money limits as terms, and accounts that have to be flat by a time of the day."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from brokers.base import OrderRole
from execution.guard.days import Day
from execution.guard.decide import Breach
from execution.models import Order
from execution.models.order import LIVE as LIVE_ORDERS
from execution.valuation import known_contract
from risk import packs
from risk.models import PackAssignment
from risk.monitors import Terms

log = structlog.get_logger(__name__)
FLAT_BY = "FLAT_BY"
LEAD = timedelta(seconds=60)
"""Before the firm's time: at an exchange's close nothing can be closed any more."""
Packs = Mapping[UUID, tuple[PackAssignment, packs.Pack]]


def load_packs(account_ids: Collection[UUID]) -> dict[UUID, tuple[PackAssignment, packs.Pack]]:
    """The packs that are enforced, by account. One that cannot be read is logged: entries are denied for it."""
    found = {}
    for assignment in PackAssignment.objects.filter(account__in=account_ids, is_enforced=True):
        try:
            found[assignment.account_id] = assignment, packs.get(assignment.pack, assignment.version)
        except (KeyError, packs.BadPack) as error:
            log.error("guard.pack_unreadable", account=str(assignment.account_id), reason=str(error))  # noqa: TRY400
    return found


def terms_of(known: Packs) -> dict[UUID, tuple[Terms, ...]]:
    """Each account's money limits by its pack."""
    return {
        account_id: packs.terms_of(pack, assignment.start_balance, f"pack:{assignment.pk}")
        for account_id, (assignment, pack) in known.items()
    }


def late_positions(known: Packs, days: Mapping[UUID, Day], now: datetime) -> list[Breach]:
    """What is held, or may still be filled, when the firm wants its accounts flat. The lock ends with that period.

    Entries that rest are taken back before (`execution.switchboard`): one that is still there at the firm's own time
    is closed with its account, and verified, as if it were held. That asks the database, in such a period alone.
    """
    breaches, empty = [], {}
    for account_id, (assignment, pack) in known.items():
        day = days.get(account_id)
        if day is None:
            continue
        if not day.book.held:
            period = packs.flat_by(pack, now)
            if period is not None:
                empty[account_id] = _late(day, assignment, period)
            continue
        for symbol in day.book.held:
            contract = known_contract(symbol)
            period = None if contract is None else packs.flat_by(pack, now + LEAD, contract.product.calendar)
            if period is not None:
                breaches.append(_late(day, assignment, period))
                break
    return [*breaches, *(empty[account_id] for account_id in _with_live_entries(empty))]


def _with_live_entries(account_ids: Collection[UUID]) -> set[UUID]:
    if not account_ids:
        return set()
    live = Order.objects.filter(account__in=account_ids, role=OrderRole.ENTRY.value, status__in=sorted(LIVE_ORDERS))
    return set(live.values_list("account_id", flat=True))


def _late(day: Day, assignment: PackAssignment, period: tuple[datetime, datetime]) -> Breach:
    begins, ends = period
    return Breach(
        # A period of its own each time: two of them can be in one session.
        limit_key=f"pack:{assignment.pk}:flat_by:{begins:%Y%m%d%H%M}",
        owner_id=day.account.owner_id,
        account_id=day.account.id,
        trader_id=None,
        session=day.session.day,
        locks_until=ends,
        code=FLAT_BY,
        text=f"{assignment}: no position is allowed from {begins:%H:%M} to {ends:%H:%M} UTC",
    )
