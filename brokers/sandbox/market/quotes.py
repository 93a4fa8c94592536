"""Prices of the sandbox market: seeded walks, pinned prices and price scripts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from brokers.sandbox.market.catalog import Catalog, Contract

TICKS_PER_SECOND = 4
_REVERSION_SPAN = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class Quote:
    last: Decimal
    bid: Decimal
    ask: Decimal

    @classmethod
    def at(cls, price: Decimal) -> Quote:
        """Last, bid and ask all exactly ``price``."""
        return cls(price, price, price)


class _Walk:
    """Random walk on the tick grid, drawn gently back to the product's base price so that it stays sane for days."""

    def __init__(self, contract: Contract, seed: int) -> None:
        self._tick = contract.product.tick
        self._base = contract.product.base_price
        self._random = random.Random(f"{seed}:{contract.name}")  # noqa: S311  reproducible prices, not a secret
        self.quote = Quote(self._base, self._base, self._base + self._tick)

    def step(self) -> Quote:
        last = self.quote.last
        stretch = float((last - self._base) / (self._base * _REVERSION_SPAN))
        lean = max(-1.0, min(1.0, stretch)) * 0.2
        up = self._random.random() > 0.5 + lean
        moved = last + (self._tick if up else -self._tick) * self._random.choice((1, 1, 1, 2))
        last = max(moved, self._tick * 4)
        self.quote = Quote(last, last - self._tick, last) if up else Quote(last, last, last + self._tick)
        return self.quote

    def restart_at(self, price: Decimal) -> None:
        self.quote = Quote(price, price, price + self._tick)


class PriceBoard:
    """Current quote of every contract. ``on_move`` is called after each change, with the contract."""

    def __init__(self, seed: int, on_move: Callable[[Contract], None]) -> None:
        self._seed = seed
        self._on_move = on_move
        self._walks: dict[int, _Walk] = {}
        self._pinned: dict[int, Quote] = {}
        self._steps = 0
        self.generation = 0

    def quote(self, contract: Contract) -> Quote:
        pinned = self._pinned.get(contract.id)
        return pinned if pinned is not None else self._walk(contract).quote

    def is_pinned(self, contract: Contract) -> bool:
        return contract.id in self._pinned

    def pin(self, contract: Contract, price: Decimal) -> None:
        """Last, bid and ask become exactly ``price`` and stay so until the next pin or release."""
        self._pinned[contract.id] = Quote.at(price)
        self._on_move(contract)

    def release(self, contract: Contract) -> None:
        """Back to the seeded walk, which goes on from the pinned price."""
        pinned = self._pinned.pop(contract.id, None)
        if pinned is not None:
            self._walk(contract).restart_at(pinned.last)
            self._on_move(contract)

    def walk(self, contracts: Iterable[Contract]) -> None:
        """One step of each. A pinned price is traded at, too, once a second: it stays, and does not grow old."""
        self._steps += 1
        repeats_pinned = self._steps % TICKS_PER_SECOND == 0
        for contract in contracts:
            if contract.id not in self._pinned:
                self._walk(contract).step()
                self._on_move(contract)
            elif repeats_pinned:
                self._on_move(contract)

    def dump(self) -> dict[str, dict[str, object]]:
        """Last price per contract id, and whether it is pinned."""
        last = {contract_id: walk.quote.last for contract_id, walk in self._walks.items()}
        last |= {contract_id: quote.last for contract_id, quote in self._pinned.items()}
        return {str(key): {"last": price, "pinned": key in self._pinned} for key, price in last.items()}

    def load(self, saved: dict[str, dict[str, str]], catalog: Catalog) -> None:
        for key, row in saved.items():
            contract, price = catalog.by_id[int(key)], Decimal(row["last"])
            if row["pinned"]:
                self._pinned[contract.id] = Quote.at(price)
            else:
                self._walk(contract).restart_at(price)

    def reset(self) -> None:
        """Forget all prices; ``generation`` tells scripts that started before that they are over."""
        self.generation += 1
        self._walks.clear()
        self._pinned.clear()

    def _walk(self, contract: Contract) -> _Walk:
        walk = self._walks.get(contract.id)
        if walk is None:
            walk = self._walks[contract.id] = _Walk(contract, self._seed)
        return walk
