"""Threads for Webull's requests: an account's one after another, different accounts' side by side.

All logins of a process share the threads, as they share the kept-alive connections.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from brokers.webull.http import MOST_CONNECTIONS

logger = logging.getLogger(__name__)

Job = Callable[[], object]
_threads = ThreadPoolExecutor(MOST_CONNECTIONS, thread_name_prefix="webull")


class Lanes:
    """One login's queues, by account id. `put` returns at once and is safe in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[str, deque[Job]] = {}

    def put(self, account_id: str, job: Job) -> None:
        with self._lock:
            queue = self._queues.get(account_id)
            if queue is not None:
                queue.append(job)
                return
            self._queues[account_id] = deque([job])
        _threads.submit(self._drain, account_id)

    def _drain(self, account_id: str) -> None:
        while True:
            with self._lock:
                queue = self._queues[account_id]
                if not queue:
                    del self._queues[account_id]
                    return
                job = queue.popleft()
            try:
                job()
            except Exception:  # the outermost frame of this thread: one broken job must not stop the account's others
                logger.exception("a request to webull failed inside this program")
