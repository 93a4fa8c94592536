"""What the subjects of a monitor have reached, as decisions to take. Reads what is in memory, asks nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from execution.guard.days import Day
from execution.guard.decide import Breach, DecidedKey
from risk.monitors import Gauge
from risk.watch import Subject


@dataclass(slots=True)
class Ledger:
    """What was decided already, and which session each account is in: its date and end."""

    decided: set[DecidedKey] = field(default_factory=set)
    sessions: dict[UUID, tuple[date, datetime]] = field(default_factory=dict)

    def new_breaches(self, subjects: Iterable[Subject]) -> list[Breach]:
        """Of each limit that is reached, one for each account (or trader's share of one) that it closes."""
        found = (breach for subject in subjects for gauge in subject.breached for breach in self._of(subject, gauge))
        return self.undecided(found)

    def undecided(self, breaches: Iterable[Breach]) -> list[Breach]:
        return [breach for breach in breaches if breach.key not in self.decided]

    def spent(self, subject: Subject, also: Collection[DecidedKey]) -> set[str]:
        """The limits that are reached and have nothing left to close: decided, or about to be."""
        return {
            gauge.terms.key
            for gauge in subject.breached
            if all(one.key in self.decided or one.key in also for one in self._of(subject, gauge))
        }

    def _of(self, subject: Subject, gauge: Gauge) -> Iterable[Breach]:
        for target in subject.targets:
            session = self.sessions.get(target.account_id)
            if session is not None:
                yield Breach(
                    limit_key=gauge.terms.key,
                    owner_id=subject.owner_id,
                    account_id=target.account_id,
                    trader_id=target.trader_id,
                    session=session[0],
                    locks_until=session[1],
                    code=gauge.terms.kind.value.upper(),
                    text=gauge.text,
                    had=gauge.had,
                    allowed=gauge.allowed,
                )

    def note(self, breaches: Iterable[Breach]) -> None:
        self.decided.update(breach.key for breach in breaches)


def sessions_of(days: Mapping[UUID, Day]) -> dict[UUID, tuple[date, datetime]]:
    """Session date and end of each account in memory."""
    return {account_id: (day.session.day, day.session.end) for account_id, day in days.items()}
