"""One ProjectX login as a `brokers.base.Connection`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from brokers.access import Access
from brokers.base import AccountRef, ConnectionState, OnQuote, Request, Sink
from brokers.connector import Stream
from brokers.errors import BrokerError, Refused
from brokers.projectx.auth import Auth
from brokers.projectx.book import Book, Replies
from brokers.projectx.client import Client, Wire
from brokers.projectx.contracts import ContractBook, check
from brokers.projectx.desk import OrderDesk
from brokers.projectx.evidence import REQUESTS_PER_ACCOUNT, read_books
from brokers.projectx.quotes import MarketSession, QuoteStream
from brokers.projectx.results import read_day_pnl
from brokers.projectx.stream import UserSession
from brokers.projectx.timer import TIMER
from brokers.reports import Event, SyncReport
from brokers.streams import StreamLoop

logger = logging.getLogger(__name__)

FOLLOW_AFTER_SECONDS = 5.0
FOLLOW_SECONDS = 2.5
# Half of what the venue allows is left for orders while the hub is away.
FOLLOW_REQUESTS_PER_SECOND = 100 / 60


class ProjectXConnection:
    """All accounts of a login share its user hub; orders go out over REST, whether or not the hub is up."""

    def __init__(self, login_id: UUID, access: Access, sink: Sink, loop: StreamLoop, contracts: ContractBook) -> None:
        self._login_id = login_id
        self._sink = sink
        self._loop = loop
        self._contracts = contracts
        self._md_url = access.endpoints.md_url
        wire = Wire(access.endpoints.rest_url, access.budget)
        self._auth = Auth(access.credentials, wire, access.store)
        self._client = Client(wire, self._auth)
        self._replies = Replies()
        book = Book(contracts, self._replies)
        self._session = UserSession(
            self._client,
            access.endpoints.ws_url,
            contracts,
            book,
            loop,
            tell=self._tell,
            went_down=self._on_down,
        )
        self._desk = OrderDesk(
            self._client,
            contracts,
            self._replies,
            tell=self._tell_soon,
            seen=self._session.seen,
            answered=self._session.answered,
            book=book,
        )
        self._is_running = False
        self._is_following = False
        self._looked_at: datetime | None = None

    @property
    def login_id(self) -> UUID:
        return self._login_id

    @property
    def state(self) -> ConnectionState:
        return self._session.state

    @property
    def books_at(self) -> datetime | None:
        return datetime.now(UTC) if self.state is ConnectionState.LIVE else self._looked_at

    def start(self) -> None:
        self._is_running = True
        self._desk.open()
        self._session.stream = Stream(self._session)
        self._loop.add(self._session.stream)

    def stop(self) -> None:
        self._is_running = False
        self._desk.close()
        self._loop.remove(self._session.stream)

    def submit(self, requests: Sequence[Request]) -> None:
        self._desk.submit(requests)

    def query(self, account: AccountRef) -> SyncReport:
        reading = read_books(self._client, self._contracts, account)
        return Book(self._contracts, self._replies).start_over(reading)

    def day_pnl(self, account: AccountRef) -> Decimal | None:
        return read_day_pnl(self._client, self._contracts, account).total

    def front_month(self, root: str) -> str | None:
        self._contracts.load(self._client)
        front = self._contracts.front_of(root)
        if front is None:
            return None
        try:
            check(front)
        except Refused as error:
            logger.warning("the venue's front month of %s is not believed: %s", root, error)
            return None
        return front.name

    def quotes(self, on_quote: OnQuote) -> QuoteStream:
        """This login's market data, not started; it shares the sign-in."""
        session = MarketSession(self._auth, self._md_url, on_quote)
        return QuoteStream(session, self._client, self._contracts, self._loop)

    def _on_down(self) -> None:
        if not self._is_following:
            self._is_following = True
            TIMER.after(FOLLOW_AFTER_SECONDS, self._follow)

    def _follow(self) -> None:
        """Look at the books instead, for as long as the hub is away."""
        if not self._is_running or self.state in (ConnectionState.LIVE, ConnectionState.FAILED):
            self._is_following = False
        else:
            self._loop.background(self._look)

    def _look(self) -> None:
        pause = FOLLOW_SECONDS
        try:
            reading = read_books(self._client, self._contracts)
        except BrokerError as error:
            logger.info("the books could not be read while the hub is away: %s", error)
        else:
            requests = 1 + REQUESTS_PER_ACCOUNT * len(reading.accounts)
            pause = max(pause, requests / FOLLOW_REQUESTS_PER_SECOND)
            self._looked_at = reading.started
            self._loop.call(lambda: self._session.follow(reading))
        finally:
            TIMER.after(pause, self._follow)

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            self._sink(self._login_id, events)

    def _tell_soon(self, events: Sequence[Event]) -> None:
        """From an order thread, after what the loop has yet to tell."""
        self._loop.call(lambda: self._tell(events))
