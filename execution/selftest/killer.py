"""SIGKILL at random moments, to the processes that `demo.json` names at that moment.

The dangerous moments are short and follow an alert: between commit and answer, between commit and wire, between wire
and reply. So most kills wait for the next alert and strike within a few hundredths of a second of it.
"""

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
AIMED_SHARE = 0.7
MEAN_AIM_S = 0.03
_LONGEST_WAIT_FOR_ALERT_S = 2.0
_RETRY_S = 0.1

Pids = dict[str, Any]


class Killer:
    """Goes through the kinds in random order again and again, so that each of them gets its share."""

    def __init__(self, pids: Callable[[], Pids], rng: Random, kinds: Sequence[str], say: Callable[[str], None]) -> None:
        self.alert_sent = threading.Event()
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
            if self._rng.random() < AIMED_SHARE:
                self._wait_for_alert()
            self._kill_one(bag.pop())

    def _wait_for_alert(self) -> None:
        self.alert_sent.clear()
        self.alert_sent.wait(_LONGEST_WAIT_FOR_ALERT_S)
        self._stopping.wait(self._rng.expovariate(1 / MEAN_AIM_S))

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
