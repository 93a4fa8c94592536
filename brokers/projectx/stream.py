"""The user hub of one login: subscribed for every account, and reconciled over REST after every (re)connect.

The hub replays nothing, so what was missed is only in the books. They are read once the subscriptions stand; events
that come in between wait and are applied on top. A position carries no time: one that may be older than the look at
it is not believed, but looked at again.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from brokers.base import ConnectionState
from brokers.errors import AuthFailed, BrokerError, RateLimited
from brokers.links import Link
from brokers.projectx.book import Book
from brokers.projectx.client import Client
from brokers.projectx.contracts import ContractBook
from brokers.projectx.evidence import LOOK_BACK, accounts_of, positions_of, read_books, trades_of
from brokers.projectx.gaps import Gaps
from brokers.projectx.hub import HubSession
from brokers.projectx.parse import records_of
from brokers.projectx.reading import Reading
from brokers.projectx.types import Account, Order, Position, Record
from brokers.reports import ConnectionReport, Event
from brokers.streams import StreamLoop

logger = logging.getLogger(__name__)

NAME_PAUSE_SECONDS = 2.0
WARM_SECONDS = 45.0
SYNC_SECONDS = 120.0
ROTATION_PAUSE_SECONDS = 60.0
_OF_ACCOUNT = ("SubscribeOrders", "SubscribePositions", "SubscribeTrades")


class UserSession(HubSession):
    """`tell` takes events in the loop's thread; `went_down` hears, there too, that the hub no longer reports."""

    def __init__(
        self,
        client: Client,
        url: str,
        contracts: ContractBook,
        book: Book,
        loop: StreamLoop,
        *,
        tell: Callable[[Sequence[Event]], None],
        went_down: Callable[[], None],
    ) -> None:
        super().__init__(client.auth, url)
        self._client = client
        self._contracts = contracts
        self._book = book
        self._loop = loop
        self._tell = tell
        self._went_down = went_down
        self.state = ConnectionState.DOWN
        self.has_synced = False
        self._accounts: tuple[Account, ...] = ()
        self._next_rotation = 0.0
        self._next_naming = 0.0
        self._next_warming = 0.0
        self._gaps = Gaps(book, self._look_for_trades)
        self._start_over()

    def _start_over(self) -> None:
        self._is_syncing = False
        self._sync_by = 0.0
        self._early: list[Record] = []
        self._waiting: deque[Record] = deque()
        self._looked_at: set[int] = set()
        self._moved: set[int] = set()

    def before_connecting(self) -> None:
        self._accounts = accounts_of(self._client)
        self._contracts.load(self._client)

    def on_open(self, link: Link) -> None:
        self._start_over()
        super().on_open(link)

    def on_speaking(self) -> None:
        self.ask("SubscribeAccounts")
        for account in self._accounts:
            self._subscribe(account.id)

    def on_completed(self) -> None:
        if not self.waits and not self._is_syncing and self.state is not ConnectionState.LIVE:
            self._is_syncing = True
            self._sync_by = time.monotonic() + SYNC_SECONDS
            link = self._link
            self._loop.background(lambda: self._read(link))

    def on_event(self, target: str, arguments: Sequence[Any]) -> None:
        records = records_of(target, arguments)
        if self.state is ConnectionState.LIVE:
            for record in records:
                self._take(record)
            self._drain()
        else:
            self._early.extend(records)

    def on_tick(self, now: float) -> None:
        super().on_tick(now)
        if self._is_syncing and now > self._sync_by:
            self._break_off("reading the books took too long")
        if self._waiting:
            self._drain()
        if self.state is ConnectionState.LIVE:
            self._gaps.tick(now)
            if now >= self._next_warming:
                self._next_warming = now + WARM_SECONDS
                self._loop.background(self._keep_warm)
        if now >= self._next_rotation and self._auth.needs_rotation(datetime.now(UTC)):
            self._next_rotation = now + ROTATION_PAUSE_SECONDS
            self._loop.background(self._rotate)

    def seen(self, order: Order) -> None:
        """An order as a look-up found it; from any thread."""
        self._loop.call(lambda: self._take_later([order]))

    def answered(self, client_order_id: str) -> None:
        """A place has its answer: if that is no refusal, a rejected order may be told. From any thread."""
        self._loop.call(lambda: self._tell(self._book.take_held(client_order_id)))

    def follow(self, reading: Reading) -> None:
        """The books as they are while the hub is away; in the loop's thread."""
        if self.state is ConnectionState.LIVE or self._is_syncing:
            return
        if self.has_synced:
            self._tell(self._book.take_all(reading, datetime.now(UTC)))
        else:
            self.has_synced = True
            self._tell([self._book.start_over(reading)])

    def on_connecting(self) -> None:
        self._report_state(ConnectionState.CONNECTING)

    def on_silence(self) -> None:
        self._report_state(ConnectionState.STALE, "no word for thirty seconds")

    def on_down(self, reason: str) -> None:
        self._start_over()
        self._report_state(ConnectionState.DOWN, reason)
        self._went_down()

    def on_failed(self, error: AuthFailed) -> None:
        self._report_state(ConnectionState.FAILED, str(error))

    def _subscribe(self, account_id: int) -> None:
        for target in _OF_ACCOUNT:
            self.ask(target, account_id)

    def _read(self, link: Link | None) -> None:
        try:
            reading = read_books(self._client, self._contracts)
        except BrokerError as error:
            failure = error
            self._loop.call(lambda: self._unread(link, failure))
        else:
            self._loop.call(lambda: self._go_live(link, reading))

    def _unread(self, link: Link | None, error: BrokerError) -> None:
        if link is None or link is not self._link:
            return
        if isinstance(error, RateLimited):
            self.stream.hold((error.until - datetime.now(UTC)).total_seconds())
        self._break_off(f"the books could not be read: {error}")

    def _go_live(self, link: Link | None, reading: Reading) -> None:
        if link is None or link is not self._link or link.broken is not None:
            return
        early, self._early = self._early, []
        self._is_syncing = False
        self.has_synced = True
        sync = self._book.start_over(reading)
        self.state = ConnectionState.LIVE
        self.stream.settled()
        self._next_warming = time.monotonic() + WARM_SECONDS
        self._tell([sync, ConnectionReport(self.state, datetime.now(UTC))])
        self._look_again({record.account_id for record in early if isinstance(record, Position)})
        for record in early:
            if not isinstance(record, Position):
                self._take(record)
        self._drain()

    def _take(self, record: Record) -> None:
        if isinstance(record, Position) and record.account_id in self._looked_at:
            self._moved.add(record.account_id)
            return
        if isinstance(record, Account) and not self._book.has_account(record.id):
            self._subscribe(record.id)
        self._waiting.append(record)

    def _drain(self) -> None:
        """Report what waits, in its order, up to a contract whose name must be asked for first."""
        events: list[Event] = []
        now = datetime.now(UTC)
        while self._waiting and self._book.knows(self._waiting[0]):
            events.extend(self._book.take(self._waiting.popleft(), now))
        if events:
            self._tell(events)
        if self._waiting and time.monotonic() >= self._next_naming:
            self._next_naming = time.monotonic() + NAME_PAUSE_SECONDS
            unnamed = {r.contract_id for r in self._waiting if not isinstance(r, Account) and not self._book.knows(r)}
            self._loop.background(lambda: self._name(unnamed))

    def _name(self, contract_ids: set[str]) -> None:
        try:
            self._contracts.ensure(self._client, contract_ids)
        except BrokerError as error:
            logger.warning("projectx contracts could not be named: %s", error)
        else:
            self._loop.call(self._drain)

    def _keep_warm(self) -> None:
        """Orders go over REST: a connection that stays open, and a token that was just seen to work, wait for them."""
        try:
            accounts_of(self._client)
        except AuthFailed as error:
            self._not_renewed(error)
        except BrokerError as error:
            logger.info("the projectx host could not be asked: %s", error)

    def _look_for_trades(self, account_id: int) -> None:
        self._loop.background(lambda: self._read_trades(account_id))

    def _read_trades(self, account_id: int) -> None:
        try:
            trades = trades_of(self._client, account_id, datetime.now(UTC) - LOOK_BACK)
        except BrokerError as error:
            logger.warning("a fill that the hub left out could not be read: %s", error)
        else:
            self._loop.call(lambda: self._take_later(trades))

    def _take_later(self, records: Sequence[Record]) -> None:
        """What was asked for while the hub goes on; nothing is known of the login before its first look at the books,
        which then has it too.
        """
        if self.has_synced:
            for record in records:
                self._take(record)
            self._drain()

    def _look_again(self, account_ids: set[int]) -> None:
        self._looked_at, self._moved = account_ids, set()
        if account_ids:
            link = self._link
            self._loop.background(lambda: self._reread(link, account_ids))

    def _reread(self, link: Link | None, account_ids: set[int]) -> None:
        try:
            found = [position for account_id in account_ids for position in positions_of(self._client, account_id)]
            self._contracts.ensure(self._client, {position.contract_id for position in found})
        except BrokerError as error:
            failure = error
            self._loop.call(lambda: self._unread(link, failure))
        else:
            self._loop.call(lambda: self._on_reread(link, account_ids, found))

    def _on_reread(self, link: Link | None, account_ids: set[int], found: Sequence[Position]) -> None:
        if link is None or link is not self._link:
            return
        self._tell(self._book.take_positions(account_ids, found, datetime.now(UTC)))
        self._look_again(self._moved)

    def _rotate(self) -> None:
        try:
            self._auth.rotate()
        except AuthFailed as error:
            self._not_renewed(error)
        except BrokerError as error:
            logger.warning("the projectx token could not be rotated: %s", error)

    def _not_renewed(self, error: AuthFailed) -> None:
        """The hub goes on with the token that it was opened with, but no order can go out any more."""
        detail = f"the sign-in could not be renewed: {error}"
        self._loop.call(lambda: self._report_state(self.state, detail))

    def _report_state(self, state: ConnectionState, detail: str = "") -> None:
        self.state = state
        self._tell([ConnectionReport(state, datetime.now(UTC), detail)])
