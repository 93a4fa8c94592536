"""The prices that a monitor goes by: each account's own source first, and what may stand in for it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from brokers.quotes.quote import FRESH, QuoteBook, may_stand_in
from risk.watch import Band, PriceKey, merged

MOST_WAITING = 10_000
OWN_COUNTS_FOR = timedelta(seconds=2)
"""So long after a price of an account's own source no other's counts: two sources must not play ping-pong."""


class Market:
    """`follow` and `narrow` belong to the monitor's thread, `trade` to any: it only reads and sets single entries."""

    def __init__(self) -> None:
        self.prices: dict[PriceKey, Decimal] = {}
        self.times: dict[PriceKey, datetime] = {}
        self._own_at: dict[PriceKey, datetime] = {}
        self._keys: dict[str, tuple[PriceKey, ...]] = {}
        self._bands: dict[PriceKey, Band] = {}
        self._left: deque[tuple[PriceKey, Decimal]] = deque(maxlen=MOST_WAITING)

    def follow(self, keys: Iterable[PriceKey]) -> None:
        """These are held now. Of what was not held meanwhile the last price is forgotten: nobody listened since."""
        grouped: dict[str, list[PriceKey]] = defaultdict(list)
        wanted = set(keys)
        for key in wanted:
            grouped[key[0]].append(key)
        for key in self.prices.keys() - wanted:
            del self.prices[key], self.times[key]
        self._keys = {symbol: tuple(found) for symbol, found in grouped.items()}

    def followed(self) -> set[PriceKey]:
        return {key for keys in tuple(self._keys.values()) for key in keys}

    def narrow(self, bands: dict[PriceKey, list[Band]]) -> None:
        """Between these prices nothing has to be looked at."""
        self._bands = {key: merged(of_key) for key, of_key in bands.items()}

    def trade(self, symbol: str, source: str, price: Decimal, at: datetime) -> bool:
        """Note a trade; whether it left a band, so that somebody must be assessed at once (see `take_left`)."""
        is_out = False
        for key in self._keys.get(symbol, ()):
            if not self._counts(key, source, at):
                continue
            is_first = key not in self.prices
            self.prices[key] = price
            self.times[key] = at
            band = self._bands.get(key)
            if is_first or (band is not None and not band.holds(price)):
                self._left.append((key, price))
                is_out = True
        return is_out

    def take_left(self) -> list[tuple[PriceKey, Decimal]]:
        """Every price outside its band since the last call, in order: the market may have come back meanwhile."""
        return [self._left.popleft() for _ in range(len(self._left))]

    def seed(self, key: PriceKey, price: Decimal, at: datetime) -> None:
        """A fill of ours is a trade, too, and the first one that is known of what was just opened."""
        known_at = self.times.get(key)
        if known_at is None or at > known_at:
            self.prices[key], self.times[key] = price, at

    def _counts(self, key: PriceKey, source: str, at: datetime) -> bool:
        if key[1] == source:
            self._own_at[key] = at
            return True
        own_at = self._own_at.get(key)
        return may_stand_in(source, key[1]) and (own_at is None or at - own_at > OWN_COUNTS_FOR)

    def missing(self, now: datetime) -> set[str]:
        """Contracts of which no stream of ours has told anything lately."""
        keys = [key for of_symbol in self._keys.values() for key in of_symbol]
        return {key[0] for key in keys if key not in self.times or now - self.times[key] > OWN_COUNTS_FOR}

    def fill_in(self, book: QuoteBook, symbols: Collection[str]) -> None:
        """What other lanes' streams tell of them."""
        for symbol in symbols:
            for key in self._keys.get(symbol, ()):
                quote = book.fresh(symbol, key[1])
                if quote is not None and quote.last is not None:
                    self.seed(key, quote.last, quote.at)

    def is_fresh(self, key: PriceKey, now: datetime) -> bool:
        return key in self.times and now - self.times[key] <= FRESH
