"""What a process counts by itself: the parts of rules that are its own, and what it took from those it shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from brokers.access import Priority
from brokers.budget.shares import Part
from brokers.budget.windows import Window, microseconds

BUCKETS = 60
_SEPARATOR = ":"


def bucket_width(length: int) -> int:
    return max(1, length // BUCKETS)


def used_of(stored: Mapping[str, int], lengths: Mapping[str, int], now: int) -> dict[str, int]:
    """How much of what was published still counts, by part; `lengths` are the windows' by part."""
    used = dict.fromkeys(lengths, 0)
    for name, cost in stored.items():
        key, _, bucket = name.rpartition(_SEPARATOR)
        length = lengths.get(key)
        if length is not None and (int(bucket) + 1) * bucket_width(length) + length > now:
            used[key] += cost
    return used


class Own:
    """A part that this process alone spends, kept in buckets of a sixtieth of its window for whoever comes after it.

    A bucket read back counts until its end has left the window: a sixtieth too long, never too short.
    """

    __slots__ = ("_buckets", "_width", "changed", "key", "window")

    def __init__(self, key: str, part: Part, seconds: float) -> None:
        self.key = key
        self.window = Window(part, microseconds(seconds))
        self._width = bucket_width(self.window.length)
        self._buckets: dict[int, int] = {}
        self.changed: set[int] = set()

    def add(self, now: int, cost: int) -> None:
        self.window.add(now, cost)
        bucket = now // self._width
        self._buckets[bucket] = self._buckets.get(bucket, 0) + cost
        self.changed.add(bucket)

    def take_back(self, at: int, cost: int) -> None:
        self.window.take_back(at, cost)
        bucket = at // self._width
        self._buckets[bucket] = max(0, self._buckets.get(bucket, 0) - cost)
        self.changed.add(bucket)

    def to_publish(self, now: int) -> tuple[dict[str, int], list[str]]:
        """The buckets that changed since the last call, and the names of those that count no longer."""
        old = [bucket for bucket in self._buckets if self._ends(bucket) <= now]
        for bucket in old:
            del self._buckets[bucket]
            self.changed.discard(bucket)
        changed = {self._name(bucket): self._buckets[bucket] for bucket in self.changed}
        self.changed.clear()
        return changed, [self._name(bucket) for bucket in old]

    def publish_again(self) -> None:
        self.changed.update(self._buckets)

    def remember(self, stored: Mapping[str, int], now: int) -> None:
        """Take over what was published under this part's key before this process began."""
        uses = []
        for name, cost in stored.items():
            key, _, bucket = name.rpartition(_SEPARATOR)
            if key == self.key and self._ends(int(bucket)) > now:
                self._buckets[int(bucket)] = self._buckets.get(int(bucket), 0) + cost
                uses.append((min(now, (int(bucket) + 1) * self._width), cost))
        self.window.remember(uses)

    def _ends(self, bucket: int) -> int:
        return (bucket + 1) * self._width + self.window.length

    def _name(self, bucket: int) -> str:
        return f"{self.key}{_SEPARATOR}{bucket}"


class Holder:
    """All that one process owns of a login (or of an address): what is published, and read back after a restart."""

    def __init__(self, name: str, owns: Iterable[Own]) -> None:
        self.name = name
        self.owns = tuple(owns)
        self.is_restored = False


@dataclass(slots=True, eq=False)
class Common:
    """A part that several processes take from by asking Redis under `key`.

    `alone` counts what this process took, and how much it may take while Redis is away. `untold` is what it took then.
    """

    key: str
    most: int
    alone: Window
    untold: list[tuple[int, int]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return self.alone.length


def common_of(key: str, most: int, seconds: float, sharers: int) -> Common:
    everybody = (0,) * len(Priority)
    alone = min(most, max(1, most // sharers))
    return Common(key, most, Window(Part(alone, everybody), microseconds(seconds)))


@dataclass(slots=True, eq=False)
class Silence:
    """Until when (microseconds) nobody spends, by the venue's own word; `name` is its field in Redis."""

    name: str
    until: int = 0
    is_untold: bool = False

    def extend(self, until: int) -> None:
        self.until = max(self.until, until)
