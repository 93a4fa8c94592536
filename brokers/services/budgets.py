"""How much each login may still ask its venue, for pages."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from brokers.budget.gauges import Gauge, LoginRules
from brokers.budget.readings import Readings
from brokers.models import BrokerLogin
from brokers.registry import VENUES

MOST_SHOWN = 3


def rules_of(login: BrokerLogin) -> LoginRules:
    """The venue's rules, and under which name they count: each environment, and each firm, has servers of its own."""
    venue = VENUES.get(login.venue)
    name = " ".join(part for part in (login.venue, login.environment, login.firm) if part)
    return LoginRules(login.id, name, venue.limits if venue is not None else ())


def gauges_for(logins: Iterable[BrokerLogin]) -> dict[UUID, list[Gauge]]:
    """The fullest rules of each login, of which nothing was asked left out; nothing at all while Redis is away."""
    found = _readings().of([rules_of(login) for login in logins]) or {}
    return {login: _fullest(gauges) for login, gauges in found.items()}


def _fullest(gauges: Iterable[Gauge]) -> list[Gauge]:
    shown = [gauge for gauge in gauges if gauge.used > 0 or gauge.silent_until is not None]
    return sorted(shown, key=lambda gauge: gauge.left)[:MOST_SHOWN]


@lru_cache(maxsize=1)
def _readings() -> Readings:
    return Readings(settings.BUDGETS_URL, lanes=settings.LANES)
