"""Whether, and at what price, an order trades against a quote.

Stops trigger on the last trade and take the touch, however far the market has gapped; limits look at the touch, and
at trades beyond their price.
"""

from __future__ import annotations

from decimal import Decimal

from brokers.matching.types import Kind, Order, Policy, Quote

_STOPS = frozenset({Kind.STOP, Kind.STOP_LIMIT, Kind.TRAILING})


def trail(order: Order, quote: Quote) -> bool:
    """Move a trailing stop after the market; True when it moved."""
    if order.kind is not Kind.TRAILING or order.trail is None:
        return False
    wanted = quote.last + order.side * order.trail
    if order.stop is not None and (wanted - order.stop) * order.side >= 0:
        return False
    order.stop = wanted
    return True


def fill_price(order: Order, quote: Quote, policy: Policy) -> Decimal | None:
    """The price at which `order` trades now, else None. Notes a stop-limit's trigger in the order."""
    is_fresh = not order.has_rested
    if order.kind in _STOPS and not order.is_triggered:
        if order.stop is None or (quote.last - order.stop) * order.side < 0:
            return None
        order.is_triggered = is_fresh = True
    touch = quote.ask if order.side > 0 else quote.bid
    if order.kind not in {Kind.LIMIT, Kind.STOP_LIMIT}:
        return touch + order.side * policy.slippage_ticks * order.contract.tick
    if order.limit is None:
        return None
    room = (order.limit - touch) * order.side
    if is_fresh:
        return touch if room >= 0 else None
    is_reached = room > 0 or (room == 0 and not policy.trade_through)
    return order.limit if is_reached or _was_traded_through(order, quote) else None


def _was_traded_through(order: Order, quote: Quote) -> bool:
    """A trade that is older than the order proves nothing, so the last price must have changed since it rests."""
    if order.limit is None or quote.last == order.rested_at:
        return False
    return (order.limit - quote.last) * order.side > 0
