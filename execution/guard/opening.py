"""How a day begins: from the row of the same day after a restart, from the day before, or from what the broker says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Sum

from brokers.base import Side
from brokers.sessions import SessionDay
from execution.guard.accounts import Account
from execution.guard.days import Day, Execution, executions
from execution.models import BrokerPosition
from risk.models import AccountDay
from risk.pnl import Holding


def open_days(accounts: Iterable[Account], now: datetime) -> dict[UUID, Day]:
    """The day that each account is in, with every fill of it. A fixed number of queries."""
    by_id = {account.id: account for account in accounts}
    rows = {
        row.account_id: row
        for row in AccountDay.objects.filter(account__in=by_id).order_by("account", "-session").distinct("account")
    }
    starts = [row.starts_at for row in rows.values()] + [account.session(now).start for account in by_id.values()]
    fills = executions(by_id, min(starts, default=now))
    before = earlier_in_week(rows.values())
    fresh = _broker_positions([account_id for account_id in by_id if account_id not in rows])
    days: dict[UUID, Day] = {}
    for account_id, account in by_id.items():
        row = rows.get(account_id)
        if row is None:
            day = _first(account, now, fills[account_id], fresh.get(account_id, {}))
        else:
            day = _continued(account, now, row, before.get(account_id, Decimal(0)), fills[account_id])
        day.learn(account, now)
        days[account_id] = day
    return days


def _continued(account: Account, now: datetime, row: AccountDay, week_before: Decimal, fills: list[Execution]) -> Day:
    # As it was written down: by the rule of today it may have begun, or end, at another time.
    recorded = account.lasting(SessionDay(row.session, row.starts_at, row.ends_at))
    day = Day(account, recorded, holdings_of(row.start_holdings), row.start_cash, week_before, *account.marks)
    day.take(fills)
    if now < recorded.end:
        return day
    # Sessions may have passed while nobody watched: what was held then is what the fills until now left.
    session = account.session(now)
    begins = max(session.start, recorded.end)
    held = [fill for fill in fills if recorded.end <= fill.at < begins]
    day.session = replace(recorded, end=begins)
    day.take(held)
    rolled = day.rolled(session)
    rolled.take(fills)
    return rolled


def _first(account: Account, now: datetime, fills: list[Execution], reported: Mapping[str, BrokerPosition]) -> Day:
    """Nobody has counted this account before: what its fills of today do not explain was held when the day began.

    Its average is the broker's, the best that is known of it.
    """
    session = account.session(now)
    today = [fill for fill in fills if session.start <= fill.at]
    traded: dict[str, int] = {}
    for fill in today:
        traded[fill.symbol] = traded.get(fill.symbol, 0) + Side(fill.side).sign * fill.qty
    newest = max((fill.at for fill in today), default=None)
    start: dict[str, Holding] = {}
    for symbol, position in reported.items():
        is_older = newest is not None and position.reported_at < newest
        net = 0 if is_older else position.net_qty - traded.get(symbol, 0)
        if net != 0:
            start[symbol] = Holding(net, position.avg_price)
    day = Day(account, session, start, None, Decimal(0), *account.marks)
    day.take(today)
    return day


def _broker_positions(account_ids: list[UUID]) -> dict[UUID, dict[str, BrokerPosition]]:
    found: dict[UUID, dict[str, BrokerPosition]] = {}
    for position in BrokerPosition.objects.filter(account__in=account_ids).exclude(net_qty=0):
        found.setdefault(position.account_id, {})[position.symbol] = position
    return found


def earlier_in_week(days: Iterable[AccountDay]) -> dict[UUID, Decimal]:
    """Realised after fees in the sessions of each account's week before this one, where there were any."""
    found: dict[UUID, Decimal] = {}
    by_session: dict[date, list[UUID]] = {}
    for day in days:
        by_session.setdefault(day.session, []).append(day.account_id)
    for session, account_ids in by_session.items():
        monday = session - timedelta(days=session.weekday())
        rows = AccountDay.objects.filter(account__in=account_ids, session__gte=monday, session__lt=session)
        sums = rows.order_by().values("account_id").annotate(won=Sum(F("realized") - F("fees")))
        found |= {row["account_id"]: row["won"] for row in sums}
    return found


def holdings_document(holdings: Mapping[str, Holding]) -> dict[str, list[Any]]:
    """As `AccountDay.start_holdings` keeps them."""
    return {
        symbol: [one.net_qty, None if one.avg_price is None else str(one.avg_price)]
        for symbol, one in holdings.items()
        if one.net_qty != 0
    }


def holdings_of(document: Mapping[str, list[Any]]) -> dict[str, Holding]:
    return {
        symbol: Holding(int(net), None if average is None else Decimal(average))
        for symbol, (net, average) in document.items()
    }
