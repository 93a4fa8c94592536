"""Order requests on threads that all logins share: one after another within an account, accounts beside each other.

The Gateway takes orders over REST only, so an order holds a thread until its answer is there.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

logger = logging.getLogger(__name__)

THREADS = 64
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="projectx-orders")

Job = Callable[[], object]


class AccountQueues:
    """Thread-safe; `put` returns at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Job]] = {}

    def put(self, account_id: str, job: Job) -> None:
        with self._lock:
            waiting = self._waiting.get(account_id)
            if waiting is not None:
                waiting.append(job)
                return
            self._waiting[account_id] = deque([job])
        _pool.submit(self._run, account_id)

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
                logger.exception("an order job failed")
