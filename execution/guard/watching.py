"""All that a monitor keeps in memory: the days of its accounts, the subjects that are watched, what was decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from brokers.quotes.quote import FRESH
from execution.guard import store
from execution.guard.accounts import Account, load_accounts
from execution.guard.breaches import Ledger, sessions_of
from execution.guard.days import Day, executions, take_new_fills
from execution.guard.decide import Breach, DecidedKey, decided_in
from execution.guard.elsewhere import Elsewhere, load_elsewhere
from execution.guard.first import count_first_words, untold
from execution.guard.gone import load_gone
from execution.guard.market import Market
from execution.guard.marks import Mark, Marks, higher
from execution.guard.opening import holdings_of, open_days
from execution.guard.packs import Packs, load_packs, terms_of
from execution.guard.subjects import (
    Limits,
    account_subject,
    load_limits,
    load_settings,
    trader_subjects,
    user_subject,
)
from risk.models import AccountDay, LimitScope
from risk.monitors import Figures
from risk.watch import Band, PriceKey, Prices, Subject

_REACHING = frozenset({LimitScope.RECORDER, LimitScope.USER})
"""Limits that may count over accounts in several lanes."""


class Watching:
    """Belongs to the monitor's thread. Every figure is counted at the market's newest prices.

    `untold` are accounts whose broker has not told yet what they hold.
    """

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
        self._marks = Marks()
        self.untold: set[UUID] = set()

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
        for account in accounts.values():
            self._learn(account, now)
        yield
        self._hear_first_words()
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

    def _learn(self, account: Account, now: datetime) -> None:
        day, subject = self.days[account.id], self.accounts.get(account.id)
        day.learn(account, now)
        self.ledger.sessions[account.id] = day.session.day, day.session.end
        if subject is not None:
            # What is assessed before the subjects are built anew would write the old marks back.
            subject.intraday_high, subject.end_of_day_high = day.intraday_high, day.end_of_day_high

    def _open(self, accounts: Collection[Account], now: datetime) -> None:
        # Asked before the positions are read: what is told in between is looked at twice, and not missed.
        silent = untold([account.id for account in accounts])
        self._begin(open_days(accounts, now), now)
        self.untold |= silent

    def _begin(self, days: Mapping[UUID, Day], now: datetime) -> None:
        store.begin_rows(days.values(), now)
        rows = store.row_ids(days.values())
        # Both or none: a day in memory would be written into the row of another.
        self.days |= days
        self.rows |= rows

    def _hear_first_words(self) -> None:
        """An account's day may have begun before its broker told what it holds."""
        if self.untold:
            silent = untold(self.untold)
            count_first_words(self.untold - silent)
            self.untold = silent

    def _take_corrections(self) -> None:
        """Somebody accepted the broker's quantity: what was held when the day began is another than we thought.

        Somebody let the session roll later: what waits for its end waits longer.
        """
        stored = AccountDay.objects.filter(pk__in=self.rows.values())
        columns = stored.values_list("account_id", "session", "start_holdings", "ends_at")
        for account_id, session, document, ends_at in columns:
            day = self.days.get(account_id)
            if day is None or session != day.session.day:
                continue
            if ends_at < day.session.end:
                store.lengthen(day, ends_at)
            start = holdings_of(document)
            if {symbol: one for symbol, one in day.start.items() if one.net_qty != 0} != start:
                day.start = start
                day.restart(executions([account_id], day.session.start)[account_id])

    def take_fills(self, now: datetime) -> None:
        """What was filled since the last look, also in other lanes where their accounts count here."""
        if take_new_fills(self.days):
            self.rebuild(now)
        elif any(target.account_id not in self.days for subject in self.others for target in subject.targets):
            self._rebuild_others(now)

    def roll(self, now: datetime) -> list[Day]:
        """Begin the next day of those whose session is over; the days that ended."""
        over = [day for day in self.days.values() if now >= day.session.end]
        if over:
            self._mark_day_end(over)
            self._begin(self._following(over, now), now)
            self.rebuild(now)
        return over

    def _following(self, over: Collection[Day], now: datetime) -> dict[UUID, Day]:
        """After a sleep of more than a session as after a restart: there were fills in what was slept over."""
        slept = {one.account.id: one for one in over if one.account.session(now).start > one.session.end}
        fresh = open_days((day.account for day in slept.values()), now) if slept else {}
        for account_id, day in fresh.items():
            before = slept[account_id]
            day.intraday_high, day.end_of_day_high = before.intraday_high, before.end_of_day_high
        awake = (day for day in over if day.account.id not in slept)
        return fresh | {day.account.id: day.rolled(day.account.session(now)) for day in awake}

    def _mark_day_end(self, over: Iterable[Day]) -> None:
        """The end of a day may be a new high for what counts from there."""
        account_ids = set()
        for day in over:
            account_ids.add(day.account.id)
            subject = self.accounts.get(day.account.id)
            equity = None if subject is None else subject.equity(self._market.prices)
            day.end_of_day_high = higher(day.end_of_day_high, equity)
        for subject in self.others:
            if not account_ids.isdisjoint(target.account_id for target in subject.targets):
                self._marks.settle(subject, self._market.prices)
                subject.end_of_day_high = higher(subject.end_of_day_high, subject.equity(self._market.prices))
        store.save_high_waters(self.marks())

    def rebuild(self, now: datetime) -> None:
        """The subjects anew, from the days, the limits and what traders hold."""
        days = self.days
        self.accounts = {account_id: account_subject(day, self.limits) for account_id, day in days.items()}
        self._day_of = {subject.key: days[account_id] for account_id, subject in self.accounts.items()}
        self._rebuild_others(now)

    def _rebuild_others(self, now: datetime) -> None:
        """Traders, recorders and users. Those of the last two may have accounts in other lanes."""
        rows = [row for of_target in self.limits.by_target.values() for row in of_target]
        reached = {row.owner_id for row in rows if row.scope in _REACHING}
        elsewhere = load_elsewhere(reached, self.days, now)
        gone = load_gone(reached, self.days, now) if reached else {}
        foreign = {key: day for theirs in elsewhere.values() for key, day in theirs.as_days(now).items()}
        before, self.others = self.others, trader_subjects(self.days, foreign, gone, self.limits)
        self.others += self._users(elsewhere, gone.values())
        self.ledger.sessions = sessions_of({**foreign, **self.days})
        self._marks.carry(before, self.others, rows, self._market.prices)
        self._market.follow(line.key for subject in self.subjects for line in subject.lines)
        self._seed(foreign, now)
        self._bands = {}
        self.assess_all()

    def _seed(self, foreign: Mapping[UUID, Day], now: datetime) -> None:
        """A price from before what is held was filled says nothing about it."""
        for day in self.days.values():
            for symbol in day.book.held.keys() & day.traded.keys():
                self._market.seed((symbol, day.account.source), *day.traded[symbol])
        followed = self._market.followed()
        for account_id, fills in executions(foreign, now - FRESH).items() if foreign else ():
            for fill in fills:
                key = fill.symbol, foreign[account_id].account.source
                if key in followed:
                    self._market.seed(key, fill.price, fill.at)

    def _users(self, elsewhere: Mapping[UUID, Elsewhere], gone: Iterable[Day]) -> list[Subject]:
        mine, left = _by_owner(self.days.values()), _by_owner(gone)
        owners = [target for scope, target in self.limits.by_target if scope == LimitScope.USER]
        return [user_subject(one, mine[one], elsewhere.get(one, Elsewhere()), left[one], self.limits) for one in owners]

    def assess_all(self) -> None:
        """Every subject at the newest prices, and the bands in which nothing has to be looked at."""
        for subject in self.subjects:
            self._assess(subject, self._market.prices)
        self._narrow()

    def assess_at(self, trades: Iterable[tuple[PriceKey, Decimal]]) -> list[Breach]:
        """What limits these prices reached, one after the other, however the market stands by now."""
        prices = dict(self._market.prices)
        found: dict[DecidedKey, Breach] = {}
        for key, price in trades:
            prices[key] = price
            for subject in [one for one in self.subjects if self._has_left(one, key, price)]:
                figures = self._count(subject, prices)
                new = [one for one in self.ledger.new_breaches([subject]) if one.key not in found]
                found |= {one.key: one for one in new}
                self._set_bands(subject, prices, figures, found)
        self._narrow()
        return list(found.values())

    def _has_left(self, subject: Subject, key: PriceKey, price: Decimal) -> bool:
        bands = self._bands.get(subject.key, {})
        if key in bands:
            return not bands[key].holds(price)
        return any(line.key == key for line in subject.lines)

    def _assess(self, subject: Subject, prices: Prices) -> None:
        self._set_bands(subject, prices, self._count(subject, prices), ())

    def _count(self, subject: Subject, prices: Prices) -> Figures:
        self._marks.settle(subject, prices)
        figures = subject.assess(prices)
        day = self._day_of.get(subject.key)
        if day is not None:
            day.intraday_high, day.end_of_day_high = subject.intraday_high, subject.end_of_day_high
        return figures

    def _set_bands(self, subject: Subject, prices: Prices, figures: Figures, found: Collection[DecidedKey]) -> None:
        spent = self.ledger.spent(subject, found)
        self._bands[subject.key] = subject.bands(prices, figures, spent) if subject.terms else {}

    def _narrow(self) -> None:
        grouped: dict[PriceKey, list[Band]] = defaultdict(list)
        for bands in self._bands.values():
            for key, band in bands.items():
                grouped[key].append(band)
        self._market.narrow(grouped)

    def marks(self) -> dict[UUID, Mark]:
        """The high-water marks of limits whose scope is no account."""
        return self._marks.of(self.others, self._market.prices)


def _by_owner(days: Iterable[Day]) -> dict[UUID, list[Day]]:
    found: dict[UUID, list[Day]] = defaultdict(list)
    for day in days:
        found[day.account.owner_id].append(day)
    return found
