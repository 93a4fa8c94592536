"""An account under a prop firm's rules, ready to be shown: how far each limit is, and what no money decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from execution.prices import format_money
from execution.riskpage.figures import Book
from execution.riskpage.meters import Meter, money_meter
from justtrades import clock
from risk import packs
from risk.models import PackAssignment
from risk.monitors import Figures, Kind, Terms
from risk.packfile import Basis, Pack
from risk.selectors import list_day_results
from risk.terms import pack_key

SCOPE = "pack"


@dataclass(frozen=True, slots=True)
class PackNote:
    """A rule that is no distance in money. `at` is the moment that it is about, where there is one."""

    name: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PackView:
    """`pack` None: its file is gone, and nothing guards the account by it."""

    assignment: PackAssignment
    pack: Pack | None
    meters: tuple[Meter, ...] = ()
    notes: tuple[PackNote, ...] = ()


def pack_views(assignments: Iterable[PackAssignment], book: Book) -> dict[UUID, PackView]:
    """By account. One query for the days that consistency counts by, where a pack asks for it."""
    found = {assignment.account_id: (assignment, pack_of(assignment)) for assignment in assignments}
    asking = [pk for pk, (_, pack) in found.items() if pack and pack.consistency_percent is not None]
    results = _day_results(asking)
    return {
        account_id: PackView(assignment, None)
        if pack is None
        else _view(assignment, pack, book.of_account(account_id).figures, results.get(account_id, []))
        for account_id, (assignment, pack) in found.items()
    }


def pack_of(assignment: PackAssignment) -> Pack | None:
    """None where its file is gone, or cannot be used."""
    try:
        return packs.get(assignment.pack, assignment.version)
    except (KeyError, packs.BadPack):
        return None


def _day_results(account_ids: list[UUID]) -> dict[UUID, list[Decimal]]:
    """What each day since the assignment brought, after fees."""
    found: dict[UUID, list[Decimal]] = defaultdict(list)
    if not account_ids:
        return found
    for account_id, realized, fees in list_day_results(account_ids):
        found[account_id].append(realized - fees)
    return found


def _view(assignment: PackAssignment, pack: Pack, figures: Figures, results: list[Decimal]) -> PackView:
    key, whose = pack_key(assignment.pk), pack.title
    terms = [*packs.terms_of(pack, assignment.start_balance, key), *_target(pack, key)]
    profit = None if figures.equity is None else figures.equity - assignment.start_balance
    meters = []
    for one in terms:
        # A firm's target is the profit since the account began, and not a day's.
        judged = Figures(day=profit) if one.kind is Kind.DAILY_PROFIT else figures
        meters.append(money_meter(one, judged, whose=whose, scope=SCOPE))
    return PackView(assignment, pack, tuple(meters), tuple(_notes(pack, figures, profit, assignment, results)))


def _target(pack: Pack, key: str) -> list[Terms]:
    if pack.profit_target is None:
        return []
    return [Terms(f"{key}:profit_target", Kind.DAILY_PROFIT, pack.profit_target, label=f"{pack.firm} profit target")]


def _notes(
    pack: Pack, figures: Figures, profit: Decimal | None, assignment: PackAssignment, results: list[Decimal]
) -> list[PackNote]:
    now = clock.now()
    found = []
    if pack.scaling is not None:
        start = figures.start_equity
        settled = None if start is None else start - assignment.start_balance
        most = packs.most_contracts(pack, profit if pack.scaling.basis is Basis.INTRADAY else settled)
        found.append(
            PackNote("Most contracts", f"{most.normalize():f} minis at this profit" if most is not None else "")
        )
    consistency = packs.consistency(pack, results)
    if consistency is not None:
        found.append(PackNote("Consistency", _consistency_text(consistency)))
    flat_at = packs.next_flat_by(pack, now)
    if packs.flat_by(pack, now) is not None:
        found.append(PackNote("Flat by", "closed now: no entry until the exchange opens again"))
    elif flat_at is not None:
        found.append(PackNote("Flat by", "", flat_at))
    event = packs.next_news(pack, now)
    if event is not None:
        found.append(PackNote("No entry around", event.label, event.at))
    unknown = packs.unknown_news(pack, now)
    if unknown:
        found.append(PackNote("Dates not known", f"{', '.join(unknown)}: nothing guards you around them"))
    return found


def _consistency_text(found: packs.Consistency) -> str:
    limit = f"limit {found.limit_percent.normalize():f}%"
    if found.percent is None:
        return f"no profit yet, {limit}"
    text = f"best day {found.percent:.0f}%, {limit}"
    return text if found.is_kept else f"{text}, {format_money(found.missing, signed=False)} more to earn on other days"
