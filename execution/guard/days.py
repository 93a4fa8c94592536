"""An account's trading day in memory: a book that every fill of the account goes into, whoever traded.

What is realised and what is held come from the same fills, so that a close never counts twice while the broker's own
position report is still on its way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from brokers.base import Side
from brokers.sessions import SessionDay
from execution.guard.accounts import Account
from execution.models import Fill
from execution.valuation import known_contract
from justtrades import clock
from risk.pnl import Book, Holding, Trade

OVERLAP = timedelta(seconds=30)
"""Fills are looked for again this far back: one is stored in a transaction that may be over only later."""
SETTLED_AFTER = timedelta(seconds=5)
NO_MONEY = Decimal(0)


class Execution(NamedTuple):
    """A stored fill, as far as a book needs it."""

    account_id: UUID
    id: UUID
    symbol: str
    side: str
    qty: int
    price: Decimal
    at: datetime


@dataclass(slots=True)
class Day:
    """`start` is what was held when the session began, `start_cash` the account's worth then, without open contracts.

    `week_before` is what the week's earlier days realised, after fees. `traded` is each contract's last fill: price and
    time. All money is dollars. Fills were asked for up to `asked_at` (None: not yet); `unpriced` are those of which the
    price is still to come.
    """

    account: Account
    session: SessionDay
    start: dict[str, Holding] = field(default_factory=dict)
    start_cash: Decimal | None = None
    week_before: Decimal = NO_MONEY
    intraday_high: Decimal | None = None
    end_of_day_high: Decimal | None = None
    book: Book = field(default_factory=Book)
    seen: set[UUID] = field(default_factory=set)
    newest: datetime | None = None
    unknown: set[str] = field(default_factory=set)
    traded: dict[str, tuple[Decimal, datetime]] = field(default_factory=dict)
    asked_at: datetime | None = None
    unpriced: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.book = Book({symbol: replace(one, realized_pnl=NO_MONEY) for symbol, one in self.start.items()})
        self.seen, self.newest, self.unknown = set(), None, set()

    @property
    def fees(self) -> Decimal:
        return self.book.contracts * self.account.fee

    @property
    def realized(self) -> Decimal:
        """After fees."""
        return self.book.realized - self.fees

    @property
    def cash(self) -> Decimal | None:
        """What the account is worth without its open contracts."""
        return None if self.start_cash is None else self.start_cash + self.realized

    def take(self, fills: Iterable[Execution]) -> bool:
        """Put in those of this session that are not in yet, oldest first. False: one came late, and all must be read
        again with `restart`.
        """
        for fill in fills:
            if fill.id in self.seen or not self.session.start <= fill.at < self.session.end:
                continue
            if self.newest is not None and fill.at < self.newest:
                return False
            self.seen.add(fill.id)
            self.newest = fill.at
            self.traded[fill.symbol] = fill.price, fill.at
            contract = known_contract(fill.symbol)
            if contract is None:
                self.unknown.add(fill.symbol)
                continue
            self.book.apply(Trade(fill.symbol, Side(fill.side), fill.qty, fill.price), contract.point_value)
        return True

    def restart(self, fills: Iterable[Execution]) -> None:
        """All fills of the session anew, in order."""
        self._begin()
        self.take(fills)

    def learn(self, account: Account, now: datetime) -> None:
        """The account's row as it is now. Its cash counts while nothing of ours can be on its way into it.

        High-water marks are ours to move, but for those that a person has reset since. Where the session rolls at
        another time from now on, this one is never cut short.
        """
        if account.reset_at != self.account.reset_at:
            self.intraday_high, self.end_of_day_high = account.marks
        if account.roll != self.account.roll:
            self.session = account.lasting(self.session)
        self.account = account
        is_settled = self.newest is None or (
            account.cash_at is not None and account.cash_at > self.newest + SETTLED_AFTER
        )
        if account.cash is not None and (self.start_cash is None or (is_settled and not self.book.held)):
            self.start_cash = account.cash - self.realized

    def rolled(self, session: SessionDay) -> Day:
        """The day after this one, with what is held now. It begins where this one ended, by whichever rule that was."""
        is_same_week = session.day.isocalendar()[:2] == self.session.day.isocalendar()[:2]
        return Day(
            account=self.account,
            session=replace(session, start=max(session.start, self.session.end)),
            start=dict(self.book.held),
            start_cash=self.cash,
            week_before=self.week_before + self.realized if is_same_week else NO_MONEY,
            intraday_high=self.intraday_high,
            end_of_day_high=self.end_of_day_high,
        )


def executions(account_ids: Iterable[UUID], since: datetime) -> dict[UUID, list[Execution]]:
    """The accounts' priced fills from `since` on, oldest first."""
    found: dict[UUID, list[Execution]] = {account_id: [] for account_id in account_ids}
    for account_id, fill_id, symbol, side, qty, price, at in _stored(
        Q(account_id__in=list(found), filled_at__gte=since, price__isnull=False)
    ):
        if price is not None:
            found[account_id].append(Execution(account_id, fill_id, symbol, side, qty, price, at))
    return found


def take_new_fills(days: Mapping[UUID, Day]) -> set[UUID]:
    """Bring the books up to date; the accounts whose book changed.

    Fills are asked for by when they were stored: a venue may tell of one, or of its price, long after it happened.
    """
    now = clock.now()
    changed: set[UUID] = set()
    for account_id, fills in _new_fills(days).items():
        day, before = days[account_id], len(days[account_id].seen)
        if not day.take(fills):
            day.restart(executions([account_id], day.session.start)[account_id])
            changed.add(account_id)
        elif len(day.seen) != before:
            changed.add(account_id)
        day.unpriced -= {fill.id for fill in fills}
    for day in days.values():
        day.asked_at = now
    return changed


def _new_fills(days: Mapping[UUID, Day]) -> dict[UUID, list[Execution]]:
    """What may not be in the books yet, oldest first, by account. Notes those whose price is still to come."""
    found: dict[UUID, list[Execution]] = defaultdict(list)
    for account_id, fill_id, symbol, side, qty, price, at in _stored(_is_new(days)) if days else ():
        if price is None:
            days[account_id].unpriced.add(fill_id)
        else:
            found[account_id].append(Execution(account_id, fill_id, symbol, side, qty, price, at))
    return found


def _is_new(days: Mapping[UUID, Day]) -> Q:
    """All of a session that was not asked about yet, and else what was stored lately."""
    begins = {account_id: day.session.start for account_id, day in days.items() if day.asked_at is None}
    asked = {account_id: day.asked_at for account_id, day in days.items() if day.asked_at is not None}
    unpriced = [fill_id for day in days.values() for fill_id in day.unpriced]
    wanted = Q(id__in=unpriced) if unpriced else Q()
    if begins:
        wanted |= Q(account_id__in=list(begins), filled_at__gte=min(begins.values()))
    if asked:
        wanted |= Q(account_id__in=list(asked), stored_at__gte=min(asked.values()) - OVERLAP)
    return wanted


def _stored(wanted: Q) -> Iterable[tuple[UUID, UUID, str, str, int, Decimal | None, datetime]]:
    rows = Fill.objects.filter(wanted).order_by("filled_at", "broker_fill_id")
    return rows.values_list("account_id", "id", "symbol", "side", "qty", "price", "filled_at")
