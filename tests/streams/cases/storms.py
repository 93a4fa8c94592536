"""Many orders at once: made-up strategies whose alerts come faster than the market can answer, alone and two to an
account.
"""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

from tests.streams.case import Alert, Case, Step, buy, close, expect, fill, long, sell, short
from tests.streams.strategy import next_position

FOLLOW = {"initial_position_size": 0, "add_position_size": 0}
TWO = {"targets": [{"distance": 40, "trim": 50}, {"distance": 40}]}
BURSTS, ALERTS = 4, 6
OTHER: dict[str, object] = {}
LONG_BOTH = (buy(), buy(to=1), expect((1, 1)))
LONG_AND_SHORT = (buy(), sell(to=1), expect((1, -1)))


def storm(seed: int) -> Case:
    """Bursts of alerts of one second each; in the end it holds what was stated last, under exits of that size."""
    chance = random.Random(seed)
    multiplier = chance.randint(1, 2)
    steps, (net, _) = _bursts(chance, recorders=1)
    settings = {**FOLLOW, **(TWO if seed % 2 else {})}
    trader = {"multiplier": Decimal(multiplier)}
    return Case(f"storm {seed}", steps, net * multiplier, exits(net * multiplier), settings=settings, trader=trader)


def double_storm(seed: int) -> Case:
    """Two recorders on one account and contract: neither touches what is the other's."""
    steps, nets = _bursts(random.Random(seed), recorders=2)
    return Case(f"double storm {seed}", steps, nets, exits(*nets), settings=FOLLOW, second=FOLLOW)


def _bursts(chance: random.Random, recorders: int) -> tuple[tuple[Step, ...], tuple[int, int]]:
    held, steps = [0, 0], []
    for burst in range(BURSTS):
        alerts: list[Alert] = []
        for number in range(ALERTS):
            to = chance.randrange(recorders)
            before, held[to] = held[to], next_position(chance, held[to])
            alerts.append(fill(f"{before}>{held[to]}", order_id=f"O{burst}.{number}", to=to))
        steps.append(tuple(alerts))
    return tuple(steps), (held[0], held[1])


def exits(*nets: int) -> tuple[str, ...]:
    """The legs of several positions on one account, contracts at one price together."""
    found: Counter[tuple[str, str]] = Counter()
    for net in nets:
        for leg in long(net) if net > 0 else short(-net) if net < 0 else ():
            action, qty, rest = leg.split(" ", 2)
            found[action, rest] += int(qty)
    return tuple(f"{action} {qty} {rest}" for (action, rest), qty in found.items())


def at_once(name: str, before: tuple[Step, ...], both: tuple[Alert, Alert], *nets: int) -> Case:
    return Case(f"two recorders at once: {name}", (*before, both), nets, exits(*nets), second=OTHER)


CASES = (
    *(storm(seed) for seed in range(20)),
    *(double_storm(seed) for seed in range(20)),
    at_once("both close", LONG_BOTH, (close(), close(to=1)), 0, 0),
    at_once("one closes, the other enters", (buy(),), (close(), buy(to=1)), 0, 1),
    at_once("one enters, the other closes", (buy(),), (buy(to=1), close()), 0, 1),
    at_once("both turn around", LONG_BOTH, (sell(), sell(to=1)), -1, -1),
    at_once("both sides close", LONG_AND_SHORT, (close(), close(to=1)), 0, 0),
    at_once("both sides turn around", LONG_AND_SHORT, (sell(), buy(to=1)), -1, 1),
    at_once("one turns around, the other enters", (buy(),), (sell(), buy(to=1)), -1, 1),
    at_once("one turns around, the other enters there", (buy(),), (sell(), sell(to=1)), -1, -1),
    at_once("one turns around, the other closes", LONG_BOTH, (sell(), close(to=1)), -1, 0),
)
