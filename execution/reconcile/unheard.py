"""Looks that met no error, and of which nothing came: the connection kept the answer back, or our books refused it.

Only where something is at stake has such a look failed: a broker lists an account that it has closed no more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from brokers.models import BrokerAccount
from execution.models import BrokerPosition, Order, Position, Reconciliation
from execution.models.order import LIVE

ANSWER_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class _Expected:
    accounts: tuple[BrokerAccount, ...]
    asked_at: datetime
    due_at: datetime


@dataclass(slots=True)
class Answers:
    """What has to come of the looks that were made. `key` is what was looked at in one go."""

    _expected: dict[UUID, _Expected] = field(default_factory=dict)

    def expect(self, key: UUID, accounts: tuple[BrokerAccount, ...], asked_at: datetime, now: datetime) -> None:
        """An earlier look at the same is waited for first: the answer to this one will do for both."""
        self._expected.setdefault(key, _Expected(accounts, asked_at, now + ANSWER_WITHIN))

    def overdue(self, now: datetime) -> dict[UUID, list[BrokerAccount]]:
        """What must be looked at again, with the accounts of it whose look has failed and is not counted yet."""
        due = {key: one for key, one in self._expected.items() if now >= one.due_at}
        if not due:
            return {}
        for key in due:
            del self._expected[key]
        asked = {account.pk: one.asked_at for one in due.values() for account in one.accounts}
        rows = {row.account_id: row for row in Reconciliation.objects.filter(account__in=asked)}
        lacking = {pk for pk, at in asked.items() if pk not in rows or not _is_since(rows[pk].compared_at, at)}
        counted = {pk for pk in lacking & rows.keys() if _is_since(rows[pk].failed_at, asked[pk])}
        failed = _at_stake(lacking - counted)
        return {
            key: [account for account in one.accounts if account.pk in failed]
            for key, one in due.items()
            if any(account.pk in counted | failed for account in one.accounts)
        }


def _is_since(at: datetime | None, asked_at: datetime) -> bool:
    return at is not None and at >= asked_at


def _at_stake(account_ids: Collection[UUID]) -> set[UUID]:
    """Those where something is held, or an order lives, by our books or by the broker's."""
    if not account_ids:
        return set()
    held = [model.objects.filter(account__in=account_ids).exclude(net_qty=0) for model in (Position, BrokerPosition)]
    live = Order.objects.filter(account__in=account_ids, status__in=[status.value for status in LIVE])
    return {pk for rows in (*held, live) for pk in rows.order_by().values_list("account_id", flat=True)}
