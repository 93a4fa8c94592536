"""Looks at the books of what is held where a broker's stream is away: the beat asks for them every five seconds.

What an adapter looks at by itself is not looked at again: see `brokers.venue.Polls`. Should the beat be dead, the
lane's keeper does the same every ten seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import structlog

from brokers.base import AccountRef, Connection, ConnectionState
from brokers.errors import BrokerError
from brokers.models import BrokerAccount
from brokers.registry import VENUES
from brokers.venue import Polls
from execution.models import BrokerPosition, Position
from justtrades import clock

log = structlog.get_logger(__name__)
BEAT_IS_LATE_AFTER = timedelta(seconds=10)
MOST_AT_ONCE = 4
"""Of the lane's helper threads: orders may need them, too, while a stream is away."""
NEVER = datetime.min.replace(tzinfo=UTC)
NOT_ASKED = frozenset({ConnectionState.LIVE, ConnectionState.FAILED})
"""A live stream tells by itself, and a login that was refused is not hammered."""


@dataclass(slots=True)
class Polling:
    """What a lane remembers of its looks; whoever holds `turn` may change it."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    looked_at: datetime = NEVER
    silent_since: dict[UUID, datetime] = field(default_factory=dict)
    asked_at: dict[UUID, datetime] = field(default_factory=dict)
    asking: set[UUID] = field(default_factory=set)


class Desk(Protocol):
    """What a look needs of the lane."""

    polling: Polling
    loop: Any
    inbox: Any

    def connections(self) -> list[Connection]: ...

    def books_at(self, login_id: UUID, broker_id: str) -> datetime | None: ...


class _Held(NamedTuple):
    """An account that holds something, and since when nothing was heard of it."""

    login_id: UUID
    account: AccountRef
    polls: Polls
    silent_since: datetime


def look_if_beat_is_late(desk: Desk) -> int:
    late = clock.now() - desk.polling.looked_at >= BEAT_IS_LATE_AFTER
    return look(desk) if late else 0


def look(desk: Desk) -> int:
    """Ask, in helper threads, for the books of accounts that hold something and whose broker is not heard; how many.

    The answers come in as syncs. Of each login one account is asked for at a time, the one longest silent first.
    """
    polling = desk.polling
    if not polling.turn.acquire(blocking=False):
        return 0
    try:
        polling.looked_at = now = clock.now()
        silent = {one.login_id: one for one in desk.connections() if one.state not in NOT_ASKED}
        polling.silent_since = {login_id: polling.silent_since.get(login_id, now) for login_id in silent}
        due = _due(desk, silent.keys(), now) if silent else {}
        for login_id, held in due.items():
            polling.asked_at[login_id] = now
            polling.asking.add(login_id)
            desk.loop.background(lambda c=silent[login_id], h=held: _ask(desk, c, h))
        return len(due)
    finally:
        polling.turn.release()


def _due(desk: Desk, login_ids: Iterable[UUID], now: datetime) -> dict[UUID, _Held]:
    """One account of each login, as many as there is room for, the longest silent first."""
    polling = desk.polling
    due: dict[UUID, _Held] = {}
    for held in sorted(_held(desk, set(login_ids)), key=lambda one: one.silent_since):
        asked_at = polling.asked_at.get(held.login_id, NEVER)
        is_silent = now - held.silent_since >= timedelta(seconds=held.polls.after)
        is_next = now - asked_at >= timedelta(seconds=held.polls.every) and held.login_id not in polling.asking
        if is_silent and is_next and len(due) < MOST_AT_ONCE - len(polling.asking):
            due.setdefault(held.login_id, held)
    return due


def _held(desk: Desk, login_ids: set[UUID]) -> list[_Held]:
    """Accounts of these logins that hold something by our books or by the broker's."""
    holding = {
        account_id
        for model in (Position, BrokerPosition)
        for account_id in model.objects.filter(account__login__in=login_ids)
        .exclude(net_qty=0)
        .values_list("account_id", flat=True)
    }
    rows = BrokerAccount.objects.filter(pk__in=holding).values_list("login_id", "broker_id", "name", "login__venue")
    return [
        _Held(
            login_id,
            AccountRef(broker_id, name),
            VENUES[venue].polls if venue in VENUES else Polls(),
            max(desk.polling.silent_since[login_id], desk.books_at(login_id, broker_id) or NEVER),
        )
        for login_id, broker_id, name, venue in rows
    ]


def _ask(desk: Desk, connection: Connection, held: _Held) -> None:
    try:
        desk.inbox.put(held.login_id, [connection.query(held.account)])
    except BrokerError as error:
        log.warning("polls.look_failed", account=held.account.name, reason=str(error))
    finally:
        desk.polling.asking.discard(held.login_id)
