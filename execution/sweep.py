"""The one-second sweep: finds what no bell announced and no process carried on. Sends nothing itself."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Mod

from execution import doubt, feed, health, planner, transitions
from execution.models import IntentKind, IntentStatus, ObjectKind, OrderIntent
from execution.transitions import Change
from justtrades import bell, clock
from recorders import silence

log = structlog.get_logger(__name__)
UNANNOUNCED_S = 0.5
WAITING = timedelta(seconds=0.5)


def sweep() -> None:
    """One pass. Every step is a compare-and-swap, so that a second sweeper could do no harm."""
    health.beat(health.SWEEPER)
    planner.plan_waiting(older_than_s=UNANNOUNCED_S)
    expire_entries()
    doubt.doubt_silent(None)
    ring_lanes()
    for owner_id in silence.watch():
        feed.announce(owner_id, "connections")


def expire_entries() -> int:
    """Cleared entries that nobody sent in time; their lane may be down, their owner is to know."""
    now = clock.now()
    stale = OrderIntent.objects.filter(
        kind=IntentKind.ENTRY, status__in=[IntentStatus.NEW, IntentStatus.CLEARED], expires_at__lt=now
    )
    expired = 0
    for intent in stale:
        text = "age: over the limit of 30 s before it could be sent; entries are not sent late"
        swapped = OrderIntent.objects.filter(pk=intent.pk, status=intent.status).update(
            status=IntentStatus.EXPIRED, reason_code="STALE", reason_text=text, finished_at=now
        )
        if swapped:
            expired += 1
            change = Change(
                intent.owner_id, ObjectKind.INTENT, intent.id, intent.status, IntentStatus.EXPIRED, now, text
            )
            transitions.record([change])
    return expired


def ring_lanes() -> int:
    """Ring for each lane that has cleared intents waiting, or doubts to resolve."""
    since = clock.now() - WAITING
    lane = Mod(F("lane_slot"), settings.LANES)
    waiting = OrderIntent.objects.filter(status=IntentStatus.CLEARED, cleared_at__lt=since).annotate(lane=lane)
    lanes = set(waiting.values_list("lane", flat=True).distinct().order_by())
    for index in lanes:
        bell.ring(planner.DISPATCH_TASK, f"lane.{index}", index)
    return len(lanes)
