"""One run of the receipt: send, kill, wait for quiet, close, audit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from random import Random

from brokers import instruments
from execution.selftest.alerts import BASE_PRICE, TICKER, alert_stream, closing_alert
from execution.selftest.books import AccountBook, Venue, Watch, Watcher
from execution.selftest.killer import KINDS, POSTGRES, Killer
from execution.selftest.owner import Owner
from execution.selftest.product import NotRunning, Product
from execution.selftest.sender import Delivery, Sender, deliver
from execution.selftest.verdict import Evidence, Verdict, judge
from justtrades import clock

READY_TIMEOUT_S = 60.0
QUIET_TIMEOUT_S = 60.0
ANSWER_DELAY_MS = 100
"""As a broker across the internet answers; it also leaves time to be killed in while an answer is awaited."""
_POLL_S = 0.5
_STILL_FOR = 3
"""Looks in a row that must find nothing under way, so that a gap between two steps is not taken for quiet."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    alerts: int
    seed: int
    kills_postgres: bool


class SelfTest:
    """The receipt of one running product."""

    def __init__(self, product: Product, wishes: Wishes, say: Say) -> None:
        demo = product.demo()
        self._product = product
        self._wishes = wishes
        self._say = say
        self._address: str = demo["webhook_url"]
        self._venue = Venue(demo["sandbox"]["control_url"])
        self._owner = Owner(demo["dashboard_url"], demo["api_token"], demo["recorder_id"])
        self._name = f"selftest {clock.now().isoformat()}"
        self._symbol = instruments.resolve(TICKER, clock.now().date()).symbol

    def run(self) -> Verdict:
        """Raises NotRunning when the product is not ready to begin with."""
        self._until_ready()
        with ExitStack() as stack:
            self._venue.pin_price(self._symbol, str(BASE_PRICE))
            stack.callback(self._venue.release_price, self._symbol)
            self._venue.delay_answers(ANSWER_DELAY_MS)
            stack.callback(self._venue.delay_answers, 0)
            return self._run()

    def _run(self) -> Verdict:
        started = clock.now()
        before = {name: len(book.entries) for name, book in self._venue.books().items()}
        deliveries, watch = self._send_and_kill()
        self._until_ready()
        self._until_quiet()
        books = self._venue.books()
        if any(book.positions for book in self._followed(books)):
            self._close()
        return judge(self._evidence(started, deliveries, before, books, watch))

    def _evidence(
        self,
        started: datetime,
        deliveries: Sequence[Delivery],
        before: dict[str, int],
        books: dict[str, AccountBook],
        watch: Watch,
    ) -> Evidence:
        return Evidence(
            deliveries=deliveries,
            signals=self._owner.signals(started),
            intents=self._owner.intents(started),
            accounts=self._owner.accounts(),
            entries_before=before,
            books=books,
            books_after_close=self._venue.books(),
            watch=watch,
        )

    def _send_and_kill(self) -> tuple[list[Delivery], Watch]:
        rng = Random(self._wishes.seed)  # noqa: S311 - a run must be repeatable
        stream = alert_stream(self._wishes.alerts, rng, self._name)
        kinds = (*KINDS, POSTGRES) if self._wishes.kills_postgres else KINDS
        killer = Killer(self._product.pids, rng, kinds, self._say)
        sender = Sender(self._address, stream, killer.alert_sent)
        watcher = Watcher(self._venue.books)
        self._say(f"sending {len(stream)} alerts over {stream[-1].at:.0f} s, seed {self._wishes.seed}")
        for part in (watcher, sender, killer):
            part.start()
        while sender.is_sending():
            time.sleep(_POLL_S)
        killer.stop()
        self._say("killed " + ", ".join(f"{kind} {count}x" for kind, count in sorted(killer.killed.items())))
        deliveries = sender.deliveries()
        watcher.stop()
        worst = watcher.watch.worst_s
        self._say(f"looked {watcher.samples} times into the venue's books; longest without a stop: {worst:.1f} s")
        return deliveries, watcher.watch

    def _followed(self, books: dict[str, AccountBook]) -> list[AccountBook]:
        return [books[name] for name in self._owner.accounts().values() if name in books]

    def _close(self) -> None:
        self._say("the stream left positions open (alerts overtook one another); closing them with one more alert")
        delivery = deliver(self._address, closing_alert(self._wishes.alerts, self._name))
        if delivery.signal_id is None:
            self._say(f"the closing alert was not acked: {delivery.last_status}")
        self._until_quiet()

    def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self._owner.is_ready():
            if time.monotonic() > deadline:
                raise NotRunning(f"the product was not ready within {READY_TIMEOUT_S:.0f} s")
            time.sleep(_POLL_S)

    def _until_quiet(self) -> None:
        """What is still under way at the end of the wait is for the audit to find."""
        deadline = time.monotonic() + QUIET_TIMEOUT_S
        still = 0
        while still < _STILL_FOR and time.monotonic() < deadline:
            unfinished = self._owner.unfinished()
            still = 0 if unfinished else still + 1
            time.sleep(_POLL_S)
        if still < _STILL_FOR:
            self._say(f"not quiet after {QUIET_TIMEOUT_S:.0f} s: {unfinished}")
