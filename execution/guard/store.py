"""What a monitor counted, for screens, for the checks before an entry, and for the lane that comes after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from execution.bulk import update_rows
from execution.guard.days import Day
from execution.guard.opening import holdings_document
from risk.models import AccountDay, AccountEquity, RiskLimit

_COLUMNS = (
    "realized", "fees", "open_pnl", "start_cash", "contracts", "open_positions", "quote_at", "books_at", "checked_at",
    "warning",
)  # fmt: skip
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
    """Two statements, however many accounts."""
    found = [one for one in findings if one.day.account.id in ids]
    rows = [(ids[one.day.account.id], *_figures(one, now)) for one in found]
    update_rows(AccountDay, _COLUMNS, rows)
    AccountEquity.objects.bulk_create(
        [
            AccountEquity(
                account_id=one.day.account.id,
                equity=_fine(one.equity),
                intraday_high=_fine(one.day.intraday_high),
                end_of_day_high=_fine(one.day.end_of_day_high),
                updated_at=now,
            )
            for one in found
            if one.equity is not None
        ],
        update_conflicts=True,
        unique_fields=["account"],
        update_fields=["equity", "intraday_high", "end_of_day_high", "updated_at"],
    )


def row_ids(days: Iterable[Day]) -> dict[UUID, int]:
    """The rows of these days, by account."""
    wanted = {day.account.id: day.session.day for day in days}
    rows = AccountDay.objects.filter(account__in=wanted, session__in=set(wanted.values()))
    return {account: pk for account, session, pk in rows.values_list("account_id", "session", "id")
            if wanted[account] == session}  # fmt: skip


def save_high_waters(marks: Mapping[UUID, Decimal]) -> None:
    """Of limits whose scope is no account."""
    update_rows(RiskLimit, ("high_water",), [(limit_id, _fine(mark)) for limit_id, mark in marks.items()])


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
