"""A clock that stands still until it is told to move, and rules to count by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from brokers.access import Limit

START = 1_790_000_000_000_000
HOURLY = Limit("login", 5_000, 3_600)
MINUTELY = Limit("login", 200, 60)
SYNCS = Limit("ip", 30, 3_600, frozenset({"sync"}), reserve=0)


class Hands:
    """Microseconds since the epoch."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000)

    def set(self, moment: datetime) -> None:
        self.now = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    @property
    def moment(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.now)
