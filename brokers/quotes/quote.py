"""One price of one contract, where it is from, and whether it may be relied on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

FRESH = timedelta(seconds=10)
SANDBOX = "sandbox"
PAPER_SANDBOX = f"paper/{SANDBOX}"
TRADINGVIEW = "tradingview/chart"
SCREEN_SOURCES = frozenset({TRADINGVIEW})


def source_of(venue: str, environment: str) -> str:
    """How a source is named: `tradovate/live`."""
    return f"{venue}/{environment}"


def is_sandbox(source: str) -> bool:
    """Whether its prices are made up: they say nothing about the market, nor the market about them."""
    return source.endswith(f"/{SANDBOX}")


def may_stand_in(source: str, prefer: str) -> bool:
    """Whether the price of `source` counts where `prefer` is what is asked for; "" is anything.

    All that tell the exchange's prices tell the same. Each sandbox has a market of its own; only paper accounts, which
    have no market, take any.
    """
    if "" in {source, prefer} or source == prefer:
        return True
    if is_sandbox(source) and is_sandbox(prefer):
        return prefer == PAPER_SANDBOX
    return not is_sandbox(source) and not is_sandbox(prefer)


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices in points; None where the venue has not said. `at` is aware UTC: an old quote is to be shown as old.

    `source` is its venue and environment. `delay_s` is by how much the source is late, None when it does not say.
    """

    symbol: str
    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    at: datetime
    source: str = ""
    delay_s: int | None = 0

    @property
    def is_indicative(self) -> bool:
        """For screens only: late, possibly so, or not ours to use. Nothing may trade, stop or count by it."""
        return self.delay_s != 0 or self.source in SCREEN_SOURCES

    def is_fresh(self, now: datetime, within: timedelta = FRESH) -> bool:
        """Whether it is young enough, and not late, to count as the price of `now`."""
        return not self.is_indicative and now - self.at <= within


def choose(quotes: Iterable[Quote], prefer: str, now: datetime) -> Quote | None:
    """The quote of one contract to go by: the preferred source's while it is fresh, else any fresh one's.

    Where none is fresh the one that is least out of date. What cannot stand in for the preferred source never does.
    """
    fitting = [quote for quote in quotes if may_stand_in(quote.source, prefer)]
    if not fitting:
        return None
    best = max(_rank(quote, prefer, now) for quote in fitting)
    equals = [quote for quote in fitting if _rank(quote, prefer, now) == best]
    if is_sandbox(prefer):
        # Between markets that have nothing to do with each other a price must not jump.
        return min(equals, key=lambda quote: quote.source)
    return max(equals, key=lambda quote: quote.at)


def _rank(quote: Quote, prefer: str, now: datetime) -> tuple[bool, bool, bool]:
    is_fresh = quote.is_fresh(now)
    is_market = not is_sandbox(quote.source) and not quote.is_indicative
    return is_fresh, is_fresh and quote.source == prefer, is_market


class QuoteBook:
    """What all sources say at one moment, by contract."""

    def __init__(self, by_symbol: Mapping[str, Sequence[Quote]], now: datetime) -> None:
        self.now = now
        self._by_symbol = by_symbol
        self._chosen: dict[tuple[str, str], Quote | None] = {}

    def quote(self, symbol: str, prefer: str = "") -> Quote | None:
        """The quote to go by where `prefer` comes first, be it old or late: for screens."""
        key = (symbol, prefer)
        if key not in self._chosen:
            self._chosen[key] = choose(self._by_symbol.get(symbol, ()), prefer, self.now)
        return self._chosen[key]

    def fresh(self, symbol: str, prefer: str = "") -> Quote | None:
        """The same, or None where that is old or late: for decisions."""
        found = self.quote(symbol, prefer)
        return found if found is not None and found.is_fresh(self.now) else None
