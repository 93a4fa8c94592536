"""What had to wait before it could be sent is asked about once more: by then a switch may be on, or a limit reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from execution.clearing import pack_facts, restraints
from execution.clearing.pace import Pace
from execution.clearing.restraints import Restraints, Who
from execution.models import IntentKind
from execution.submitting import Due
from risk import checks
from risk.around import Around
from risk.checks import Denial, Facts
from traders.models import Trader

_SWITCHES = {
    "owner_is_active": "owner__is_active",
    "owner_is_approved": "owner__is_approved",
    "trader_is_enabled": "is_enabled",
    "account_is_enabled": "account__is_enabled",
    "account_can_trade": "account__can_trade",
    "login_is_enabled": "account__login__is_enabled",
}
_CLEARED = {"has_credentials": True, "login_state": "live", "login_detail": "", "environment_is_configured": True}
"""What the lane finds out by itself when it sends."""


@dataclass(slots=True)
class Recheck:
    """Of the entries of one chunk. It counts in the rates what it lets go, and reads nothing where there is none."""

    now: datetime
    _restraints: Restraints = field(default_factory=Restraints)
    _traders: dict[UUID, tuple[Any, ...]] = field(default_factory=dict)
    _pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self._pace = Pace(self.now)

    @classmethod
    def of(cls, due: Iterable[Due], now: datetime) -> Recheck:
        found = cls(now)
        entries = [intent for intent in due if intent.kind == IntentKind.ENTRY]
        if entries:
            found._read(entries)
        return found

    def denial_of(self, intent: Due) -> Denial | None:
        """Why an entry that was cleared is not to be sent after all."""
        if intent.kind != IntentKind.ENTRY or intent.trader_id is None:
            return None
        recorder_id, *switches = self._traders[intent.trader_id]
        found, account_id = self._restraints, intent.account_id
        around = Around(
            tripped=found.in_force.tripped_for(intent.owner_id, account_id, recorder_id),
            lock=found.in_force.lock_for(account_id, intent.trader_id),
            paused_by=found.paused_by.get(account_id, ""),
            pack=self._pack_denial(intent),
        )
        denial = checks.check(_facts(intent, switches, around), self.now)
        if denial is not None:
            return denial
        rates = self._pace.ask(account_id, intent.owner_id)
        return checks.check(_facts(intent, switches, Around(rates=rates)), self.now) if rates else None

    def _pack_denial(self, intent: Due) -> Denial | None:
        """By the clock alone: the firm's time, or the news, may have come meanwhile."""
        pack = self._restraints.in_force.packs.get(intent.account_id)
        return None if pack is None else pack_facts.time_denial(pack, intent.symbol, self.now)

    def finish(self) -> None:
        """After the last one, inside the transaction of the chunk."""
        self._pace.trip_runaways()

    def _read(self, entries: Sequence[Due]) -> None:
        traders = {intent.trader_id for intent in entries if intent.trader_id is not None}
        rows = Trader.objects.filter(pk__in=traders).values_list("pk", "recorder_id", *_SWITCHES.values())
        self._traders = {pk: tuple(rest) for pk, *rest in rows}
        owners = frozenset(intent.owner_id for intent in entries)
        self._restraints = restraints.read(Who(owners, frozenset(i.account_id for i in entries)), self.now)


def _facts(intent: Due, switches: Sequence[bool], around: Around) -> Facts:
    own = dict(zip(_SWITCHES, switches, strict=True))
    expires_at = intent.expires_at
    return Facts(is_entry=True, qty=intent.qty, expires_at=expires_at, around=around, **own, **_CLEARED)  # type: ignore[arg-type]
