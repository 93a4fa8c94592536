"""What the monitor found of each account, with everything that makes a figure less than certain said beside it.

A monitor without fresh data says so, and that counts as a warning: it never looks like "all well".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
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
from risk.watch import Subject

BOOKS_STALE = timedelta(seconds=15)
BLIND_AFTER = timedelta(seconds=30)
BLIND = "BLIND"


class Findings:
    """Remembers since when an account with something at stake is not seen."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._blind_since: dict[UUID, datetime] = {}
        self._alarmed: set[UUID] = set()

    def of(self, watching: Watching, market: Market, now: datetime) -> list[Finding]:
        """Every account, after `Watching.assess_all`."""
        found = []
        for account_id, day in watching.days.items():
            subject = watching.accounts[account_id]
            finding = self._find(day, subject, market, now)
            self._watch_blindness(day, subject, finding, now)
            found.append(finding)
        return found

    def close(self, over: Iterable[Day], watching: Watching, market: Market) -> None:
        """Sessions that ended: their last figures stay, and the end of the day may be a new high."""
        for day in over:
            subject = watching.accounts.get(day.account.id)
            equity = subject.equity(market.prices) if subject is not None else None
            fresh = watching.days.get(day.account.id)
            if equity is not None and fresh is not None and fresh is not day:
                before = fresh.end_of_day_high
                fresh.end_of_day_high = equity if before is None else max(before, equity)

    def summary(self, found: Sequence[Finding]) -> dict[str, Any]:
        """For the heartbeat: how much is watched."""
        by_venue = Counter(one.day.account.venue for one in found)
        return {"accounts": len(found), "by_venue": dict(by_venue), "warnings": sum(bool(one.warning) for one in found)}

    def _find(self, day: Day, subject: Subject, market: Market, now: datetime) -> Finding:
        open_pnl, equity = subject.open_pnl(market.prices), subject.equity(market.prices)
        times = [market.times[line.key] for line in subject.lines if line.key in market.times]
        books_at = self._lane.books_at(day.account.login_id, day.account.broker_id)
        warning = "; ".join(_doubts(day, subject, market, books_at, now))
        return Finding(day, open_pnl, equity, min(times, default=None), books_at, warning)

    def _watch_blindness(self, day: Day, subject: Subject, finding: Finding, now: datetime) -> None:
        account = day.account
        if not finding.warning or not subject.lines or not subject.terms:
            self._blind_since.pop(account.id, None)
            if account.id in self._alarmed:
                self._alarmed.discard(account.id)
                alarms.end_alarm(owner_id=account.owner_id, code=BLIND, ref=account.id)
            return
        since = self._blind_since.setdefault(account.id, now)
        if now - since >= BLIND_AFTER and account.id not in self._alarmed:
            self._alarmed.add(account.id)
            text = f"{account.name} has open positions and limits, and cannot be watched: {finding.warning}"
            alarms.raise_alarm(owner_id=account.owner_id, account_id=account.id, code=BLIND, ref=account.id, text=text)


def _doubts(day: Day, subject: Subject, market: Market, books_at: datetime | None, now: datetime) -> Iterable[str]:
    for line in subject.lines:
        if _is_open(line.symbol, now) and not market.is_fresh(line.key, now):
            at = market.times.get(line.key)
            yield f"no price of {line.symbol}" if at is None else f"price of {line.symbol} is {_age(at, now)} old"
    if not subject.is_complete:
        yield "an open position cannot be valued"
    if books_at is None:
        yield "the broker has not told of this account yet"
    elif now - books_at > BOOKS_STALE:
        yield f"the broker was last heard {_age(books_at, now)} ago"
    if day.start_cash is None and any(terms.is_percent or terms.kind in _BY_EQUITY for terms in subject.terms):
        yield "the broker has not said what the account holds, so that drawdowns and percentages cannot be judged"


_BY_EQUITY = frozenset({Kind.TRAILING_DRAWDOWN, Kind.FLOOR})


def _is_open(symbol: str, now: datetime) -> bool:
    contract = known_contract(symbol)
    return contract is not None and sessions.is_open(contract.product, now)


def _age(at: datetime, now: datetime) -> str:
    return f"{(now - at).total_seconds():.0f} s"
