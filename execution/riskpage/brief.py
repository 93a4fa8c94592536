"""How much may still be lost, for the top of every trading page: a few statements, whose answers are mostly empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.selectors import Person
from brokers.selectors import list_accounts_for
from execution.alarms import list_open_alarms_for
from execution.guard.gone import Left, left_by
from execution.models import Alarm
from execution.riskpage.figures import UNKNOWN, gone_of, total_of, with_left, with_mark
from execution.riskpage.meters import Meter, money_meter, nearest
from execution.riskpage.packs import SCOPE, pack_of
from execution.riskpage.page import ALARMS_SHOWN, GUARD_MAX_AGE_S, SwitchRow, switch_rows
from justtrades import clock
from risk import packs, selectors
from risk.models import MONEY, LimitScope, PackAssignment, RiskAction, RiskLimit
from risk.monitors import Figures
from risk.room import Book, read_books
from risk.services.limits import name_of
from risk.terms import pack_key, terms_of


@dataclass(frozen=True, slots=True)
class Brief:
    """`nearest` is the limit of losses that is used up most, of those on watched accounts and on everything.

    None where none is set, or none can be judged. `unknown` counts those that cannot be judged now, and `checked_at` is
    when the oldest of the figures was written down.
    """

    alarms: list[Alarm]
    locks: list[RiskAction]
    switches: list[SwitchRow]
    has_limits: bool
    nearest: Meter | None
    unknown: int
    checked_at: datetime | None


def brief(user: Person) -> Brief:
    limits = list(selectors.list_limits_for(user).filter(is_enabled=True))
    assignments = list(selectors.list_assignments_for(user))
    now = clock.now()
    books = _books(user, now) if limits or assignments else {}
    figures = {account_id: _figures(book, now) for account_id, book in books.items()}
    left = left_by(gone_of(user, limits, figures.keys(), now).values())
    meters = [*_limit_meters(limits, figures, left), *_pack_meters(assignments, figures)]
    return Brief(
        alarms=list(list_open_alarms_for(user)[:ALARMS_SHOWN]),
        locks=list(selectors.list_locks_for(user)),
        switches=switch_rows(user),
        has_limits=bool(limits or assignments),
        nearest=nearest(meters),
        unknown=sum(meter.state == "unknown" and not meter.is_target for meter in meters) + _lost(assignments, figures),
        checked_at=min((book.checked_at for book in books.values() if book is not None), default=None),
    )


def _books(user: Person, now: datetime) -> dict[UUID, Book | None]:
    """Of every account that is to be watched; None where no monitor has counted it in this session."""
    watched = list_accounts_for(user).filter(login__is_enabled=True).values_list("pk", flat=True)
    found = {} if user.pk is None else read_books([], [user.pk], now)
    return {account_id: found.get(account_id) for account_id in watched}


def _figures(book: Book | None, now: datetime) -> Figures:
    """Unknown as soon as there is any doubt: this is all that most pages say of risk."""
    if book is None or book.warning or (now - book.checked_at).total_seconds() > GUARD_MAX_AGE_S:
        return UNKNOWN
    return book.figures


def _limit_meters(limits: list[RiskLimit], figures: dict[UUID, Figures], left: Left) -> Iterator[Meter]:
    everything = with_left(total_of(list(figures.values())), left) if figures else UNKNOWN
    for limit in limits:
        if limit.kind not in MONEY or not (limit.scope == LimitScope.USER or limit.account_id in figures):
            continue
        judged = with_mark(everything, limit.high_water) if limit.account_id is None else figures[limit.account_id]
        yield money_meter(terms_of(limit), judged, whose=name_of(limit), scope=limit.scope, limit=limit)


def _lost(assignments: list[PackAssignment], figures: dict[UUID, Figures]) -> int:
    """Firms' rules that nobody can read any more."""
    return sum(one.account_id in figures and pack_of(one) is None for one in assignments)


def _pack_meters(assignments: list[PackAssignment], figures: dict[UUID, Figures]) -> Iterator[Meter]:
    for assignment in assignments:
        pack = pack_of(assignment)
        if pack is None or assignment.account_id not in figures:
            continue
        for terms in packs.terms_of(pack, assignment.start_balance, pack_key(assignment.pk)):
            yield money_meter(terms, figures[assignment.account_id], whose=assignment.account.name, scope=SCOPE)
