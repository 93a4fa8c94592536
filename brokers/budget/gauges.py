"""How full one rule of a login is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from brokers.access import Limit, Priority
from brokers.budget import shares
from brokers.budget.names import rule_title


@dataclass(frozen=True, slots=True)
class LoginRules:
    """A login as `Budgets.owned` was given it."""

    login_id: UUID
    venue: str
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Gauge:
    """One rule as it stands: `used` of `allowed` requests, and how many more each priority may send now.

    `silent_until` is set while the venue wants silence: then nobody may send, whatever `room` says.
    """

    rule: str
    scope: str
    used: int
    allowed: int
    room: Mapping[Priority, int]
    silent_until: datetime | None

    @property
    def left(self) -> float:
        """The share of the rule that is not used, 0 to 1."""
        return max(0.0, 1 - self.used / self.allowed)


def gauge_of(
    limit: Limit, *, own: int = 0, taken: int = 0, lanes: int = 1, silent_until: datetime | None = None
) -> Gauge:
    """`own` is what lanes spent of parts of their own, `taken` what was asked for."""
    room = {priority: max(0, left) for priority, left in _room(limit, own, taken, lanes).items()}
    return Gauge(rule_title(limit), limit.scope, own + taken, limit.requests, room, silent_until)


def _room(limit: Limit, own: int, taken: int, lanes: int) -> dict[Priority, int]:
    if limit.scope != shares.ADDRESS_SCOPE:
        part = shares.lane_part(limit)
        return {priority: part.most(priority) - own for priority in Priority}
    asked = shares.asked_part(limit) - taken
    part = shares.orders_part(limit, lanes)
    if part.requests == 0:
        return dict.fromkeys(Priority, asked)
    return {priority: lanes * part.most(priority) - own for priority in Priority} | {Priority.POLL: asked}
