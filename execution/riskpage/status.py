"""Whether the monitors of losses run, whom they watch and how old what they know is: the whole platform's, for staff.

Ages are in seconds; None is never.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from brokers.models import BrokerAccount
from brokers.selectors import secrets_of
from brokers.sessions import session_of
from execution import health
from execution.models import Heartbeat
from execution.riskpage.page import GUARD, GUARD_MAX_AGE_S, guard_name
from justtrades import clock
from risk.models import AccountDay, RiskAction
from risk.selectors import is_in_force

PAPER = "paper"
NEVER = "It is not counted in this session yet."


def monitor_status() -> dict[str, Any]:
    now, ages = clock.now(), health.ages()
    accounts = list(watched_accounts())
    live = [account for account in accounts if account.login.venue != PAPER]
    paper = [account for account in accounts if account.login.venue == PAPER]
    count = Counter(account.login.venue for account in accounts)
    return {
        "paper_trades": {"monitor_running": _is_running(paper, ages)},
        "live_accounts": {
            "running": _is_running(live, ages),
            "tradovate_accounts": count["tradovate"],
            "projectx_accounts": count["projectx"],
            "breached_today": [_breach(action) for action in breached_today(now)],
            "webull_accounts": count["webull"],
            "ninjatrader_accounts": count["ninjatrader"],
            "paper_accounts": count[PAPER],
        },
        "accounts": _rows(accounts, ages, now),
        "lanes": _lanes(ages),
    }


def watched_accounts() -> QuerySet[BrokerAccount]:
    """Enabled accounts of enabled logins, by name."""
    rows = BrokerAccount.objects.filter(is_enabled=True, login__is_enabled=True, login__deleted_at=None)
    return rows.select_related("login", "owner").defer(*secrets_of("login")).order_by("name", "pk")


def breached_today(now: datetime) -> QuerySet[RiskAction]:
    """On live accounts: what was decided in the session of now, and what locks still, newest first."""
    today = Q(session__gte=session_of(now).day) | Q(unlocked_at=None, locks_until__gt=now)
    return RiskAction.objects.filter(today).exclude(account__login__venue=PAPER).select_related("account", "owner")


def _is_running(accounts: Iterable[BrokerAccount], ages: dict[str, float]) -> bool:
    """Whether the monitor of every lane that has one of these beats; with none of them, whether all lanes' do."""
    lanes = {guard_name(account.login.lane_slot) for account in accounts}
    return all(_beats(name, ages) for name in lanes or {guard_name(number) for number in range(settings.LANES)})


def _beats(name: str, ages: dict[str, float]) -> bool:
    age = ages.get(name)
    return age is not None and age <= GUARD_MAX_AGE_S


def _breach(action: RiskAction) -> dict[str, Any]:
    return {
        "account": action.account.name,
        "owner": action.owner.email,
        "code": action.code,
        "text": action.text,
        "had": action.had,
        "allowed": action.allowed,
        "status": action.status,
        "locked": is_in_force(action),
        "decided_at": action.decided_at,
    }


def _rows(accounts: list[BrokerAccount], ages: dict[str, float], now: datetime) -> list[dict[str, Any]]:
    ids = [account.pk for account in accounts]
    days = {day.account_id: day for day in AccountDay.objects.filter(account__in=ids, ends_at__gt=now)}
    return [_row(account, days.get(account.pk), ages, now) for account in accounts]


def _row(account: BrokerAccount, day: AccountDay | None, ages: dict[str, float], now: datetime) -> dict[str, Any]:
    login = account.login
    return {
        "id": account.pk,
        "account": account.name,
        "owner": account.owner.email,
        "venue": login.venue,
        "environment": login.environment,
        "lane": login.lane_slot % settings.LANES,
        "watched": _beats(guard_name(login.lane_slot), ages),
        "session": None if day is None else day.session,
        "pnl": None if day is None else day.pnl,
        "open_positions": None if day is None else day.open_positions,
        "quote_age_s": None if day is None else age_of(day.quote_at, now),
        "books_age_s": None if day is None else age_of(day.books_at, now),
        "checked_age_s": None if day is None else age_of(day.checked_at, now),
        "warning": NEVER if day is None else day.warning,
    }


def age_of(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else round((now - moment).total_seconds(), 1)


def _lanes(ages: dict[str, float]) -> list[dict[str, Any]]:
    details: dict[str, dict[str, Any]] = dict(
        Heartbeat.objects.filter(name__startswith=GUARD).values_list("name", "detail")
    )
    return [
        {
            "lane": number,
            "running": _beats(name, ages),
            "heartbeat_age_s": None if (age := ages.get(name)) is None else round(age, 1),
            "accounts": details.get(name, {}).get("accounts"),
            "warnings": details.get(name, {}).get("warnings"),
        }
        for number in range(settings.LANES)
        for name in (f"{GUARD}{number}",)
    ]
