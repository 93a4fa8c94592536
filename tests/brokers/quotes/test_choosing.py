"""Which of several sources' quotes is the one to go by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from brokers.quotes.quote import Quote, choose, may_stand_in

NOW = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
LIVE, DEMO, OTHER = "tradovate/live", "tradovate/demo", "projectx/live"
SANDBOX, OTHER_SANDBOX, PAPER, PAPER_SANDBOX = "tradovate/sandbox", "webull/sandbox", "paper/demo", "paper/sandbox"


def quote(source: str, age: float = 0, delay_s: int | None = 0) -> Quote:
    return Quote("MNQZ6", Decimal(25_000), None, None, NOW - timedelta(seconds=age), source, delay_s)


@pytest.mark.parametrize(
    ("sources", "prefer", "chosen"),
    [
        ({LIVE: 9, OTHER: 0}, LIVE, LIVE),
        ({LIVE: 11, OTHER: 9}, LIVE, OTHER),
        ({LIVE: 11, OTHER: 12}, OTHER, LIVE),
        ({LIVE: 3, OTHER: 1}, PAPER, OTHER),
        ({LIVE: 3, OTHER: 1}, "", OTHER),
        ({LIVE: 3, SANDBOX: 1}, "", LIVE),
        ({"": 1, SANDBOX: 2}, SANDBOX, SANDBOX),
        ({"": 1}, SANDBOX, ""),
        ({SANDBOX: 1}, LIVE, None),
        ({LIVE: 1}, SANDBOX, None),
        ({SANDBOX: 9, OTHER_SANDBOX: 1}, SANDBOX, SANDBOX),
        ({OTHER_SANDBOX: 1}, SANDBOX, None),
        ({OTHER_SANDBOX: 1, SANDBOX: 2}, PAPER_SANDBOX, SANDBOX),
        ({LIVE: 1}, PAPER_SANDBOX, None),
        ({}, LIVE, None),
    ],
)
def test_the_preferred_source_is_chosen_while_it_is_fresh(
    sources: dict[str, float], prefer: str, chosen: str | None
) -> None:
    found = choose([quote(source, age) for source, age in sources.items()], prefer, NOW)
    assert (None if found is None else found.source) == chosen


def test_a_late_source_comes_after_every_other() -> None:
    late = quote("tradingview/delayed", 0, 600)
    assert choose([late, quote(LIVE, 9)], "", NOW) == quote(LIVE, 9)
    assert choose([late, quote(LIVE, 60)], "", NOW) == quote(LIVE, 60)
    assert choose([late], LIVE, NOW) == late


@pytest.mark.parametrize(
    ("age", "delay_s", "is_fresh"),
    [(10, 0, True), (10.001, 0, False), (0, 600, False), (0, None, False), (-1, 0, True)],
)
def test_only_what_is_young_and_not_late_is_fresh(age: float, delay_s: int | None, is_fresh: bool) -> None:  # noqa: FBT001
    assert quote(LIVE, age, delay_s).is_fresh(NOW) is is_fresh


def test_made_up_prices_never_stand_in_for_the_markets() -> None:
    assert may_stand_in(OTHER, LIVE)
    assert may_stand_in(DEMO, PAPER)
    assert not may_stand_in(SANDBOX, PAPER)
    assert not may_stand_in(OTHER_SANDBOX, SANDBOX)
