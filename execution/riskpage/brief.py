"""How much may still be lost, for the top of every trading page: a few statements, whose answers are mostly empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from accounts.selectors import Person
from execution.alarms import list_open_alarms_for
from execution.models import Alarm
from execution.riskpage.figures import UNKNOWN, total_of
from execution.riskpage.meters import Meter, money_meter, nearest
from execution.riskpage.packs import SCOPE
from execution.riskpage.page import ALARMS_SHOWN, SwitchRow, switch_rows
from justtrades import clock
from risk import packs, selectors
from risk.models import MONEY, LimitScope, PackAssignment, RiskAction, RiskLimit
from risk.monitors import Figures
from risk.room import read_books
from risk.services.limits import name_of
from risk.terms import pack_key, terms_of


@dataclass(frozen=True, slots=True)
class Brief:
    """`nearest` is the limit of losses that is used up most, of those on accounts and on everything.

    None where none is set, or none can be judged.
    """

    alarms: list[Alarm]
    locks: list[RiskAction]
    switches: list[SwitchRow]
    has_limits: bool
    nearest: Meter | None


def brief(user: Person) -> Brief:
    limits = list(selectors.list_limits_for(user).filter(is_enabled=True))
    assignments = list(selectors.list_assignments_for(user))
    figures = _figures(user) if limits or assignments else {}
    meters = [*_limit_meters(limits, figures), *_pack_meters(assignments, figures)]
    return Brief(
        alarms=list(list_open_alarms_for(user)[:ALARMS_SHOWN]),
        locks=list(selectors.list_locks_for(user)),
        switches=switch_rows(user),
        has_limits=bool(limits or assignments),
        nearest=nearest(meters),
    )


def _figures(user: Person) -> dict[UUID, Figures]:
    """Of every account that is counted in this session."""
    if user.pk is None:
        return {}
    return {account_id: book.figures for account_id, book in read_books([], [user.pk], clock.now()).items()}


def _limit_meters(limits: list[RiskLimit], figures: dict[UUID, Figures]) -> Iterator[Meter]:
    everything = total_of(list(figures.values())) if figures else UNKNOWN
    for limit in limits:
        if limit.kind not in MONEY or limit.scope not in {LimitScope.ACCOUNT, LimitScope.USER}:
            continue
        judged = everything if limit.account_id is None else figures.get(limit.account_id, UNKNOWN)
        yield money_meter(terms_of(limit), judged, whose=name_of(limit), scope=limit.scope, limit=limit)


def _pack_meters(assignments: list[PackAssignment], figures: dict[UUID, Figures]) -> Iterator[Meter]:
    for assignment in assignments:
        try:
            pack = packs.get(assignment.pack, assignment.version)
        except KeyError:
            continue
        judged = figures.get(assignment.account_id, UNKNOWN)
        for terms in packs.terms_of(pack, assignment.start_balance, pack_key(assignment.pk)):
            yield money_meter(terms, judged, whose=assignment.account.name, scope=SCOPE)
