"""Which of a lane's events are applied together. A batch costs about the same for one account as for fifty."""

from __future__ import annotations

import queue
import time

from brokers.reports import Sent
from execution.reports.apply import LoginEvent

MAX_BATCH = 4000
QUIET_S, LONGEST_S = 0.002, 0.012
"""The reports of many accounts come one upon the other: once none has come for so long, or after so long at most, what
is there is a batch."""
SENT_ALONE_S = 0.05
"""That an order was written to the wire decides nothing, and waits so long for what comes back."""


def gather(events: queue.SimpleQueue[LoginEvent | None]) -> list[LoginEvent]:
    """The next batch, however long it takes to begin. None in the queue ends it: nobody waits for more."""
    batch: list[LoginEvent] = []
    event = events.get()
    began = time.monotonic()
    answered: float | None = None
    while event is not None:
        batch.append(event)
        if len(batch) >= MAX_BATCH:
            break
        now = time.monotonic()
        if answered is None and not isinstance(event[1], Sent):
            answered = now
        wait_s = began + SENT_ALONE_S - now if answered is None else min(QUIET_S, answered + LONGEST_S - now)
        try:
            event = events.get(timeout=max(0.0, wait_s))
        except queue.Empty:
            break
    return batch
