"""All that a monitor keeps in memory: the days of its accounts, the subjects that are watched, what was decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Sum

from execution.guard import store
from execution.guard.accounts import Account, load_accounts
from execution.guard.breaches import Ledger, sessions_of
from execution.guard.days import Day, executions, take_new_fills
from execution.guard.decide import LIMIT, Breach, DecidedKey, decided_in
from execution.guard.market import Market
from execution.guard.opening import holdings_of, open_days
from execution.guard.packs import Packs, load_packs, terms_of
from execution.guard.subjects import (
    Elsewhere,
    Limits,
    account_subject,
    load_limits,
    load_settings,
    trader_subjects,
    user_subject,
)
from risk.models import AccountDay, LimitScope
from risk.monitors import Kind, Terms
from risk.watch import Band, PriceKey, Prices, Subject


class Watching:
    """Belongs to the monitor's thread. Every figure is counted at the market's newest prices."""

    def __init__(self, lane: int, market: Market) -> None:
        self._lane = lane
        self._market = market
        self.days: dict[UUID, Day] = {}
        self.rows: dict[UUID, int] = {}
        self.limits = Limits()
        self.packs: Packs = {}
        self.ledger = Ledger()
        self.accounts: dict[UUID, Subject] = {}
        self.others: list[Subject] = []
        self._day_of: dict[str, Day] = {}
        self._bands: dict[str, dict[PriceKey, Band]] = {}

    @property
    def subjects(self) -> list[Subject]:
        return [*self.accounts.values(), *self.others]

    def reload(self, now: datetime) -> None:
        """The lane's accounts, their limits and what was decided, as they are stored now."""
        for _ in self.reloading(now):
            pass

    def reloading(self, now: datetime) -> Iterator[None]:
        """The same in steps: between them whoever reloads may look at what the market does."""
        store.save_high_waters(self.marks())
        accounts = load_accounts(self._lane)
        yield
        for account_id in self.days.keys() - accounts.keys():
            del self.days[account_id]
        fresh = [account for account_id, account in accounts.items() if account_id not in self.days]
        if fresh:
            self._open(fresh, now)
        for account_id, account in accounts.items():
            self.days[account_id].learn(account, now)
        yield
        self._take_corrections()
        yield
        owners = {account.owner_id for account in accounts.values()}
        self.packs = load_packs(accounts)
        limits = load_limits(owners)
        yield
        self.limits = Limits(limits, load_settings(accounts), terms_of(self.packs))
        self.rebuild(now)
        yield
        sessions = {session for session, _ in self.ledger.sessions.values()}
        self.ledger.decided = decided_in(sessions, self.ledger.sessions)

    def _open(self, accounts: Iterable[Account], now: datetime) -> None:
        opened = open_days(accounts, now)
        store.begin_rows(opened.values(), now)
        self.days |= opened
        self.rows |= store.row_ids(opened.values())

    def _take_corrections(self) -> None:
        """Somebody accepted the broker's quantity: what was held when the day began is another than we thought."""
        stored = AccountDay.objects.filter(pk__in=self.rows.values()).values_list("account_id", "start_holdings")
        for account_id, document in stored:
            day = self.days.get(account_id)
            if day is None:
                continue
            start = holdings_of(document)
            if {symbol: one for symbol, one in day.start.items() if one.net_qty != 0} != start:
                day.start = start
                day.restart(executions([account_id], day.session.start)[account_id])

    def take_fills(self, now: datetime) -> None:
        """What was filled since the last look."""
        if take_new_fills(self.days):
            self.rebuild(now)

    def roll(self, now: datetime) -> list[Day]:
        """Begin the next day of those whose session is over; the days that ended."""
        over = [day for day in self.days.values() if now >= day.session.end]
        if over:
            self._mark_day_end({day.account.id for day in over})
            fresh = {day.account.id: day.rolled(day.account.session(now)) for day in over}
            store.begin_rows(fresh.values(), now)
            self.days |= fresh
            self.rows |= store.row_ids(fresh.values())
            self.rebuild(now)
        return over

    def _mark_day_end(self, account_ids: set[UUID]) -> None:
        """The end of a day may be a new high for what counts from there."""
        found: dict[UUID, Decimal] = {}
        for subject in self.others:
            equity = subject.equity(self._market.prices)
            if equity is None or not account_ids & {target.account_id for target in subject.targets}:
                continue
            for terms in subject.terms:
                if terms.kind is Kind.TRAILING_DRAWDOWN and terms.from_day_end and terms.key.startswith(LIMIT):
                    before = subject.end_of_day_high
                    found[_limit_id(terms)] = equity if before is None else max(before, equity)
        store.save_high_waters(found)

    def rebuild(self, now: datetime) -> None:
        """The subjects anew, from the days, the limits and what traders hold."""
        days = self.days
        self.accounts = {account_id: account_subject(day, self.limits) for account_id, day in days.items()}
        self._day_of = {subject.key: days[account_id] for account_id, subject in self.accounts.items()}
        self.others = trader_subjects(days, self.limits)
        self.ledger.sessions = sessions_of(days)
        owners = {target for scope, target in self.limits.by_target if scope == LimitScope.USER}
        if owners:
            self._add_users(owners, now)
        self._market.follow(line.key for subject in self.subjects for line in subject.lines)
        for day in days.values():
            for symbol in day.book.held.keys() & day.traded.keys():
                self._market.seed((symbol, day.account.source), *day.traded[symbol])
        self._bands = {}
        self.assess_all()

    def _add_users(self, owners: Collection[UUID], now: datetime) -> None:
        elsewhere = self._days_elsewhere(owners, now)
        mine: dict[UUID, list[Day]] = defaultdict(list)
        for day in self.days.values():
            mine[day.account.owner_id].append(day)
        self.others += [user_subject(one, mine[one], elsewhere.get(one, Elsewhere()), self.limits) for one in owners]

    def _days_elsewhere(self, owners: Collection[UUID], now: datetime) -> dict[UUID, Elsewhere]:
        rows = AccountDay.objects.filter(
            account__owner__in=owners, starts_at__lte=now, ends_at__gt=now, account__login__is_enabled=True
        ).exclude(account__in=self.days)
        by_owner: dict[UUID, list[AccountDay]] = defaultdict(list)
        for row in rows.select_related("account"):
            by_owner[row.account.owner_id].append(row)
            self.ledger.sessions[row.account_id] = (row.session, row.ends_at)
        return {owner: Elsewhere(tuple(days), _week_before(days)) for owner, days in by_owner.items()}

    def assess_all(self) -> None:
        """Every subject at the newest prices, and the bands in which nothing has to be looked at."""
        for subject in self.subjects:
            self._assess(subject, self._market.prices)
        self._narrow()

    def assess_at(self, trades: Iterable[tuple[PriceKey, Decimal]]) -> list[Breach]:
        """What limits these prices reached, one after the other, however the market stands by now."""
        prices = dict(self._market.prices)
        found: dict[DecidedKey, Breach] = {}
        over: set[str] = set()
        for key, price in trades:
            prices[key] = price
            touched = [one for one in self.subjects if one.key not in over and self._has_left(one, key, price)]
            for subject in touched:
                self._assess(subject, prices)
            breaches = self.ledger.new_breaches(touched)
            over |= {subject.key for subject in touched if subject.breached}
            found |= {breach.key: breach for breach in breaches}
        self._narrow()
        return list(found.values())

    def _has_left(self, subject: Subject, key: PriceKey, price: Decimal) -> bool:
        bands = self._bands.get(subject.key, {})
        if key in bands:
            return not bands[key].holds(price)
        return any(line.key == key for line in subject.lines)

    def _assess(self, subject: Subject, prices: Prices) -> None:
        figures = subject.assess(prices)
        day = self._day_of.get(subject.key)
        if day is not None:
            day.intraday_high, day.end_of_day_high = subject.intraday_high, subject.end_of_day_high
        self._bands[subject.key] = subject.bands(prices, figures) if subject.terms else {}

    def _narrow(self) -> None:
        grouped: dict[PriceKey, list[Band]] = defaultdict(list)
        for bands in self._bands.values():
            for key, band in bands.items():
                grouped[key].append(band)
        self._market.narrow(grouped)

    def marks(self) -> dict[UUID, Decimal]:
        """The high-water marks of limits whose scope is no account, intraday."""
        found: dict[UUID, Decimal] = {}
        for subject in self.others:
            for terms in subject.terms:
                is_mark = terms.kind is Kind.TRAILING_DRAWDOWN and not terms.from_day_end
                if is_mark and subject.intraday_high is not None and terms.key.startswith(LIMIT):
                    found[_limit_id(terms)] = subject.intraday_high
        return found


def _limit_id(terms: Terms) -> UUID:
    return UUID(terms.key.removeprefix(LIMIT))


def _week_before(days: Collection[AccountDay]) -> Decimal:
    total = Decimal(0)
    for day in days:
        earlier = AccountDay.objects.filter(
            account=day.account_id, session__lt=day.session, session__week=day.session.isocalendar().week,
            session__iso_year=day.session.isocalendar().year,
        )  # fmt: skip
        total += earlier.aggregate(won=Sum(F("realized") - F("fees")))["won"] or Decimal(0)
    return total
