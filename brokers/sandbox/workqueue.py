"""Requests and engine steps worked off in short slices, so that reading sockets is never kept waiting.

Requests go before steps: a burst of orders is acknowledged first and executed after, as at the venue.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)

SLICE_SECONDS = 0.001
Job = Callable[[], None]


class WorkQueue:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._requests: deque[Job] = deque()
        self._steps: deque[Job] = deque()
        self._scheduled = False
        self._quiet: list[asyncio.Future[None]] = []
        self.processed = 0
        self.busy_seconds = 0.0
        self.longest_queue = 0

    def add_request(self, job: Job) -> None:
        self._requests.append(job)
        self.longest_queue = max(self.longest_queue, len(self._requests))
        self._wake()

    def add_step(self, job: Job) -> None:
        self._steps.append(job)
        self._wake()

    def later(self, seconds: float, job: Job) -> None:
        """Run ``job`` as a step after a delay, by timer."""
        self._loop.call_later(seconds, self.add_step, job)

    def request_later(self, seconds: float, job: Job) -> None:
        self._loop.call_later(seconds, self.add_request, job)

    async def quiet(self) -> None:
        """Return once everything queued so far has been worked off."""
        if self._requests or self._steps:
            waiter = self._loop.create_future()
            self._quiet.append(waiter)
            await waiter

    def stats(self) -> dict[str, Any]:
        return {
            "processed": self.processed,
            "busySeconds": round(self.busy_seconds, 6),
            "longestQueue": self.longest_queue,
            "queued": len(self._requests) + len(self._steps),
        }

    def _wake(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._work_slice)

    def _work_slice(self) -> None:
        self._scheduled = False
        started = time.perf_counter()
        until = started + SLICE_SECONDS
        while time.perf_counter() < until:
            if self._requests:
                self._run(self._requests.popleft())
            elif self._steps:
                self._run(self._steps.popleft())
            else:
                break
        self.busy_seconds += time.perf_counter() - started
        if self._requests or self._steps:
            self._wake()
        else:
            self._announce_quiet()

    def _run(self, job: Job) -> None:
        self.processed += 1
        try:
            job()
        except Exception:
            # Outermost point of the venue: one broken request must not stop the others, and must be seen.
            logger.exception("sandbox job failed")

    def _announce_quiet(self) -> None:
        waiting, self._quiet = self._quiet, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
