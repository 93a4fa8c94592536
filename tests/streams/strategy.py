"""A made-up strategy on several products, and a book of averages that knows nothing of ours: exact, in fractions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

MOST_HELD = 6
WIDEST_TICKS = 150


@dataclass(frozen=True, slots=True)
class Product:
    """Dollars per point and the smallest step of price, from the exchange's own specification."""

    root: str
    point_value: Fraction
    tick: Decimal
    around: Decimal


PRODUCTS = tuple(
    Product(root, Fraction(point_value), Decimal(tick), Decimal(around))
    for root, point_value, tick, around in (
        ("MNQ", 2, "0.25", "25000"),
        ("GC", 100, "0.1", "4100"),
        ("CL", 1000, "0.01", "60"),
        ("6J", 12_500_000, "0.0000005", "0.0065"),
        ("6E", 125_000, "0.00005", "1.15"),
    )
)


@dataclass(frozen=True, slots=True)
class Round:
    """At one price, the strategy goes through `positions`, starting from the first."""

    product: Product
    price: Decimal
    positions: tuple[int, ...]


def rounds(seed: int, alerts: int) -> Iterator[list[Round]]:
    """A round of each product at a time, together with `alerts` alerts or a few more; at the end all are flat."""
    chance = random.Random(seed)
    held = dict.fromkeys((product.root for product in PRODUCTS), 0)
    while alerts > 0:
        now = []
        for product in PRODUCTS:
            # One round in four has several orders at once, as targets and reversals of one bar do.
            steps = chance.choice((1, 1, 1, chance.randint(2, 3)))
            path = [held[product.root]]
            for _ in range(steps):
                path.append(next_position(chance, path[-1]))
            held[product.root] = path[-1]
            now.append(Round(product, _price(chance, product), tuple(path)))
            alerts -= steps
        yield now
    yield [Round(one, _price(chance, one), (held[one.root], 0)) for one in PRODUCTS if held[one.root]]


def next_position(chance: random.Random, held: int) -> int:
    """Adds, partial exits, exits and reversals of several contracts, in about equal parts."""
    if held == 0:
        return chance.choice((1, -1)) * chance.randint(1, 3)
    sign = 1 if held > 0 else -1
    ways = [0, -sign * chance.randint(1, MOST_HELD)]
    if abs(held) < MOST_HELD:
        ways.append(held + sign * chance.randint(1, MOST_HELD - abs(held)))
    if abs(held) > 1:
        ways.append(held - sign * chance.randint(1, abs(held) - 1))
    return chance.choice(ways)


def _price(chance: random.Random, product: Product) -> Decimal:
    return product.around + product.tick * chance.randint(-WIDEST_TICKS, WIDEST_TICKS)


@dataclass(slots=True)
class Book:
    """Signed contracts, what they cost together, and the dollars that closing realised."""

    product: Product
    net: int = 0
    cost: Fraction = field(default_factory=Fraction)
    realized: Fraction = field(default_factory=Fraction)

    def trade(self, qty: int, price: Decimal) -> None:
        """`qty` is signed: first it closes what is held on the other side, the rest opens."""
        at = Fraction(price)
        if self.net * qty < 0:
            closed = min(abs(qty), abs(self.net)) * (1 if qty > 0 else -1)
            share = self.cost * abs(closed) / abs(self.net)
            # What was paid for the share, and what it brings now.
            self.realized += (-closed * at - share) * self.product.point_value
            self.cost -= share
            self.net += closed
            qty -= closed
        self.net += qty
        self.cost += qty * at
