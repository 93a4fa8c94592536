"""A login's silence: after a 429 or a penalty ticket nothing more is asked until the venue's time has passed.

Every further request lengthens the penalty (Tradovate wire facts, rate limits).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from brokers.errors import RateLimited

LONGEST_SILENCE = timedelta(hours=1)
_MOST_DOUBLINGS = 8


class Gate:
    """When a login may speak again. Each further refusal doubles the silence, up to an hour. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = datetime.min.replace(tzinfo=UTC)
        self._refusals = 0

    def close(self, until: datetime) -> datetime:
        """Close at least until then; the moment it opens again."""
        with self._lock:
            now = datetime.now(UTC)
            silence = max(until - now, timedelta(0)) * 2**self._refusals
            self._refusals = min(self._refusals + 1, _MOST_DOUBLINGS)
            self._until = max(self._until, until, now + min(silence, LONGEST_SILENCE))
            return self._until

    def opened(self) -> None:
        """A request went through: the next refusal starts over."""
        self._refusals = 0

    def check(self) -> None:
        """Raise `RateLimited` while closed."""
        if datetime.now(UTC) < self._until:
            raise RateLimited(self._until, "waiting out the venue's penalty")

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Around one request. Raises `RateLimited` before it while closed, and closes when the request raises it."""
        self.check()
        with self.heeding():
            yield

    @contextmanager
    def heeding(self) -> Iterator[None]:
        """Around the answer to a request that went out already: it counts whether or not the gate has closed since."""
        try:
            yield
        except RateLimited as error:
            raise RateLimited(self.close(error.until), str(error)) from None
        self.opened()
