"""Whether a strategy's alerts form an unbroken chain, and where its position stands now. Pure.

Each alert of a strategy says its position before and after. In order, one's `before` is the last one's `after`. Alerts
of one second carry the same time and may arrive swapped; a resend comes five seconds late or more; one may be lost
(integration facts §1.5). So the alerts of the newest second are kept together: if they can be put into an order that
starts where the second before ended, the end of that order is where the strategy stands, whatever order they came in.
If they cannot, one is missing, and the newest statement counts until it turns up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

Edge = tuple[Decimal, Decimal]
"""The strategy's signed position before and after one of its orders."""


class Link(StrEnum):
    """How an alert fits to what came before: `LATE` ones are overtaken by newer statements and move nothing."""

    FIRST = "first"
    IN_ORDER = "in_order"
    REORDERED = "reordered"
    LATE = "late"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Chain:
    """`tip` is where the strategy stands, None before its first alert. `base` is where it stood before `second`,
    None where that is not known.

    `missing` is the stretch that no alert has told of yet; `found` are overtaken alerts that may be parts of it.
    """

    tip: Decimal | None = None
    base: Decimal | None = None
    second: datetime | None = None
    edges: tuple[Edge, ...] = ()
    missing: Edge | None = None
    found: tuple[Edge, ...] = ()

    @property
    def is_desynced(self) -> bool:
        return self.missing is not None


@dataclass(frozen=True, slots=True)
class Step:
    """`before` and `after`: where the strategy stood and stands because of this alert, by all that is known.

    `start` is set on a REORDERED alert: where the strategy stood before the second whose alerts are now in order.
    """

    link: Link
    before: Decimal
    after: Decimal
    chain: Chain
    start: Decimal | None = None


def advance(chain: Chain, before: Decimal, after: Decimal, fired_at: datetime | None) -> Step:
    """`fired_at` is the alert's own time, None when it has none: then it counts as newer than all before it."""
    if chain.tip is None:
        started = Chain(tip=after, base=None, second=fired_at, edges=((before, after),))
        return Step(Link.FIRST, before, after, started)
    if fired_at is not None and chain.second is not None:
        if fired_at < chain.second:
            return _late(chain, chain.tip, (before, after))
        if fired_at == chain.second:
            return _same_second(chain, chain.tip, (before, after))
    return _next_second(chain, chain.tip, (before, after), fired_at)


def _next_second(chain: Chain, tip: Decimal, edge: Edge, fired_at: datetime | None) -> Step:
    before, after = edge
    fresh = Chain(tip=after, base=tip, second=fired_at if fired_at is not None else chain.second, edges=(edge,))
    if before == tip:
        # What was missing before is history: the strategy and we agree again on where it stands.
        return Step(Link.IN_ORDER, tip, after, fresh)
    return Step(Link.GAP, tip, after, replace(fresh, missing=(tip, before)))


def _same_second(chain: Chain, tip: Decimal, edge: Edge) -> Step:
    edges = (*chain.edges, edge)
    base = _start_of(edges) if chain.base is None else chain.base
    end = end_of_walk(base, edges)
    if end is not None:
        link = Link.IN_ORDER if edge[0] == tip and not chain.is_desynced else Link.REORDERED
        start = base if link is Link.REORDERED else None
        return Step(link, tip, end, replace(chain, tip=end, edges=edges, missing=None, found=()), start)
    if edge[0] == tip:
        return Step(Link.IN_ORDER, tip, edge[1], replace(chain, tip=edge[1], edges=edges))
    if chain.is_desynced:
        # Something is missing already, and this is most likely a part of it: what is newer was stated before.
        return Step(Link.REORDERED, tip, tip, replace(chain, edges=edges, found=(*chain.found, edge)))
    return Step(Link.GAP, tip, edge[1], replace(chain, tip=edge[1], edges=edges, missing=(tip, edge[0])))


def _start_of(edges: tuple[Edge, ...]) -> Decimal:
    """Where a walk over `edges` must begin: the place that is left more often than it is entered."""
    surplus = _surplus(edges)
    return next((place for place, count in surplus.items() if count > 0), edges[0][0])


def _late(chain: Chain, tip: Decimal, edge: Edge) -> Step:
    if chain.missing is None:
        return Step(Link.LATE, tip, tip, chain)
    found = (*chain.found, edge)
    start, wanted = chain.missing
    is_whole = end_of_walk(start, found) == wanted
    kept = replace(chain, missing=None, found=()) if is_whole else replace(chain, found=found)
    return Step(Link.LATE, tip, tip, kept)


def end_of_walk(start: Decimal, edges: tuple[Edge, ...]) -> Decimal | None:
    """Where a walk ends that begins at `start` and takes every edge once; None when there is no such walk.

    Euler: all edges hang together with the start, and every place but start and end is left as often as it is entered.
    The end is then the same for every such walk.
    """
    surplus = _surplus(edges)
    neighbours: dict[Decimal, set[Decimal]] = defaultdict(set)
    for before, after in edges:
        neighbours[before].add(after)
        neighbours[after].add(before)
    end = start + sum((after - before for before, after in edges), Decimal(0))
    expected = Counter({start: 1, end: -1}) if start != end else Counter()
    if any(surplus[place] != expected[place] for place in surplus.keys() | expected.keys()):
        return None
    return end if neighbours.keys() <= _reachable(start, neighbours) else None


def _surplus(edges: tuple[Edge, ...]) -> Counter[Decimal]:
    """How much more often each place is left than entered."""
    surplus: Counter[Decimal] = Counter()
    for before, after in edges:
        surplus[before] += 1
        surplus[after] -= 1
    return surplus


def _reachable(start: Decimal, neighbours: dict[Decimal, set[Decimal]]) -> set[Decimal]:
    seen, waiting = {start}, [start]
    while waiting:
        for place in neighbours.get(waiting.pop(), ()):
            if place not in seen:
                seen.add(place)
                waiting.append(place)
    return seen
