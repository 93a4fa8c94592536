"""Whether one alert's orders fit into what each login may still ask, before a recorder is enabled. Pure.

`plan` takes what each login would have to send and its gauges now, and says in one sentence what it costs, when the
last order is out, and what is left; a plan that does not fit names the login, the rule, and when it would.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from brokers.access import Limit, Priority
from brokers.base import Capabilities
from brokers.budget import shares
from brokers.budget.gauges import Gauge, gauge_of
from brokers.budget.names import rule_title

REST_THREADS = 64
AT_ONCE = 0
"""`parallel` of a venue whose orders go out as one burst on an open socket."""
_PERCENT = 100
_NOT_LONG_S = 10


class Verdict(IntEnum):
    FITS = 0
    ONLY_WITHOUT_RESERVE = 1
    DOES_NOT_FIT = 2


@dataclass(frozen=True, slots=True)
class Calls:
    """The requests of one entry: itself, and what protects it where the venue does not take that along."""

    entries: int = 1
    stops: int = 0
    targets: int = 0

    @property
    def total(self) -> int:
        return self.entries + self.stops + self.targets


@dataclass(frozen=True, slots=True)
class LoginLoad:
    """What one alert makes a login send: an entry on each of `accounts`, with `targets` and maybe a stop.

    `gauges` are the login's readings, one per rule of `limits` in their order; without them nothing is spent yet.
    `latency_s` is the venue's measured answer time, `parallel` how many requests go out together, over all logins of
    the same `venue`. `entry_endpoint` and `exit_endpoint` are what the venue's adapter spends for the two.
    """

    name: str
    venue: str
    limits: tuple[Limit, ...]
    capabilities: Capabilities
    accounts: int
    targets: int = 1
    has_stop: bool = True
    gauges: tuple[Gauge, ...] = ()
    latency_s: float = 0.1
    parallel: int = REST_THREADS
    entry_endpoint: str = ""
    exit_endpoint: str = ""

    @property
    def calls(self) -> Calls:
        """Of each account's entry."""
        return calls_of(self.capabilities, targets=self.targets, has_stop=self.has_stop)


