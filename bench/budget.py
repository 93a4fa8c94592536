"""What a lane's `Budget.spend` costs beside a method that does nothing: `python -m bench.budget`."""

from __future__ import annotations

import json
import timeit

from brokers.access import Limit, Priority, Unlimited
from brokers.budget.budgets import microseconds_now
from brokers.budget.ledger import Own, Silence
from brokers.budget.login import LoginBudget, new_process
from brokers.budget.names import rule_key
from brokers.budget.shares import lane_part
from brokers.budget.store import Store

_CALLS = 20_000
_REPEATS = 15
_NOBODY = "redis://127.0.0.1:1"
"""A lane's orders never ask Redis, so there is none."""


def measure() -> dict[str, float]:
    """Per second and in microseconds, the best of several runs; `ratio` says how many empty calls one spend costs."""
    empty = _seconds(Unlimited())
    one = _seconds(_budget(rules=1))
    two = _seconds(_budget(rules=2))
    return {
        "spends_per_second": round(_CALLS / one),
        "spend_us": round(one / _CALLS * 1e6, 3),
        "spend_two_rules_us": round(two / _CALLS * 1e6, 3),
        "empty_us": round(empty / _CALLS * 1e6, 4),
        "ratio": round(one / empty, 1),
        "ratio_two_rules": round(two / empty, 1),
    }


def _budget(rules: int) -> LoginBudget:
    limits = [Limit("login", 10**9, 3_600 + number) for number in range(rules)]
    owns = tuple(Own(rule_key(limit), lane_part(limit), limit.seconds) for limit in limits)
    process = new_process(Store(_NOBODY), microseconds_now)
    return LoginBudget(process, {}, ((owns, ()),) * len(Priority), (Silence("login"), Silence("address")))


def _seconds(budget: LoginBudget | Unlimited) -> float:
    spend = "spend(ENTRY, 'order/placeorder')"
    names = {"spend": budget.spend, "ENTRY": Priority.ENTRY}
    return min(timeit.repeat(spend, globals=names, number=_CALLS, repeat=_REPEATS))


if __name__ == "__main__":
    print(json.dumps(measure()))
