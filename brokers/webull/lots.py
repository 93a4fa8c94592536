"""Fills from what an order says of itself, because Webull lists no executions; pure.

An order is cut into lots at fixed places, whatever was seen of it and when: lot `(start, end]` is always the fill
`<order id>:<end>`. So a restart, a second look or a lost stream can tell the same lot again, but never a lot twice, and
partial fills that were seen as one are simply several lots at once. The price of what came since the last look is what
moves the average from its old value to its new one. A process that did not see the earlier part can only give the
average of all, so after a restart in the middle of a partial fill lots that are new share that average: quantities stay
exact, and the price is off by no more than the parts of that one order differed.

Futures and options are cut contract by contract. Shares are cut finer at first and coarser with size; what is left of
a lot is told when the order has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from brokers.webull.types import Market, OrderState

# From how many shares on, lots of how many.
_SHARE_LOTS = ((200, 100), (20, 10), (0, 1))
PRICE_PLACES = Decimal("0.0000000001")


@dataclass(frozen=True, slots=True)
class Lot:
    end: int
    qty: int
    price: Decimal


@dataclass(slots=True)
class Told:
    """What of one order has been told: lots up to `filled`, and the money they stand for."""

    filled: int = 0
    value: Decimal = Decimal(0)
    lots: list[Lot] = field(default_factory=list)


def ends(market: str, before: int, after: int, *, is_final: bool) -> Iterator[int]:
    """Where the lots end that are complete after `after` contracts and were not after `before`."""
    end = before
    while end < after:
        size = next(size for start, size in _SHARE_LOTS if end >= start) if market == Market.EQUITY else 1
        following = (end // size + 1) * size
        if following > after:
            if is_final:
                yield after
            return
        yield following
        end = following


def take(told: Told, state: OrderState) -> list[Lot]:
    """The lots of `state` that are new, which thereby count as told. Without an average there is nothing to tell."""
    if state.average is None or state.filled <= told.filled:
        return []
    fresh = list(ends(state.market, told.filled, state.filled, is_final=state.is_done))
    if not fresh:
        return []
    price = _price_since(told, state.filled, state.average)
    lots = []
    for end in fresh:
        lots.append(Lot(end, end - told.filled, price))
        told.value += price * (end - told.filled)
        told.filled = end
    told.lots.extend(lots)
    return lots


def _price_since(told: Told, filled: int, average: Decimal) -> Decimal:
    if told.filled == 0:
        return average
    exact = ((average * filled - told.value) / (filled - told.filled)).quantize(PRICE_PLACES)
    price = Decimal(f"{exact:f}".rstrip("0").rstrip("."))
    # The venue rounds its average: what that would make of a small last part is no price at all.
    return price if price > 0 else average
