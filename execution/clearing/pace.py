"""How many entries this process has let its accounts send within a minute, and whom it stops for asking for too many.

An account's orders all leave through the one process that owns its lane, so its count is exact; the platform's limit
is shared out between the lanes. A recorder's signals are counted by the database: see `execution.clearing.restraints`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings

from risk import switch
from risk.around import Count
from risk.models import SwitchMode, SwitchScope
from risk.throttle import Windows, is_runaway, share_of

OF_ACCOUNT, OF_RECORDER = "entries of this account in a minute", "signals of this recorder in a minute"
OF_PLATFORM = "entries of all accounts in a minute, this lane's share"
EVERYBODY = ""
windows = Windows()


@dataclass(slots=True)
class Pace:
    """The rates of one round of decisions. `runaways` are those that do not stop asking: owner and what was counted."""

    now: datetime
    runaways: dict[tuple[SwitchScope, str], tuple[UUID | None, Count]] = field(default_factory=dict)
    most: int = field(default_factory=lambda: settings.ENTRIES_PER_MINUTE_ACCOUNT)
    share: int = field(default_factory=lambda: share_of(settings.ENTRIES_PER_MINUTE_PLATFORM, settings.LANES))

    def ask(self, account_id: UUID, owner_id: UUID) -> tuple[Count, ...]:
        """Count an entry that is about to go; the limits that it is over."""
        own, every = windows.ask_both(account_id, EVERYBODY, self.now)
        if own <= self.most and every <= self.share:
            return ()
        counts = (Count(OF_ACCOUNT, own, self.most), Count(OF_PLATFORM, every, self.share))
        self.note(SwitchScope.ACCOUNT, str(account_id), owner_id, counts[0])
        self.note(SwitchScope.PLATFORM, EVERYBODY, None, counts[1])
        return counts

    def take_back(self, account_id: UUID) -> None:
        """It does not go after all, for a reason that has nothing to do with rates."""
        windows.take_back(account_id, self.now)
        windows.take_back(EVERYBODY, self.now)

    def note(self, scope: SwitchScope, target: str, owner_id: UUID | None, count: Count) -> None:
        if is_runaway(count.had, count.limit):
            self.runaways[scope, target] = owner_id, count

    def trip_runaways(self) -> None:
        """Switch off whoever went on asking. Called inside the transaction of the decisions."""
        for (scope, target), (owner_id, count) in self.runaways.items():
            reason = f"{count.what}: had {count.had}, limit {count.limit}"
            switch.trip(
                scope=scope, target=target, mode=SwitchMode.REDUCE_ONLY, reason=reason, actor_id=None, owner_id=owner_id
            )
