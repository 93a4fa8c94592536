"""The monitor of a lane: it counts at every tick that could matter, and everything twice a second.

It decides and writes the decision down; `execution.flattening` acts on it. Prices come on stream threads, which only
set a number and ring; one thread of its own does all the rest.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime
from decimal import Decimal

import structlog
from django.db import Error as DatabaseError
from django.db import InterfaceError, connection
from redis.exceptions import RedisError

from brokers.quotes import cache
from execution import health
from execution.bulk import lazily
from execution.guard import decide, store
from execution.guard.decide import Breach, DecidedKey
from execution.guard.findings import Findings
from execution.guard.market import Market
from execution.guard.packs import late_positions
from execution.guard.strike import can_strike, strike, tell
from execution.guard.watching import Watching
from execution.lane.runtime import Lane
from justtrades import clock
from justtrades.killpoints import killpoint
from risk.watch import PriceKey

log = structlog.get_logger(__name__)
PASS_EVERY_S = 0.5
SAVE_EVERY_S = 1.0
NEWS_AFTER_S = 0.1
"""After a batch of reports: what a burst of orders fills is read once it is over."""


def guard_name(lane: int) -> str:
    """Its heartbeat's name."""
    return f"guard.{lane}"


class Guard:
    """`tick` once a second from the keeper; `trade` and `news` from any thread, they return at once."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._market = Market()
        self._watching = Watching(lane.index, self._market)
        self._findings = Findings(lane)
        self._pending: dict[DecidedKey, Breach] = {}
        self._wake = threading.Event()
        self._must_reload = True
        self._news_at: float | None = None
        self._saved_at = float("-inf")
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="guard", daemon=True)

    def tick(self) -> None:
        """Read the stored limits again; starts the monitor when it does not run yet."""
        self._must_reload = True
        if not self._thread.is_alive() and not self._stopping:
            self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=3)

    def trade(self, symbol: str, source: str, price: Decimal, at: datetime) -> None:
        """Somebody traded at `price`. On a stream thread."""
        if self._market.trade(symbol, source, price, at):
            self._wake.set()

    def news(self) -> None:
        """The lane's books changed."""
        if self._news_at is None:
            self._news_at = time.monotonic() + NEWS_AFTER_S
            self._wake.set()

    def held(self) -> set[PriceKey]:
        """What has to be priced: contracts with the source that their account goes by."""
        return self._market.followed()

    def _run(self) -> None:
        next_pass = 0.0
        while not self._stopping:
            self._wake.wait(max(0.0, self._next(next_pass) - time.monotonic()))
            self._wake.clear()
            try:
                self._serve_ticks()
                if time.monotonic() >= self._next(next_pass):
                    next_pass = time.monotonic() + PASS_EVERY_S
                    self._pass()
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                log.warning("guard.database_away", reason=type(error).__name__)
            except Exception:
                # The outermost frame of the monitor: it must outlive any single fault, and say it loudly.
                log.exception("guard.pass_failed")
        connection.close()

    def _next(self, next_pass: float) -> float:
        return next_pass if self._news_at is None else min(next_pass, self._news_at)

    def _serve_ticks(self) -> None:
        """First of all, and between the steps of everything else: a breach waits for no book-keeping."""
        trades = self._market.take_left()
        if trades:
            self._decide(self._watching.assess_at(trades))

    def _pass(self) -> None:
        now = clock.now()
        self._news_at = None
        if self._must_reload:
            self._must_reload = False
            for _ in self._watching.reloading(now):
                self._serve_ticks()
        self._drop_pending(now)
        self._watching.take_fills(now)
        self._serve_ticks()
        self._fill_in(now)
        self._serve_ticks()
        self._watching.assess_all()
        self._watching.roll(now)
        ledger = self._watching.ledger
        late = ledger.undecided(late_positions(self._watching.packs, self._watching.days, now))
        self._decide([*ledger.new_breaches(self._watching.subjects), *late])
        if time.monotonic() - self._saved_at >= SAVE_EVERY_S:
            self._saved_at = time.monotonic()
            self._save(now)

    def _fill_in(self, now: datetime) -> None:
        missing = self._market.missing(now)
        if not missing:
            return
        try:
            self._market.fill_in(cache.book(missing), missing)
        except RedisError as error:
            # What has no fresh price is said to have none: see `execution.guard.findings`.
            log.warning("guard.quotes_away", reason=type(error).__name__)

    def _decide(self, found: list[Breach]) -> None:
        """What was found, and what could not be decided before: the price that it was found at may not come again."""
        self._pending |= {breach.key: breach for breach in found if breach.key not in self._pending}
        if self._lane.is_anothers:
            # Who owns the lane watches it, too.
            self._pending = {}
        breaches = self._watching.ledger.undecided(self._pending.values())
        if breaches and self._lane.is_owner:
            self._act_on(breaches)
            self._pending = {}

    def _drop_pending(self, now: datetime) -> None:
        """A limit that is not in force any more, or no more on that account or trader, acts no more; nor does one whose
        session is over. One that could never be written down would keep all others waiting.
        """
        subjects = self._watching.subjects
        in_force = {(one.key, *target) for subject in subjects for one in subject.terms for target in subject.targets}
        for breach in tuple(self._pending.values()):
            here = breach.limit_key, breach.account_id, breach.trader_id
            if here not in in_force or now >= breach.locks_until:
                del self._pending[breach.key]

    def _act_on(self, breaches: list[Breach]) -> None:
        days = self._watching.days
        short = [breach for breach in breaches if can_strike(breach, days)]
        requests = strike(short, days) if short else []
        longer = breaches if requests is None else [breach for breach in breaches if not can_strike(breach, days)]
        killpoint("guard.decided")
        if requests:
            self._lane.submit(requests)
        if longer:
            decide.decide(longer)
            self._lane.dispatch()
        killpoint("guard.sent")
        self._watching.ledger.note(breaches)
        tell(breaches)

    def _save(self, now: datetime) -> None:
        found = self._findings.of(self._watching, self._market, now)
        self._serve_ticks()
        store.save(found, self._watching.rows, now)
        self._serve_ticks()
        store.save_high_waters(self._watching.marks())
        if self._lane.is_owner and decide.act_again(self._watching.days):
            self._lane.dispatch()
        with lazily():
            health.beat(guard_name(self._lane.index), self._findings.summary(found))