@dataclass(frozen=True, slots=True)
class Need:
    """What the plan takes from one rule. `logins` are those that share it here: one, unless it is the address's.

    `room` is what may still be sent with the reserve untouched; `left` the share of the rule that remains. When it
    does not fit, `fits_in_s` is the longest that one has to wait for it, None when it never will: then `most_accounts`
    of these logins fit at once. Until `silent_until` nothing fits, by the venue's own word.
    """

    logins: tuple[str, ...]
    rule: str
    calls: int
    room: int
    left: float
    verdict: Verdict
    fits_in_s: float | None
    most_accounts: int
    silent_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuotaPlan:
    """`last_entry_s` and `last_exit_s`: seconds until the last entry, and the last stop or target, is on the wire.

    `left` is the smallest share of any rule that remains; `trouble` holds what does not fit, the worst first.
    """

    accounts: int
    logins: int
    calls: int
    last_entry_s: float
    last_exit_s: float
    left: float
    verdict: Verdict
    trouble: tuple[Need, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class _Demand:
    """What of one rule is wanted: by priority how many, of how many accounts."""

    limit: Limit
    gauge: Gauge | None
    entries: int
    exits: int
    stops: int
    accounts: int


def calls_of(capabilities: Capabilities, *, targets: int, has_stop: bool) -> Calls:
    """One request with native brackets; where those take one target only, several are placed one by one."""
    stops = 1 if has_stop else 0
    if not capabilities.native_brackets:
        return Calls(stops=stops, targets=targets)
    is_taken_along = targets <= 1 or capabilities.native_multi_bracket
    return Calls() if is_taken_along else Calls(targets=targets)


def plan(logins: Sequence[LoginLoad]) -> QuotaPlan:
    loads = [load for load in logins if load.accounts > 0]
    needs = list(_needs(loads))
    trouble = sorted((need for need in needs if need.verdict > Verdict.FITS), key=lambda need: -need.verdict)
    last_entry_s, last_exit_s = _times(loads)
    outline = QuotaPlan(
        accounts=sum(load.accounts for load in loads),
        logins=len(loads),
        calls=sum(load.accounts * load.calls.total for load in loads),
        last_entry_s=last_entry_s,
        last_exit_s=last_exit_s,
        left=min((need.left for need in needs), default=1.0),
        verdict=trouble[0].verdict if trouble else Verdict.FITS,
        trouble=tuple(trouble),
        sentence="",
    )
    return replace(outline, sentence=_sentence(outline, loads))


def _needs(loads: Sequence[LoginLoad]) -> Iterator[Need]:
    by_rule: dict[tuple[str, Limit], list[tuple[str, _Demand]]] = defaultdict(list)
    for load in loads:
        for place, limit in enumerate(load.limits):
            demand = _demand(load, limit, load.gauges[place] if load.gauges else None)
            sharing = load.venue if limit.scope == shares.ADDRESS_SCOPE else f"{load.venue} {load.name}"
            if demand.entries + demand.exits + demand.stops > 0:
                by_rule[sharing, limit].append((load.name, demand))
    for (_, limit), demands in by_rule.items():
        yield _need(limit, tuple(name for name, _ in demands), [demand for _, demand in demands])


def _demand(load: LoginLoad, limit: Limit, gauge: Gauge | None) -> _Demand:
    calls = load.calls
    counts_entry = not limit.endpoints or load.entry_endpoint in limit.endpoints
    counts_exit = not limit.endpoints or load.exit_endpoint in limit.endpoints
    return _Demand(
        limit,
        gauge,
        entries=load.accounts * calls.entries if counts_entry else 0,
        exits=load.accounts * calls.targets if counts_exit else 0,
        stops=load.accounts * calls.stops if counts_exit else 0,
        accounts=load.accounts,
    )


def _need(limit: Limit, logins: tuple[str, ...], demands: Sequence[_Demand]) -> Need:
    entries = sum(demand.entries for demand in demands)
    exits, stops = sum(demand.exits for demand in demands), sum(demand.stops for demand in demands)
    total = entries + exits + stops
    accounts = sum(demand.accounts for demand in demands)
    gauge = demands[0].gauge
    empty = gauge_of(limit).room
    rooms = gauge.room if gauge is not None else empty
    used = gauge.used if gauge is not None else 0
    wanted = _wanted(entries, exits, stops)
    silences = [demand.gauge.silent_until for demand in demands if demand.gauge is not None]
    silent_until = max((until for until in silences if until is not None), default=None)
    verdict = Verdict.DOES_NOT_FIT if silent_until is not None else _verdict(wanted, rooms)
    fits_empty = _verdict(wanted, empty) is Verdict.FITS
    return Need(
        logins=logins,
        rule=rule_title(limit),
        calls=total,
        room=min(rooms[priority] - most for priority, most in wanted.items()) + total,
        left=max(0.0, (limit.requests - used - total) / limit.requests),
        verdict=verdict,
        fits_in_s=0.0 if verdict is Verdict.FITS else limit.seconds if fits_empty else None,
        most_accounts=accounts if fits_empty else min(accounts * empty[p] // most for p, most in wanted.items()),
        silent_until=silent_until,
    )


def _wanted(entries: int, exits: int, stops: int) -> dict[Priority, int]:
    """What will have been spent when the last request of each priority goes out: entries first, then what protects."""
    wanted = {Priority.ENTRY: entries}
    if exits > 0:
        wanted[Priority.EXIT] = entries + exits + stops
    elif stops > 0:
        wanted[Priority.STOP] = entries + stops
    return {priority: most for priority, most in wanted.items() if most > 0}


def _verdict(wanted: Mapping[Priority, int], rooms: Mapping[Priority, int]) -> Verdict:
    if all(most <= rooms[priority] for priority, most in wanted.items()):
        return Verdict.FITS
    if max(wanted.values()) <= rooms[Priority.FLATTEN]:
        return Verdict.ONLY_WITHOUT_RESERVE
    return Verdict.DOES_NOT_FIT


def _times(loads: Sequence[LoginLoad]) -> tuple[float, float]:
    """The venues send at the same time, the logins of one venue share its threads."""
    last_entry = last_exit = 0.0
    for venue in {load.venue for load in loads}:
        mine = [load for load in loads if load.venue == venue]
        latency = max(load.latency_s for load in mine)
        parallel = min(load.parallel for load in mine)
        entries = _rounds(sum(load.accounts * load.calls.entries for load in mine), parallel) * latency
        exits = _rounds(sum(load.accounts * (load.calls.stops + load.calls.targets) for load in mine), parallel)
        last_entry = max(last_entry, entries)
        last_exit = max(last_exit, entries + exits * latency)
    return last_entry, last_exit


def _rounds(calls: int, parallel: int) -> int:
    if calls == 0:
        return 0
    return 1 if parallel == AT_ONCE else math.ceil(calls / parallel)


def _sentence(outline: QuotaPlan, loads: Sequence[LoginLoad]) -> str:
    if outline.accounts == 0:
        return "No account follows: nothing is sent."
    return f"{_summary(outline, loads)} {_judgment(outline)}"


def _summary(outline: QuotaPlan, loads: Sequence[LoginLoad]) -> str:
    kinds = {load.calls.total for load in loads}
    if kinds == {1}:
        how = "with native brackets" if any(load.targets or load.has_stop for load in loads) else "of entries alone"
    elif len(kinds) == 1:
        how = f"({kinds.pop()} per entry: its exits are placed one by one)"
    else:
        how = "(some brokers take the exits along, others need them one by one)"
    last = f"last order at {_seconds(outline.last_exit_s)}"
    if outline.last_exit_s > outline.last_entry_s:
        last = f"last entry at {_seconds(outline.last_entry_s)}, {last}"
    calls = f"{_number(outline.calls, 'call')} {how}"
    return (
        f"{_number(outline.accounts, 'account')} over {_number(outline.logins, 'login')} = {calls}; {last}; "
        f"budget left {math.floor(outline.left * _PERCENT)} %."
    )


def _judgment(outline: QuotaPlan) -> str:
    if not outline.trouble:
        return "It fits."
    worst = outline.trouble[0]
    who = f"{worst.logins[0]}" if len(worst.logins) == 1 else f"{len(worst.logins)} logins together"
    what = f"{who} ({worst.rule}): {worst.calls} needed, {max(0, worst.room)} free"
    if worst.silent_until is not None:
        return f"It does not fit: the broker wants silence of {who} until {worst.silent_until:%H:%M:%S} UTC."
    is_reserve = worst.verdict is Verdict.ONLY_WITHOUT_RESERVE
    lead = "It fits only without the reserve for closing positions" if is_reserve else "It does not fit"
    if worst.fits_in_s is None:
        return f"{lead}: {what}; {_number(worst.most_accounts, 'account')} would fit."
    return f"{lead}: {what}; it will in at most {_seconds(worst.fits_in_s)}."


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < _NOT_LONG_S else f"{seconds:,.0f} s"
