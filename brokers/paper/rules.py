"""What the paper venue refuses, with the reason that a broker would give. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

from brokers.base import ModifyOrder, OrderRole, OrderType, SubmitOco, SubmitOrder
from brokers.errors import Refused
from brokers.matching.types import Account, Order
from brokers.paper.listings import Listing, listing_of
from brokers.paper.records import listing_of as listing_of_order
from brokers.paper.records import record_of

MOST_CONTRACTS = 1000
_NEEDS_PRICE = frozenset({OrderType.LIMIT})
_NEEDS_STOP = frozenset({OrderType.STOP, OrderType.TRAILING_STOP})


def listed(symbol: str, now: datetime) -> Listing:
    """Raises `Refused` for what is not, or no longer, traded here."""
    listing = listing_of(symbol, now.date())
    if listing is None:
        raise Refused("UNKNOWN_SYMBOL", f"no contract is called {symbol}")
    if listing.last_trade < now.date():
        raise Refused("CONTRACT_EXPIRED", f"{symbol} traded until {listing.last_trade.isoformat()}")
    return listing


def check_terms(order: SubmitOrder, listing: Listing) -> None:
    """Size, prices and bracket of an order. Raises `Refused`."""
    check_size(order.qty)
    _check_prices(order, listing)
    for leg in order.bracket:
        distances = (leg.target_distance, leg.stop_distance, leg.trail.distance if leg.trail is not None else None)
        if leg.qty <= 0 or any(distance is not None and distance <= 0 for distance in distances):
            raise Refused("INVALID_BRACKET", "each exit needs contracts and a distance above 0")
        if leg.trail is not None and leg.trail.trigger > 0 and leg.stop_distance is None:
            raise Refused("INVALID_BRACKET", "a stop that trails from a trigger on needs a distance until then")
    if order.bracket and sum(leg.qty for leg in order.bracket) != order.qty:
        raise Refused("INVALID_BRACKET", "the exits do not sum to the entry")


def check_change(change: ModifyOrder, listing: Listing) -> None:
    """Raises `Refused`. A trailing stop may leave its price as it is."""
    check_size(change.qty)
    if change.order_type is not OrderType.TRAILING_STOP or change.stop_price is not None:
        _check_prices(change, listing)


def check_pair(pair: SubmitOco, listing: Listing) -> None:
    check_size(pair.qty)
    for price in (pair.target_price, pair.stop_price):
        _check_on_tick(price, listing)


def check_size(qty: int) -> None:
    if not 0 < qty <= MOST_CONTRACTS:
        raise Refused("ORDER_SIZE", f"quantity: had {qty}, at least 1 and at most {MOST_CONTRACTS}")


def _check_prices(order: SubmitOrder | ModifyOrder, listing: Listing) -> None:
    if order.order_type in _NEEDS_PRICE:
        _check_on_tick(order.price, listing)
    if order.order_type in _NEEDS_STOP:
        _check_on_tick(order.stop_price, listing)


def _check_on_tick(price: Decimal | None, listing: Listing) -> None:
    if price is None:
        raise Refused("PRICE_MISSING", "this type of order needs a price")
    if price % listing.tick != 0:
        raise Refused("PRICE_OFF_TICK", f"{price} is not a multiple of {listing.tick}")


def check_margin(account: Account, wanted: Order, equity: Decimal, price_of: Callable[[Order], Decimal]) -> None:
    """Raises `Refused` for an order that would tie up more than the account is worth; less is always allowed.

    `price_of` is what an order's contract is worth in price points, for the margin of its contract.
    """
    before = _used(account, account.orders.values(), price_of, wanted)
    after = _used(account, [*account.orders.values(), wanted], price_of, wanted)
    if after > before and after > equity:
        raise Refused("MARGIN", f"margin: needs ${after:,.2f}, the account is worth ${equity:,.2f}")


def _used(account: Account, orders: Iterable[Order], price_of: Callable[[Order], Decimal], wanted: Order) -> Decimal:
    """Dollars of the wanted order's contract by its own price, and of the others by their average."""
    buys: defaultdict[str, int] = defaultdict(int)
    sells: defaultdict[str, int] = defaultdict(int)
    prices: dict[str, Decimal] = {}
    listings: dict[str, Listing] = {}
    for position in account.positions.values():
        if position.average is not None and isinstance(position.contract, Listing):
            prices[position.contract.name], listings[position.contract.name] = position.average, position.contract
    for order in orders:
        name = order.contract.name
        if order is wanted or (order.is_working and _opens(order)):
            (buys if order.side > 0 else sells)[name] += order.remaining
            listings[name] = listing_of_order(order)
            prices.setdefault(name, price_of(order))
    name = wanted.contract.name
    prices[name], listings[name] = price_of(wanted), listing_of_order(wanted)
    total = Decimal(0)
    for name, listing in listings.items():
        net = account.positions[name].net if name in account.positions else 0
        lots = max(abs(net), abs(net + buys[name]), abs(net - sells[name]))
        total += lots * listing.margin(prices[name])
    return total


def _opens(order: Order) -> bool:
    return record_of(order).role is OrderRole.ENTRY
