"""Looks at a broker's books before a stop is placed again: it may be there, and only its report is missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import structlog

from brokers.base import AccountRef, Connection, ConnectionState
from brokers.errors import BrokerError
from brokers.models import BrokerAccount
from justtrades import clock

log = structlog.get_logger(__name__)
LOOK_EVERY = timedelta(seconds=1.5)
APPLIED_AFTER = timedelta(seconds=0.3)
"""From an answer to the books that it is applied to."""


class Desk(Protocol):
    """What the watchdog needs of the lane."""

    index: int
    loop: Any
    inbox: Any

    def connection_of(self, login_id: UUID) -> Connection | None: ...

    def dispatch(self) -> object: ...


class Looks:
    """One account at a time, beside the keeper's thread; an error is no answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asked_at: dict[UUID, datetime] = {}
        self._answers: dict[UUID, tuple[datetime, datetime]] = {}

    def is_answered(self, account_id: UUID, since: datetime) -> bool:
        """Whether the broker's books of after `since` have been read, and applied."""
        asked_at, answered_at = self._answers.get(account_id, (None, None))
        if asked_at is None or answered_at is None:
            return False
        return asked_at >= since and clock.now() - answered_at >= APPLIED_AFTER

    def ask(self, account: BrokerAccount) -> None:
        now = clock.now()
        asked_at = self._asked_at.get(account.pk)
        connection = self._desk.connection_of(account.login_id)
        is_too_soon = asked_at is not None and now - asked_at < LOOK_EVERY
        if is_too_soon or connection is None or connection.state is ConnectionState.FAILED:
            return
        self._asked_at[account.pk] = now
        self._desk.loop.background(partial(self._look, connection, account, now))

    def _look(self, connection: Connection, account: BrokerAccount, asked_at: datetime) -> None:
        try:
            sync = connection.query(AccountRef(account.broker_id, account.name))
        except BrokerError as error:
            log.warning("watchdog.look_failed", account=account.name, reason=str(error))
            return
        if account.broker_id in {ref.broker_id for ref in sync.accounts}:
            self._desk.inbox.put(account.login_id, [sync])
            self._answers[account.pk] = (asked_at, clock.now())
