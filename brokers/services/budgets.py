"""What each login may still ask its venue: a lane counts for its logins, every other process shares what is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from brokers.access import Budget, Limit, Priority
from brokers.budget.budgets import Budgets
from brokers.budget.gauges import Gauge, LoginRules
from brokers.budget.login import LoginBudget
from brokers.budget.readings import Readings
from brokers.budget.shares import ADDRESS_SCOPE
from brokers.errors import RateLimited
from brokers.models import BrokerLogin, Environment
from brokers.registry import VENUES
from justtrades import clock

MOST_SHOWN = 3
HOUR_S = 3600
SANDBOX_HOURS = 24
"""How many hours' requests a sandbox takes in one."""


def rules_of(login: BrokerLogin) -> LoginRules:
    """The venue's rules, and under which name they count: each environment, and each firm, has servers of its own.

    A sandbox is asked from this very machine, by more logins than any venue allows an address, and hears in minutes
    what a venue hears in a day: its hourly rules are wider.
    """
    venue = VENUES.get(login.venue)
    backend = (venue.backend if venue is not None else "") or login.venue
    name = " ".join(part for part in (backend, login.environment, login.firm) if part)
    limits = venue.limits if venue is not None else ()
    if login.environment == Environment.SANDBOX:
        limits = tuple(_widened(limit) for limit in limits if limit.scope != ADDRESS_SCOPE)
    return LoginRules(login.id, name, limits)


def _widened(limit: Limit) -> Limit:
    return replace(limit, requests=limit.requests * SANDBOX_HOURS) if limit.seconds >= HOUR_S else limit


def lane_budgets(lane: int) -> Budgets:
    """Those of one lane's process; to be stopped with it."""
    return Budgets(settings.BUDGETS_URL, address=settings.EGRESS_ADDRESS, lanes=settings.LANES, lane=lane)


def owned_budget(budgets: Budgets, login: BrokerLogin) -> LoginBudget:
    """A login's budget in the lane that it belongs to; reads once what was spent before a restart."""
    rules = rules_of(login)
    return budgets.owned(rules.login_id, rules.venue, rules.limits)


def shared_budget(login: BrokerLogin) -> Budget:
    """A login's budget in any process beside its lane."""
    rules = rules_of(login)
    return _shared().shared(rules.login_id, rules.venue, rules.limits)


class PersonBudget:
    """For the few requests of a person who connects or asks: they count where all logins of an address count together.

    The login's own rules have room for them, but what its lane leaves to others may not: a sign-in at a venue that
    allows ten in ten seconds takes three, and a check of two accounts four. A question whether a request would fit,
    `cost` 0, is about the lane's.
    """

    def __init__(self, login: BrokerLogin) -> None:
        self._login = login
        self._rules = rules_of(login)
        limits = tuple(limit for limit in self._rules.limits if limit.scope == ADDRESS_SCOPE)
        self._address = _shared().shared(self._rules.login_id, self._rules.venue, limits)

    def spend(self, priority: Priority, endpoint: str = "", cost: int = 1) -> None:
        if cost == 0:
            self._check_room(priority, endpoint)
        self._address.spend(priority, endpoint, cost)

    def penalise(self, until: datetime) -> None:
        self._address.penalise(until)

    def _check_room(self, priority: Priority, endpoint: str) -> None:
        gauges = readings_of([self._login]).get(self._login.id, ())
        for limit, gauge in zip(self._rules.limits, gauges, strict=False):
            if (not limit.endpoints or endpoint in limit.endpoints) and gauge.room[priority] == 0:
                raise RateLimited(clock.now() + timedelta(seconds=limit.seconds), f"nothing is left of {gauge.rule}")


@lru_cache(maxsize=1)
def _shared() -> Budgets:
    return Budgets(settings.BUDGETS_URL, address=settings.EGRESS_ADDRESS, lanes=settings.LANES)


def gauges_for(logins: Iterable[BrokerLogin]) -> dict[UUID, list[Gauge]]:
    """The fullest rules of each login, of which nothing was asked left out; nothing at all while Redis is away."""
    return {login: _fullest(gauges) for login, gauges in readings_of(logins).items()}


def readings_of(logins: Iterable[BrokerLogin]) -> dict[UUID, tuple[Gauge, ...]]:
    """A gauge for each rule of each login, in the rules' order; nothing at all while Redis is away."""
    return _readings().of([rules_of(login) for login in logins]) or {}


def _fullest(gauges: Iterable[Gauge]) -> list[Gauge]:
    shown = [gauge for gauge in gauges if gauge.used > 0 or gauge.silent_until is not None]
    return sorted(shown, key=lambda gauge: gauge.left)[:MOST_SHOWN]


@lru_cache(maxsize=1)
def _readings() -> Readings:
    return Readings(settings.BUDGETS_URL, address=settings.EGRESS_ADDRESS, lanes=settings.LANES)
