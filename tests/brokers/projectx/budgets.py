"""Budgets that a test can look into."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from brokers.access import Priority
from brokers.errors import RateLimited


class Purse:
    """Notes what is spent, and refuses what `closed_to` names and, while the venue wants silence, everything."""

    def __init__(self) -> None:
        self.spent: list[tuple[Priority, str]] = []
        self.closed_to: set[Priority] = set()
        self.silent_until: datetime | None = None
        self._lock = threading.Lock()

    def spend(self, priority: Priority, endpoint: str = "", cost: int = 1) -> None:
        with self._lock:
            if self.silent_until is not None and datetime.now(UTC) < self.silent_until:
                raise RateLimited(self.silent_until, "the venue wants silence")
            if priority in self.closed_to:
                raise RateLimited(datetime.now(UTC) + timedelta(seconds=60), "no requests left")
            self.spent.extend([(priority, endpoint)] * cost)

    def penalise(self, until: datetime) -> None:
        self.silent_until = until
