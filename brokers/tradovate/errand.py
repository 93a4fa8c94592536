"""An order request on its way, and those that a penalty ticket makes wait.

A ticketed request was not executed, so it may be sent again once its time has passed: identical, with the ticket, and
only while it still means what was wanted (Tradovate wire facts, rate limits).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from brokers.access import Priority
from brokers.base import CancelOrder, FlattenPosition, Request
from brokers.errors import RateLimited
from brokers.tradovate.gate import Gate
from brokers.tradovate.orders import Call, priority_of
from brokers.tradovate.penalty import PenaltyTicket

RESEND_WITHIN_SECONDS = 30.0
MOST_WAITS = 5
# So that a clock which rounds does not knock a moment early.
_SLACK_SECONDS = 0.05


@dataclass(slots=True, eq=False)
class Errand:
    """A request and the call that makes it; `since` is monotonic, `waits` counts how often the venue put it off."""

    request: Request
    original: Call
    since: float = field(default_factory=time.monotonic)
    waits: int = 0
    ticket: str | None = None

    @property
    def call(self) -> Call:
        return self.original if self.ticket is None else self.original.with_ticket(self.ticket)

    @property
    def priority(self) -> Priority:
        return priority_of(self.request)

    def may_wait(self, seconds: float) -> bool:
        """Closing and canceling never go stale; all else was decided for the market of its moment."""
        if self.waits >= MOST_WAITS:
            return False
        is_ageless = isinstance(self.request, FlattenPosition | CancelOrder)
        return is_ageless or time.monotonic() + seconds <= self.since + RESEND_WITHIN_SECONDS


class WaitingRoom:
    """Errands that wait out their tickets. `send` puts one on the wire again, `give_up` settles it with the error.

    Both may be called in any thread.
    """

    def __init__(
        self, gate: Gate, send: Callable[[Errand], None], give_up: Callable[[Errand, RateLimited], None]
    ) -> None:
        self._gate = gate
        self._send = send
        self._give_up = give_up
        self._lock = threading.Lock()
        self._waiting: dict[Errand, threading.Timer] = {}

    def admit(self, errand: Errand, error: RateLimited) -> None:
        """Have it wait until the error's time, or give it up."""
        seconds = max(0.0, (error.until - datetime.now(UTC)).total_seconds())
        needs_captcha = isinstance(error, PenaltyTicket) and error.needs_captcha
        if needs_captcha or not errand.may_wait(seconds):
            self._give_up(errand, error)
            return
        errand.waits += 1
        if isinstance(error, PenaltyTicket):
            errand.ticket = error.ticket
        timer = threading.Timer(seconds + _SLACK_SECONDS, self._resume, (errand,))
        timer.daemon = True
        with self._lock:
            self._waiting[errand] = timer
        timer.start()

    def clear(self, is_late: Callable[[Errand], bool]) -> list[Errand]:
        """Take out those that would come too late: they were never executed and will not be."""
        if not self._waiting:
            return []
        with self._lock:
            late = [errand for errand in self._waiting if is_late(errand)]
            for errand in late:
                self._waiting.pop(errand).cancel()
        return late

    def _resume(self, errand: Errand) -> None:
        # Under the lock, so that whoever clears it out knows whether it went before.
        with self._lock:
            if self._waiting.pop(errand, None) is None:
                return
            try:
                self._gate.spend(errand.priority, errand.original.endpoint)
            except RateLimited as error:
                refusal = error
            else:
                self._send(errand)
                return
        self.admit(errand, refusal)
