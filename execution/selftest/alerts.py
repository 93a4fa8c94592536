"""The stream of alerts: entries, closes and reversals with random pauses, all from one seed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from random import Random

TICKER = "MNQ1!"
BASE_PRICE = Decimal(25_300)
TICK = Decimal("0.25")
REVERSAL_SHARE = 0.3
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 0.8


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; `at` is seconds after the start of the stream. No two bodies of a stream are equal."""

    number: int
    action: str
    at: float
    body: bytes


def alert_stream(count: int, rng: Random, run: str) -> list[Alert]:
    """`count` alerts; the last one is a close, so that an undisturbed run ends flat.

    `run` stands in each body: the same alerts a moment after another run would rightly be taken for its resends.
    """
    stream: list[Alert] = []
    held, at = "", 0.0
    for number in range(count):
        action = _next_action(held, rng, is_last=number == count - 1)
        held = "" if action == "close" else action
        stream.append(Alert(number, action, at, _body(number, action, run)))
        at += rng.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)
    return stream


def closing_alert(number: int, run: str) -> Alert:
    """For after the stream, should it have left anything open."""
    return Alert(number, "close", 0.0, _body(number, "close", run))


def _next_action(held: str, rng: Random, *, is_last: bool) -> str:
    if is_last:
        return "close"
    if held == "":
        return rng.choice(["buy", "sell"])
    if rng.random() < REVERSAL_SHARE:
        return "sell" if held == "buy" else "buy"
    return "close"


def _body(number: int, action: str, run: str) -> bytes:
    price = str(BASE_PRICE + number * TICK)
    alert = {"action": action, "ticker": TICKER, "price": price, "contracts": "1", "comment": run}
    return json.dumps(alert).encode()
