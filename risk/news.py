"""When the US publishes what moves markets, over one data file. Pure.

Only what its agency has scheduled by the day the file was written is in it: an unscheduled announcement cannot be, nor
a date moved since, nor the schedule of a year that is not published yet. `is_known` says how far each list goes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from recorders.setting_types import Part

_DATA = Path(__file__).with_name("data") / "news.json"


class Release(StrEnum):
    FOMC = "fomc"
    FOMC_MINUTES = "fomc_minutes"
    JOBS = "jobs"
    CPI = "cpi"


class Schedule(Part):
    """The dates of one kind of release, all at the same wall clock. None is missing up to `known_until`."""

    label: Annotated[str, Field(min_length=1)]
    at: time
    known_until: date
    source: Annotated[str, Field(pattern="^https://")]
    dates: Annotated[tuple[date, ...], Field(min_length=1)]


class Calendar(Part):
    zone: str
    checked_on: date
    note: str
    releases: dict[Release, Schedule]


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One release, at an aware UTC moment."""

    at: datetime
    release: Release
    label: str

    @property
    def zone(self) -> ZoneInfo:
        """Whose wall clock the agency schedules by."""
        return ZoneInfo(calendar().zone)


@lru_cache(maxsize=1)
def calendar() -> Calendar:
    """Raises pydantic's `ValidationError`, which names the field, for a file that is not as it should be."""
    return Calendar.model_validate(json.loads(_DATA.read_text(), parse_float=Decimal))


@lru_cache(maxsize=1)
def events() -> tuple[Event, ...]:
    """All that is known, earliest first."""
    zone = ZoneInfo(calendar().zone)
    return tuple(
        sorted(
            Event(datetime.combine(day, schedule.at, zone).astimezone(UTC), release, schedule.label)
            for release, schedule in calendar().releases.items()
            for day in schedule.dates
        )
    )


def is_known(release: Release, at: datetime) -> bool:
    """Whether the schedule of `release` reaches as far as `at`: past it, no window is kept for it."""
    known = calendar()
    return at.astimezone(ZoneInfo(known.zone)).date() <= known.releases[release].known_until
