"""One Webull login as a `brokers.base.Connection`: requests over HTTP, reports from looking and from events."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from brokers.access import Access
from brokers.base import AccountRef, ConnectionState, OnQuote, Request, Sink
from brokers.reports import Event, SyncReport
from brokers.webull.accounts import Directory
from brokers.webull.book import Book
from brokers.webull.client import Client
from brokers.webull.desk import OrderDesk
from brokers.webull.events import EventStream
from brokers.webull.evidence import Reader
from brokers.webull.instruments import ContractBook
from brokers.webull.poll import Poller
from brokers.webull.quotes import WebullQuotes


class WebullConnection:
    """All accounts of a login share its app key, and with it the limits of what may be asked."""

    def __init__(self, login_id: UUID, access: Access, sink: Sink, contracts: ContractBook) -> None:
        self._login_id = login_id
        self._access = access
        self._sink = sink
        self._client = Client(access)
        self._book = Book(self._tell)
        self._directory = Directory(self._client)
        credentials = access.credentials
        self._events = EventStream(
            access.endpoints.ws_url, credentials.username, credentials.secrets.get("password", "")
        )
        stopping = threading.Event()
        self._reader = Reader(self._client, self._book, stopping)
        self._poller = Poller(self._reader, self._book, self._directory, self._events, stopping)
        self._desk = OrderDesk(self._client, self._book, self._directory, contracts, self._poller.look)

    @property
    def login_id(self) -> UUID:
        return self._login_id

    @property
    def state(self) -> ConnectionState:
        return self._poller.state

    @property
    def books_at(self) -> datetime | None:
        """All is looked at every few seconds: the last round that went well."""
        return self._poller.looked_at

    def start(self) -> None:
        self._poller.start()

    def stop(self) -> None:
        self._poller.stop()
        self._events.stop()

    def submit(self, requests: Sequence[Request]) -> None:
        self._desk.submit(requests)

    def query(self, account: AccountRef) -> SyncReport:
        """The last seven days of the account, and each order of ours that is still open or was never seen.

        An order that a process before this one sent is only found by the venue's lists, of which the history lags.
        """
        return self._book.sync([self._reader.account(account)], tell=False)

    def day_pnl(self, account: AccountRef) -> Decimal | None:
        return self._reader.day_pnl(account)

    def front_month(self, _root: str) -> str | None:
        """None: the venue lists contracts and marks none of them as the front one."""
        return None

    def quotes(self, on_quote: OnQuote) -> WebullQuotes:
        """Quotes through this login's market data subscription, or its snapshots, not started."""
        return WebullQuotes(self._client, self._access, on_quote)

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            self._sink(self._login_id, events)
