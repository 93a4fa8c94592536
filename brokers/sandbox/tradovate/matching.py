"""Whether, and at what price, an order trades against a quote. Pure."""

from __future__ import annotations

from decimal import Decimal

from brokers.sandbox.market.quotes import Quote
from brokers.sandbox.tradovate.orders import LIMITED, STOPPED, TRAILING, Order


def trail(order: Order, quote: Quote) -> bool:
    """Move a trailing stop after the market; True when it moved. The distance is ``peg``."""
    terms = order.terms
    if terms.order_type not in TRAILING or terms.peg is None or terms.stop_price is None:
        return False
    wanted = quote.last + order.sign * terms.peg
    if (wanted - terms.stop_price) * order.sign >= 0:
        return False
    terms.stop_price = wanted
    return True


def fill_price(order: Order, quote: Quote) -> Decimal | None:
    """Price at which ``order`` trades now, else None.

    A marketable order takes the touch; a resting limit fills at its own limit; a stop, once touched, takes the touch
    even when the market has gapped through it.
    """
    touch = quote.ask if order.sign > 0 else quote.bid
    if not _is_triggered(order, quote):
        return None
    if order.terms.order_type not in LIMITED:
        return touch
    limit = order.terms.price
    if limit is None or (touch - limit) * order.sign > 0:
        return None
    return limit if order.rested and order.terms.order_type == "Limit" else touch


def _is_triggered(order: Order, quote: Quote) -> bool:
    terms = order.terms
    if order.triggered or terms.order_type in {"Market", "Limit"}:
        return True
    if terms.order_type in STOPPED:
        trigger, direction = terms.stop_price, order.sign
    else:
        trigger = terms.touch_price if terms.touch_price is not None else terms.price
        direction = -order.sign
    if trigger is not None and (quote.last - trigger) * direction >= 0:
        order.triggered = True
    return order.triggered
