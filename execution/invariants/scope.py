"""What is asked about: whose rows, since when, and the figures that only the caller knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Model, QuerySet

from execution.models import Heartbeat

M = TypeVar("M", bound=Model)
BEATS_WITHIN = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Rates:
    """Most in any 60 s, None: no limit: entries of an account and of all together, signals that a recorder acts on."""

    account: int | None = None
    recorder: int | None = None
    platform: int | None = None

    @classmethod
    def configured(cls) -> Rates:
        """What the throttles of this installation allow."""
        return cls(
            settings.ENTRIES_PER_MINUTE_ACCOUNT,
            settings.SIGNALS_PER_MINUTE_RECORDER,
            settings.ENTRIES_PER_MINUTE_PLATFORM,
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """`owner_id` None: everybody's rows. Only what began at `since` or later, None: all.

    `secrets` are texts that no row may show, `rates` what the throttles allow.
    """

    now: datetime
    owner_id: UUID | None = None
    since: datetime | None = None
    secrets: tuple[str, ...] = ()
    rates: Rates = Rates()

    def of(self, rows: QuerySet[M], began: str, owner: str = "owner_id") -> QuerySet[M]:
        """`began` names the column that `since` is compared with."""
        if self.owner_id is not None:
            rows = rows.filter(**{owner: self.owner_id})
        return rows if self.since is None else rows.filter(**{f"{began}__gte": self.since})

    def now_of(self, rows: QuerySet[M]) -> QuerySet[M]:
        """Of what is so now, whenever it began."""
        return rows if self.owner_id is None else rows.filter(owner_id=self.owner_id)

    def lanes_alive(self) -> set[str]:
        """The names of the lanes that have just beaten."""
        beats = Heartbeat.objects.filter(beat_at__gt=self.now - BEATS_WITHIN)
        return set(beats.values_list("name", flat=True))

    def seconds_since(self, at: datetime | None) -> float:
        """0 for what has not happened."""
        return 0.0 if at is None else (self.now - at).total_seconds()
