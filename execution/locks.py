"""The only place that locks. Order: recorder, then signal, then intents, then orders, then positions.

What a broker says of a position is locked last, and never waited for: a batch of reports may write it before positions.

All locks end with their transaction; none is held across a call to a broker.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from execution.models import BrokerPosition, Order, OrderIntent, Position
from recorders.models import Signal, SignalStatus

PLANNING = 1
"""Advisory key space, never renumbered; the others are in `execution.ownership`."""


def lock_planning_of(recorder_id: UUID) -> None:
    """One planner per recorder at a time, so that the second of two alerts sees what the first one set off."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [PLANNING, str(recorder_id)])


def lock_next_signal_of(recorder_id: UUID) -> Signal | None:
    """The recorder's oldest signal that waits for a plan."""
    waiting = Signal.objects.filter(recorder_id=recorder_id, status=SignalStatus.RECEIVED)
    return waiting.select_for_update(no_key=True, of=("self",)).order_by("received_at", "id").first()


def lock_intents(intents: QuerySet[OrderIntent]) -> list[OrderIntent]:
    return list(intents.select_for_update(no_key=True, of=("self",)).order_by("id"))


def lock_orders(orders: QuerySet[Order]) -> list[Order]:
    return list(orders.select_for_update(no_key=True, of=("self",)).order_by("id"))


def lock_positions(trader_symbols: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], Position]:
    wanted = set(trader_symbols)
    rows = Position.objects.filter(
        trader_id__in={trader for trader, _ in wanted}, symbol__in={symbol for _, symbol in wanted}
    )
    locked = rows.select_for_update(no_key=True, of=("self",)).order_by("id")
    return {(row.trader_id, row.symbol): row for row in locked if (row.trader_id, row.symbol) in wanted}


def lock_broker_position(account_id: UUID, symbol: str) -> BrokerPosition | None:
    """None where there is none, or where a report of it is being written at this moment."""
    rows = BrokerPosition.objects.filter(account_id=account_id, symbol=symbol)
    return rows.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
