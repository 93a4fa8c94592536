"""One login's `brokers.access.Budget`: what is its own is counted here, what is shared is asked for.

Nothing that an order waits for is asked for: a lane's orders spend only parts of their own, under one lock, in
memory. Asking (one round trip, a quarter of a second at most) is for what no order is: what an address shares, such as
sign-ins and syncs, and everything in the processes beside a login's lane. A rule of an address with `reserve=0` says
that no order counts in it, so there every priority asks.
"""

from __future__ import annotations

import itertools
import os
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from brokers.access import Priority
from brokers.budget.ledger import Common, Own, Silence
from brokers.budget.store import Away, Store
from brokers.errors import RateLimited

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Route = tuple[tuple[Own, ...], tuple[Common, ...]]
"""What one spend counts in: parts of this process, and parts that are asked for."""
Routes = tuple[Route, ...]
"""By priority."""


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """What all budgets of one process have in common."""

    store: Store
    now: Callable[[], int]
    lock: threading.Lock
    name: str
    numbers: itertools.count[int]

    def next_name(self) -> str:
        """Of one taking. A process forked from this one counts on from the same number, so its id is part of it."""
        return f"{os.getpid()}.{self.name}.{next(self.numbers)}"


def new_process(store: Store, now: Callable[[], int]) -> Process:
    return Process(store, now, threading.Lock(), uuid.uuid4().hex[:12], itertools.count(1))


class LoginBudget:
    """`by_endpoint` holds the routes of the endpoints that a rule names, `others` those of all the rest."""

    always_asks = False

    def __init__(
        self, process: Process, by_endpoint: Mapping[str, Routes], others: Routes, silences: tuple[Silence, Silence]
    ) -> None:
        self._process = process
        self._now = process.now
        self._lock = process.lock
        self._by_endpoint = by_endpoint
        self._others = others
        self._login_silence, self._address_silence = silences

    def spend(self, priority: Priority, endpoint: str = "", cost: int = 1) -> None:
        """Note `cost` requests that are about to be sent, in every rule that counts them or in none.

        Raises `RateLimited` whose `until` is the moment at which this priority's next request fits. A `cost` of 0 asks
        whether one would fit and counts nothing.
        """
        owns, commons = self._by_endpoint.get(endpoint, self._others)[priority]
        now = self._now()
        with self._lock:
            until = max(self._login_silence.until, self._address_silence.until)
            if until > now:
                raise _too_soon(until, "the venue asked for silence")
            until = 0
            for own in owns:
                until = max(until, own.window.opens_at(now, cost or 1, priority))
            if until > 0:
                raise _too_soon(until, f"the request budget of {priority.name.lower()} is spent")
            if cost > 0:
                for own in owns:
                    own.add(now, cost)
        if commons or self.always_asks:
            self._take(now, priority, owns, commons, cost)

    def opens_at(self, priority: Priority, endpoint: str = "") -> datetime | None:
        """When this priority's next request fits, aware UTC; None when it does now. Asks nobody: what is shared with
        others is not looked at.
        """
        owns, _ = self._by_endpoint.get(endpoint, self._others)[priority]
        now = self._now()
        with self._lock:
            until = max(self._login_silence.until, self._address_silence.until)
            for own in owns:
                until = max(until, own.window.opens_at(now, 1, priority))
        return _EPOCH + until * _MICROSECOND if until > now else None

    def penalise(self, until: datetime, *, everybody: bool = False) -> None:
        """The venue itself asked for silence: nobody spends before `until` (aware UTC), in any process.

        With `everybody` it is the address that the venue is tired of: no login of the venue speaks from there.
        """
        silence = self._address_silence if everybody else self._login_silence
        moment = (until - _EPOCH) // _MICROSECOND
        with self._lock:
            silence.extend(moment)
            silence.is_untold = True
        self._tell(silence)

    def _tell(self, silence: Silence) -> None:
        """A lane's exchange tells it: whoever met the penalty may be the thread that writes orders."""

    def _take(self, now: int, priority: Priority, owns: Sequence[Own], commons: tuple[Common, ...], cost: int) -> None:
        try:
            until = self._ask(now, commons, cost)
        except Away:
            until = self._take_alone(now, commons, cost)
        else:
            if until == 0 and cost > 0:
                with self._lock:
                    for common in commons:
                        common.alone.add(now, cost)
        if until > 0:
            with self._lock:
                for own in owns:
                    own.take_back(now, cost)
            raise _too_soon(until, f"the shared request budget of {priority.name.lower()} is spent")

    def _ask(self, now: int, commons: tuple[Common, ...], cost: int) -> int:
        process = self._process
        tell_untold(process, commons)
        silences = (self._login_silence.name, self._address_silence.name)
        return process.store.take(now, process.next_name(), commons, cost, silences)

    def _take_alone(self, now: int, commons: tuple[Common, ...], cost: int) -> int:
        """This process's even share of each part, counting what it took before: 0, or when to come again."""
        with self._lock:
            until = max((common.alone.opens_at(now, cost or 1, Priority.FLATTEN) for common in commons), default=0)
            if until == 0 and cost > 0:
                for common in commons:
                    common.alone.add(now, cost)
                    common.untold.append((now, cost))
        return until


class GuestBudget(LoginBudget):
    """A budget beside the login's lane: it has no exchange, so it asks for penalties and tells them itself."""

    always_asks = True

    def _tell(self, silence: Silence) -> None:
        try:
            self._process.store.silence(self._now(), {silence.name: silence.until})
        except Away:
            return
        silence.is_untold = False


def tell_untold(process: Process, commons: Sequence[Common]) -> None:
    """Let Redis know what this process took while it was away. Raises `store.Away`."""
    untold = {}
    with process.lock:
        for common in commons:
            if common.untold:
                untold[common.key] = (common.length, _merged(common.untold))
                common.untold = []
    if not untold:
        return
    try:
        process.store.tell_taken(process.name, untold)
    except Away:
        with process.lock:
            for common in commons:
                if common.key in untold:
                    common.untold.extend(untold[common.key][1])
        raise


def _merged(entries: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """One entry per moment, because a moment is what names it."""
    costs: dict[int, int] = {}
    for at, cost in entries:
        costs[at] = costs.get(at, 0) + cost
    return list(costs.items())


def _too_soon(until: int, text: str) -> RateLimited:
    return RateLimited(moment_of(until), text)


def moment_of(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
