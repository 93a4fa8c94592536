"""What a monitor counted, for screens, for the checks before an entry, and for the lane that comes after it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from psycopg2.extras import execute_values

from execution.bulk import lazily, update_rows
from execution.guard.days import Day
from execution.guard.marks import Mark
from execution.guard.opening import holdings_document
from risk.models import AccountDay, RiskAction

_COLUMNS = (
    "realized", "fees", "open_pnl", "start_cash", "contracts", "open_positions", "quote_at", "books_at", "checked_at",
    "warning",
)  # fmt: skip
# Marks that a person has reset since they were read stay as they are: the next reading brings them.
_SAVE_WORTHS = """
    INSERT INTO risk_accountequity AS t (account_id, equity, intraday_high, end_of_day_high, reset_at, updated_at)
    VALUES %s ON CONFLICT (account_id) DO UPDATE SET
        equity = EXCLUDED.equity, updated_at = EXCLUDED.updated_at,
        intraday_high = CASE WHEN t.reset_at IS NOT DISTINCT FROM EXCLUDED.reset_at
            THEN EXCLUDED.intraday_high ELSE t.intraday_high END,
        end_of_day_high = CASE WHEN t.reset_at IS NOT DISTINCT FROM EXCLUDED.reset_at
            THEN EXCLUDED.end_of_day_high ELSE t.end_of_day_high END
"""
_SAVE_MARKS = """
    UPDATE risk_risklimit t SET high_water_of = v.members, high_water = CASE
        WHEN t.high_water_of IS NULL OR (t.high_water_of - ARRAY(SELECT jsonb_object_keys(v.members)) = '{}'
            AND v.members - ARRAY(SELECT jsonb_object_keys(t.high_water_of)) = '{}')
        THEN GREATEST(t.high_water, v.high) ELSE v.high END
    FROM (VALUES %s) AS v (id, high, members)
    WHERE t.id = v.id AND (t.high_water_of IS DISTINCT FROM v.members OR t.high_water < v.high)
"""
CENT = Decimal("0.01")
FINE = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Finding:
    """An account at one moment; `quote_at` is the oldest price in it."""

    day: Day
    open_pnl: Decimal | None
    equity: Decimal | None
    quote_at: datetime | None
    books_at: datetime | None
    warning: str


def begin_rows(days: Iterable[Day], now: datetime) -> None:
    """A row for each day that has none yet; an existing one keeps what it began with."""
    AccountDay.objects.bulk_create(
        [
            AccountDay(
                account_id=day.account.id,
                session=day.session.day,
                starts_at=day.session.start,
                ends_at=day.session.end,
                start_cash=None if day.start_cash is None else day.start_cash.quantize(CENT),
                start_holdings=holdings_document(day.start),
                checked_at=now,
            )
            for day in days
        ],
        ignore_conflicts=True,
    )


def save(findings: Iterable[Finding], ids: Mapping[UUID, int], now: datetime) -> None:
    """Two statements, however many accounts, and no wait for the disk: a tick may come any moment."""
    found = [one for one in findings if one.day.account.id in ids]
    rows = [(ids[one.day.account.id], *_figures(one, now)) for one in found]
    worths = [
        (
            one.day.account.id, _fine(one.equity), _fine(one.day.intraday_high), _fine(one.day.end_of_day_high),
            one.day.account.reset_at, now,
        )
        for one in found
        if one.equity is not None
    ]  # fmt: skip
    with lazily():
        update_rows(AccountDay, _COLUMNS, rows)
        if worths:
            with connection.wrap_database_errors, connection.cursor() as cursor:
                execute_values(cursor.cursor, _SAVE_WORTHS, worths, page_size=len(worths))


def lengthen(day: Day, was: datetime) -> None:
    """The day ends later than at `was`, and so does what is locked until then."""
    session, account_id = day.session, day.account.id
    with transaction.atomic():
        locked = RiskAction.objects.filter(account=account_id, session=session.day, locks_until=was)
        locked.update(locks_until=session.end)
        AccountDay.objects.filter(account=account_id, session=session.day).update(ends_at=session.end)


def row_ids(days: Iterable[Day]) -> dict[UUID, int]:
    """The rows of these days, by account."""
    wanted = {day.account.id: day.session.day for day in days}
    rows = AccountDay.objects.filter(account__in=wanted, session__in=set(wanted.values()))
    return {account: pk for account, session, pk in rows.values_list("account_id", "session", "id")
            if wanted[account] == session}  # fmt: skip


def save_high_waters(marks: Mapping[UUID, Mark]) -> None:
    """Of limits whose scope is no account. Over the same members one only rises: several lanes may keep it."""
    rows = [
        (limit_id, _fine(mark.high), json.dumps({str(member): str(_fine(worth)) for member, worth in mark.of.items()}))
        for limit_id, mark in marks.items()
    ]
    if rows:
        with connection.wrap_database_errors, connection.cursor() as cursor:
            execute_values(cursor.cursor, _SAVE_MARKS, rows, "(%s::uuid, %s::numeric, %s::jsonb)", len(rows))


def _figures(one: Finding, now: datetime) -> tuple[object, ...]:
    day = one.day
    held = day.book.held.values()
    start_cash = None if day.start_cash is None else day.start_cash.quantize(CENT)
    return (
        _fine(day.book.realized), _fine(day.fees), _fine(one.open_pnl), start_cash,
        sum(abs(holding.net_qty) for holding in held), len(held), one.quote_at, one.books_at, now, one.warning[:255],
    )  # fmt: skip


def _fine(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(FINE)
