"""The sandbox process: venue port, control port, clocks, state file."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from brokers.sandbox import statefile
from brokers.sandbox.clocks import Clocks
from brokers.sandbox.control import Control
from brokers.sandbox.tradovate import statements
from brokers.sandbox.tradovate.gateway import MARKET_DATA_SOCKET, USER_SOCKET, Gateway
from brokers.sandbox.tradovate.venue import Venue
from brokers.sandbox.workqueue import WorkQueue

SAVE_AFTER_IDLE_SECONDS = 2.0
SAVE_CHECK_SECONDS = 0.5
SHUTDOWN_SECONDS = 0.5
BACKLOG = 2048
# Bursts allocate much and free it all: collecting less often keeps pauses out of the arrival stamps.
GC_THRESHOLDS = (100_000, 50, 50)


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. Port 0 takes a free one; ``accounts`` counts logins of one account each."""

    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    accounts: int = 5
    seed: int = 1
    state_file: Path | None = None


class Sandbox:
    """A running sandbox. ``announcement`` is what the command prints."""

    def __init__(self, options: Options) -> None:
        loop = asyncio.get_running_loop()
        self._options = options
        self._queue = WorkQueue(loop)
        self._clocks = Clocks(loop)
        self.venue = Venue(self._queue, options.seed)
        self._runners: list[web.ServerRunner | web.AppRunner] = []
        self.announcement: dict[str, Any] = {}

    async def start(self) -> None:
        """Listen on both ports. Raises OSError when a port is taken, ValueError for a state file that is none."""
        options, venue = self._options, self.venue
        if options.state_file is not None and options.state_file.exists():
            statefile.load(venue, options.state_file)
        venue.add_numbered_logins(max(0, options.accounts - len(venue.logins)))
        gateway = Gateway(venue, asyncio.get_running_loop())
        port = await self._listen(web.ServerRunner(gateway, shutdown_timeout=SHUTDOWN_SECONDS), options.port)
        base = f"{options.host}:{port}"
        venue.rest_url = f"http://{base}/v1"
        venue.ws_url, venue.md_url = f"ws://{base}{USER_SOCKET}", f"ws://{base}{MARKET_DATA_SOCKET}"
        control = Control(venue, self._clocks).application()
        control_runner = web.AppRunner(control, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        control_port = await self._listen(control_runner, options.control_port)
        self.announcement = {
            "control_url": f"http://{options.host}:{control_port}",
            venue.name: statements.description(venue),
        }
        venue.start_clocks(self._clocks.every)
        self._clocks.every(SAVE_CHECK_SECONDS, self._save_when_idle)

    async def stop(self) -> None:
        self._clocks.stop()
        await self._queue.quiet()
        for socket in tuple(self.venue.sockets):
            socket.shut_down("Maintenance")
        for runner in self._runners:
            await runner.cleanup()
        if self._options.state_file is not None:
            statefile.save(self.venue, self._options.state_file)

    async def _listen(self, runner: web.ServerRunner | web.AppRunner, port: int) -> int:
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, self._options.host, port, backlog=BACKLOG)
        await site.start()
        return int(runner.addresses[0][1])

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
