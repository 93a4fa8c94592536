"""The lane at work: connections kept warm, requests routed out, events applied in batches."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Mod

from brokers import errors
from brokers.access import Priority
from brokers.base import Connection, Request, client_ids
from brokers.budget.login import LoginBudget
from brokers.models import BrokerLogin
from brokers.registry import VENUES
from brokers.reports import Event, NotSent
from brokers.services import access_of
from brokers.services.budgets import lane_budgets, owned_budget
from brokers.streams import StreamLoop
from brokers.vault import WrongKey
from execution.clearing.asking import asking, nobody_knows
from execution.dispatch import dispatch_due
from execution.doubt import Looked
from execution.lane.heard import Heard
from execution.lane.inbox import Inbox
from execution.polls import Polling
from execution.submitting import Routed
from justtrades import clock

log = structlog.get_logger(__name__)


class Lane:
    """Everything of one lane in one process. `is_owner` false stops new requests, never the applying of events.
    `is_anothers`: it was lost, and another process owns it now.

    `on_news` is called after each batch of events that was applied, on the applying thread.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self.is_owner = True
        self.is_anothers = False
        self.loop = StreamLoop(name=f"lane-{index}")
        self.heard = Heard()
        self.inbox = Inbox(after_batch=self._after_batch, heard=self.heard)
        self.polling = Polling()
        self.on_news: Callable[[], None] = _nobody
        self.looked_at: dict[tuple[UUID, str], Looked] = {}
        self._connections: dict[UUID, Connection] = {}
        self._asked_at: dict[UUID, datetime | None] = {}
        self._threaded: set[UUID] = set()
        self._budgets = lane_budgets(index)
        self._budget_of: dict[UUID, LoginBudget] = {}
        self._connecting = threading.Lock()

    def start(self) -> None:
        asking.of_lane = self._may_ask_at
        self.loop.start()
        self.inbox.start()
        self.refresh_logins()

    def stop(self) -> None:
        self.is_owner = False
        asking.of_lane = nobody_knows
        for connection in self._connections.values():
            connection.stop()
        self.loop.stop()
        self.inbox.stop()
        self._budgets.stop()

    def _after_batch(self) -> None:
        self.dispatch()
        self.on_news()

    def dispatch(self) -> None:
        if self.is_owner:
            dispatch_due(self.index, self.submit)

    def submit(self, routed: Sequence[Routed]) -> None:
        """Put requests on the wire as one burst; each one's outcome comes through the inbox."""
        by_login: dict[UUID, list[Request]] = defaultdict(list)
        for login_id, request in routed:
            by_login[login_id].append(request)
        with self.inbox.held_back():
            # What a socket takes is written whole before the threads of the other venues wake up: they would compete.
            threaded = [login_id for login_id in by_login if login_id in self._threaded]
            with self.loop.burst():
                for login_id, requests in by_login.items():
                    if login_id not in self._threaded:
                        self._submit(login_id, requests)
            for login_id in threaded:
                self._submit(login_id, by_login[login_id])

    def _submit(self, login_id: UUID, requests: Sequence[Request]) -> None:
        connection = self._connections.get(login_id) or self._connect_by_id(login_id)
        if connection is not None:
            connection.submit(requests)
            return
        reason = "the broker login could not be opened"
        names = [name for request in requests for name in client_ids(request)]
        self.inbox.put(login_id, [NotSent(name, reason, clock.now()) for name in names])

    def connection_of(self, login_id: UUID) -> Connection | None:
        return self._connections.get(login_id)

    def connections(self) -> list[Connection]:
        return list(self._connections.values())

    def books_at(self, login_id: UUID, broker_id: str) -> datetime | None:
        """When the broker last spoke of the account, or vouched for all of the login's; None: never yet."""
        connection = self._connections.get(login_id)
        vouched_at = None if connection is None else connection.books_at
        moments = (vouched_at, self.heard.at(login_id, broker_id))
        return max((moment for moment in moments if moment is not None), default=None)

    def refresh_logins(self) -> None:
        """Open the lane's new logins, close those that were switched off or have gone, and those whose owner wants a
        new connection.
        """
        mine = BrokerLogin.objects.annotate(lane=Mod(F("lane_slot"), settings.LANES)).filter(
            lane=self.index, is_enabled=True
        )
        wanted = dict(mine.values_list("id", "reconnect_at"))
        for login_id, asked_at in tuple(self._asked_at.items()):
            if login_id not in wanted or wanted[login_id] != asked_at:
                self._disconnect(login_id)
        missing = wanted.keys() - self._connections.keys()
        for login in BrokerLogin.objects.filter(id__in=missing):
            self._connect(login)

    def _disconnect(self, login_id: UUID) -> None:
        """Let a connection go; where its owner asked for a new one, the next look opens it."""
        with self._connecting:
            del self._asked_at[login_id]
            self._threaded.discard(login_id)
            connection = self._connections.pop(login_id)
            self._budget_of.pop(login_id, None)
        connection.stop()

    def _connect_by_id(self, login_id: UUID) -> Connection | None:
        login = BrokerLogin.objects.filter(pk=login_id, is_enabled=True).first()
        return self._connect(login) if login is not None else None

    def _connect(self, login: BrokerLogin) -> Connection | None:
        with self._connecting:
            if login.id in self._connections:
                return self._connections[login.id]
            try:
                self._budget_of[login.id] = budget = owned_budget(self._budgets, login)
                access = access_of(login, budget=budget)
                connection = VENUES[login.venue].connect(login.id, access, self._sink, self.loop)
            except (errors.BrokerError, WrongKey, KeyError) as error:
                log.warning("lane.login_not_opened", login=str(login.id), reason=str(error))
                return None
            self._connections[login.id] = connection
            self._asked_at[login.id] = login.reconnect_at
            if VENUES[login.venue].has_own_threads:
                self._threaded.add(login.id)
        connection.start()
        return connection

    def _may_ask_at(self, login_id: UUID) -> datetime | None:
        budget = self._budget_of.get(login_id)
        return None if budget is None else budget.opens_at(Priority.ENTRY)

    def _sink(self, login_id: UUID, events: Sequence[Event]) -> None:
        self.inbox.put(login_id, events)


def _nobody() -> None:
    """Nobody wants to know."""
