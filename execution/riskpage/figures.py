"""The figures that a user's limits are judged by, for screens: what the monitors wrote down, and traders' own fills.

Dollars throughout; None is not known. The monitors judge by figures of their own, tick by tick; these may be a second
older.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from accounts.selectors import Person
from brokers.models import BrokerAccount
from brokers.quotes.quote import source_of
from brokers.sessions import SessionDay
from execution.guard.accounts import Account
from execution.guard.days import Day
from execution.guard.gone import Left, left_by, load_gone
from execution.guard.subjects import left_by_shares, load_settings
from execution.guard.traders import Share, load_shares
from execution.situation import read_quotes
from justtrades import clock
from risk import pnl, selectors
from risk.models import AccountDay, AccountEquity, AccountRules, LimitScope, RiskLimit
from risk.monitors import Figures
from traders.selectors import list_traders_for

ZERO = Decimal(0)
UNKNOWN = Figures(day=None)


@dataclass(slots=True)
class AccountFigures:
    """One account: its day as it is now, None while no monitor has counted it in this session, and what it is worth."""

    day: AccountDay | None = None
    week_before: Decimal = ZERO
    equity: AccountEquity | None = None

    @property
    def pnl(self) -> Decimal | None:
        return None if self.day is None else self.day.pnl

    @property
    def week(self) -> Decimal | None:
        """Realised since Monday's session began, after fees, and open now."""
        return None if self.pnl is None else self.week_before + self.pnl

    @property
    def figures(self) -> Figures:
        equity = self.equity
        return Figures(
            day=self.pnl,
            week=self.week,
            equity=None if equity is None else equity.equity,
            start_equity=None if self.day is None else self.day.start_cash,
            intraday_high=None if equity is None else equity.intraday_high,
            end_of_day_high=None if equity is None else equity.end_of_day_high,
        )


@dataclass(slots=True)
class TraderFigures:
    """A trader with a limit of its own, on its recorder, or in its settings: `most_loss`, None where there is none."""

    share: Share
    name: str
    most_loss: Decimal | None
    open_pnl: Decimal | None
    start_equity: Decimal | None

    @property
    def figures(self) -> Figures:
        """What counts as its equity is everything that it ever won."""
        return Figures(
            day=_added([self.share.day, self.open_pnl]),
            week=_added([self.share.week, self.open_pnl]),
            equity=_added([self.share.won, self.open_pnl]),
            start_equity=self.start_equity,
        )


@dataclass(slots=True)
class Book:
    """Everybody's figures of one user. `watched` are the accounts that a monitor is to count now.

    `uncounted` are traders with a limit whose account is not counted in this session, by recorder and account. `gone`
    are accounts that nobody watches any more, asked for where a limit reaches further than one account, `gone_shares`
    what traders had of them.
    """

    watched: frozenset[UUID]
    accounts: dict[UUID, AccountFigures]
    traders: dict[UUID, TraderFigures] = field(default_factory=dict)
    uncounted: list[tuple[UUID, UUID]] = field(default_factory=list)
    gone: dict[UUID, Day] = field(default_factory=dict)
    gone_shares: list[Share] = field(default_factory=list)

    def of_account(self, account_id: UUID) -> AccountFigures:
        return self.accounts.get(account_id, AccountFigures())

    @property
    def total(self) -> Figures:
        """Over all watched accounts."""
        return total_of([self.of_account(account_id).figures for account_id in self.watched])

    def of(self, limit: RiskLimit) -> Figures:
        """What a money limit is judged by."""
        match limit.scope:
            case LimitScope.ACCOUNT if limit.account_id is not None:
                return self.of_account(limit.account_id).figures
            case LimitScope.USER:
                return with_mark(with_left(self.total, left_by(self.gone.values())), limit.high_water)
        parts = self._traders_of(limit)
        if not parts or not self._is_whole(limit, parts):
            return UNKNOWN
        accounts = {part.share.account_id: part.start_equity for part in parts}
        total = total_of([part.figures for part in parts], starts=list(accounts.values()))
        left = left_by_shares(one for one in self.gone_shares if one.recorder_id == limit.recorder_id)
        return with_mark(with_left(total, left), limit.high_water)

    def counts(self, limit: RiskLimit) -> tuple[int, int] | None:
        """Contracts and open positions that the limit counts by; None while not all of them are known."""
        if limit.scope in {LimitScope.TRADER, LimitScope.RECORDER}:
            parts = self._traders_of(limit)
            if not self._is_whole(limit, parts):
                return None
            lines = [line for part in parts for line in part.share.lines]
            return sum(abs(line.net_qty) for line in lines), len(lines)
        ids = self.watched if limit.account_id is None else [limit.account_id]
        days = [self.of_account(account_id).day for account_id in ids]
        known = [day for day in days if day is not None]
        if len(known) != len(days):
            return None
        return sum(day.contracts for day in known), sum(day.open_positions for day in known)

    def _is_whole(self, limit: RiskLimit, parts: list[TraderFigures]) -> bool:
        """Whether no trader of a limit on one, or on a recorder, is missing; whom nobody is to watch is not missed."""
        if limit.scope == LimitScope.TRADER:
            return bool(parts)
        missing = [account for recorder, account in self.uncounted if recorder == limit.recorder_id]
        return not any(account in self.watched for account in missing) and bool(parts or not missing)

    def _traders_of(self, limit: RiskLimit) -> list[TraderFigures]:
        if limit.scope == LimitScope.TRADER:
            found = None if limit.trader_id is None else self.traders.get(limit.trader_id)
            return [] if found is None else [found]
        return [part for part in self.traders.values() if part.share.recorder_id == limit.recorder_id]


