"""All children together: started one by one, stopped in order, and their process ids for whoever watches or kills."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from justtrades.supervisor.child import Child
from justtrades.supervisor.console import Console
from justtrades.supervisor.pidfiles import PidFiles
from justtrades.supervisor.spawn import ProcessSpec

Pids = dict[str, int | list[int] | None]

# Servers that fork workers of their own; a test that kills one wants to choose among all of them.
_FORKING = frozenset({"web", "live", "chores"})
LANE_PREFIX = "lane"
# Doors close first, stores last. What shares a line has nothing to say to one another and stops together.
_STOP_ORDER: tuple[tuple[str, ...], ...] = (
    ("web",),
    ("live", "beat", "sweeper", "chores"),
    (LANE_PREFIX,),
    ("sandbox",),
    ("valkey",),
    ("postgres",),
)


class Family:
    """The children of one supervisor."""

    def __init__(self, console: Console, pid_files: PidFiles, on_change: Callable[[], None]) -> None:
        self._console = console
        self._pid_files = pid_files
        self._on_change = on_change
        self._children: dict[str, Child] = {}

    async def start(self, *specs: ProcessSpec) -> None:
        for spec in specs:
            child = Child(spec, self._console, self._pid_files, self._on_change)
            self._children[spec.name] = child
            await child.start()

    async def stop(self) -> None:
        for names in _STOP_ORDER:
            children = [child for name, child in self._children.items() if _kind(name) in names]
            await asyncio.gather(*(child.stop() for child in children))

    def kill(self) -> None:
        for child in self._children.values():
            child.kill()

    def pids(self) -> Pids:
        """Process ids by kind: lists where there may be several, the master first; None for what is between lives."""
        found: Pids = {}
        for name, child in self._children.items():
            if _kind(name) == LANE_PREFIX:
                found["lanes"] = [*_listed(found.get("lanes")), *_listed(child.pid)]
            elif name in _FORKING:
                found[name] = [*_listed(child.pid), *_forked_by(child.pid)]
            else:
                found["redis" if name == "valkey" else name] = child.pid
        return found


def _kind(name: str) -> str:
    return LANE_PREFIX if name.startswith(LANE_PREFIX) else name


def _listed(pids: int | Sequence[int] | None) -> list[int]:
    if pids is None:
        return []
    return [pids] if isinstance(pids, int) else list(pids)


def _forked_by(pid: int | None) -> list[int]:
    # One small file of the kernel's: looking once a second must cost nothing. Elsewhere than on Linux there is none.
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
