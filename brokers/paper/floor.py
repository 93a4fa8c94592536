"""The floor that a process's paper accounts trade on: its clock, its quotes, and the few threads that keep their books.

They have threads of their own, and few of them: no number of paper orders may slow a real one down.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from brokers.paper.house import House
from brokers.quotes.quote import Quote

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.2
WORKERS = 4
ASK_EVERY_SECONDS = 5.0


class Seat(Protocol):
    """One login at the floor. `on_quotes` is called in the floor's thread, at every look, and must return at once."""

    @property
    def source(self) -> str:
        """Whose quotes it goes by first."""

    def wanted(self) -> Iterable[str]: ...

    def on_quotes(self, quotes: Mapping[str, Quote]) -> None: ...


class Floor:
    """Its threads run while anybody is at the floor. All methods are safe in any thread."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lock = threading.Lock()
        self._seats: dict[Seat, None] = {}
        self._look = threading.Event()
        self._thread: threading.Thread | None = None
        self._asked: dict[str, float] = {}
        self._workers: ThreadPoolExecutor | None = None

    def work(self, action: Callable[[], object]) -> None:
        """Have a thread of the floor do something that may block."""
        with self._lock:
            self._come().submit(_logged, action)

    def join(self, seat: Seat) -> None:
        with self._lock:
            self._seats[seat] = None
            self._come()

    def leave(self, seat: Seat) -> None:
        with self._lock:
            self._seats.pop(seat, None)
        self._look.set()

    def look_now(self) -> None:
        """Do not wait for the next look: a new order has come."""
        self._look.set()

    def read(self, symbols: Iterable[str], source: str) -> Mapping[str, Quote]:
        """The quotes of this very moment."""
        return self._house.quotes(symbols, source)

    def _run(self) -> None:
        while True:
            self._look.wait(EVERY_SECONDS)
            self._look.clear()
            with self._lock:
                seats = tuple(self._seats)
                if not seats:
                    self._go_home()
                    return
            try:
                self._serve(seats)
            except Exception:
                # The outermost frame of this thread: one login's fault must not stop the clock of the others.
                logger.exception("a look at the paper floor failed")

    def _come(self) -> ThreadPoolExecutor:
        """Without a seat they go home again at the next look."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="paper-floor", daemon=True)
            self._thread.start()
        if self._workers is None:
            self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="paper")
        return self._workers

    def _go_home(self) -> None:
        """What was begun is finished first; the threads take their database connections with them."""
        self._thread = None
        self._asked = {}
        if self._workers is not None:
            self._workers.shutdown(wait=False)
            self._workers = None

    def _serve(self, seats: tuple[Seat, ...]) -> None:
        by_source: defaultdict[str, set[str]] = defaultdict(set)
        for seat in seats:
            by_source[seat.source].update(seat.wanted())
        self._ask(set().union(*by_source.values()))
        quotes = {source: self._house.quotes(symbols, source) for source, symbols in by_source.items()}
        for seat in seats:
            seat.on_quotes(quotes[seat.source])

    def _ask(self, symbols: set[str]) -> None:
        now = time.monotonic()
        due = {symbol for symbol in symbols if now - self._asked.get(symbol, float("-inf")) >= ASK_EVERY_SECONDS}
        if due:
            self._house.want(sorted(due))
        self._asked = {symbol: now if symbol in due else self._asked[symbol] for symbol in symbols}


def _logged(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception:
        # The outermost frame of a worker: one login's fault is its own.
        logger.exception("work on the paper floor failed")
