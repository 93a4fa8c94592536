"""From the POST to the last bracketed entry on the venue's doorstep, beside one process that only writes the frames."""

from __future__ import annotations

import itertools
import json
import statistics
import time
from dataclasses import dataclass
from typing import Any

from bench.door import Database, Sandbox, post, until
from bench.processes import manage, resident_mb, run_json
from bench.stats import ratio
from brokers import instruments
from execution.selftest.product import Product
from justtrades import clock

DELAYS_MS = (0, 50)
Figures = dict[str, Any]
_PAUSE_S = 0.4
"""After a POST nobody asks anybody anything for this long: questions would cost what is being measured."""


@dataclass(frozen=True, slots=True)
class Effort:
    accounts: tuple[int, ...]
    rounds: int


FULL = Effort(accounts=(1, 10, 50, 100, 500), rounds=5)
QUICK = Effort(accounts=(1, 10), rounds=2)


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds after the POST: the answer, the first and the last entry's arrival, the last acknowledgement."""

    answer: float
    first: float
    last: float
    last_ack: float
    sandbox_busy: float


class FanoutBench:
    def __init__(self, product: Product, database: Database, effort: Effort) -> None:
        demo = product.demo()
        self._product = product
        self._database = database
        self._effort = effort
        self._url: str = demo["webhook_url"]
        self._venue: dict[str, Any] = demo["sandbox"]["tradovate"]
        self._sandbox = Sandbox(demo["sandbox"]["control_url"])
        self._symbol = instruments.resolve("MNQ1!", clock.now().date()).symbol
        self._prices = itertools.count(25_000)
        self._strangers: list[dict[str, Any]] = []

    def run(self) -> Figures:
        """Figures by number of accounts, and the lane's memory once it holds the most sockets."""
        self._sandbox.post("/price", symbol=self._symbol, price=25_300)
        found: Figures = {}
        for accounts in self._effort.accounts:
            self._follow(accounts)
            found[str(accounts)] = self._figures(accounts)
        return found

    def lane_memory_mb(self) -> float:
        return sum(resident_mb(pid) for pid in self._product.pids()["lanes"])

    def _follow(self, accounts: int) -> None:
        manage(self._product, "demo", "--accounts", str(accounts))
        until(lambda: self._database.live_logins() >= accounts, f"{accounts} logins did not become live", 60)
        self._database.until_quiet()

    def _figures(self, accounts: int) -> Figures:
        figures: Figures = {"floor_ms": self._floor_ms(accounts)}
        for delay in DELAYS_MS:
            self._sandbox.post("/switches", delay_ms=delay)
            self._round(accounts)
            rounds = [self._round(accounts) for _ in range(self._effort.rounds)]
            figures[f"delay_{delay}_ms"] = medians(rounds)
        self._sandbox.post("/switches", delay_ms=0)
        figures["to_floor"] = ratio(figures["delay_0_ms"]["last"], figures["floor_ms"])
        return figures

    def _round(self, accounts: int) -> Round:
        """Buy on all accounts, measure, and close again."""
        busy_before = self._sandbox.get("/stats")["busySeconds"]
        began, answered, signal_id = post(self._url, next(self._prices), "buy")
        time.sleep(_PAUSE_S)
        until(lambda: self._database.outcomes(signal_id)[:2] == (accounts, accounts), f"{signal_id} was not executed")
        _, _, last_ack = self._database.outcomes(signal_id)
        arrivals = [row["time"] for row in self._sandbox.entries_since(began)]
        if len(arrivals) != accounts or last_ack is None:
            raise RuntimeError(f"{len(arrivals)} entries arrived at the venue, {accounts} were expected")
        busy = self._sandbox.get("/stats")["busySeconds"] - busy_before
        self._database.until_quiet()
        post(self._url, next(self._prices), "close")
        time.sleep(_PAUSE_S)
        self._database.until_quiet()
        moments = (answered, min(arrivals), max(arrivals), last_ack)
        return Round(*((moment - began) * 1000 for moment in moments), busy * 1000)

    def _floor_ms(self, accounts: int) -> float:
        """On accounts of their own at the same sandbox: the product would take these orders for somebody else's."""
        missing = accounts - len(self._strangers)
        if missing > 0:
            self._strangers += self._sandbox.post("/accounts", count=missing)
        setup = {
            "rest_url": self._venue["rest_url"],
            "ws_url": self._venue["ws_url"],
            "symbol": self._symbol,
            "accounts": self._strangers[:accounts],
            "rounds": self._effort.rounds,
        }
        since = time.time()
        rounds = run_json("bench.burst", stdin=json.dumps(setup))
        arrivals = sorted(row["time"] for row in self._sandbox.entries_since(since))
        lasts = [arrivals[(number + 1) * accounts - 1] for number in range(len(rounds))]
        return round(
            statistics.median((last - began) * 1000 for last, (began, _) in zip(lasts, rounds, strict=True)), 2
        )


def medians(rounds: list[Round]) -> Figures:
    """The p50 of each figure over the rounds, in ms, and the worst `last`."""
    names = Round.__slots__
    found = {name: round(statistics.median(getattr(one, name) for one in rounds), 1) for name in names}
    return {**found, "worst_last": round(max(one.last for one in rounds), 1)}
