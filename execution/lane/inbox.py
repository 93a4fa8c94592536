"""The lane's events on their way into the books: taken in at once, applied in batches by one thread."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import structlog
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection

from brokers.reports import Event
from execution.lane.gather import Gatherer
from execution.lane.heard import Heard
from execution.reports.apply import LoginEvent, apply_events

log = structlog.get_logger(__name__)
RETRY_S = 0.2
LONGEST_HOLD_S = 0.1


class Inbox:
    """`put` returns at once. A batch that the database could not take is tried again until it is in, never dropped.

    `heard` is told of which accounts the events are.
    """

    def __init__(self, after_batch: Callable[[], None], heard: Heard) -> None:
        self._heard = heard
        self._events: queue.SimpleQueue[LoginEvent | None] = queue.SimpleQueue()
        self._gatherer = Gatherer(self._events)
        self._after_batch = after_batch
        self._clear_to_apply = threading.Event()
        self._clear_to_apply.set()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._events.put(None)
        self._thread.join(timeout=5)

    def put(self, login_id: UUID, events: Sequence[Event]) -> None:
        for event in events:
            self._events.put((login_id, event))
        self._heard.note(login_id, events)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Keep the applying thread off the interpreter while a burst of orders is being written."""
        self._clear_to_apply.clear()
        try:
            yield
        finally:
            self._clear_to_apply.set()

    def _run(self) -> None:
        while not self._stopping:
            batch = self._gatherer.take()
            self._clear_to_apply.wait(LONGEST_HOLD_S)
            if batch:
                self._apply_until_done(batch)

    def _apply_until_done(self, batch: list[LoginEvent]) -> None:
        while True:
            try:
                apply_events(batch)
                self._after_batch()
            except (OperationalError, InterfaceError) as error:
                log.warning("inbox.database_away", reason=type(error).__name__, events=len(batch))
                connection.close()
                time.sleep(RETRY_S)
                continue
            except (DatabaseError, ValueError, ArithmeticError, LookupError):
                self._apply_one_by_one(batch)
            return

    def _apply_one_by_one(self, batch: list[LoginEvent]) -> None:
        """One event that cannot be applied must not keep the others out; the next sync tells its content again."""
        log.exception("inbox.batch_refused", events=len(batch))
        for login_event in batch:
            try:
                apply_events([login_event])
            except (DatabaseError, ValueError, ArithmeticError, LookupError):
                log.exception("inbox.event_refused", login=str(login_event[0]), event=repr(login_event[1])[:500])
