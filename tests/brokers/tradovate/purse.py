"""A budget for tests that notes what is spent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from brokers.access import Priority
from brokers.errors import RateLimited

LATER = datetime.now(UTC) + timedelta(minutes=5)


class Purse:
    """A budget that notes what is spent, and has nothing for some."""

    def __init__(self) -> None:
        self.spent: list[tuple[Priority, str, int]] = []
        self.refused: list[str] = []
        self.penalties: list[datetime] = []
        self.poor_from = 10
        self.poor_endpoints: set[str] = set()

    def spend(self, priority: Priority, endpoint: str = "", cost: int = 1) -> None:
        if priority >= self.poor_from or endpoint in self.poor_endpoints:
            self.refused.append(endpoint)
            raise RateLimited(LATER, "no requests are left")
        self.spent.append((priority, endpoint, cost))

    def penalise(self, until: datetime) -> None:
        self.penalties.append(until)
