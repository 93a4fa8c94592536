"""How long it takes to decide for many traders, beside a loop that decides nothing: `python -m bench.planning`."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from brokers import instruments
from execution import plan
from recorders.alert import Action, ParsedAlert
from traders.settings import RecorderSettings, TraderOverrides, resolve

TRADERS = 500
_REPEATS = 30
_DAY = date(2026, 1, 5)


def measure() -> dict[str, float]:
    """Milliseconds for all traders, p50."""
    contract = instruments.resolve("MNQ1!", _DAY)
    meaning = plan.meaning_of(ParsedAlert(action=Action.BUY, ticker="MNQ1!"))
    recorder = RecorderSettings(initial_position_size=1, target_ticks=80, stop_ticks=40)
    settings = [resolve(recorder, TraderOverrides(Decimal(1), max_contracts=10)) for _ in range(TRADERS)]

    def decide() -> list[object]:
        return [
            plan.plan(meaning, alert_quantity=None, settings=one, position=0, contract=contract) for one in settings
        ]

    def only_loop() -> list[object]:
        return [one for one in settings]

    return {"plan_ms": _milliseconds(decide), "loop_ms": _milliseconds(only_loop)}


def _milliseconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(taken), 4)


if __name__ == "__main__":
    print(json.dumps(measure()))
