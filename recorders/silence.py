"""Notices about recorders that say nothing for too long, or so much that TradingView may stop them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Max, OuterRef, QuerySet

from accounts.selectors import Person
from justtrades import clock
from recorders import cadence
from recorders.models import Notice, NoticeKind, Recorder, Signal

EVERY_S = 15.0
BURST_STAYS = timedelta(hours=1)
"""How long a burst is told of: the alert that it may have stopped does not say so itself."""
CLOCK_MARGIN = timedelta(minutes=1)


def list_notices_for(user: Person) -> QuerySet[Notice]:
    """Open ones first, then newest first."""
    notices = Notice.objects.filter(owner_id=user.pk).select_related("recorder")
    return notices.order_by(F("ended_at").desc(nulls_first=True), "-created_at", "pk")


def list_open_notices_for(user: Person) -> QuerySet[Notice]:
    return list_notices_for(user).filter(ended_at__isnull=True)


@dataclass(slots=True)
class Watch:
    """Looks at most every `EVERY_S`. `_heard` remembers when those that are silent spoke last: it does not change."""

    _looked_at: float = float("-inf")
    _heard: dict[UUID, datetime | None] = field(default_factory=dict)

    def look(self) -> set[UUID]:
        """Open, reword and end the notices that are due; the owners of those that changed."""
        if time.monotonic() - self._looked_at < EVERY_S:
            return set()
        self._looked_at = time.monotonic()
        now = clock.now()
        return self._silences(now) | _bursts(now)

    def _silences(self, now: datetime) -> set[UUID]:
        silent = {recorder.pk: recorder for recorder in _silent_recorders(now)}
        self._heard = {pk: heard for pk, heard in self._heard.items() if pk in silent}
        unknown = silent.keys() - self._heard.keys()
        for pk in unknown:
            self._heard[pk] = _last_heard(silent[pk])
        texts = {
            pk: cadence.silence_text(self._heard[pk], recorder.created_at, now, recorder.expected_every_minutes)
            for pk, recorder in silent.items()
        }
        return _settle(NoticeKind.SILENT, now, silent, texts)


_watch = Watch()


def watch() -> set[UUID]:
    """One look of the sweeper: cheap to call every second. The owners whose notices changed."""
    return _watch.look()


def _silent_recorders(now: datetime) -> list[Recorder]:
    """Those that expect alerts and had none for longer than that. One query for each cadence that is in use."""
    watched = Recorder.objects.filter(is_enabled=True, expected_every_minutes__gt=0)
    cadences = watched.order_by().values_list("expected_every_minutes", flat=True).distinct()
    found: list[Recorder] = []
    for minutes in list(cadences):
        since = cadence.heard_since(now, minutes)
        # The owner comes first in the index of signals by time.
        heard = Signal.objects.filter(owner=OuterRef("owner"), recorder=OuterRef("pk"), received_at__gt=since)
        found += watched.filter(~Exists(heard), expected_every_minutes=minutes, created_at__lte=since)
    return found


def _last_heard(recorder: Recorder) -> datetime | None:
    signals = Signal.objects.filter(owner_id=recorder.owner_id, recorder=recorder)
    last: datetime | None = signals.aggregate(last=Max("received_at"))["last"]
    return last


def _bursts(now: datetime) -> set[UUID]:
    """A burst is told of for an hour, whether or not it goes on."""
    since = now - cadence.BURST_SPAN
    recent = Signal.objects.filter(pk__gte=cadence.first_id_at(since - CLOCK_MARGIN), received_at__gt=since)
    loud = recent.order_by().values("recorder_id").annotate(alerts=Count("pk")).filter(alerts__gte=cadence.BURST)
    counts = dict(loud.values_list("recorder_id", "alerts"))
    recorders = {recorder.pk: recorder for recorder in Recorder.objects.filter(pk__in=counts)} if counts else {}
    texts = {pk: cadence.burst_text(counts[pk]) for pk in recorders}
    return _settle(NoticeKind.TOO_MANY, now, recorders, texts)


def _settle(
    kind: NoticeKind, now: datetime, recorders: Mapping[UUID, Recorder], texts: Mapping[UUID, str]
) -> set[UUID]:
    """Make the open notices of the kind those of `texts`. What a burst was is not reworded while it ebbs away."""
    changed: set[UUID] = set()
    open_notices = {notice.recorder_id: notice for notice in Notice.objects.filter(kind=kind, ended_at=None)}
    for pk, notice in open_notices.items():
        is_silence = kind is NoticeKind.SILENT
        if pk not in texts and (is_silence or now - notice.created_at > BURST_STAYS):
            changed |= _change(notice, ended_at=now)
        elif is_silence and pk in texts and notice.text != texts[pk]:
            changed |= _change(notice, text=texts[pk])
    news = [
        Notice(owner_id=recorders[pk].owner_id, recorder_id=pk, kind=kind, text=texts[pk], created_at=now)
        for pk in texts.keys() - open_notices.keys()
    ]
    Notice.objects.bulk_create(news, ignore_conflicts=True)
    return changed | {notice.owner_id for notice in news}


def _change(notice: Notice, **fields: Any) -> set[UUID]:
    changed = Notice.objects.filter(pk=notice.pk, ended_at=None).update(**fields)
    return {notice.owner_id} if changed else set()
