"""One signal over three kinds of venue at once: what a slow one costs the others, and how fast REST goes out."""

from __future__ import annotations

import itertools
import statistics
import time
from dataclasses import dataclass
from typing import Any

from bench.door import Database, Sandbox, post, until
from bench.processes import manage
from brokers import instruments
from execution.selftest.product import Product
from justtrades import clock

Figures = dict[str, Any]
ENTRY_ENDPOINTS = {
    "tradovate": "orderstrategy/startorderstrategy",
    "projectx": "order/place",
    "webull": "trading/orders/place",
}
OVER_REST = ("projectx", "webull")
SLOW_VENUE = "webull"
USUAL_DELAY_MS, SLOW_DELAY_MS = 50, 500
_PAUSE_S = 0.8
_REST_S = 6.0
"""Between two rounds: Webull answers two looks at positions in two seconds, and an account's next entry waits until its
close has been looked after."""
_CONNECT_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Effort:
    each: int
    rounds: int


FULL = Effort(each=100, rounds=5)
QUICK = Effort(each=5, rounds=2)


class MixedBench:
    """`each` accounts of every venue follow one recorder; the venues' own clocks say when each entry arrived."""

    def __init__(self, product: Product, database: Database, effort: Effort) -> None:
        self._product = product
        self._database = database
        self._effort = effort
        self._symbol = instruments.resolve("MNQ1!", clock.now().date()).symbol
        self._prices = itertools.count(25_000)
        sandboxes = product.demo()["sandbox"]
        self._sandboxes = {venue: Sandbox(sandboxes[venue]["control_url"]) for venue in ENTRY_ENDPOINTS}

    def run(self) -> Figures:
        """By venue: ms from the POST to its last entry's arrival, with all venues alike and with one of them slow."""
        for sandbox in self._sandboxes.values():
            sandbox.post("/price", symbol=self._symbol, price=25_300)
        manage(self._product, "demo", "--accounts", "1", "--each", str(self._effort.each))
        wanted = len(ENTRY_ENDPOINTS) * self._effort.each
        until(
            lambda: self._database.live_logins() >= wanted, f"{wanted} logins did not become live", _CONNECT_TIMEOUT_S
        )
        self._database.until_quiet()
        self._delay(USUAL_DELAY_MS)
        self._round()
        alike = self._rounds()
        self._delay(USUAL_DELAY_MS, **{SLOW_VENUE: SLOW_DELAY_MS})
        one_slow = self._rounds()
        self._delay(0)
        return {"each": self._effort.each, "slow_venue": SLOW_VENUE, "alike": alike, "one_slow": one_slow}

    def _delay(self, usual: int, **others: int) -> None:
        for venue, sandbox in self._sandboxes.items():
            sandbox.post("/switches", delay_ms=others.get(venue, usual))

    def _rounds(self) -> Figures:
        rounds = [self._round() for _ in range(self._effort.rounds)]
        over_rest = [sorted(moment for venue in OVER_REST for moment in one[venue]) for one in rounds]
        last_ms = {v: round(statistics.median(one[v][-1] for one in rounds), 1) for v in ENTRY_ENDPOINTS}
        return {"last_ms": last_ms, "rest_per_second": round(statistics.median(_rate(one) for one in over_rest))}

    def _round(self) -> dict[str, list[float]]:
        """Buy on all accounts and close again; ms from the POST to each entry's arrival, by venue, in order."""
        url = self._product.demo()["every_venue"]["webhook_url"]
        began, _, _ = post(url, next(self._prices), "buy")
        time.sleep(_PAUSE_S)
        self._database.until_quiet()
        arrivals = {venue: self._arrivals(venue, began) for venue in ENTRY_ENDPOINTS}
        post(url, next(self._prices), "close")
        time.sleep(_REST_S)
        self._database.until_quiet()
        return arrivals

    def _arrivals(self, venue: str, since: float) -> list[float]:
        """The first order of each account since then; the exits that follow a fill come to the same endpoint."""
        first: dict[Any, float] = {}
        for row in self._sandboxes[venue].get("/arrivals", since=since):
            if row["endpoint"].lower() == ENTRY_ENDPOINTS[venue]:
                first.setdefault(row["account"], (row["time"] - since) * 1000)
        if len(first) < self._effort.each:
            raise RuntimeError(f"{len(first)} entries arrived at {venue}, {self._effort.each} were expected")
        return sorted(first.values())


def _rate(arrivals: list[float]) -> float:
    """Requests per second between the first and the last."""
    span = (arrivals[-1] - arrivals[0]) / 1000
    return (len(arrivals) - 1) / span if span > 0 else float("inf")
