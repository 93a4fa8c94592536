"""From the tick that reaches a limit to the flatten on the wire, beside a process that only writes on a tick."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.door import Database, Sandbox, post, until
from bench.processes import manage
from bench.stats import ratio, summary
from brokers import instruments
from execution.selftest.product import Product
from justtrades import clock
from justtrades.environment import ROOT

Figures = dict[str, Any]
FLATTEN = "order/liquidateposition"
PRICE = 25_300
ROOM_DOLLARS = 10
FALL_POINTS = 6
"""Of one MNQ contract: 12 dollars, and less than the demo's stop of 10 points."""
_SETTLE_S = 0.6
_SAVED_S = 3.5
"""The sandbox saves its books once nothing has changed for two seconds, and tells nobody anything meanwhile."""
_NEXT_S = 2.0
"""The monitor writes its figures, and reads limits and locks, once a second."""
_LIMITS = """
    INSERT INTO risk_risklimit (id, owner_id, scope, account_id, kind, amount, unit, basis, is_enabled,
                                owner_may_unlock, created_at, updated_at)
    SELECT gen_random_uuid(), a.owner_id, 'account', a.id, 'daily_loss', %s, 'dollars', 'intraday', true, true, now(),
           now()
    FROM brokers_brokeraccount a JOIN brokers_brokerlogin l ON l.id = a.login_id
    WHERE l.venue = 'tradovate' AND NOT EXISTS (SELECT 1 FROM risk_risklimit r WHERE r.account_id = a.id)
"""
_RAISE_LIMITS = """
    UPDATE risk_risklimit r SET amount = %s - least(0, d.realized)
    FROM risk_accountday d WHERE d.account_id = r.account_id AND d.ends_at > now()
"""
_WATCHED = """
    SELECT count(*) FROM risk_accountday d JOIN risk_risklimit r ON r.account_id = d.account_id
    WHERE d.open_positions = 1 AND d.open_pnl IS NOT NULL AND d.ends_at > now()
"""


_COUNTED = """
    SELECT count(*) FROM risk_accountday d JOIN risk_risklimit r ON r.account_id = d.account_id
    JOIN traders_trader t ON t.account_id = d.account_id AND t.is_enabled
    JOIN recorders_recorder c ON c.id = t.recorder_id AND c.name = 'Demo MNQ breakout'
    WHERE d.realized = %s AND d.ends_at > now()
"""
_CLOSING = "SELECT count(*) FROM execution_flatten WHERE status = 'acting'"


@dataclass(frozen=True, slots=True)
class Effort:
    accounts: int
    rounds: int


FULL = Effort(accounts=100, rounds=10)
QUICK = Effort(accounts=5, rounds=2)


class RiskBench:
    """Every account follows the demo's recorder; all of them reach their limit at the same tick."""

    def __init__(self, product: Product, database: Database, effort: Effort) -> None:
        demo = product.demo()
        self._product = product
        self._database = database
        self._effort = effort
        self._url: str = demo["webhook_url"]
        self._venue: dict[str, Any] = demo["sandbox"]["tradovate"]
        self._sandbox = Sandbox(demo["sandbox"]["control_url"])
        self._symbol = instruments.resolve("MNQ1!", clock.now().date()).symbol
        # Equal alerts would be resends of one.
        self._prices = itertools.count(PRICE)
        self._rounds_done = 0

    def run(self) -> Figures:
        """Milliseconds from the order to move the price to each flatten's arrival, by the sandbox's own clock."""
        self._sandbox.post("/price", symbol=self._symbol, price=PRICE)
        manage(self._product, "demo", "--accounts", str(self._effort.accounts))
        until(lambda: self._database.live_logins() >= self._effort.accounts, "the logins did not become live", 60)
        self._database.do(_LIMITS, ROOM_DOLLARS)
        self._round()
        taken = [moment for _ in range(self._effort.rounds) for moment in self._round()]
        floor = self._floor()
        figures = {"accounts": self._effort.accounts, "flatten_ms": summary(taken), "floor_ms": summary(floor)}
        return {**figures, "to_floor": ratio(figures["flatten_ms"]["p99"], figures["floor_ms"]["p99"])}

    def _round(self) -> list[float]:
        """Buy on all, wait until all are watched, let the price fall."""
        until(lambda: self._database.row(_CLOSING)[0] == 0, "not all closings were verified", 60)
        lost = -2 * FALL_POINTS * self._rounds_done
        until(lambda: self._database.row(_COUNTED, lost)[0] == self._effort.accounts, "not all losses were counted")
        self._database.do("DELETE FROM execution_flatten")
        self._database.do("DELETE FROM risk_riskaction")
        self._database.do(_RAISE_LIMITS, ROOM_DOLLARS)
        self._sandbox.post("/price", symbol=self._symbol, price=PRICE)
        time.sleep(_NEXT_S)
        post(self._url, next(self._prices), "buy")
        wanted = self._effort.accounts
        until(lambda: self._database.row(_WATCHED)[0] == wanted, f"{wanted} positions were not watched")
        time.sleep(_SAVED_S)
        began = time.time()
        self._sandbox.post("/price", symbol=self._symbol, price=PRICE - FALL_POINTS)
        time.sleep(_SETTLE_S)
        arrivals = self._arrivals(began)
        if len(arrivals) < wanted:
            raise RuntimeError(f"{len(arrivals)} flattens arrived at the venue, {wanted} were expected")
        self._database.until_quiet()
        self._rounds_done += 1
        return arrivals

    def _arrivals(self, since: float) -> list[float]:
        """The first flatten of each account since then."""
        first: dict[Any, float] = {}
        for row in self._sandbox.get("/arrivals", since=since):
            if row["endpoint"].lower() == FLATTEN:
                first.setdefault(row["account"], (row["time"] - since) * 1000)
        return list(first.values())

    def _floor(self) -> list[float]:
        """On accounts of their own at the same sandbox, flat ones: a flatten of nothing is a request like any other."""
        setup = {
            "rest_url": self._venue["rest_url"],
            "ws_url": self._venue["ws_url"],
            "md_url": self._venue["md_url"],
            "symbol": self._symbol,
            "accounts": self._sandbox.post("/accounts", count=self._effort.accounts),
            "ticks": 1 + self._effort.rounds,
        }
        with _client(setup):
            rounds = [self._floor_round(PRICE - number) for number in range(1, 2 + self._effort.rounds)]
        return [moment for arrivals in rounds[1:] for moment in arrivals]

    def _floor_round(self, price: int) -> list[float]:
        time.sleep(_SETTLE_S)
        began = time.time()
        self._sandbox.post("/price", symbol=self._symbol, price=price)
        time.sleep(_SETTLE_S)
        arrivals = self._arrivals(began)
        if len(arrivals) < self._effort.accounts:
            raise RuntimeError(f"{len(arrivals)} of the floor's flattens arrived, not {self._effort.accounts}")
        return arrivals


@contextmanager
def _client(setup: Figures) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.hop"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the floor's client has no pipes")
    process.stdin.write(json.dumps(setup))
    process.stdin.close()
    if process.stdout.readline().strip() != "ready":
        raise RuntimeError("the floor's client did not come up")
    try:
        yield
    finally:
        process.kill()
        process.wait()
