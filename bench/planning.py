"""How long it takes to decide for many traders, beside a loop that decides nothing: `python -m bench.planning`."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

from brokers import instruments
from brokers.base import Side
from execution.moves import Move, MoveKind
from execution.plan import Case, Decision, decide
from recorders.settings import read_settings
from traders import exits
from traders.gates import Facts
from traders.settings import EffectiveSettings, Route

TRADERS = 500
_REPEATS = 30
_DAY = date(2026, 1, 5)
_NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
_SETTINGS = read_settings({
    "initial_position_size": 4,
    "targets": [{"distance": 40, "trim": 50}, {"distance": 80, "trim": 30}, {"distance": 120, "trim": 20}],
    "stop_distance": 40,
    "break_even_ticks": 20,
    "max_contracts_per_position": 10,
    "signal_cooldown_s": 30,
    "time_windows": [{"start": "08:30", "end": "15:00"}],
})  # fmt: skip


def measure() -> dict[str, float]:
    """Milliseconds for all traders, p50: all the same, and with multipliers of their own never met before."""
    one = EffectiveSettings(_SETTINGS, Route(max_contracts=10))
    same = [_case(one) for _ in range(TRADERS)]
    routes = [Route(1 + Decimal(number) / 1000, max_contracts=10) for number in range(TRADERS)]
    distinct = [_case(EffectiveSettings(_SETTINGS, route)) for route in routes]
    return {
        "plan_ms": _milliseconds(lambda: _decide_all(same), before=_forget),
        "plan_distinct_ms": _milliseconds(lambda: _decide_all(distinct), before=_forget),
        "loop_ms": _milliseconds(lambda: _only_loop(same)),
    }


def _case(effective: EffectiveSettings) -> Case:
    contract = instruments.resolve("MNQ1!", _DAY)
    return Case(effective, contract, Facts(_NOW, "America/Chicago"), price=Decimal(25_000))


def _decide_all(cases: list[Case]) -> None:
    """Equal cases once, as `execution.casebook` does."""
    move = Move(MoveKind.ENTER, Side.BUY)
    decided: dict[Case, Decision] = {}
    for case in cases:
        if case not in decided:
            decided[case] = decide(move, case)
        if not decided[case].legs:
            raise RuntimeError("nothing was decided")


def _forget() -> None:
    for remembers in (exits._template_of, exits.leg_sizes, exits.brackets):
        remembers.cache_clear()


def _only_loop(cases: list[Case]) -> None:
    for _ in cases:
        pass


def _milliseconds(work: Callable[[], None], before: Callable[[], object] = list) -> float:
    taken = []
    for _ in range(_REPEATS):
        before()
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(taken), 4)


if __name__ == "__main__":
    print(json.dumps(measure()))
