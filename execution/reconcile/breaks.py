"""Differences become rows: seen, made certain, adopted or open, and over. What was done about it stays with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from brokers.models import BrokerAccount
from execution import alarms, transitions
from execution.bulk import update_rows
from execution.models import Break, BreakKind, BreakState, Fill, ObjectKind
from execution.reconcile.compare import Difference, Kind
from execution.transitions import Change
from justtrades.ids import new_id

APART = timedelta(seconds=2)
"""Two sightings that are nearer than this are one."""
ALARMS = {BreakKind.QUANTITY: "BOOKS_DIFFER", BreakKind.UNREADABLE: "BOOKS_UNREADABLE"}
PAUSES = frozenset({Kind.QUANTITY})
ADOPTS = frozenset({Kind.EXTERNAL_ORDER, Kind.EXTERNAL_POSITION})
COMPARED = frozenset(BreakKind(kind.value) for kind in Kind) - {BreakKind.MISSING_FILL}
"""Kinds whose rows end when a look no longer shows them."""
OVER = {
    BreakKind.EXTERNAL_ORDER: "it works at the broker no more",
    BreakKind.EXTERNAL_POSITION: "the broker's position and ours are equal again",
    BreakKind.QUANTITY: "both sides say the same again",
    BreakKind.ORPHANED_EXIT: "it works at the broker no more",
    BreakKind.MISSING_EXIT: "a working stop covers the position, or it is closed",
    BreakKind.EXTRA_EXIT: "no more contracts rest in exits than are held",
    BreakKind.UNREADABLE: "the broker answered again",
}
BELIEVED_FLAT = "the broker was flat in every look, so our books were closed: nothing was traded"
FILL_BOOKED = "the fill was booked once, as every other"
_COLUMNS = (
    "ours", "theirs", "text", "state", "is_suspected", "pauses_entries", "sightings", "first_seen_at", "last_seen_at",
    "resolved_at", "resolution",
)  # fmt: skip


@dataclass(slots=True)
class Findings:
    """What a comparison of several accounts writes. `alarming` are rows that have just been made certain."""

    now: datetime
    rows: dict[UUID, Break] = field(default_factory=dict)
    made: list[Break] = field(default_factory=list)
    dropped: list[UUID] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    alarming: list[Break] = field(default_factory=list)
    ended: list[Break] = field(default_factory=list)

    def write(self) -> None:
        """What a person has ended meanwhile stays as that person left it."""
        Break.objects.bulk_create(self.made)
        rows = [(row.id, *(getattr(row, name) for name in _COLUMNS)) for row in self.rows.values()]
        written = {*update_rows(Break, _COLUMNS, rows, guard="t.state <> 'resolved'"), *(row.id for row in self.made)}
        if self.dropped:
            Break.objects.filter(id__in=self.dropped).exclude(state=BreakState.RESOLVED).delete()
        transitions.record(change for change in self.changes if change.object_id in written)
        for row in self.alarming:
            if row.id in written:
                raise_for(row)
        for row in self.ended:
            hush(row)


@dataclass(frozen=True, slots=True)
class Found:
    """What comparing one account gave. `busy` contracts were not compared; `flat` ones neither side holds."""

    account: BrokerAccount
    differences: Sequence[Difference]
    busy: frozenset[str]
    flat: frozenset[str]


def note(findings: Findings, found: Found, known: Sequence[Break]) -> None:
    """Hold an account's differences against its unresolved rows."""
    open_rows = {(row.kind, row.symbol, row.ref): row for row in known}
    for one in found.differences:
        row = open_rows.pop((one.kind.value, one.symbol, one.ref), None)
        if row is None:
            _begin(findings, found.account, one)
        else:
            _see_again(findings, row, one)
    for row in open_rows.values():
        if row.kind == BreakKind.UNREADABLE or (row.kind in COMPARED and row.symbol not in found.busy):
            _end(findings, row, is_flat=row.symbol in found.flat)


