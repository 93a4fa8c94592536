"""What accounts may still lose by the figures that their monitors last wrote down, for a look before each entry.

The monitor judges with every price; this is for the moment in which it has not acted yet, and for when it is dead.
As there, what was realised on a login that is off counts, and what was open there when it was last looked at does not.
Limits on a trader or a recorder have no figures written down: of them only the monitor knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from risk.around import Room
from risk.checks import SILENT_AFTER_S
from risk.models import LimitScope
from risk.monitors import Figures, Gauge, gauge_of, money
from risk.restrictions import Limit, array_of

UNKNOWN = Figures(day=None)
SILENT_AFTER = timedelta(seconds=SILENT_AFTER_S)

_BOOKS = """
    SELECT a.id, a.owner_id, d.realized - d.fees,
           CASE WHEN l.is_enabled AND l.deleted_at IS NULL THEN d.open_pnl ELSE 0 END, d.start_cash, d.checked_at,
           e.equity, e.intraday_high, e.end_of_day_high,
           (SELECT coalesce(sum(w.realized - w.fees), 0) FROM risk_accountday w
            WHERE w.account_id = a.id AND w.session < d.session
              AND w.session > d.session - extract(isodow FROM d.session)::integer),
           d.warning, l.is_enabled AND l.deleted_at IS NULL
                      AND EXISTS (SELECT 1 FROM risk_accountday x WHERE x.account_id = a.id)
    FROM brokers_brokeraccount a
    JOIN brokers_brokerlogin l ON l.id = a.login_id
    LEFT JOIN risk_accountday d ON d.account_id = a.id AND d.session >= %(since)s
                               AND d.starts_at <= %(now)s AND d.ends_at > %(now)s
    LEFT JOIN risk_accountequity e ON e.account_id = a.id
    WHERE a.id = ANY(%(accounts)s::uuid[]) OR a.owner_id = ANY(%(owners)s::uuid[])
"""


_LIFTED = """
    SELECT limit_key, account_id FROM risk_riskaction
    WHERE account_id = ANY(%(accounts)s::uuid[]) AND unlocked_at IS NOT NULL AND locks_until > %(now)s
"""


@dataclass(frozen=True, slots=True)
class Book:
    """One account's session as it was written down at `checked_at`; `warning` says why it is not to be relied on.

    `is_whole`: of every account of its owner that is to be watched there is such a book, and none is silent. One that
    no monitor has ever counted was never connected: a mistyped password does not stop everybody else.
    """

    owner_id: UUID
    figures: Figures
    checked_at: datetime
    warning: str
    is_whole: bool


def read_books(accounts: Collection[UUID], owners: Collection[UUID], now: datetime) -> dict[UUID, Book]:
    """By account: of `accounts`, and of all that `owners` have. Nothing for one that is not counted in this session."""
    since = now.date() - timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_BOOKS, {"accounts": array_of(accounts), "owners": array_of(owners), "now": now, "since": since})
        rows = cursor.fetchall()
    partial = {row[1] for row in rows if row[-1] and _is_silent(row[5], now)}
    return {row[0]: _book(row, is_whole=row[1] not in partial) for row in rows if row[5] is not None}


def lifted(accounts: Collection[UUID], now: datetime) -> set[tuple[str, UUID]]:
    """Key and account of each limit that somebody unlocked: it acts no more in the account's session."""
    with connection.cursor() as cursor:
        cursor.execute(_LIFTED, {"accounts": array_of(accounts), "now": now})
        return set(cursor.fetchall())


def _is_silent(checked_at: datetime | None, now: datetime) -> bool:
    return checked_at is None or now - checked_at > SILENT_AFTER


def _book(row: tuple[Any, ...], *, is_whole: bool) -> Book:
    _, owner_id, realized, open_pnl, start, checked_at, equity, intraday, day_end, earlier, warning, _ = row
    day = None if open_pnl is None else realized + open_pnl
    week = None if day is None else earlier + day
    return Book(owner_id, Figures(day, week, equity, start, intraday, day_end), checked_at, warning, is_whole)


def used_up(limits: Iterable[Limit], books: dict[UUID, Book]) -> dict[UUID, list[Gauge]]:
    """Which money limits on an account or a user have no room left, by the account's or the user's id.

    One that cannot be judged is not among them: that alone denies nothing, a silent monitor does. On a user that is
    the monitor of any of its accounts: its limits are here then, judged by nothing.
    """
    found: dict[UUID, list[Gauge]] = {}
    sums: dict[UUID, Figures | None] = {}
    for limit in limits:
        scope, target = limit.target
        figures: Figures | None = UNKNOWN
        if scope == LimitScope.ACCOUNT:
            figures = books[target].figures if target in books else UNKNOWN
        elif scope == LimitScope.USER:
            if target not in sums:
                sums[target] = _whole([book for book in books.values() if book.owner_id == target])
            figures = sums[target]
        gauge = gauge_of(limit.terms, UNKNOWN if figures is None else figures)
        if gauge.is_breached or figures is None:
            found.setdefault(target, []).append(gauge)
    return found


def _whole(books: list[Book]) -> Figures | None:
    """All that a user has; None while one of its accounts is not counted."""
    return _sum([book.figures for book in books]) if books and all(book.is_whole for book in books) else None


def room_of(gauge: Gauge) -> Room:
    """For people."""
    name = gauge.terms.label or gauge.terms.kind.value.replace("_", " ")
    had, allowed = ("not known" if value is None else money(value) for value in (gauge.had, gauge.allowed))
    return Room(name.lower(), had, allowed, gauge.is_breached, is_known=gauge.room is not None)


def _sum(parts: list[Figures]) -> Figures:
    """None as soon as one of them is not known. There is no high-water mark of a sum."""
    return Figures(
        day=_added(part.day for part in parts),
        week=_added(part.week for part in parts),
        equity=_added(part.equity for part in parts),
        start_equity=_added(part.start_equity for part in parts),
    )


def _added(values: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for value in values:
        if value is None:
            return None
        total += value
    return total
