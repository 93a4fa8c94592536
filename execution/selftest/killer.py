"""SIGKILL at random moments, to the processes that `demo.json` names at that moment."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

KINDS = ("web", "lanes", "sweeper", "live", "redis")
POSTGRES = "postgres"
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 2.5
_RETRY_S = 0.1

Pids = dict[str, Any]


class Killer:
    """Goes through the kinds in random order again and again, so that each of them gets its share."""

    def __init__(self, pids: Callable[[], Pids], rng: Random, kinds: Sequence[str], say: Callable[[str], None]) -> None:
        self._pids = pids
        self._rng = rng
        self._kinds = tuple(kinds)
        self._say = say
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)
        self.killed: Counter[str] = Counter()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        bag: list[str] = []
        while not self._stopping.wait(self._rng.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)):
            bag = bag or self._rng.sample(self._kinds, len(self._kinds))
            self._kill_one(bag.pop())

    def _kill_one(self, kind: str) -> None:
        while not self._stopping.is_set():
            alive = _listed(self._pids().get(kind))
            if alive and _kill(victim := self._rng.choice(alive)):
                self.killed[kind] += 1
                self._say(f"killed {kind} (pid {victim})")
                return
            # Between two lives: wait for the next one.
            self._stopping.wait(_RETRY_S)


def _listed(pids: int | list[int] | None) -> list[int]:
    if pids is None:
        return []
    return [pids] if isinstance(pids, int) else pids


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
