"""Accounts whose login was switched off or removed: nobody watches them, and what they lost this week still counts.

Else whoever is near a limit on all that he has would switch the login off that lost, and go on with the others. What
is still open there is not counted: nobody tells its price, and nobody could close it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from execution.guard.accounts import load_accounts_named
from execution.guard.days import Day
from execution.guard.opening import open_days
from risk.models import AccountDay

ZERO = Decimal(0)
LOOKED_BACK = timedelta(days=8)
"""A session that ended before that is of no week that still counts."""


class Left(NamedTuple):
    """Dollars after fees, of this session and of its week up to now."""

    day: Decimal = ZERO
    week: Decimal = ZERO


def load_gone(owners: Collection[UUID], own: Collection[UUID], now: datetime) -> dict[UUID, Day]:
    """The days of these owners' accounts that nobody watches and that are not among `own`: what they realised.

    One query where there are none, a fixed number else.
    """
    lately = AccountDay.objects.filter(account__owner__in=owners, ends_at__gt=now - LOOKED_BACK)
    unwatched = lately.exclude(account__login__is_enabled=True, account__login__deleted_at=None)
    ids = set(unwatched.values_list("account_id", flat=True)) - set(own)
    return open_days(load_accounts_named(ids).values(), now) if ids else {}


def left_by(days: Iterable[Day]) -> Left:
    """What they realised, all together."""
    found = list(days)
    day = sum((one.realized for one in found), ZERO)
    return Left(day, day + sum((one.week_before for one in found), ZERO))
