"""Quotes shared between processes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.quotes import cache
from brokers.quotes.quote import Quote
from justtrades import clock

pytestmark = pytest.mark.usefixtures("valkey")
LIVE, SANDBOX = "tradovate/live", "tradovate/sandbox"


def quote(
    source: str, last: str = "25000.25", *, age: float = 0, symbol: str = "MNQZ6", delay_s: int | None = 0
) -> Quote:
    at = clock.now() - timedelta(seconds=age)
    return Quote(symbol, Decimal(last), Decimal("25000.00"), None, at, source, delay_s)


def test_a_quote_comes_back_as_it_was() -> None:
    stored = quote(LIVE)
    cache.store([stored])
    assert cache.latest(["MNQZ6"]) == {"MNQZ6": stored}


def test_each_source_keeps_its_own_newest_quote() -> None:
    cache.store([quote(LIVE, "1"), quote(SANDBOX, "2")])
    cache.store([quote(LIVE, "3"), quote(LIVE, "4", symbol="MESZ6")])
    every = cache.every(["MNQZ6", "MESZ6", "MGCZ6"])
    lasts = {symbol: {one.source: one.last for one in quotes} for symbol, quotes in every.items()}
    assert lasts == {"MNQZ6": {LIVE: Decimal(3), SANDBOX: Decimal(2)}, "MESZ6": {LIVE: Decimal(4)}, "MGCZ6": {}}


def test_a_reader_gets_the_source_it_prefers_and_a_stand_in_when_that_is_old() -> None:
    cache.store([quote(LIVE, "1"), quote(SANDBOX, "2"), quote("projectx/live", "3", age=5)])
    assert cache.latest(["MNQZ6"], SANDBOX)["MNQZ6"].last == 2
    assert cache.latest(["MNQZ6"], LIVE)["MNQZ6"].last == 1
    cache.store([quote(LIVE, "1", age=11)])
    assert cache.latest(["MNQZ6"], LIVE)["MNQZ6"].last == 3


def test_late_quotes_are_for_those_who_ask_for_them() -> None:
    cache.store([quote("tradingview/delayed", delay_s=600), quote("other/unknown", symbol="MESZ6", delay_s=None)])
    assert cache.latest(["MNQZ6", "MESZ6"]) == {}
    found = cache.latest(["MNQZ6", "MESZ6"], indicative=True)
    assert {symbol: one.delay_s for symbol, one in found.items()} == {"MNQZ6": 600, "MESZ6": None}


def test_nothing_asked_and_nothing_stored_costs_nothing() -> None:
    cache.store([])
    assert cache.latest([]) == {}
    assert cache.latest(["MNQZ6"]) == {}
