"""Actions that are due later, on one thread for all logins: they must return at once."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Timer:
    """Its thread starts with the first action and ends with the process. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._serial = itertools.count()
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._serial), action))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="projectx-timer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            action = self._next()
            try:
                action()
            except Exception:  # the outermost frame of this thread: the others' actions are still due
                logger.exception("a timed action failed")

    def _next(self) -> Callable[[], object]:
        with self._changed:
            while not self._due or self._due[0][0] > time.monotonic():
                self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
            return heapq.heappop(self._due)[2]


TIMER = Timer()
