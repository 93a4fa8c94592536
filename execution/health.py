"""How the machinery itself is: which loops are alive, and how old the oldest work is that nobody has done yet.

Ages are in seconds. They are counted by the database's clock alone, so that machines whose clocks differ agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import Now

from brokers.base import OrderStatus
from execution.models import Heartbeat, IntentStatus, Order, OrderIntent, Position
from recorders.models import Signal, SignalStatus

SWEEPER = "sweeper"
COUNTED_PERIOD = timedelta(hours=24)


def lane_name(number: int) -> str:
    return f"lane.{number}"


def beat(name: str, detail: dict[str, Any] | None = None) -> None:
    """Say that the loop `name` is alive now: one statement. `detail` is shown to staff and must hold no secret."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, beat_at=Now(), detail=detail or {})],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["beat_at", "detail"],
    )


def ages() -> dict[str, float]:
    """Seconds since each loop's last beat; a loop that never beat is absent."""
    rows = Heartbeat.objects.annotate(asked_at=Now()).values_list("name", "asked_at", "beat_at")
    return {name: (asked_at - beat_at).total_seconds() for name, asked_at, beat_at in rows}


def oldest_unfinished() -> dict[str, float]:
    """Age of the oldest row in each state that something should be moving it out of; 0 where there is none."""
    return {
        "signal_received": _oldest(Signal.objects.filter(status=SignalStatus.RECEIVED), "received_at"),
        "intent_new": _oldest(OrderIntent.objects.filter(status=IntentStatus.NEW), "created_at"),
        "intent_cleared": _oldest(OrderIntent.objects.filter(status=IntentStatus.CLEARED), "cleared_at"),
        "order_submitting": _oldest(Order.objects.filter(status=OrderStatus.SUBMITTING), "submit_started_at"),
        "order_unknown": _oldest(Order.objects.filter(status=OrderStatus.UNKNOWN), "submit_started_at"),
    }


def unprotected_positions() -> tuple[int, float]:
    """How many positions want a stop and have none working for their full size, and the oldest one's age."""
    unprotected = Position.objects.filter(unprotected_since__isnull=False).exclude(net_qty=0)
    return unprotected.count(), _oldest(unprotected, "unprotected_since")


def signals_by_status() -> dict[str, int]:
    """Signals of the last 24 hours, every status present."""
    recent = Signal.objects.filter(received_at__gte=Now() - COUNTED_PERIOD).order_by()
    counted: Iterable[tuple[str, int]] = recent.values_list("status").annotate(rows=Count("pk"))
    return dict.fromkeys(SignalStatus.values, 0) | dict(counted)


def _oldest(rows: QuerySet[Any], moment: str) -> float:
    row = rows.exclude(**{moment: None}).order_by(moment).annotate(asked_at=Now()).values_list("asked_at", moment)
    found: tuple[datetime, datetime] | None = row.first()
    return 0.0 if found is None else (found[0] - found[1]).total_seconds()
