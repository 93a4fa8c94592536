"""Looks that got no answer, or one that cannot be true. One is an accident, three in a row are a break."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from brokers.models import BrokerAccount
from execution import feed, transitions
from execution.models import Break, BreakKind, BreakState, Reconciliation
from execution.reconcile import breaks
from justtrades.ids import new_id

NEEDED = 3
UNHEARD = "nothing came of the look that could be compared"
EMPTY = "its answer was empty, although we hold something or have orders there"


def note_all(failed: Mapping[BrokerAccount, str], now: datetime) -> None:
    """Count a failed look at each account, with the reason in words; the third in a row is written down."""
    if not failed:
        return
    known = {row.account_id: row for row in Reconciliation.objects.filter(account__in=failed)}
    rows = []
    for account, reason in failed.items():
        row = known.get(account.id) or Reconciliation(account=account)
        row.failed_looks, row.failed_at, row.failure = min(row.failed_looks + 1, 1000), now, reason[:255]
        rows.append(row)
        if row.failed_looks >= NEEDED:
            _write(account, row, now)
    Reconciliation.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account"],
        update_fields=["failed_looks", "failed_at", "failure"],
    )


def _write(account: BrokerAccount, row: Reconciliation, now: datetime) -> None:
    text = f"the broker's books could not be compared with ours in {row.failed_looks} looks: {row.failure}"
    said = {"theirs": row.failure, "text": text[:512], "sightings": row.failed_looks, "last_seen_at": now}
    open_one = Break.objects.filter(account=account, kind=BreakKind.UNREADABLE).exclude(state=BreakState.RESOLVED)
    if open_one.update(**said):
        return
    made = Break.objects.create(
        id=new_id(), owner_id=account.owner_id, account=account, kind=BreakKind.UNREADABLE,
        first_seen_at=now, **said,
    )  # fmt: skip
    transitions.record([breaks.change_of(made, "", now, text)])
    breaks.raise_for(made)
    feed.announce(made.owner_id, "connections")
