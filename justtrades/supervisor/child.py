"""One process that must always run: started, its words passed on, started again when it dies, stopped when told."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable

from justtrades.supervisor.console import Console
from justtrades.supervisor.pidfiles import PidFiles
from justtrades.supervisor.spawn import ProcessSpec, Running, spawn

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
STABLE_AFTER_S = 10.0
_LAST_WORDS_S = 0.2
_MOST_DOUBLINGS = 10


def pause_before_restart(failures_in_a_row: int) -> float:
    """Seconds to wait: after the first death hardly any, after each further one twice as long."""
    doublings = min(failures_in_a_row - 1, _MOST_DOUBLINGS)
    return float(min(FIRST_PAUSE_S * 2**doublings, LONGEST_PAUSE_S))


class Child:
    """Keeps one ProcessSpec running from `start` to `stop`. `on_change` is told whenever its pid is another."""

    def __init__(self, spec: ProcessSpec, console: Console, pid_files: PidFiles, on_change: Callable[[], None]) -> None:
        self.spec = spec
        self._console = console
        self._pid_files = pid_files
        self._on_change = on_change
        self._running: Running | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._is_stopping = False

    @property
    def pid(self) -> int | None:
        """The running process's id; None between a death and the restart."""
        return self._running.pid if self._running is not None and self._running.is_alive else None

    async def start(self) -> None:
        self._running = await self._begin()
        self._keeper = asyncio.create_task(self._keep(self._running))

    async def stop(self) -> None:
        """Ask, wait for the grace, then end the whole group. Returns when nothing of it is left."""
        self._is_stopping = True
        if self._keeper is None or self._running is None:
            return
        if self._running.is_alive:
            self._running.signal(self.spec.stop_signal)
            if not await _ends_within(self._running, self.spec.grace_s):
                self._console.say("up", f"{self.spec.name} did not stop in {self.spec.grace_s:.0f} s and is killed")
        self.kill()
        self._keeper.cancel()
        await asyncio.wait([self._keeper])
        await self._running.wait()
        self._pid_files.remove(self.spec.name)

    def kill(self) -> None:
        """End the whole group at once, without asking."""
        self._is_stopping = True
        if self._running is not None:
            self._running.kill_group()

    async def _keep(self, running: Running) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            code = await self._relay_until_death(running)
            if self._is_stopping:
                return
            failures = 1 if time.monotonic() - started > STABLE_AFTER_S else failures + 1
            pause = pause_before_restart(failures)
            self._console.say("up", f"{self.spec.name} {_how_it_ended(code)}; starting it again in {pause:.1f} s")
            self._on_change()
            await asyncio.sleep(pause)
            running = self._running = await self._begin()

    async def _begin(self) -> Running:
        running = await spawn(self.spec)
        self._pid_files.write(self.spec.name, running.pid)
        self._on_change()
        return running

    async def _relay_until_death(self, running: Running) -> int:
        relay = asyncio.create_task(self._relay(running))
        code = await running.wait()
        # What it had started itself would hold its port, or its rows, against the successor.
        running.kill_group()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(relay, _LAST_WORDS_S)
        return code

    async def _relay(self, running: Running) -> None:
        async for line in running.lines():
            if self.spec.swallows is None or not self.spec.swallows(line):
                self._console.say(self.spec.name, line)


async def _ends_within(running: Running, seconds: float) -> bool:
    try:
        await asyncio.wait_for(running.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _how_it_ended(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


async def run_to_end(spec: ProcessSpec, console: Console) -> list[str]:
    """Run a command that ends by itself, showing its lines; returns them. Raises RuntimeError if it fails."""
    running = await spawn(spec)
    lines = []
    try:
        async for line in running.lines():
            lines.append(line)
            if spec.swallows is None or not spec.swallows(line):
                console.say(spec.name, line)
        code = await running.wait()
    finally:
        running.kill_group()
    if code != 0:
        raise RuntimeError(f"{spec.name} {_how_it_ended(code)}")
    return lines
