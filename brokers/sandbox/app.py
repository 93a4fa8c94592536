"""The sandbox process: venue port, control port, clocks, state file."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from brokers.sandbox import statefile
from brokers.sandbox.clocks import Clocks
from brokers.sandbox.control import Control
from brokers.sandbox.host import HostedVenue, Options
from brokers.sandbox.listening import SHUTDOWN_SECONDS, listen
from brokers.sandbox.projectx.venue import Venue as ProjectXVenue
from brokers.sandbox.tradovate.venue import Venue as TradovateVenue
from brokers.sandbox.webull.venue import Venue as WebullVenue
from brokers.sandbox.workqueue import WorkQueue

SAVE_AFTER_IDLE_SECONDS = 2.0
SAVE_CHECK_SECONDS = 0.5
# Bursts allocate much and free it all: collecting less often keeps pauses out of the arrival stamps.
GC_THRESHOLDS = (100_000, 50, 50)


VENUES: dict[str, Callable[[WorkQueue, int], HostedVenue]] = {
    "projectx": ProjectXVenue,
    "tradovate": TradovateVenue,
    "webull": WebullVenue,
}
"""Each venue by name: made with its work queue and the seed of its prices."""


class Sandbox:
    """A running sandbox. ``announcement`` is what the command prints."""

    def __init__(self, options: Options) -> None:
        loop = asyncio.get_running_loop()
        self._options = options
        self._queue = WorkQueue(loop)
        self._clocks = Clocks(loop)
        self.venue = VENUES[options.venue](self._queue, options.seed)
        self._control: web.AppRunner | None = None
        self.announcement: dict[str, Any] = {}

    async def start(self) -> None:
        """Listen on both ports. Raises OSError when a port is taken, ValueError for a state file that is none."""
        options, venue = self._options, self.venue
        if options.state_file is not None and options.state_file.exists():
            statefile.load(venue, options.state_file)
        venue.add_numbered_logins(max(0, options.accounts - venue.login_count()))
        await venue.start(options.host, options.port)
        control = Control(venue, self._clocks).application()
        self._control = web.AppRunner(control, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        control_port = await listen(self._control, options.host, options.control_port)
        self.announcement = {
            "control_url": f"http://{options.host}:{control_port}",
            venue.name: venue.description(),
        }
        venue.start_clocks(self._clocks.every)
        self._clocks.every(SAVE_CHECK_SECONDS, self._save_when_idle)

    async def stop(self) -> None:
        self._clocks.stop()
        await self._queue.quiet()
        await self.venue.stop()
        if self._control is not None:
            await self._control.cleanup()
        if self._options.state_file is not None:
            statefile.save(self.venue, self._options.state_file)

    def _save_when_idle(self) -> None:
        changed = self.venue.changed_at
        path = self._options.state_file
        if path is None or changed is None or time.monotonic() - changed < SAVE_AFTER_IDLE_SECONDS:
            return
        self.venue.changed_at = None
        statefile.save(self.venue, path)


async def run(options: Options) -> None:
    """Run until SIGTERM or SIGINT, having printed one JSON line once ready."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sandbox = Sandbox(options)
    await sandbox.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    sys.stdout.write(orjson.dumps(sandbox.announcement).decode() + "\n")
    sys.stdout.flush()
    await stop.wait()
    await sandbox.stop()
