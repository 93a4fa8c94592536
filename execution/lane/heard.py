"""When each account's broker last said anything about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from brokers.reports import BalanceReport, Event, FillReport, OrderReport, PositionReport, SyncReport
from justtrades import clock

OF_ACCOUNT = (OrderReport, FillReport, PositionReport, BalanceReport)


class Heard:
    """Noted where events come in, so it must be quick; read in any thread. Accounts are the login's and its venue's."""

    def __init__(self) -> None:
        self._at: dict[tuple[UUID, str], datetime] = {}

    def note(self, login_id: UUID, events: Sequence[Event]) -> None:
        """A report is as old as its arrival; a whole look at the books is as old as its first question."""
        now = clock.now()
        for event in events:
            if isinstance(event, SyncReport):
                for account in event.accounts:
                    self._keep((login_id, account.broker_id), event.at)
            elif isinstance(event, OF_ACCOUNT):
                self._keep((login_id, event.account.broker_id), now)

    def at(self, login_id: UUID, broker_id: str) -> datetime | None:
        """None: nothing was ever heard of the account."""
        return self._at.get((login_id, broker_id))

    def _keep(self, key: tuple[UUID, str], at: datetime) -> None:
        known = self._at.get(key)
        if known is None or known < at:
            self._at[key] = at
