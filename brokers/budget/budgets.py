"""All budgets of one process: `Budgets(redis_url).owned(...)` in a login's lane, `.shared(...)` everywhere else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from brokers.access import Limit, Priority
from brokers.budget import shares
from brokers.budget.exchange import Exchange
from brokers.budget.ledger import Common, Holder, Own, Silence, common_of
from brokers.budget.login import GuestBudget, LoginBudget, Route, Routes, new_process
from brokers.budget.names import address_holder, common_key, lane_holder, rule_key
from brokers.budget.store import Store

DEFAULT_ADDRESS = "default"


def microseconds_now() -> int:
    return time.time_ns() // 1000


class Budgets:
    """`address` names where this installation's requests come from: all processes behind one public address share it.

    `lanes` is how many lanes there are and `lane` which one this process is; a process that is none leaves both.
    `now` is microseconds since the epoch. `venue` in all methods names what counts together: where a venue's
    environments are servers of their own, the environment belongs into it.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        address: str = DEFAULT_ADDRESS,
        lanes: int = 1,
        lane: int = 0,
        now: Callable[[], int] = microseconds_now,
    ) -> None:
        self._process = new_process(Store(redis_url), now)
        self.exchange = Exchange(self._process)
        self._address = address
        self._lanes = lanes
        self._lane = lane
        self._making = threading.Lock()
        self._budgets: dict[tuple[UUID, bool], tuple[object, LoginBudget]] = {}
        self._holders: dict[str, Holder] = {}
        self._commons: dict[str, Common] = {}
        self._silences: dict[str, Silence] = {}

    def owned(self, login_id: UUID, venue: str, limits: Sequence[Limit]) -> LoginBudget:
        """The budget for a login's lane, with what was spent before a restart. No more than one process may own it.

        Reads from Redis once, so it belongs to connecting and not to an order.
        """
        return self._budget(login_id, venue, tuple(limits), is_owner=True)

    def shared(self, login_id: UUID, venue: str, limits: Sequence[Limit]) -> LoginBudget:
        """The budget for a process beside the login's lane. Its `spend` asks Redis, a quarter of a second at most."""
        return self._budget(login_id, venue, tuple(limits), is_owner=False)

    def stop(self) -> None:
        """Publish what is spent and end the exchange."""
        self.exchange.stop()
        self._process.store.close()

    def _budget(self, login_id: UUID, venue: str, limits: tuple[Limit, ...], *, is_owner: bool) -> LoginBudget:
        terms = (venue, limits)
        with self._making:
            known = self._budgets.get((login_id, is_owner))
            if known is None or known[0] != terms:
                known = terms, self._make(login_id, venue, limits, is_owner=is_owner)
                self._budgets[login_id, is_owner] = known
            return known[1]

    def _make(self, login_id: UUID, venue: str, limits: tuple[Limit, ...], *, is_owner: bool) -> LoginBudget:
        routes = {limit: self._routes_of(limit, login_id, venue, is_owner=is_owner) for limit in limits}
        silences = self._silence(str(login_id)), self._silence(address_holder(venue, self._address))
        named = {endpoint for limit in limits for endpoint in limit.endpoints}
        by_endpoint = {endpoint: _joined(routes, endpoint) for endpoint in named}
        kind = LoginBudget if is_owner else GuestBudget
        if is_owner:
            self._own(login_id, venue, routes, silences)
        return kind(self._process, by_endpoint, _joined(routes, ""), silences)

    def _routes_of(self, limit: Limit, login_id: UUID, venue: str, *, is_owner: bool) -> Routes:
        """What a spend of each priority counts in, of this one rule."""
        if limit.scope != shares.ADDRESS_SCOPE:
            if is_owner:
                own = Own(rule_key(limit), shares.lane_part(limit), limit.seconds)
                return _everybody(((own,), ()))
            common = self._common(str(login_id), limit, shares.guests_part(limit.requests))
            return _everybody(((), (common,)))
        common = self._common(address_holder(venue, self._address), limit, shares.asked_part(limit))
        asked: Route = (), (common,)
        part = shares.orders_part(limit, self._lanes)
        if not is_owner or part.requests == 0:
            return _everybody(asked)
        own = self._own_of_address(venue, limit, part)
        return tuple(asked if priority is Priority.POLL else ((own,), ()) for priority in Priority)

    def _common(self, holder: str, limit: Limit, most: int) -> Common:
        key = common_key(holder, limit)
        sharers = self._lanes + 1 if limit.scope == shares.ADDRESS_SCOPE else 1
        return self._commons.setdefault(key, common_of(key, most, limit.seconds, sharers))

    def _own_of_address(self, venue: str, limit: Limit, part: shares.Part) -> Own:
        """One holder per rule: another login of the venue may come with rules that this one does not have."""
        name = f"{lane_holder(venue, self._address, self._lane)}:{rule_key(limit)}"
        holder = self._holders.setdefault(name, Holder(name, [Own(rule_key(limit), part, limit.seconds)]))
        return holder.owns[0]

    def _silence(self, name: str) -> Silence:
        return self._silences.setdefault(name, Silence(name))

    def _own(self, login_id: UUID, venue: str, routes: dict[Limit, Routes], silences: tuple[Silence, Silence]) -> None:
        of_login = [by_priority for limit, by_priority in routes.items() if limit.scope != shares.ADDRESS_SCOPE]
        holders = [Holder(str(login_id), [own for by_priority in of_login for own in by_priority[Priority.FLATTEN][0]])]
        prefix = f"{lane_holder(venue, self._address, self._lane)}:"
        holders += [holder for name, holder in self._holders.items() if name.startswith(prefix)]
        self.exchange.add([holder for holder in holders if holder.owns], self._commons.values(), silences)
        self.exchange.start()


def _everybody(route: Route) -> Routes:
    return (route,) * len(Priority)


def _joined(routes: dict[Limit, Routes], endpoint: str) -> Routes:
    """One route per priority through all rules that count `endpoint`."""
    counting = [
        by_priority for limit, by_priority in routes.items() if not limit.endpoints or endpoint in limit.endpoints
    ]
    joined = []
    for priority in Priority:
        owns = tuple(own for by_priority in counting for own in by_priority[priority][0])
        commons = tuple(common for by_priority in counting for common in by_priority[priority][1])
        joined.append((owns, commons))
    return tuple(joined)
