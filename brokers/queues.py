"""Order requests that each hold a thread until their answer is there: an account's one after another, accounts beside
each other.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

logger = logging.getLogger(__name__)

Job = Callable[[], object]


class AccountQueues:
    """One login's queues, by account id, on `threads` that all logins of its venue share. Thread-safe."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Job]] = {}

    def put(self, account_id: str, job: Job) -> None:
        """Returns at once."""
        with self._lock:
            waiting = self._waiting.get(account_id)
            if waiting is not None:
                waiting.append(job)
                return
            self._waiting[account_id] = deque([job])
        self._threads.submit(self._run, account_id)

    def _run(self, account_id: str) -> None:
        while True:
            with self._lock:
                waiting = self._waiting[account_id]
                if not waiting:
                    del self._waiting[account_id]
                    return
                job = waiting.popleft()
            try:
                job()
            except Exception:  # the outermost frame of this thread: the account's next order must still go out
                logger.exception("an order job failed inside this program")
