"""All gauges of many logins, read from Redis for pages: at most 0.2 s behind the lanes, rounded up a sixtieth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from brokers.access import Limit
from brokers.budget import shares
from brokers.budget.budgets import DEFAULT_ADDRESS, microseconds_now
from brokers.budget.gauges import Gauge, LoginRules, gauge_of
from brokers.budget.ledger import used_of
from brokers.budget.login import moment_of
from brokers.budget.names import address_holder, common_key, lane_holder, rule_key
from brokers.budget.store import Away, Store
from brokers.budget.windows import microseconds


@dataclass(frozen=True, slots=True)
class _Rule:
    """Where one rule of a login is counted: by `key` in the holders' hashes, and in the sorted set `common`."""

    limit: Limit
    key: str
    length: int
    holders: tuple[str, ...]
    common: str


class Readings:
    """Keep one per process. `address` and `lanes` are what the process's `Budgets` were given."""

    def __init__(
        self,
        redis_url: str,
        *,
        address: str = DEFAULT_ADDRESS,
        lanes: int = 1,
        now: Callable[[], int] = microseconds_now,
    ) -> None:
        self._store = Store(redis_url)
        self._address = address
        self._lanes = lanes
        self._now = now

    def of(self, logins: Sequence[LoginRules]) -> dict[UUID, tuple[Gauge, ...]] | None:
        """Of each login, one gauge per rule, in three round trips for all of them; None while Redis is away."""
        now = self._now()
        rules = [self._rules(login) for login in logins]
        holders = list(dict.fromkeys(holder for of_login in rules for rule in of_login for holder in rule.holders))
        parts = list(dict.fromkeys((rule.common, rule.length) for of_login in rules for rule in of_login))
        try:
            rows = dict(zip(holders, self._store.published(holders), strict=True))
            taken = dict(zip((key for key, _ in parts), self._store.taken(parts, now), strict=True))
            silences = self._store.silences()
        except Away:
            return None
        lengths = {rule.key: rule.length for of_login in rules for rule in of_login}
        used = {holder: used_of(row, lengths, now) for holder, row in rows.items()}
        readings = {}
        for login, of_login in zip(logins, rules, strict=True):
            silent = max(silences.get(name, 0) for name in (str(login.login_id), self._shared_by(login)))
            until = moment_of(silent) if silent > now else None
            readings[login.login_id] = tuple(
                gauge_of(
                    rule.limit,
                    own=sum(used[holder][rule.key] for holder in rule.holders),
                    taken=taken[rule.common],
                    lanes=self._lanes,
                    silent_until=until,
                )
                for rule in of_login
            )
        return readings

    def _rules(self, login: LoginRules) -> list[_Rule]:
        return [self._rule(login, limit) for limit in login.limits]

    def _rule(self, login: LoginRules, limit: Limit) -> _Rule:
        key, length = rule_key(limit), microseconds(limit.seconds)
        if limit.scope != shares.ADDRESS_SCOPE:
            login_id = str(login.login_id)
            return _Rule(limit, key, length, (login_id,), common_key(login_id, limit))
        lanes = range(self._lanes) if shares.orders_part(limit, self._lanes).requests > 0 else ()
        holders = tuple(f"{lane_holder(login.venue, self._address, lane)}:{key}" for lane in lanes)
        return _Rule(limit, key, length, holders, common_key(self._shared_by(login), limit))

    def _shared_by(self, login: LoginRules) -> str:
        return address_holder(login.venue, self._address)
