"""Request budgets per user over sliding windows, and the count of all that came in."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from brokers.sandbox.projectx.switches import Switches

BARS, OTHER = "history", "other"
BARS_SECONDS, OTHER_SECONDS = 30.0, 60.0


@dataclass(slots=True)
class _Usage:
    """``recent`` holds when admitted requests came (``time.monotonic``); the counts are of all time."""

    recent: dict[str, deque[float]] = field(default_factory=lambda: {BARS: deque(), OTHER: deque()})
    admitted: dict[str, int] = field(default_factory=lambda: {BARS: 0, OTHER: 0})
    refused: dict[str, int] = field(default_factory=lambda: {BARS: 0, OTHER: 0})


class Limits:
    """A refused request takes nothing from the budget."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._usage: dict[str, _Usage] = {}

    def admit(self, username: str, endpoint: str) -> bool:
        """Count a request; False when the user has used up what the window allows."""
        scope = BARS if endpoint == "history/retrievebars" else OTHER
        window = BARS_SECONDS if scope == BARS else OTHER_SECONDS
        most = self._switches.bars_per_half_minute if scope == BARS else self._switches.requests_per_minute
        usage = self._usage.setdefault(username, _Usage())
        recent, now = usage.recent[scope], time.monotonic()
        while recent and recent[0] <= now - window:
            recent.popleft()
        if self._switches.rate_limits and len(recent) >= most:
            usage.refused[scope] += 1
            return False
        recent.append(now)
        usage.admitted[scope] += 1
        return True

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """By user: how many requests were admitted and refused, in each budget."""
        return {name: {"admitted": usage.admitted, "refused": usage.refused} for name, usage in self._usage.items()}

    def clear(self) -> None:
        self._usage.clear()
