"""A contract's day: last price, range, volume, depth and bars, made from the seeded prices."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.wire import figure, now_ms

Level = tuple[str, str]
_FIRST_VOLUME = 1000
_RATIO = Decimal("0.000001")
_SECONDS = {"M1": 60, "M5": 300, "M15": 900, "M30": 1800, "M60": 3600, "M120": 7200, "M240": 14_400}
_DAYS = {"D": 1, "W": 7, "M": 30, "Y": 365}
TIMESPANS = _SECONDS | {name: days * 86_400 for name, days in _DAYS.items()}


@dataclass(slots=True)
class Day:
    """Prices in points; ``previous_close`` is the product's base price, ``volume`` counts price changes."""

    last: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    previous_close: Decimal
    volume: int = _FIRST_VOLUME

    @property
    def change(self) -> Decimal:
        return self.last - self.previous_close

    @property
    def change_ratio(self) -> Decimal:
        return self.change / self.previous_close

    def take(self, price: Decimal) -> None:
        self.last = price
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.volume += 1


def of_day(desk: Desk, contract: Contract) -> Day:
    last = desk.board.quote(contract).last
    day = desk.days.get(contract.id)
    if day is None:
        day = desk.days[contract.id] = Day(last, last, last, last, contract.product.base_price)
    if day.last != last:
        day.take(last)
    return day


def ratio(number: Decimal) -> str:
    return figure(number.quantize(_RATIO))


def sizes(contract: Contract, level: int) -> tuple[str, str]:
    """(ask, bid) sizes; the same for a contract and level at all times."""
    spread = contract.id * 7 + level * 13
    return str(spread % 90 + 10), str(spread % 70 + 10)


def depth(desk: Desk, contract: Contract, levels: int) -> tuple[list[Level], list[Level]]:
    """(asks, bids), best first, each (price, size)."""
    quote, tick = desk.board.quote(contract), contract.product.tick
    asks = [(figure(quote.ask + tick * nth), sizes(contract, nth)[0]) for nth in range(levels)]
    bids = [(figure(quote.bid - tick * nth), sizes(contract, nth)[1]) for nth in range(levels)]
    return asks, bids


def bars(desk: Desk, contract: Contract, timespan: str, count: int) -> list[tuple[int, Day]]:
    """(start in epoch ms, prices), newest first: invented, but the same each time, and ending at the last price."""
    span = TIMESPANS[timespan] * 1000
    start = now_ms() // span * span
    tick, price = contract.product.tick, desk.board.quote(contract).last
    made: list[tuple[int, Day]] = []
    for nth in range(count):
        begin = start - nth * span
        chance = random.Random(f"{contract.id}:{timespan}:{begin}")  # noqa: S311  reproducible prices, not a secret
        opened = max(price + tick * chance.randint(-4, 4), tick)
        high = max(price, opened) + tick * chance.randint(0, 3)
        low = max(min(price, opened) - tick * chance.randint(0, 3), tick)
        made.append((begin, Day(price, opened, high, low, opened, chance.randint(10, 5000))))
        price = opened
    return made
