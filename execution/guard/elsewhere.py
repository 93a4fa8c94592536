"""Accounts of the same owners that other lanes watch. Asked only where a limit reaches further than one account."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from brokers.sessions import SessionDay
from execution.guard.accounts import Account, load_accounts_of
from execution.guard.days import Day
from execution.guard.opening import earlier_in_week
from risk.models import AccountDay

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A user's accounts in other lanes, by id: their days of now as last written, where they are, and what was realised
    in the week before them.
    """

    accounts: dict[UUID, Account] = field(default_factory=dict)
    days: dict[UUID, AccountDay] = field(default_factory=dict)
    week_before: dict[UUID, Decimal] = field(default_factory=dict)

    @property
    def is_counted(self) -> bool:
        """Whether all of them are, in their session of now: where one rolls first, the other's lane is not that far."""
        return self.days.keys() == self.accounts.keys()

    def as_days(self, now: datetime) -> dict[UUID, Day]:
        """As much of their days as a trader's share needs; what traders won and hold is stored with every fill."""
        found: dict[UUID, Day] = {}
        for account_id, account in self.accounts.items():
            row = self.days.get(account_id)
            session = account.session(now) if row is None else SessionDay(row.session, row.starts_at, row.ends_at)
            found[account_id] = Day(account, session, start_cash=None if row is None else row.start_cash)
        return found


def load_elsewhere(owners: Collection[UUID], own: Collection[UUID], now: datetime) -> dict[UUID, Elsewhere]:
    """By owner, for those who have accounts that are not among `own`."""
    accounts = load_accounts_of(owners, but=own)
    if not accounts:
        return {}
    rows = AccountDay.objects.filter(account__in=accounts, starts_at__lte=now, ends_at__gt=now)
    days = {row.account_id: row for row in rows}
    week = earlier_in_week(days.values())
    found: dict[UUID, Elsewhere] = {}
    for account_id, account in accounts.items():
        theirs = found.setdefault(account.owner_id, Elsewhere())
        theirs.accounts[account_id] = account
        if account_id in days:
            theirs.days[account_id] = days[account_id]
            theirs.week_before[account_id] = week.get(account_id, ZERO)
    return found
