"""A process that spends until it is refused: `python -m tests.brokers.budget.spender URL LOGIN VENUE HOW PRIORITY`.

Waits for a line on its standard input, then prints how many requests went through. Its clock stands still, so that
nothing frees meanwhile however slow the machine is.
"""

from __future__ import annotations

import sys
import uuid

from brokers.access import Priority
from brokers.budget import store
from brokers.budget.budgets import Budgets
from brokers.errors import RateLimited
from tests.brokers.budget.hands import HOURLY, START, SYNCS


def main(url: str, login_id: str, venue: str, how: str, priority: str) -> None:
    store.PATIENCE_S = 10.0
    budgets = Budgets(url, lanes=2, now=lambda: START)
    make = budgets.owned if how == "owned" else budgets.shared
    endpoint = "sync" if how == "syncs" else ""
    budget = make(uuid.UUID(login_id), venue, (SYNCS,) if how == "syncs" else (HOURLY,))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    spent = 0
    try:
        while True:
            budget.spend(Priority[priority], endpoint)
            spent += 1
    except RateLimited:
        sys.stdout.write(f"{spent}\n")
    budgets.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
