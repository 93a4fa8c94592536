"""The user socket of one login: sync first, then the reports that follow from the venue's own events.

Events may come before the sync reply that they follow; they wait and are applied on top of it. Every (re)connect
ends in a complete `SyncReport`, because a snapshot is the only proof of what does not exist.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from brokers.access import Priority, Token
from brokers.base import ConnectionState, FlattenPosition, Request, SubmitOrder
from brokers.errors import AuthFailed, BrokerError
from brokers.links import Link
from brokers.reports import Accepted, ConnectionReport, Event, Outcome
from brokers.tradovate import parse
from brokers.tradovate.auth import Auth
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.desk import OrderDesk
from brokers.tradovate.entities import EntityCache
from brokers.tradovate.gaps import Gaps
from brokers.tradovate.gate import Gate
from brokers.tradovate.joins import Joins
from brokers.tradovate.limits import SYNC
from brokers.tradovate.orders import outcome_of_each
from brokers.tradovate.reports import Reporter
from brokers.tradovate.session import TradovateSession
from brokers.tradovate.types import Entity, Strategy

SYNC_SECONDS = 20.0
WHOLE_WITHIN_SECONDS = 5.0
"""How long the whole waits for what the venue has told only half of: it may never tell the rest."""
RENEWAL_PAUSE_SECONDS = 60.0


class UserSession(TradovateSession):
    """`tell` takes events in the loop's thread. `ready_link` is the link that orders may go out on, else None."""

    desk: OrderDesk
    renew: Callable[[Token], None]

    def __init__(self, auth: Auth, gate: Gate, book: ContractBook, tell: Callable[[Sequence[Event]], None]) -> None:
        super().__init__(auth, gate, lambda: auth.hosts.ws_url)
        self._book = book
        self._tell = tell
        self.state = ConnectionState.DOWN
        self.ready_link: Link | None = None
        self.token: Token | None = None
        self._exits: dict[int, str] = {}
        self._events: list[Event] = []
        self._early: list[parse.Json] = []
        self._synced = False
        self._leaving = False
        self._owes_sync_by: float | None = None
        self._sync_by_types = False
        self._next_renewal = 0.0
        self._start_over()

    def prepare(self) -> str:
        """What all logins behind an address share may have to be asked for elsewhere: never in the loop's thread."""
        url = super().prepare()
        self._gate.spend(Priority.FLATTEN, SYNC)
        return url

    def on_open(self, link: Link) -> None:
        self._start_over()
        super().on_open(link)

    def on_authorized(self, token: Token) -> None:
        self.token = token
        if token.user_id:
            self._sync(int(token.user_id))
        else:
            self.ask("user/list", lambda users: self._sync(users[0]["id"]), priority=Priority.FLATTEN)

    def on_texts(self, messages: Sequence[bytes]) -> None:
        super().on_texts(messages)
        self.flush()

    def on_event(self, message: parse.Json) -> None:
        if message.get("e") != "props":
            return
        if self._synced:
            self._apply(message)
        else:
            self._early.append(message)

    def on_tick(self, now: float) -> None:
        super().on_tick(now)
        self.desk.on_tick(now)
        if self._leaving and not self.desk.busy:
            self._break_off("reconnecting with the renewed token")
        if self._synced and (self._reporter.waiting() or self._cache.priceless):
            self._gaps.tick(now)
        self.flush()
        if self.token is not None and now >= self._next_renewal and self._auth.needs_renewal(datetime.now(UTC)):
            self._next_renewal = now + RENEWAL_PAUSE_SECONDS
            self.renew(self.token)

    def settle(self, request: Request, outcome: Outcome, payload: Any) -> None:
        """Take an order request's outcome for the next `flush`, and learn from the answer what joins need."""
        if isinstance(outcome, Accepted):
            self._learn(request, outcome, payload)
        self._events.extend(outcome_of_each(request, outcome, payload))

    def on_renewed(self, token: Token) -> None:
        """The socket itself goes on with the token that it was opened with."""
        self.token = token

    def on_socket_refused(self, token: Token) -> None:
        """The venue no longer takes orders on this socket's token: leave it once nothing waits for an answer."""
        self.token = token
        self.ready_link = None
        self._leaving = True

    def on_renewal_failed(self, error: BrokerError) -> None:
        self._report_state(self.state, f"the sign-in could not be renewed: {error}")
        self.flush()

    def on_order_reply(self, request_id: int, status: int, payload: Any) -> None:
        self.desk.on_reply(request_id, status, payload)

    def on_written(self, written: Sequence[tuple[object, float]]) -> None:
        self.desk.on_written(written)

    def on_unsent(self, tickets: Sequence[object], reason: str) -> None:
        self.desk.on_unsent(tickets)

    def on_connecting(self) -> None:
        self._report_state(ConnectionState.CONNECTING)

    def on_silence(self) -> None:
        self.ready_link = None
        self._synced = False
        self._report_state(ConnectionState.STALE, "no word for ten seconds")

    def on_down(self, reason: str) -> None:
        self.ready_link = None
        self._synced = False
        self.desk.on_closed(reason)
        self._report_state(ConnectionState.DOWN, reason)

    def on_failed(self, error: AuthFailed) -> None:
        self._report_state(ConnectionState.FAILED, str(error))

    def knows_order(self, order_id: int) -> bool:
        """In any thread."""
        return order_id in self._cache.orders

    def complete(self, entities: Sequence[Entity]) -> None:
        """Take in what REST lists of the login, and say the whole once nothing of it is half known, or soon after."""
        if self._synced and self.ready_link is not None:
            for entity in entities:
                self._cache.complete(entity)
            if self._owes_sync_by is None:
                self._owes_sync_by = time.monotonic() + WHOLE_WITHIN_SECONDS
            self.flush()

    def _start_over(self) -> None:
        self._synced = False
        self._owes_sync_by = None
        self._leaving = False
        self._early = []
        self._cache = EntityCache()
        self._joins = Joins(self._cache, self._book, self._exits)
        self._reporter = Reporter(self._joins)
        self._gaps = Gaps(self, self._cache, self._reporter, self._book, self.flush)

    def _sync(self, user_id: int) -> None:
        """By user, as the venue answers it; by types where its newer documents are in force and send nothing else."""
        wanted: dict[str, Any] = {"users": [user_id]}
        if self._sync_by_types:
            wanted = {"splitResponses": False, "entityTypes": [entity_type for _, entity_type in parse.SYNC_KEYS]}
        self.ask(SYNC, self._on_sync, body=orjson.dumps(wanted), within=SYNC_SECONDS, priority=None)

    def _on_sync(self, payload: Any) -> None:
        if not isinstance(payload, dict) or "users" not in payload:
            self._break_off("the sync reply could not be read")
            return
        if not payload.get("accounts") and not self._sync_by_types:
            # One sync per connection: nothing at all is believed only when the other form says so too.
            self._sync_by_types = True
            self._break_off("the venue showed no accounts, asking by entity types")
            return
        for entity in parse.snapshot_entities(payload):
            self._cache.apply(entity)
        for contract_id, name in self._cache.contracts.items():
            self._book.learn(contract_id, name)
        self._synced = True
        for message in self._early:
            self._apply(message)
        self._early = []
        for contract_id in self._joins.missing_contracts():
            self._gaps.ask_contract(contract_id)

    def _apply(self, message: parse.Json) -> None:
        changes = message.get("d")
        for change in changes if isinstance(changes, list) else [changes]:
            if isinstance(change, dict) and change.get("eventType") != "Deleted":
                for entity in parse.entities_of(change.get("entityType", ""), change.get("entity")):
                    self._cache.apply(entity)

    def flush(self) -> None:
        """Report what is due: once per read, so that an order which is Working and Filled in one segment is Filled."""
        if self._synced and self.ready_link is None and self._link is not None and not self._leaving:
            self._go_live(self._link)
        elif self._synced:
            self._events.extend(self._reporter.take(time.monotonic(), datetime.now(UTC)))
            self._tell_the_whole()
        if self._events:
            events, self._events = self._events, []
            self._tell(events)

    def _tell_the_whole(self) -> None:
        """If it is owed. A fill whose order the venue does not tell of names no account: it is told with its order, or
        never. What it did to a position is in the whole, and is found to be unexplained.
        """
        due = self._owes_sync_by
        if due is None or self._joins.missing_contracts():
            return
        is_late = time.monotonic() >= due
        if not (self._reporter.settles_soon() if is_late else self._reporter.waiting()):
            self._owes_sync_by = None
            self._events.append(self._reporter.whole(datetime.now(UTC)))

    def _go_live(self, link: Link) -> None:
        """Not before every name is known: a report left out of a snapshot would say that the order is not there."""
        if link.broken is not None or self._joins.missing_contracts():
            return
        self._events.append(self._reporter.snapshot(datetime.now(UTC)))
        self.ready_link = link
        self.stream.settled()
        self._report_state(ConnectionState.LIVE)

    def _learn(self, request: Request, accepted: Accepted, payload: Any) -> None:
        if isinstance(request, FlattenPosition) and accepted.broker_order_id is not None:
            order_id = int(accepted.broker_order_id)
            self._exits[order_id] = request.client_order_id
            self._cache.changed_orders[order_id] = None
        if isinstance(request, SubmitOrder) and accepted.broker_strategy_id is not None:
            for entity in parse.entities_of("orderStrategy", payload["orderStrategy"]):
                if isinstance(entity, Strategy):
                    self._cache.apply(entity)
                    if entity.contract_id is not None:
                        self._book.learn(entity.contract_id, request.symbol)

    def _report_state(self, state: ConnectionState, detail: str = "") -> None:
        self.state = state
        self._events.append(ConnectionReport(state, datetime.now(UTC), detail))
        if state is not ConnectionState.LIVE:
            self.flush()
