"""What the monitor found of each account, with everything that makes a figure less than certain said beside it.

A monitor without fresh data says so, and that counts as a warning: it never looks like "all well".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from brokers import sessions
from execution import alarms
from execution.guard.days import Day
from execution.guard.market import Market
from execution.guard.store import Finding
from execution.guard.watching import Watching
from execution.lane.runtime import Lane
from execution.valuation import known_contract
from risk.monitors import Kind
from risk.watch import Line, PriceKey, Subject

BOOKS_STALE = timedelta(seconds=15)
BLIND_AFTER = timedelta(seconds=30)
BLIND = "BLIND"


class Findings:
    """Remembers since when an account with something at stake is not seen."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._blind_since: dict[UUID, datetime] = {}
        self._is_told: dict[UUID, bool] = {}

    def of(self, watching: Watching, market: Market, now: datetime) -> list[Finding]:
        """Every account, after `Watching.assess_all`."""
        self._recall(watching.days)
        others = _by_account(watching.others)
        found = []
        for account_id, day in watching.days.items():
            stake = _stake(day, watching.accounts[account_id], others.get(account_id, []))
            # Something was heard of it, perhaps, but never the whole of it.
            is_told = account_id not in watching.untold
            finding = self._find(day, stake, market, now, is_told=is_told)
            self._watch_blindness(day, stake, finding, now)
            found.append(finding)
        return found

    def summary(self, found: Sequence[Finding]) -> dict[str, Any]:
        """For the heartbeat: how much is watched."""
        by_venue = Counter(one.day.account.venue for one in found)
        return {"accounts": len(found), "by_venue": dict(by_venue), "warnings": sum(bool(one.warning) for one in found)}

    def _recall(self, account_ids: Iterable[UUID]) -> None:
        """An alarm may be open from before a restart."""
        fresh = [account_id for account_id in account_ids if account_id not in self._is_told]
        if fresh:
            told = alarms.open_refs(BLIND, fresh)
            self._is_told |= {account_id: str(account_id) in told for account_id in fresh}

    def _find(self, day: Day, stake: Stake, market: Market, now: datetime, *, is_told: bool) -> Finding:
        subject = stake.own
        open_pnl, equity = subject.open_pnl(market.prices), subject.equity(market.prices)
        times = [market.times[line.key] for line in subject.lines if line.key in market.times]
        books_at = self._lane.books_at(day.account.login_id, day.account.broker_id) if is_told else None
        warning = "; ".join(_doubts(day, stake, market, books_at, now))
        return Finding(day, open_pnl, equity, min(times, default=None), books_at, warning)

    def _watch_blindness(self, day: Day, stake: Stake, finding: Finding, now: datetime) -> None:
        account = day.account
        if not (finding.warning and stake.is_held and stake.is_limited):
            self._blind_since.pop(account.id, None)
            if self._is_told[account.id]:
                alarms.end_alarm(owner_id=account.owner_id, code=BLIND, ref=account.id)
                self._is_told[account.id] = False
            return
        since = self._blind_since.setdefault(account.id, now)
        if now - since >= BLIND_AFTER and not self._is_told[account.id]:
            text = f"{account.name} has open positions and limits, and cannot be watched: {finding.warning}"
            alarms.raise_alarm(owner_id=account.owner_id, account_id=account.id, code=BLIND, ref=account.id, text=text)
            self._is_told[account.id] = True


@dataclass(frozen=True, slots=True)
class Stake:
    """What an account is watched for: itself, its traders, and what it has part in. `is_held`: something is open.

    Traders may hold against each other what is nothing at the broker: each one's limit is about its own.
    """

    own: Subject
    inside: tuple[Subject, ...]
    beyond: tuple[Subject, ...]
    is_held: bool

    @property
    def is_limited(self) -> bool:
        return any(subject.terms for subject in (self.own, *self.inside, *self.beyond))

    @property
    def lines(self) -> dict[PriceKey, Line]:
        return {line.key: line for subject in (self.own, *self.inside) for line in subject.lines}


def _by_account(subjects: Iterable[Subject]) -> dict[UUID, list[Subject]]:
    found: dict[UUID, list[Subject]] = defaultdict(list)
    for subject in subjects:
        for account_id in {target.account_id for target in subject.targets}:
            found[account_id].append(subject)
    return found


def _stake(day: Day, own: Subject, others: Iterable[Subject]) -> Stake:
    parts: dict[bool, list[Subject]] = {True: [], False: []}
    for subject in others:
        parts[{target.account_id for target in subject.targets} == {day.account.id}].append(subject)
    inside = tuple(parts[True])
    is_held = bool(day.book.held or day.unknown) or any(one.lines or not one.is_complete for one in inside)
    return Stake(own, inside, tuple(parts[False]), is_held)


def _doubts(day: Day, stake: Stake, market: Market, books_at: datetime | None, now: datetime) -> Iterable[str]:
    subject = stake.own
    for key, line in stake.lines.items():
        if _is_open(line.symbol, now) and not market.is_fresh(key, now):
            at = market.times.get(key)
            yield f"no price of {line.symbol}" if at is None else f"price of {line.symbol} is {_age(at, now)} old"
    if not all(one.is_complete for one in (subject, *stake.inside)):
        yield "an open position cannot be valued"
    if books_at is None:
        yield "the broker has not told of this account yet"
    elif now - books_at > BOOKS_STALE:
        yield f"the broker was last heard {_age(books_at, now)} ago"
    if day.start_cash is None and any(terms.is_percent or terms.kind in _BY_EQUITY for terms in subject.terms):
        yield "the broker has not said what the account holds, so that drawdowns and percentages cannot be judged"
    if stake.is_held:
        for one in (*stake.inside, *stake.beyond):
            yield from (f"{_whose(one)} {gauge.text}" for gauge in one.gauges if gauge.room is None)


_BY_EQUITY = frozenset({Kind.TRAILING_DRAWDOWN, Kind.FLOOR})


def _whose(subject: Subject) -> str:
    """`trader`, `recorder` or `user`, as its key begins."""
    return f"{subject.key.partition(':')[0]}'s"


def _is_open(symbol: str, now: datetime) -> bool:
    contract = known_contract(symbol)
    return contract is not None and sessions.is_open(contract.product, now)


def _age(at: datetime, now: datetime) -> str:
    return f"{(now - at).total_seconds():.0f} s"
