"""A rule's sliding window: what was spent in the last so many seconds, and when there is room again. Pure.

Times and durations are whole microseconds since the epoch: no rounding can open a window early. Uses closer together
than a thousandth of the window are counted as one at the later of their times, which bounds the memory of a window to
about a thousand entries and delays what frees by less than that thousandth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from brokers.access import Priority
from brokers.budget.shares import Part

MICROSECONDS = 1_000_000
GRAINS = 1_000
_FIRST, _LAST, _COST = range(3)


def microseconds(seconds: float) -> int:
    return round(seconds * MICROSECONDS)


class Window:
    """Not thread-safe: its owner holds a lock. `leaves` and `requests` come from its `part`."""

    __slots__ = ("_grain", "_held", "_held_until", "_log", "_used", "length", "part")

    def __init__(self, part: Part, length: int) -> None:
        self.part = part
        self.length = length
        self._grain = length // GRAINS
        self._log: deque[list[int]] = deque()
        self._used = 0
        self._held = 0
        self._held_until = 0

    def opens_at(self, now: int, cost: int, priority: Priority) -> int:
        """0 when `cost` fits now, else the moment at which it will if nobody else spends.

        What is more than the priority may ever use gets a whole window's time: it will not fit then either.
        """
        most = self.part.requests - self.part.leaves[priority]
        log, length = self._log, self.length
        while log and log[0][_LAST] + length <= now:
            self._used -= log.popleft()[_COST]
        missing = self._used + cost - most
        is_held = self._held > 0 and now < self._held_until and priority is not Priority.FLATTEN
        if missing <= 0 and not is_held:
            return 0
        opens = self._frees_at(now, missing)
        if not is_held:
            return opens
        held = min(self._held, most - 1)
        if missing + held <= 0:
            return 0
        return min(self._frees_at(now, missing + held), max(opens, self._held_until))

    def add(self, now: int, cost: int) -> None:
        log = self._log
        self._used += cost
        if log:
            newest = log[-1]
            if now - newest[_FIRST] < self._grain or now < newest[_LAST]:
                newest[_LAST] = max(newest[_LAST], now)
                newest[_COST] += cost
                return
        log.append([now, now, cost])

    def take_back(self, at: int, cost: int) -> None:
        """Forget `cost` requests that were added at that moment: they were not sent after all."""
        self._used -= cost
        for entry in reversed(self._log):
            if entry[_FIRST] <= at:
                taken = min(cost, entry[_COST])
                entry[_COST] -= taken
                cost -= taken
                if cost == 0:
                    return

    def entries(self, now: int) -> Iterator[tuple[int, int]]:
        """When and how much, oldest first, of what still counts."""
        for _, last, cost in self._log:
            if last + self.length > now and cost > 0:
                yield last, cost

    def remember(self, entries: list[tuple[int, int]]) -> None:
        """Put uses of another process, such as the one before a restart, among our own."""
        self._log = deque([at, at, cost] for at, cost in sorted([*entries, *((e[_LAST], e[_COST]) for e in self._log)]))
        self._used += sum(cost for _, cost in entries)

    def hold(self, requests: int, until: int) -> None:
        """Until then keep that many away from all but FLATTEN: there may be uses that nobody told us of."""
        self._held, self._held_until = requests, until

    def _frees_at(self, now: int, missing: int) -> int:
        if missing <= 0:
            return now
        for _, last, cost in self._log:
            missing -= cost
            if missing <= 0:
                return last + self.length
        return now + self.length
