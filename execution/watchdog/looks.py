"""Looks at a broker's books before a stop is placed again: it may be there, and only its report is missing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import structlog

from brokers.base import AccountRef, Connection, ConnectionState
from brokers.errors import BrokerError
from brokers.models import BrokerAccount
from execution.models import Reconciliation
from justtrades import clock

log = structlog.get_logger(__name__)
LOOK_EVERY = timedelta(seconds=1.5)


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

    def answered(self, account_ids: Iterable[UUID]) -> dict[UUID, datetime]:
        """The moment of the broker's books that ours were last compared with, by account. All that they say is applied;
        an empty page while orders of ours work is no answer.
        """
        rows = Reconciliation.objects.filter(account_id__in=set(account_ids), compared_at__isnull=False)
        return {account_id: at for account_id, at in rows.values_list("account_id", "compared_at") if at is not None}

    def ask(self, account: BrokerAccount) -> None:
        now = clock.now()
        asked_at = self._asked_at.get(account.pk)
        connection = self._desk.connection_of(account.login_id)
        is_too_soon = asked_at is not None and now - asked_at < LOOK_EVERY
        if is_too_soon or connection is None or connection.state is ConnectionState.FAILED:
            return
        self._asked_at[account.pk] = now
        self._desk.loop.background(partial(self._look, connection, account))

    def _look(self, connection: Connection, account: BrokerAccount) -> None:
        try:
            sync = connection.query(AccountRef(account.broker_id, account.name))
        except BrokerError as error:
            log.warning("watchdog.look_failed", account=account.name, reason=str(error))
            return
        if account.broker_id in {ref.broker_id for ref in sync.accounts}:
            self._desk.inbox.put(account.login_id, [sync])
