"""A login's silence: after a 429 or a penalty ticket nothing more is asked until the venue's time has passed.

A 429 concerns the login, a penalty ticket its endpoint only, so that a position can still be closed while entries
wait; every further request would lengthen the penalty (Tradovate wire facts, rate limits).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from brokers.access import Budget, Priority, Unlimited
from brokers.errors import RateLimited
from brokers.tradovate.penalty import PenaltyTicket

LONGEST_SILENCE = timedelta(hours=1)
_MOST_DOUBLINGS = 8
_OPEN = datetime.min.replace(tzinfo=UTC)


class Gate:
    """When a login may speak again. Each refusal after a silence doubles the next, up to an hour. Thread-safe."""

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget = budget or Unlimited()
        self._lock = threading.Lock()
        self._until = _OPEN
        self._endpoints: dict[str, datetime] = {}
        self._refusals = 0

    def close(self, until: datetime) -> datetime:
        """Close for everything at least until then; the moment it opens again."""
        with self._lock:
            now = datetime.now(UTC)
            # What was on its way when the gate closed was refused for the same reason.
            if now >= self._until:
                silence = max(until - now, timedelta(0)) * 2**self._refusals
                self._refusals = min(self._refusals + 1, _MOST_DOUBLINGS)
                self._until = now + min(silence, LONGEST_SILENCE)
            closed = self._until = max(self._until, until)
        self._budget.penalise(closed)
        return closed

    def close_endpoint(self, endpoint: str, until: datetime) -> datetime:
        """Close for one endpoint; the moment it opens again."""
        with self._lock:
            self._endpoints[endpoint] = max(until, self._endpoints.get(endpoint, _OPEN))
            return self._endpoints[endpoint]

    def opened(self) -> None:
        """A request went through: the next refusal starts over."""
        self._refusals = 0

    def check(self, endpoint: str = "") -> None:
        """Raise `RateLimited` while closed, for everything or for this endpoint."""
        until = max(self._until, self._endpoints.get(endpoint, _OPEN))
        if datetime.now(UTC) < until:
            raise RateLimited(until, f"waiting out the venue's penalty until {until:%H:%M:%S} UTC")

    def spend(self, priority: Priority, endpoint: str, cost: int = 1) -> None:
        """Note a request that is about to be sent. Raises `RateLimited` when it may not be."""
        self.check(endpoint)
        self._budget.spend(priority, endpoint, cost)

    @contextmanager
    def passing(self, priority: Priority, endpoint: str, cost: int = 1) -> Iterator[None]:
        """Around one request. Raises `RateLimited` before it while closed, and closes when the request raises it."""
        self.spend(priority, endpoint, cost)
        with self.heeding(endpoint):
            yield

    @contextmanager
    def heeding(self, endpoint: str) -> Iterator[None]:
        """Around the answer to a request that went out already: it counts whether or not the gate has closed since."""
        try:
            yield
        except PenaltyTicket as ticket:
            closed = self.close(ticket.until) if ticket.needs_captcha else self.close_endpoint(endpoint, ticket.until)
            raise ticket.waiting_until(closed) from None
        except RateLimited as error:
            raise RateLimited(self.close(error.until), str(error)) from None
        self.opened()
