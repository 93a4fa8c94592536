"""Repairs that were over before a look could show what was wrong: written down as what was found and done."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from execution import transitions
from execution.models import Break, BreakKind, BreakState, Order
from execution.reconcile.breaks import change_of
from justtrades import clock
from justtrades.ids import new_id

TEXTS = {
    BreakKind.ORPHANED_EXIT: ("works, and its trader holds none", "canceled by us: it could have opened a position"),
    BreakKind.EXTRA_EXIT: ("is more than what is held", "cut down by us: it could have opened a position"),
}


def note_cuts(kind: BreakKind, order_ids: Collection[UUID]) -> int:
    """Write down that these exits were taken away, for `kind` ORPHANED_EXIT or EXTRA_EXIT; how many rows."""
    now = clock.now()
    found, done = TEXTS[kind]
    rows = [
        Break(
            id=new_id(), owner_id=order.owner_id, account_id=order.account_id, kind=kind, symbol=order.symbol,
            ref=order.broker_order_id or str(order.id), theirs=f"{order.role} {order.side} {order.qty}",
            text=f"a {order.role} of ours for {order.qty - order.filled_qty} {order.symbol} {found}",
            state=BreakState.RESOLVED, first_seen_at=now, last_seen_at=now, resolved_at=now, resolution=done,
        )
        for order in Order.objects.filter(id__in=order_ids)
    ]  # fmt: skip
    Break.objects.bulk_create(rows)
    transitions.record([change_of(row, "", now, done) for row in rows])
    return len(rows)
