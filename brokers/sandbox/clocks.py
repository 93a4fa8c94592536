"""Periodic work of the sandbox process and the measure of how late it runs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)

LAG_PROBE_SECONDS = 0.05


class Clocks:
    """Timers that repeat until stopped. The worst lateness of a 50 ms timer is kept as the loop's lag."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._stopped = False
        self._started = time.perf_counter()
        self._cpu_at_start = time.process_time()
        self._worst_lag = 0.0
        self._expected = loop.time() + LAG_PROBE_SECONDS
        self.every(LAG_PROBE_SECONDS, self._probe_lag)

    def every(self, seconds: float, job: Callable[[], None]) -> None:
        def run() -> None:
            if self._stopped:
                return
            self._loop.call_later(seconds, run)
            try:
                job()
            except Exception:
                # Outermost point of a timer: later rounds must still come, and the failure must be seen.
                logger.exception("periodic job failed")

        self._loop.call_later(seconds, run)

    def stop(self) -> None:
        self._stopped = True

    def stats(self) -> dict[str, Any]:
        """Own CPU seconds and share since start, and the worst loop lag in ms since the last call."""
        elapsed = time.perf_counter() - self._started
        cpu = time.process_time() - self._cpu_at_start
        lag, self._worst_lag = self._worst_lag, 0.0
        return {
            "cpuSeconds": round(cpu, 6),
            "upSeconds": round(elapsed, 3),
            "cpuShare": round(cpu / elapsed, 4),
            "worstLagMs": round(lag * 1000, 3),
        }

    def _probe_lag(self) -> None:
        now = self._loop.time()
        self._worst_lag = max(self._worst_lag, now - self._expected)
        self._expected = now + LAG_PROBE_SECONDS
