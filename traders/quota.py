"""Whether one alert's orders, on all accounts that follow a recorder, fit into what their logins may still ask."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from brokers.budget.gauges import Gauge
from brokers.budget.planner import AT_ONCE, REST_THREADS, LoginLoad, QuotaPlan, plan
from brokers.models import BrokerLogin
from brokers.registry import VENUES
from brokers.selectors import secrets_of
from brokers.services.budgets import readings_of, rules_of
from recorders.models import Recorder
from recorders.settings import Settings
from traders.models import Trader


def quota_of(recorder: Recorder) -> QuotaPlan:
    """With the recorder's own targets and stop; a trader's overrides rarely change how many orders there are."""
    traders = Trader.objects.filter(recorder=recorder, is_enabled=True, account__login__is_enabled=True)
    traders = traders.select_related("account__login").defer(*secrets_of("account__login"))
    logins: dict[UUID, BrokerLogin] = {}
    accounts: Counter[UUID] = Counter()
    for trader in traders:
        login = trader.account.login
        if login.venue in VENUES:
            logins[login.pk] = login
            accounts[login.pk] += 1
    readings = readings_of(logins.values())
    return plan([_load(login, accounts[pk], recorder.settings, readings.get(pk, ())) for pk, login in logins.items()])


def _load(login: BrokerLogin, accounts: int, settings: Settings, gauges: tuple[Gauge, ...]) -> LoginLoad:
    rules, venue = rules_of(login), VENUES[login.venue]
    return LoginLoad(
        name=login.username,
        venue=rules.venue,
        limits=rules.limits,
        capabilities=venue.capabilities,
        accounts=accounts,
        targets=len(settings.targets),
        has_stop=settings.stop_distance != 0,
        gauges=gauges,
        parallel=AT_ONCE if venue.sends_in_bursts else REST_THREADS,
        entry_endpoint=venue.order_endpoint,
        exit_endpoint=venue.order_endpoint,
    )
