"""Settings and brackets as they are stored, for the factories."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from recorders.settings import read_settings


def template(**settings: Any) -> dict[str, Any]:
    """A recorder's stored settings: one contract, a target 40 and a stop 20 ticks away, unless said otherwise."""
    usual = {"targets": [{"distance": 40}], "stop_distance": 20}
    return read_settings({**usual, **settings}).dump()


def bracket(qty: int, target: Decimal | None, stop: Decimal | None) -> list[list[Any]]:
    """An intent's stored bracket of one leg, or of none."""
    texts = [None if distance is None else str(distance) for distance in (target, stop)]
    return [] if texts == [None, None] else [[qty, *texts, None, None, None, 0]]
