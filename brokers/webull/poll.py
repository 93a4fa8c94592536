"""The authority on a login's orders: looking at the venue again and again, within its limits.

Everything is looked at every few seconds; an order that is on its way, or that an event spoke of, at once and alone.
Each endpoint allows two looks in two seconds, so `evidence.Reader` spaces them out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from brokers.base import AccountRef, ConnectionState
from brokers.connector import Backoff
from brokers.errors import AuthFailed, BrokerError, RateLimited, Refused
from brokers.reports import BalanceReport, ConnectionReport
from brokers.webull.accounts import Directory
from brokers.webull.auth import TWO_FACTOR_PENDING
from brokers.webull.book import Book
from brokers.webull.events import EventStream
from brokers.webull.evidence import Reader
from brokers.webull.types import AccountPicture, TradeEvent

logger = logging.getLogger(__name__)

IDLE_SECONDS = 3.0
BUSY_SECONDS = 0.5
CASH_SECONDS = 30.0
RECONCILE_SECONDS = 60.0
STALE_SECONDS = 15.0
PENDING_SECONDS = 5.0
MANY = 3
_T = TypeVar("_T")
# Less than the book keeps finished orders, so that none is forgotten and found again.
RECONCILED = timedelta(hours=12)


class Poller:
    """A thread of its own, which owns the connection's state. `look`, `start` and `stop` are safe in any thread."""

    def __init__(
        self, reader: Reader, book: Book, directory: Directory, events: EventStream, stopping: threading.Event
    ) -> None:
        self._reader = reader
        self._book = book
        self._directory = directory
        self._events = events
        events.on_event, events.on_subscribed = self.on_event, self.on_subscribed
        self.state = ConnectionState.DOWN
        self.looked_at: datetime | None = None
        self.backoff = Backoff()
        self._thread = threading.Thread(target=self._run, name="webull-poll", daemon=True)
        self._stopping = stopping
        self._wake = threading.Event()
        self._wanted: deque[tuple[AccountRef, str]] = deque()
        self._failures = 0
        self._good = self._round_due = self._cash_due = self._reconcile_due = 0.0
        self._subscribed = False
        self._turn = 0

    def start(self) -> None:
        self._enter(ConnectionState.CONNECTING)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    def look(self, account: AccountRef, client_order_id: str) -> None:
        """Ask for this order's detail soon."""
        if (account, client_order_id) not in self._wanted:
            self._wanted.append((account, client_order_id))
        self._wake.set()

    def on_event(self, event: TradeEvent) -> None:
        account = next((known for known in self._directory.traded() if known.broker_id == event.account_id), None)
        if account is None:
            return
        if self._book.take_event(account, event):
            self._round_due = 0.0
            self._wake.set()
        else:
            self.look(account, event.client_order_id)

    def on_subscribed(self) -> None:
        """Events were missed while the stream was away."""
        if self._subscribed:
            self._reconcile_due = 0.0
            self._wake.set()
        self._subscribed = True

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = self._step()
            except AuthFailed as error:
                pause = self._on_refused_login(error)
            except RateLimited as error:
                self._note_staleness(str(error))
                pause = min(max((error.until - datetime.now(UTC)).total_seconds(), BUSY_SECONDS), IDLE_SECONDS)
            except BrokerError as error:
                pause = self._on_trouble(str(error))
            except Exception:  # the outermost frame of this thread: a bug costs a pause, not the login
                logger.exception("polling webull failed inside this program")
                pause = self._on_trouble("failed inside this program")
            self._wake.wait(pause)
            self._wake.clear()
        self._enter(ConnectionState.DOWN)

    def _step(self) -> float:
        """One round of looks; seconds until the next."""
        now = time.monotonic()
        if self.state is not ConnectionState.LIVE:
            self._bring_up()
        elif now >= self._reconcile_due:
            self._synchronize(RECONCILED)
        else:
            self._look_at_wanted()
            self._look_around(now)
        self._good, self._failures, self.looked_at = time.monotonic(), 0, datetime.now(UTC)
        self._events.check_silence()
        return self._pause()

    def _pause(self) -> float:
        if self._wanted:
            return 0.0
        is_busy = any(self._book.in_flight(account) for account in self._directory.traded())
        return BUSY_SECONDS if is_busy else max(0.0, min(self._round_due - time.monotonic(), IDLE_SECONDS))

    def _bring_up(self) -> None:
        if self.state is not ConnectionState.CONNECTING:
            self._enter(ConnectionState.CONNECTING)
        self._directory.refresh()
        self._events.start([account.broker_id for account in self._directory.traded()])
        self._synchronize(None)

    def _synchronize(self, back: timedelta | None) -> None:
        """Read everything; the connection is live once it is known what is there."""
        pictures = [
            picture for picture in (self._read(a, back) for a in self._directory.traded()) if picture is not None
        ]
        self._enter(ConnectionState.LIVE)
        if pictures:
            self._book.sync(pictures)
        now = time.monotonic()
        self._reconcile_due, self._cash_due = now + RECONCILE_SECONDS, now + CASH_SECONDS
        self._round_due = now + IDLE_SECONDS

    def _read(self, account: AccountRef, back: timedelta | None) -> AccountPicture | None:
        """One account that the key may not see leaves the others their reports."""
        try:
            return self._reader.account(account, back)
        except AuthFailed:
            raise
        except Refused as error:
            logger.warning("webull does not show %s: %s", account.name, error)
            self._directory.deny(account)
            return None

    def _look_at_wanted(self) -> None:
        while self._wanted:
            account, name = self._wanted.popleft()
            self._look_at(account, name)
            # Whatever was worth a look may have moved the position.
            self._round_due = 0.0

    def _look_at(self, account: AccountRef, name: str) -> None:
        self._book.take(account, self._reader.order(account, name))

    def _look_around(self, now: float) -> None:
        """Each time from another account on: whoever finds nothing left to ask with is not always the same one."""
        is_due = now >= self._round_due
        if is_due:
            # Before the looks: what an event asks for meanwhile is a round of its own.
            self._round_due = now + IDLE_SECONDS
        self._turn += 1
        for account in _from(self._turn, self._directory.traded()):
            if is_due:
                self._look_over(account)
            else:
                self._look_for(account, self._book.in_flight(account))
        if now >= self._cash_due:
            self._look_at_cash()

    def _look_over(self, account: AccountRef) -> None:
        working = self._reader.working(account)
        self._book.take(account, working)
        if self._book.take_positions(account, self._reader.positions(account)):
            self._book.take_positions(account, self._reader.positions(account))
        listed = {state.client_order_id for state in working}
        self._look_for(account, [name for name in self._book.unfinished(account) if name not in listed])

    def _look_for(self, account: AccountRef, names: list[str]) -> None:
        """Orders that the open list does not show any more, or not yet.

        Many at once are looked for in the history first: it lags, but one question answers for all that have ended.
        """
        if len(names) >= MANY:
            history = self._reader.history(account, RECONCILED)
            self._book.take(account, [state for state in history if state.is_done])
            still = set(self._book.unfinished(account))
            names = [name for name in names if name in still]
        for name in _from(self._turn * MANY, names)[:MANY]:
            self._look_at(account, name)

    def _look_at_cash(self) -> None:
        self._cash_due = time.monotonic() + CASH_SECONDS
        for account in self._directory.traded():
            cash = self._reader.cash(account)
            if cash is not None:
                self._book.take_cash(BalanceReport(account, cash, datetime.now(UTC)))

    def _on_trouble(self, reason: str) -> float:
        self._failures += 1
        self._note_staleness(reason)
        if self.state not in (ConnectionState.LIVE, ConnectionState.STALE):
            self._enter(ConnectionState.DOWN, reason)
        return self.backoff.delay(self._failures)

    def _note_staleness(self, reason: str) -> None:
        """A few looks may fail; for longer nobody knows what is there."""
        if self.state is ConnectionState.LIVE and time.monotonic() - self._good > STALE_SECONDS:
            self._enter(ConnectionState.STALE, reason)

    def _on_refused_login(self, error: AuthFailed) -> float:
        """A login that waits for its owner's approval is asked about again; one that was refused never is."""
        self._enter(ConnectionState.FAILED, str(error))
        if error.code == TWO_FACTOR_PENDING:
            return PENDING_SECONDS
        self._stopping.wait()
        return 0.0

    def _enter(self, state: ConnectionState, detail: str = "") -> None:
        if state is not self.state:
            self.state = state
            self._book.say([ConnectionReport(state, datetime.now(UTC), detail)])


def _from(place: int, items: list[_T]) -> list[_T]:
    """All of them, beginning at a place that may lie rounds ahead."""
    start = place % len(items) if items else 0
    return [*items[start:], *items[:start]]
