"""From a reversing alert to the last new entry on the wire: close, see it closed, enter the other way."""

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
DELAYS_MS = (0, 50)
_PAUSE_S = 0.8
_ROUND_TRIP = """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - sent_at)) * 1000
    FROM execution_orderintent WHERE signal_id = %s AND acknowledged_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Effort:
    accounts: int
    rounds: int


FULL = Effort(accounts=50, rounds=5)
QUICK = Effort(accounts=5, rounds=2)


class ReversalBench:
    """Every account holds one contract when the alert for the other side comes."""

    def __init__(self, product: Product, database: Database, effort: Effort) -> None:
        demo = product.demo()
        self._product = product
        self._database = database
        self._effort = effort
        self._url: str = demo["webhook_url"]
        self._sandbox = Sandbox(demo["sandbox"]["control_url"])
        self._symbol = instruments.resolve("MNQ1!", clock.now().date()).symbol
        self._prices = itertools.count(25_000)

    def run(self) -> Figures:
        """Milliseconds to the last new entry, and a broker's round trip as the same orders saw it, by its delay."""
        self._sandbox.post("/price", symbol=self._symbol, price=25_300)
        manage(self._product, "demo", "--accounts", str(self._effort.accounts))
        until(lambda: self._database.live_logins() >= self._effort.accounts, "the logins did not become live", 60)
        self._database.until_quiet()
        found: Figures = {"accounts": self._effort.accounts}
        for delay in DELAYS_MS:
            self._sandbox.post("/switches", delay_ms=delay)
            self._round()
            rounds = [self._round() for _ in range(self._effort.rounds)]
            last, trip = (round(statistics.median(one[place] for one in rounds), 1) for place in (0, 1))
            found[f"delay_{delay}_ms"] = {"last_ms": last, "round_trip_ms": trip}
        self._sandbox.post("/switches", delay_ms=0)
        return found

    def _round(self) -> tuple[float, float]:
        _, _, bought = post(self._url, next(self._prices), "buy")
        self._settle()
        began, _, _ = post(self._url, next(self._prices), "sell")
        self._settle()
        arrivals = [row["time"] for row in self._sandbox.entries_since(began)]
        if len(arrivals) != self._effort.accounts:
            raise RuntimeError(f"{len(arrivals)} entries arrived, {self._effort.accounts} were expected")
        (trip,) = self._database.row(_ROUND_TRIP, bought)
        post(self._url, next(self._prices), "close")
        self._settle()
        return (max(arrivals) - began) * 1000, float(trip)

    def _settle(self) -> None:
        time.sleep(_PAUSE_S)
        self._database.until_quiet()