def read_book(user: Person, accounts: Iterable[BrokerAccount], limits: Iterable[RiskLimit]) -> Book:
    """`accounts` are those of enabled logins, from `list_accounts_with_risk_for`. A fixed number of queries."""
    watched, now, asked = {account.pk: account for account in accounts}, clock.now(), list(limits)
    book = Book(frozenset(watched), _accounts(user, watched, now))
    book.gone = gone_of(user, asked, watched, now)
    _read_traders(user, book, watched, asked)
    return book


def gone_of(user: Person, limits: Iterable[RiskLimit], watched: Collection[UUID], now: datetime) -> dict[UUID, Day]:
    """The user's accounts that nobody watches any more, where one of the limits counts them."""
    reaches = any(limit.scope in {LimitScope.USER, LimitScope.RECORDER} for limit in limits)
    return load_gone([user.pk], watched, now) if reaches and user.pk is not None else {}


def _accounts(user: Person, accounts: Mapping[UUID, BrokerAccount], now: datetime) -> dict[UUID, AccountFigures]:
    found = {pk: AccountFigures(equity=getattr(account, "equity", None)) for pk, account in accounts.items()}
    days: dict[UUID, list[AccountDay]] = defaultdict(list)
    for day in selectors.list_days_for(user):
        days[day.account_id].append(day)
    for account_id, rows in days.items():
        newest = rows[-1]
        if account_id in found and newest.starts_at <= now < newest.ends_at:
            found[account_id].day = newest
            found[account_id].week_before = _realized_before(newest, rows, selectors.week_of(newest.session))
    return found


def _realized_before(today: AccountDay, days: Iterable[AccountDay], monday: date) -> Decimal:
    return sum((day.realized - day.fees for day in days if monday <= day.session < today.session), ZERO)


def _read_traders(user: Person, book: Book, watched: Mapping[UUID, BrokerAccount], limits: Iterable[RiskLimit]) -> None:
    settings = load_settings(watched.keys())
    own = {limit.trader_id for limit in limits if limit.trader_id is not None} | settings.keys()
    recorders = {limit.recorder_id for limit in limits if limit.recorder_id is not None}
    if not own and not recorders:
        return
    wanted = Q(pk__in=own) | Q(recorder__in=recorders)
    shares = load_shares(wanted, {**book.gone, **_days(book, watched)})
    book.gone_shares = [shares.pop(pk) for pk, share in list(shares.items()) if share.account_id in book.gone]
    prices = _prices(shares.values())
    for trader in list_traders_for(user).filter(wanted):
        share = shares.get(trader.pk)
        if share is None:
            book.uncounted.append((trader.recorder_id, trader.account_id))
            continue
        book.traders[trader.pk] = TraderFigures(
            share=share,
            name=str(trader),
            most_loss=settings.get(trader.pk),
            open_pnl=_open_pnl(share, prices),
            start_equity=book.of_account(share.account_id).figures.start_equity,
        )


def _days(book: Book, watched: Mapping[UUID, BrokerAccount]) -> dict[UUID, Day]:
    """Of the accounts that are counted now: as much of a day as a trader's share of it needs."""
    days = {}
    for account_id, account in watched.items():
        day = book.of_account(account_id).day
        if day is not None:
            session = SessionDay(day.session, day.starts_at, day.ends_at)
            days[account_id] = Day(_account(account, getattr(account, "risk_rules", AccountRules())), session)
    return days


def _account(account: BrokerAccount, rules: AccountRules) -> Account:
    login = account.login
    return Account(
        id=account.pk,
        owner_id=account.owner_id,
        login_id=login.pk,
        broker_id=account.broker_id,
        name=account.name,
        venue=login.venue,
        source=source_of(login.venue, login.environment),
        cash=account.cash,
        cash_at=account.cash_at,
        fee=rules.fee_per_contract,
        roll_at=rules.roll_at,
        roll_zone=rules.roll_zone,
    )


def _prices(shares: Iterable[Share]) -> dict[tuple[str, str], Decimal]:
    """Fresh ones only: no money is counted by an old price. Empty while the cache is out of reach."""
    keys = {line.key for share in shares for line in share.lines}
    quotes = read_quotes({symbol for symbol, _ in keys}, clock.now())
    found = {key: quotes.fresh(*key) for key in keys}
    return {key: quote.last for key, quote in found.items() if quote is not None and quote.last is not None}


def _open_pnl(share: Share, prices: Mapping[tuple[str, str], Decimal]) -> Decimal | None:
    if not share.is_complete or any(line.key not in prices for line in share.lines):
        return None
    return sum(
        (pnl.open_pnl(line.net_qty, line.avg_price, prices[line.key], line.point_value) for line in share.lines), ZERO
    )


def with_mark(figures: Figures, mark: Decimal | None) -> Figures:
    """With the high-water mark of what is no account; this moment counts, too."""
    known = [value for value in (mark, figures.equity) if value is not None]
    high = None if figures.equity is None else max(known)
    return Figures(figures.day, figures.week, figures.equity, figures.start_equity, high, high)


def with_left(figures: Figures, left: Left) -> Figures:
    """With what was realised where nobody watches any more: it is lost, and is in nobody's equity."""
    return replace(figures, day=_added([figures.day, left.day]), week=_added([figures.week, left.week]))


def total_of(parts: list[Figures], starts: list[Decimal | None] | None = None) -> Figures:
    """None as soon as one of them is not known. There is no high-water mark of a sum."""
    return Figures(
        day=_added([part.day for part in parts]),
        week=_added([part.week for part in parts]),
        equity=_added([part.equity for part in parts]),
        start_equity=_added([part.start_equity for part in parts] if starts is None else starts),
    )


def _added(values: list[Decimal | None]) -> Decimal | None:
    total = ZERO
    for value in values:
        if value is None:
            return None
        total += value
    return total
