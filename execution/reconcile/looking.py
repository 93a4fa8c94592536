"""After each look at an account's whole books: compare, write the differences down, and note what now agrees.

Runs in the transaction that applied the look, after everything else of it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from brokers.reports import FillReport
from execution import feed
from execution.bulk import update_rows
from execution.models import BrokerPosition, Reconciliation
from execution.reconcile import books, breaks, failures
from execution.reconcile.books import Before, Books
from execution.reconcile.breaks import Findings, Found
from execution.reconcile.compare import Difference, Kind, Ours, compare
from execution.reconcile.counted import count_what_is_there
from execution.reports.ledger import Ledger
from execution.reports.looks import Look
from justtrades import clock


def compare_looks(
    ledger: Ledger, looks: Mapping[UUID, Look], before: Before, fresh: Iterable[tuple[UUID, FillReport]]
) -> None:
    """`fresh` are the fills that the batch stored, with their accounts; `before` what its orders were."""
    if not looks:
        return
    ours = books.read(ledger, looks)
    readable = _readable(ledger, looks, ours)
    old_fills = before.old_fills(ledger, readable, fresh)
    known = breaks.unresolved(readable)
    findings = Findings(ledger.now)
    settled: list[tuple[BrokerPosition, int]] = []
    now = clock.now()
    for account_id, look in readable.items():
        side = books.side_of(look, ours, old_fills.get(account_id, ()))
        differences = compare(side)
        flat = frozenset(one.symbol for one in side.contracts if one.ours == one.theirs == 0)
        found = Found(look.account, differences, frozenset(ours.busy[account_id]), flat)
        breaks.note(findings, found, known.get(account_id, ()))
        at_venue = ours.at_venue[account_id]
        settled += [(at_venue[symbol], theirs) for symbol, theirs in _settled(side, differences)]
    findings.write()
    count_what_is_there(settled)
    update_rows(BrokerPosition, ("settled_qty", "settled_at"), [(row.pk, theirs, now) for row, theirs in settled])
    _stamp(readable.values())
    shown = [*findings.made, *findings.rows.values()]
    for owner_id in {row.owner_id for row in shown if not row.is_suspected}:
        feed.announce(owner_id, "connections")


def _readable(ledger: Ledger, looks: Mapping[UUID, Look], ours: Books) -> dict[UUID, Look]:
    """Without the looks that say nothing at all of an account where we hold something or have orders: those failed."""
    empty = {pk for pk, look in looks.items() if look.is_bare and (look.missed or ours.has_at_venue(pk))}
    failures.note_all({looks[pk].account: failures.EMPTY for pk in empty}, ledger.now)
    return {pk: look for pk, look in looks.items() if pk not in empty}


def _settled(side: Ours, differences: Iterable[Difference]) -> list[tuple[str, int]]:
    """What the venue holds of each contract that agrees, or whose difference is not ours: from here on fills count."""
    in_question = {one.symbol for one in differences if one.kind is Kind.QUANTITY}
    return [(one.symbol, one.theirs) for one in side.contracts if one.symbol not in in_question]


def _stamp(looks: Iterable[Look]) -> None:
    Reconciliation.objects.bulk_create(
        [Reconciliation(account=look.account, compared_at=look.at) for look in looks],
        update_conflicts=True,
        unique_fields=["account"],
        update_fields=["compared_at", "failed_looks", "failed_at", "failure"],
    )
