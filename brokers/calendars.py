"""The exchange's holidays and the hours of its groups of products, over two data files. Pure, imports nothing of ours.

Times are Chicago wall clock of the trade date. `hours.json` is written by hand from the contract specifications,
`holidays.json` by tools/holiday_table.py. Outside the years of the latter every weekday is an ordinary one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).with_name("data")
_ALWAYS, _CLOSED = "always", "closed"


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens` to `closes`; it opens on the evening before the trade date when `opens` is the later time."""

    opens: time
    closes: time

    @property
    def is_overnight(self) -> bool:
        return self.opens > self.closes


@dataclass(frozen=True, slots=True)
class OddDay:
    """A trade date with hours of its own: no trade at all, or none before `opens` and none after `closes`."""

    is_closed: bool
    opens: time | None = None
    closes: time | None = None


@lru_cache(maxsize=1)
def _hours() -> dict[str, tuple[Window, ...] | None]:
    rows = _load("hours.json")
    return {name: None if times == _ALWAYS else tuple(map(_window, times)) for name, times in rows.items()}


@lru_cache(maxsize=1)
def _odd_days() -> dict[tuple[str, date], OddDay]:
    return {
        (calendar, date.fromisoformat(row["date"])): _odd_day(hours)
        for row in _load("holidays.json")
        for calendar, hours in row["hours"].items()
    }


@lru_cache(maxsize=1)
def holidays() -> frozenset[date]:
    """The weekdays that are no business days: nothing settles, so no deadline is counted by them."""
    rows = _load("holidays.json")
    return frozenset(date.fromisoformat(row["date"]) for row in rows if not row["is_business_day"])


def windows(calendar: str) -> tuple[Window, ...] | None:
    """The regular hours of a trade date; None for a calendar that never closes. Raises KeyError for an unknown one."""
    return _hours()[calendar]


def odd_day(calendar: str, day: date) -> OddDay | None:
    """The hours of a trade date that has its own, else None."""
    return _odd_days().get((calendar, day))


def _load(name: str) -> Any:
    return json.loads((_DATA / name).read_text())


def _window(times: list[str]) -> Window:
    opens, closes = map(time.fromisoformat, times)
    return Window(opens, closes)


def _odd_day(hours: str) -> OddDay:
    if hours == _CLOSED:
        return OddDay(is_closed=True)
    opens, closes = (time.fromisoformat(text) if text else None for text in hours.split("-"))
    return OddDay(is_closed=False, opens=opens, closes=closes)
