"""How many of something there were within the last minute, counted in this process alone. No Django, no clock."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
RUNAWAY_FACTOR = 2
"""Who asks for more than so many times a limit within a minute does not come to rest by itself."""


@dataclass(slots=True)
class _Moment:
    at: datetime
    count: int = 0


@dataclass(slots=True)
class _Window:
    moments: deque[_Moment] = field(default_factory=deque)
    total: int = 0


class Windows:
    """A sliding window for each key. Whoever asks is counted, let through or not; safe to share between threads.

    Exact where one process counts all of a key's; a restart forgets, and the window is then a minute too generous.
    """

    def __init__(self, span: timedelta = MINUTE) -> None:
        self._span = span
        self._lock = threading.Lock()
        self._windows: dict[Hashable, _Window] = {}

    def ask(self, key: Hashable, now: datetime) -> int:
        """Count one more; how many there are now, this one included."""
        with self._lock:
            return self._count(key, now)

    def ask_both(self, one: Hashable, other: Hashable, now: datetime) -> tuple[int, int]:
        """The same for two keys at one moment."""
        with self._lock:
            return self._count(one, now), self._count(other, now)

    def take_back(self, key: Hashable, now: datetime) -> None:
        """What was asked for at `now` was not wanted after all."""
        with self._lock:
            window = self._windows.get(key, _Window())
            for moment in reversed(window.moments):
                if moment.at == now and moment.count > 0:
                    moment.count -= 1
                    window.total -= 1
                    return

    def _count(self, key: Hashable, now: datetime) -> int:
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window()
        moments = window.moments
        while moments and now - moments[0].at >= self._span:
            window.total -= moments.popleft().count
        if not moments or moments[-1].at != now:
            moments.append(_Moment(now))
        moments[-1].count += 1
        window.total += 1
        return window.total

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._windows.clear()


def is_runaway(had: int, limit: int) -> bool:
    return had > RUNAWAY_FACTOR * limit


def share_of(limit: int, lanes: int) -> int:
    """What one of `lanes` processes may take of a limit that counts for all of them together; 1 at least."""
    return max(1, limit // lanes)
