"""How long until every account's books were compared with the broker's, what that asks for, and what it costs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import psutil

from bench.door import Database, Sandbox, until
from bench.processes import manage
from execution.selftest.product import Product

Figures = dict[str, Any]
PERIOD_S = 60.0
REQUESTS_PER_HOUR = 5000
"""What a Tradovate login may ask in an hour (reliability, nine facts)."""
_OLDEST = """
    SELECT extract(epoch FROM now() - min(r.compared_at)), count(r.compared_at)
    FROM brokers_brokeraccount a JOIN brokers_brokerlogin l ON l.id = a.login_id
    LEFT JOIN execution_reconciliation r ON r.account_id = a.id
    WHERE l.venue = 'tradovate' AND l.is_enabled
"""


@dataclass(frozen=True, slots=True)
class Effort:
    accounts: int
    seconds: float


FULL = Effort(accounts=500, seconds=PERIOD_S)
QUICK = Effort(accounts=5, seconds=5)


class ReconcilingBench:
    """Nothing is traded: what the lane does is keep its sockets, watch its limits, and compare."""

    def __init__(self, product: Product, database: Database, effort: Effort) -> None:
        self._product = product
        self._database = database
        self._effort = effort
        self._sandbox = Sandbox(product.demo()["sandbox"]["control_url"])

    def run(self) -> Figures:
        """Seconds since the oldest comparison, requests per login and hour, and the lane's CPU seconds in a minute."""
        manage(self._product, "demo", "--accounts", str(self._effort.accounts))
        until(lambda: self._database.live_logins() >= self._effort.accounts, "the logins did not become live", 90)
        self._database.until_quiet()
        time.sleep(self._effort.seconds)
        lane = psutil.Process(self._product.pids()["lanes"][0])
        began, before = time.time(), lane.cpu_times()
        time.sleep(self._effort.seconds)
        after = lane.cpu_times()
        arrivals = self._sandbox.get("/arrivals", since=began)
        oldest, compared = self._database.row(_OLDEST)
        asked = Counter(row["account"] for row in arrivals)
        busiest = max(asked.values(), default=0)
        return {
            "accounts": self._effort.accounts,
            "compared": int(compared),
            "oldest_s": round(float(oldest), 1),
            "requests": len(arrivals),
            "per_login_and_hour": round(busiest * 3600 / self._effort.seconds),
            "lane_cpu_s": round(after.user + after.system - before.user - before.system, 2),
            "seconds": self._effort.seconds,
        }
