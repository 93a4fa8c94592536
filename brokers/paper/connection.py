"""One paper login as a `brokers.base.Connection`.

All that touches the books runs in the floor's threads, one action of a login at a time. The books are saved before
anything that follows from them is reported: a process that dies has told nothing that a restart would not find.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

from brokers import instruments
from brokers.base import (
    AccountRef,
    ConnectionState,
    FlattenPosition,
    OnQuote,
    Request,
    Sink,
    SubmitOco,
    SubmitOrder,
    client_ids,
)
from brokers.errors import NotReached, OutcomeUnknown
from brokers.instruments import UnknownTicker
from brokers.paper.books import Books
from brokers.paper.desk import Desk
from brokers.paper.floor import Floor
from brokers.paper.store import BooksAway, BooksTaken, PaperStore
from brokers.paper.terms import Terms
from brokers.quotes.quote import Quote
from brokers.reports import Accepted, ConnectionReport, Event, NotSent, Rejected, Sent, SyncReport, Unknown

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class PaperLogin:
    """`source` names whose quotes the account is filled at, as far as they are fresh."""

    id: UUID
    ref: AccountRef
    terms: Terms
    source: str


class PaperConnection:
    def __init__(
        self,
        login: PaperLogin,
        store: PaperStore,
        floor: Floor,
        sink: Sink,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._login = login
        self._store = store
        self._floor = floor
        self._sink = sink
        self._now = now
        self._state = ConnectionState.DOWN
        self._desk: Desk | None = None
        self._quotes: dict[str, Quote] = {}
        self._untold: list[Event] = []
        self._wanted: frozenset[str] = frozenset()
        self._is_restless = False
        self._actions: deque[Callable[[], None]] = deque()
        self._scheduling = threading.Lock()
        self._is_scheduled = False
        self._books_lock = threading.Lock()

    @property
    def login_id(self) -> UUID:
        return self._login.id

    @property
    def state(self) -> ConnectionState:
        return self._state

    @property
    def books_at(self) -> datetime | None:
        return self._now() if self._state is ConnectionState.LIVE else None

    @property
    def source(self) -> str:
        return self._login.source

    def start(self) -> None:
        self._enter(ConnectionState.CONNECTING)
        self._is_restless = True
        self._floor.join(self)
        self._post(self._tick)

    def stop(self) -> None:
        self._post(self._close)

    def submit(self, requests: Sequence[Request]) -> None:
        for request in requests:
            self._actions.append(partial(self._take, request))
        self._schedule()

    def query(self, account: AccountRef) -> SyncReport:
        with self._books_lock:
            if self._desk is None:
                raise NotReached("the paper account's books are not open")
            if self._desk.has_changed:
                raise OutcomeUnknown("the paper account's books could not be saved")
            found = self._desk.snapshot(self._now())
        return found if account.broker_id == self._login.ref.broker_id else SyncReport(found.at, (), (), (), ())

    def day_pnl(self, account: AccountRef) -> Decimal | None:
        with self._books_lock:
            if self._desk is None:
                raise NotReached("the paper account's books are not open")
            is_ours = account.broker_id == self._login.ref.broker_id
            return self._desk.day_pnl(self._now()) if is_ours else None

    def front_month(self, root: str) -> str | None:
        try:
            return instruments.resolve(root, self._now().date()).symbol
        except UnknownTicker:
            return None

    def quotes(self, on_quote: OnQuote) -> None:
        """Paper accounts live from the quotes of others."""

    def wanted(self) -> Iterable[str]:
        return self._wanted

    def on_quotes(self, quotes: Mapping[str, Quote]) -> None:
        fresh = {
            name: quotes[name] for name in self._wanted if name in quotes and quotes[name] != self._quotes.get(name)
        }
        self._quotes.update(fresh)
        if fresh or self._is_restless:
            self._post(self._tick)

    def _post(self, action: Callable[[], None]) -> None:
        self._actions.append(action)
        self._schedule()

    def _schedule(self) -> None:
        with self._scheduling:
            if self._is_scheduled or not self._actions:
                return
            self._is_scheduled = True
        self._floor.work(self._work)

    def _work(self) -> None:
        try:
            with self._books_lock:
                while self._actions:
                    self._actions.popleft()()
                self._settle()
        finally:
            with self._scheduling:
                self._is_scheduled = False
        self._schedule()

    def _tick(self) -> None:
        if self._desk is None and self._state in {ConnectionState.CONNECTING, ConnectionState.STALE}:
            self._open()
        if self._desk is not None:
            self._desk.on_quotes(self._quotes, self._now())

    def _take(self, request: Request) -> None:
        if self._desk is None:
            self._not_sent([request])
            return
        self._untold += [Sent(name, self._now()) for name in client_ids(request)]
        self._look(request)
        self._desk.on_quotes(self._quotes, self._now())
        self._desk.take(request, self._now())
        self._untold += self._desk.take_events()

    def _look(self, request: Request) -> None:
        """An order is filled at the price of its own moment, not at the floor's last look."""
        symbols = set(self._wanted)
        if isinstance(request, SubmitOrder | SubmitOco | FlattenPosition):
            symbols.add(request.symbol)
        self._quotes = {**self._quotes, **self._floor.read(symbols, self._login.source)}

    def _open(self) -> None:
        """Read the books; while they are away the floor's next look tries again."""
        now = self._now()
        books = Books(self._login.ref, self._login.terms.balance)
        try:
            document = self._store.load()
            if document is not None:
                books.load(document, now)
        except BooksAway as error:
            logger.warning("the paper books are away: %s", error)
            return
        except (ValueError, LookupError):
            logger.exception("the paper books cannot be read")
            self._state, self._is_restless = ConnectionState.FAILED, False
            self._untold.append(ConnectionReport(self._state, now, "the account's books cannot be read"))
            return
        books.prune(now)
        self._desk = Desk(books, self._login.terms, now)
        self._state = ConnectionState.LIVE
        self._untold += [ConnectionReport(self._state, now), self._desk.snapshot(now)]

    def _close(self) -> None:
        self._settle()
        if self._desk is not None:
            self._let_go(self._desk, "the connection was closed before the account's books could be saved")
        self._floor.leave(self)
        self._state, self._is_restless = ConnectionState.DOWN, False
        self._untold.append(ConnectionReport(self._state, self._now()))

    def _settle(self) -> None:
        """Save what has changed, then say what there is to say; what cannot be saved is not said."""
        desk = self._desk
        if desk is not None:
            self._untold += desk.take_events()
            if desk.has_changed and not self._save(desk):
                self._is_restless = True
                return
            wanted = frozenset(desk.wanted())
            is_new = not wanted <= self._wanted
            self._wanted, self._is_restless = wanted, desk.is_waiting
            if is_new:
                self._floor.look_now()
        told, self._untold = self._untold, []
        if told:
            self._sink(self._login.id, told)

    def _save(self, desk: Desk) -> bool:
        try:
            self._store.save(desk.books.dump())
        except BooksAway as error:
            logger.warning("the paper books could not be saved: %s", error)
            return False
        except BooksTaken as error:
            logger.warning("the paper books were written by somebody else: %s", error)
            reason = "the account's books were written by another process"
            self._let_go(desk, reason)
            self._state = ConnectionState.STALE
            self._untold.append(ConnectionReport(self._state, self._now(), reason))
            return False
        desk.has_changed = False
        return True

    def _let_go(self, desk: Desk, reason: str) -> None:
        """Forget what is in memory: what it has decided and not saved is not certain, and its reports are not true."""
        if desk.has_changed:
            kept = [event for event in self._untold if isinstance(event, Sent | NotSent | Rejected | Accepted)]
            self._untold = [Unknown(e.client_order_id, reason, e.at) if isinstance(e, Accepted) else e for e in kept]
        self._not_sent(desk.give_up())
        self._desk = None
        self._wanted = frozenset()

    def _not_sent(self, requests: Iterable[Request]) -> None:
        reason = "the paper account's books are not open"
        names = [name for request in requests for name in client_ids(request)]
        self._untold += [NotSent(name, reason, self._now()) for name in names]

    def _enter(self, state: ConnectionState) -> None:
        self._state = state
        self._sink(self._login.id, [ConnectionReport(state, self._now())])
