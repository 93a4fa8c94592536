"""What the venue of an account does by itself. What it does not, `execution.synthetic` does."""

from __future__ import annotations

from functools import lru_cache

from brokers import instruments
from brokers.base import BracketLeg, Capabilities
from brokers.registry import VENUES

FUTURES = "futures"
NOTHING = Capabilities(
    native_brackets=False,
    native_multi_bracket=False,
    native_oco=False,
    modifies_orders=False,
    enforces_unique_client_ids=False,
    streams_reports=False,
    trailing_stops=False,
)


@lru_cache(maxsize=4096)
def abilities_of(venue: str, symbol: str) -> Capabilities:
    """A venue that is not registered can do nothing."""
    known = VENUES.get(venue)
    return NOTHING if known is None else known.by_market.get(market_of(symbol), known.capabilities)


def market_of(symbol: str) -> str:
    """`futures`, `stocks` or `options`, told by the contract's name alone."""
    try:
        instruments.product_of(symbol)
    except instruments.UnknownTicker:
        return "options" if any(letter.isdigit() for letter in symbol) else "stocks"
    return FUTURES


def native_part(bracket: tuple[BracketLeg, ...], abilities: Capabilities) -> tuple[BracketLeg, ...]:
    """What of an entry's bracket goes with the entry itself; the rest is placed once it has filled.

    Where only one pair can go along, several become one stop for the whole size: no crash may leave the fill naked.
    """
    if abilities.native_multi_bracket:
        return bracket
    if not abilities.native_brackets or not bracket:
        return ()
    if len(bracket) == 1:
        return bracket
    if bracket[0].stop_distance is None:
        return ()
    return (BracketLeg(sum(leg.qty for leg in bracket), None, bracket[0].stop_distance, bracket[0].trail),)


def lacking(bracket: tuple[BracketLeg, ...], abilities: Capabilities) -> str:
    """What the exits ask for and the venue cannot do, in the owner's words; "" when it can do all."""
    trails = [leg.trail for leg in bracket if leg.trail is not None]
    if trails and not abilities.trailing_stops:
        return "trailing stops"
    if any(trail.trigger != 0 or trail.step != 0 for trail in trails) and not abilities.auto_trail:
        return "stops that trail from a trigger on or in steps"
    return ""


def is_whole_stop(bracket: tuple[object, ...] | list[object], abilities: Capabilities) -> bool:
    """Whether the stop that came with the entry covers all of it, and belongs to no single target."""
    return len(bracket) > 1 and abilities.native_brackets and not abilities.native_multi_bracket