def _begin(findings: Findings, account: BrokerAccount, one: Difference) -> None:
    row = Break(
        id=new_id(), owner_id=account.owner_id, account=account, kind=one.kind.value, symbol=one.symbol, ref=one.ref,
        ours=one.ours, theirs=one.theirs, text=one.text, first_seen_at=findings.now, last_seen_at=findings.now,
        is_suspected=True,
    )  # fmt: skip
    findings.made.append(row)
    if one.needs <= 1:
        _make_certain(findings, row, one)


def _see_again(findings: Findings, row: Break, one: Difference) -> None:
    """Count the sighting, if it is not the one before told twice."""
    is_news = (row.ours, row.theirs, row.text) != (one.ours, one.theirs, one.text)
    is_apart = findings.now - row.last_seen_at >= APART
    if not is_apart and not is_news:
        return
    if is_news and row.is_suspected:
        # Another difference than the one that was seen before.
        row.sightings, row.first_seen_at = 1, findings.now
    elif is_apart:
        row.sightings += 1
    row.ours, row.theirs, row.text, row.last_seen_at = one.ours, one.theirs, one.text, findings.now
    findings.rows[row.id] = row
    if row.is_suspected and row.sightings >= one.needs:
        _make_certain(findings, row, one)


def _make_certain(findings: Findings, row: Break, one: Difference) -> None:
    row.is_suspected = False
    if one.kind is Kind.MISSING_FILL:
        row.state, row.resolved_at, row.resolution = BreakState.RESOLVED, findings.now, FILL_BOOKED
    else:
        row.state = BreakState.ADOPTED if one.kind in ADOPTS else BreakState.OPEN
        row.pauses_entries = one.kind in PAUSES
        if row.pauses_entries:
            findings.alarming.append(row)
    findings.changes.append(change_of(row, "", findings.now, one.text))


def _end(findings: Findings, row: Break, *, is_flat: bool) -> None:
    is_believed = is_flat and row.kind == BreakKind.QUANTITY and row.theirs == "+0" and not _has_traded(row)
    if row.is_suspected and not is_believed:
        findings.dropped.append(row.id)
        return
    row.is_suspected = False
    end(row, findings.now, BELIEVED_FLAT if is_believed else OVER[BreakKind(row.kind)], findings.changes)
    findings.rows[row.id] = row
    findings.ended.append(row)


def _has_traded(row: Break) -> bool:
    """Whether a fill came since, which explains by itself that both sides are flat now."""
    fills = Fill.objects.filter(account_id=row.account_id, symbol=row.symbol, stored_at__gte=row.first_seen_at)
    return fills.exists()


def end(row: Break, now: datetime, resolution: str, changes: list[Change]) -> None:
    """It is over. The caller writes the row and the changes."""
    before, row.state = row.state, BreakState.RESOLVED
    if row.resolution:
        resolution = f"{row.resolution}; {resolution}"
    row.pauses_entries, row.resolved_at, row.resolution = False, now, resolution[:512]
    changes.append(change_of(row, before, now, resolution))


def change_of(row: Break, before: str, now: datetime, detail: str) -> Change:
    return Change(row.owner_id, ObjectKind.BREAK, row.id, before, row.state, now, detail)


def raise_for(row: Break) -> bool:
    text = f"{row.account.name}: {row.text}"
    if row.pauses_entries:
        text += ". Nothing new is opened there until you say what is right"
    code = ALARMS[BreakKind(row.kind)]
    return alarms.raise_alarm(owner_id=row.owner_id, account_id=row.account_id, code=code, ref=row.id, text=text)


def hush(row: Break) -> None:
    """End the alarm of a row that is over, if its kind has one."""
    code = ALARMS.get(BreakKind(row.kind))
    if code is not None:
        alarms.end_alarm(owner_id=row.owner_id, code=code, ref=row.id)


def unresolved(account_ids: Iterable[UUID]) -> Mapping[UUID, list[Break]]:
    """The rows of these accounts that are not over, suspicions among them."""
    found: dict[UUID, list[Break]] = {}
    rows = Break.objects.exclude(state=BreakState.RESOLVED).filter(account_id__in=account_ids)
    for row in rows.select_related("account"):
        found.setdefault(row.account_id, []).append(row)
    return found
