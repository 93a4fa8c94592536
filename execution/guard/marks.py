"""The high-water marks of what is no account. They rise with the equity, whoever reads or writes them.

A mark is of those that it counts over. Who leaves takes its worth along, who comes brings it: what was lost from the
best stays lost, and nothing is lost by a login that is switched off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from execution.guard.decide import LIMIT
from risk.models import LimitKind, RiskLimit
from risk.monitors import Kind, Terms
from risk.watch import Prices, Subject

ZERO = Decimal(0)
Worths = Mapping[UUID, Decimal]


class Mark(NamedTuple):
    """`high` in dollars; `of` is what each member was worth when it was last seen."""

    high: Decimal
    of: Worths

    def over(self, worths: Worths) -> Decimal:
        """As it is over these members."""
        left = sum((worth for member, worth in self.of.items() if member not in worths), ZERO)
        came = sum((worth for member, worth in worths.items() if member not in self.of), ZERO)
        return self.high - left + came


class Marks:
    """Belongs to the monitor's thread."""

    def __init__(self) -> None:
        self._waiting: dict[str, Mark] = {}
        self._worths: dict[str, Worths] = {}

    def carry(
        self, before: Iterable[Subject], after: Iterable[Subject], limits: Iterable[RiskLimit], prices: Prices
    ) -> None:
        """What was seen until now goes on to the subjects that stand for the same limits now; what is stored, too."""
        known = self._seen(before, prices) | self._waiting
        stored = {limit.key: limit for limit in limits if limit.kind == LimitKind.TRAILING_DRAWDOWN}
        self._waiting = {}
        for subject in after:
            terms = drawdown_of(subject)
            if terms is None:
                continue
            members = {member.id for member in subject.members}
            mark = _newest(known.get(terms.key), _stored(stored.get(terms.key), members), members)
            if mark is None:
                continue
            is_same = mark.of.keys() == members
            _put(subject, terms, mark.high if is_same else None)
            if not is_same:
                self._waiting[terms.key] = mark

    def settle(self, subject: Subject, prices: Prices) -> None:
        """Before it is assessed: where others count now than in its mark, as soon as all of their worths are known."""
        terms = drawdown_of(subject) if self._waiting else None
        if terms is None or terms.key not in self._waiting:
            return
        worths = subject.worths(prices)
        if worths is not None:
            _put(subject, terms, self._waiting.pop(terms.key).over(worths))
            self._worths[terms.key] = worths

    def of(self, subjects: Iterable[Subject], prices: Prices) -> dict[UUID, Mark]:
        """What is to be stored, by limit."""
        found = self._seen(subjects, prices)
        return {UUID(key.removeprefix(LIMIT)): mark for key, mark in found.items() if key not in self._waiting}

    def _seen(self, subjects: Iterable[Subject], prices: Prices) -> dict[str, Mark]:
        found: dict[str, Mark] = {}
        for subject in subjects:
            terms = drawdown_of(subject)
            high = None if terms is None else subject.end_of_day_high if terms.from_day_end else subject.intraday_high
            if terms is None or high is None:
                continue
            worths = subject.worths(prices) or self._worths.get(terms.key)
            if worths is not None and worths.keys() == {member.id for member in subject.members}:
                self._worths[terms.key] = worths
                found[terms.key] = Mark(high, worths)
        return found


def higher(mark: Decimal | None, equity: Decimal | None) -> Decimal | None:
    """The higher of those that are known."""
    return max((one for one in (mark, equity) if one is not None), default=None)


def drawdown_of(subject: Subject) -> Terms | None:
    """The limit that its mark is kept for: a target has one drawdown at most."""
    found = (one for one in subject.terms if one.kind is Kind.TRAILING_DRAWDOWN and one.key.startswith(LIMIT))
    return next(found, None)


def _put(subject: Subject, terms: Terms, high: Decimal | None) -> None:
    if terms.from_day_end:
        subject.end_of_day_high = high
    else:
        subject.intraday_high = high


def _stored(limit: RiskLimit | None, members: Set[UUID]) -> Mark | None:
    if limit is None or limit.high_water is None:
        return None
    if limit.high_water_of is None:
        # From before this was written down.
        return Mark(limit.high_water, dict.fromkeys(members, ZERO))
    return Mark(limit.high_water, {UUID(one): Decimal(worth) for one, worth in limit.high_water_of.items()})


def _newest(seen: Mark | None, stored: Mark | None, members: Set[UUID]) -> Mark | None:
    """Another lane may have seen a higher one of the same members."""
    if seen is None or stored is None:
        return seen or stored
    is_comparable = seen.of.keys() == stored.of.keys() == members
    return Mark(max(seen.high, stored.high), seen.of) if is_comparable else seen
