"""Who may use how much of a rule: between priorities, and between processes. Pure; all figures are whole requests.

Priorities. `LEAVES` is how many times a rule's `reserve` each priority leaves untouched. With the usual reserve of 0.1
a poll stops at half of the rule, an entry at 70 %, an exit at 80 %, a stop at 90 %, and a flatten may use all of it.
So polls cannot starve entries, entries cannot starve exits, and nobody can spend what a flatten needs. A rule with
`reserve=0` counts nothing that an order waits for (sign-ins, renewals): there everybody may use everything.

Processes. A login's rule is cut in two: its lane counts its own part exactly and in memory, and what all other
processes (a pre-flight in the web, chores) may use together, `guests_part`, is counted in Redis. The parts add up to
the rule, so no message has to be in time for the sum to hold: the possible overshoot is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from brokers.access import Limit, Priority

LEAVES = {
    Priority.FLATTEN: 0,
    Priority.STOP: 1,
    Priority.EXIT: 2,
    Priority.ENTRY: 3,
    Priority.POLL: 5,
}
ADDRESS_SCOPE = "ip"
_FEWEST_TO_SHARE = 5
_GUESTS_OF_FEW = 5
_MOST_GUESTS_OF_FEW = 10
_GUESTS_OF_MANY = 20


@dataclass(frozen=True, slots=True)
class Part:
    """`requests` in any window; `leaves[priority]` of them are not for that priority. Each may use at least one."""

    requests: int
    leaves: tuple[int, ...]

    def most(self, priority: Priority) -> int:
        return self.requests - self.leaves[priority]


@lru_cache(maxsize=1024)
def part_of(requests: int, reserve: float) -> Part:
    # Rounded first: 200 * 0.1 * 3 is a hair more than 60, which ceil would make 61.
    wanted = (math.ceil(round(requests * reserve * times, 6)) for times in LEAVES.values())
    return Part(requests, tuple(max(0, min(leaves, requests - 1)) for leaves in wanted))


def guests_part(requests: int) -> int:
    """What the processes beside a login's lane may use together: a twentieth, of small rules up to a fifth.

    Of a rule with fewer than five requests they get nothing: half of two would be what a flatten needs.
    """
    if requests < _FEWEST_TO_SHARE:
        return 0
    return max(min(requests // _GUESTS_OF_FEW, _MOST_GUESTS_OF_FEW), requests // _GUESTS_OF_MANY)


def lane_part(limit: Limit) -> Part:
    """A login's rule as its lane counts it."""
    return part_of(limit.requests - guests_part(limit.requests), limit.reserve)


def asked_part(limit: Limit) -> int:
    """What of an address's rule is taken by asking Redis: all that a poll may use."""
    return part_of(limit.requests, limit.reserve).most(Priority.POLL)


def orders_part(limit: Limit, lanes: int) -> Part:
    """What one lane's orders may use of an address's rule without asking: an even part of what polls leave."""
    left = limit.requests - asked_part(limit)
    return part_of(left // lanes, 1 / LEAVES[Priority.POLL])
