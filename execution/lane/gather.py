"""Which of a lane's events are applied together. A batch costs about the same for one account as for fifty.

So while several accounts are awaited, whoever comes first waits a few milliseconds for the others; where nobody else is
awaited nothing waits. It is a matter of speed alone: any partition of the events into batches is right.
"""

from __future__ import annotations

import queue
import time
from uuid import UUID

from brokers.base import CHANGE_PREFIX, OrderType
from brokers.reports import Accepted, FillReport, NotSent, OrderReport, Rejected, Sent, SyncReport, Unknown
from execution.reports.apply import LoginEvent

MAX_BATCH = 4000
QUIET_S, LONGEST_S = 0.008, 0.03
"""How long those who are awaited may be silent, and how long the first that came waits for them at most."""
UNDECIDED_S = 0.25
"""That an order was written to the wire, or taken, decides nothing: so long it waits for what comes of it."""
UNDECIDED = (Sent, Accepted)
OVER = (Rejected, NotSent, Unknown)


class Gatherer:
    """Belongs to the thread that applies. None in the queue ends a batch: nobody waits for more."""

    def __init__(self, events: queue.SimpleQueue[LoginEvent | None]) -> None:
        self._events = events
        self._awaited: set[tuple[UUID, str]] = set()

    def take(self) -> list[LoginEvent]:
        """The next batch, however long it takes to begin."""
        batch: list[LoginEvent] = []
        event = self._events.get()
        began = time.monotonic()
        decided: float | None = None
        while event is not None:
            batch.append(event)
            self._note(*event)
            if len(batch) >= MAX_BATCH:
                break
            now = time.monotonic()
            if decided is None and not isinstance(event[1], UNDECIDED):
                decided = now
            try:
                event = self._events.get(timeout=max(0.0, self._patience(began, decided, now)))
            except queue.Empty:
                if decided is not None:
                    # Who did not come in time is waited for no more.
                    self._awaited.clear()
                break
        return batch

    def _patience(self, began: float, decided: float | None, now: float) -> float:
        if decided is None:
            return began + UNDECIDED_S - now
        return min(QUIET_S, decided + LONGEST_S - now) if self._awaited else 0.0

    def _note(self, login_id: UUID, event: object) -> None:
        """An order at market is awaited from its being sent until its login tells of a fill."""
        if isinstance(event, Sent):
            if not event.client_order_id.startswith(CHANGE_PREFIX):
                self._awaited.add((login_id, event.client_order_id))
        elif isinstance(event, OVER):
            self._awaited.discard((login_id, event.client_order_id))
        elif isinstance(event, OrderReport):
            if event.order_type is not OrderType.MARKET and event.client_order_id is not None:
                self._awaited.discard((login_id, event.client_order_id))
        elif isinstance(event, FillReport | SyncReport):
            self._awaited = {key for key in self._awaited if key[0] != login_id}
