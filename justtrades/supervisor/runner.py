"""The supervisor's life: bring everything up, watch it, take it down in order."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

from justtrades.environment import Environment, addresses_file
from justtrades.supervisor.banner import banner
from justtrades.supervisor.bringup import BringUp, Wishes
from justtrades.supervisor.console import Console
from justtrades.supervisor.demofile import DemoFile
from justtrades.supervisor.family import Family
from justtrades.supervisor.lock import own
from justtrades.supervisor.pidfiles import PidFiles
from justtrades.supervisor.ports import PortBook
from justtrades.supervisor.readiness import until_ready

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
_WATCH_INTERVAL_S = 0.5


def supervise(environment: Environment, wishes: Wishes, state_dir: Path) -> None:
    """Run the product until told to stop. Raises AlreadyRunning, or RuntimeError when the start fails."""
    run_dir = state_dir / "run"
    run_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    with own(state_dir, run_dir / "up.lock"):
        _fork_without_threads()
        asyncio.run(Supervisor(environment, wishes, state_dir).run())


def _fork_without_threads() -> None:
    # Before 3.12 asyncio starts a thread per child to wait for it, and a fork beside threads is a gamble.
    if sys.platform == "linux" and sys.version_info < (3, 12):
        asyncio.get_event_loop_policy().set_child_watcher(asyncio.PidfdChildWatcher())


class Supervisor:
    """The owner of one state directory; its lock is held by the caller."""

    def __init__(self, environment: Environment, wishes: Wishes, state_dir: Path) -> None:
        self._console = Console()
        self._pid_files = PidFiles(state_dir / "run", state_dir)
        self._demo_file = DemoFile(state_dir / "demo.json")
        self._family = Family(self._console, self._pid_files, self._record_pids)
        self._bring_up = BringUp(
            environment,
            wishes,
            state_dir,
            addresses_file(),
            self._family,
            PortBook(state_dir / "run" / "ports.json"),
            self._demo_file,
            self._console,
        )
        self._is_up = False

    async def run(self) -> None:
        """Until SIGINT, SIGTERM or SIGHUP. Raises RuntimeError when the start fails; nothing is left then either."""
        stop_asked = self._listen_for_stop()
        work = asyncio.create_task(self._start_and_watch())
        asked = asyncio.create_task(stop_asked.wait())
        await asyncio.wait([work, asked], return_when=asyncio.FIRST_COMPLETED)
        try:
            if work.done():
                await work
        finally:
            await self._take_down(work, asked)

    async def _start_and_watch(self) -> None:
        for stray in self._pid_files.reap_strays():
            self._console.say("up", f"ended a stray of an earlier run: {stray}")
        base_url = await self._bring_up.run()
        self._is_up = True
        self._record_pids()
        obstacle = await until_ready(base_url, READY_TIMEOUT_S)
        if obstacle is not None:
            self._console.say("up", f"not ready after {READY_TIMEOUT_S:.0f} s: {obstacle}")
        self._console.show(banner(self._demo_file.read()))
        while True:
            await asyncio.sleep(_WATCH_INTERVAL_S)
            self._record_pids()

    async def _take_down(self, *tasks: asyncio.Task[object]) -> None:
        self._console.say("up", "stopping")
        self._is_up = False
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, RuntimeError):
                await task
        try:
            await asyncio.wait_for(self._family.stop(), STOP_TIMEOUT_S)
        except TimeoutError:
            self._family.kill()
        addresses_file().unlink(missing_ok=True)
        self._console.say("up", "stopped")

    def _record_pids(self) -> None:
        # Not while things start: the file would name half of them, and stopping is nobody's news.
        if self._is_up:
            self._demo_file.record_pids(self._family.pids())

    def _listen_for_stop(self) -> asyncio.Event:
        """Set by the first signal; a second one ends everything without waiting."""
        stop_asked = asyncio.Event()

        def on_signal() -> None:
            if stop_asked.is_set():
                self._family.kill()
            stop_asked.set()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # A shell's background jobs ignore SIGINT, but whoever sends one means it; ignoring SIGHUP is nohup's wish.
            if number is signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, on_signal)
        return stop_asked
