"""Which contract a ticker means, and what a tick and a point of it are worth. Pure, over one data file.

Point value is dollars per 1.0 of price for one contract; tick is the smallest price step, in price points.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from pathlib import Path

from brokers import expiry
from justtrades import clock

_DATA = Path(__file__).with_name("data") / "futures.json"
_DATED = re.compile(r"(?P<root>[A-Z0-9]{1,4}?)(?P<month>[FGHJKMNQUVXZ])(?:20)?(?P<year>\d{1,2})")
_CONTINUOUS = re.compile(r"(?P<root>[A-Z0-9]{1,4})(?P<nth>[1-9])!")
MAX_TICKER_LENGTH = 32


class UnknownTicker(ValueError):
    """No product of the table has this root; the message names what was asked for."""


@dataclass(frozen=True, slots=True)
class Product:
    root: str
    exchange: str
    description: str
    tick: Decimal
    point_value: Decimal
    months: str
    last_trade: str


@dataclass(frozen=True, slots=True)
class Contract:
    """One tradable month, named as Tradovate and the exchanges do: root, month code, last digit of the year."""

    product: Product
    year: int
    month: int

    @property
    def root(self) -> str:
        return self.product.root

    @property
    def tick(self) -> Decimal:
        return self.product.tick

    @property
    def point_value(self) -> Decimal:
        return self.product.point_value

    @property
    def symbol(self) -> str:
        return f"{self.root}{expiry.month_code(self.month)}{self.year % 10}"

    def round(self, price: Decimal) -> Decimal:
        """`price` on the nearest tick."""
        return (price / self.tick).quantize(Decimal(1), ROUND_HALF_EVEN) * self.tick


@lru_cache(maxsize=1)
def products() -> dict[str, Product]:
    rows = json.loads(_DATA.read_text())
    return {row["root"]: _product(row) for row in rows}


def _product(row: dict[str, str]) -> Product:
    numbers = {"tick": Decimal(row["tick"]), "point_value": Decimal(row["point_value"])}
    return Product(
        root=row["root"],
        exchange=row["exchange"],
        description=row["description"],
        months=row["months"],
        last_trade=row["last_trade"],
        **numbers,
    )


def _bare(ticker: str) -> str:
    return ticker.strip().upper().rsplit(":", 1)[-1]


def _split(ticker: str) -> tuple[Product, str, str]:
    """The product, and the month code with the year or the continuous rank, of `ticker`."""
    bare = _bare(ticker)
    if len(bare) <= MAX_TICKER_LENGTH:
        if bare in products():
            return products()[bare], "", "1"
        for pattern in (_CONTINUOUS, _DATED):
            match = pattern.fullmatch(bare)
            if match is not None and match["root"] in products():
                found = match.groupdict()
                return products()[found["root"]], found.get("month", ""), found.get("nth") or found["year"]
    raise UnknownTicker(f"{ticker[:MAX_TICKER_LENGTH]!r} names no product that we know")


def product_of(ticker: str) -> Product:
    """The product of `MNQ1!`, `CME_MINI:MNQ1!`, `MNQ`, `MNQZ6` or `MNQZ2026`. Raises `UnknownTicker`."""
    return _split(ticker)[0]


@lru_cache(maxsize=4096)
def resolve(ticker: str, today: date) -> Contract:
    """The contract that `ticker` means on `today`: continuous and bare roots mean the front month by calendar.

    Raises `UnknownTicker`, also for a month in which the product has no contract.
    """
    product, month, number = _split(ticker)
    if not month:
        return _front_months(product, today, int(number))
    if month not in product.months:
        raise UnknownTicker(f"{ticker!r}: {product.root} has no contract with month code {month}")
    return Contract(product, _full_year(number, today), expiry.MONTH_CODES.index(month) + 1)


def contract_of(symbol: str, today: date | None = None) -> Contract:
    """The contract of a symbol that was resolved before, such as `MNQZ6`; the year digit is read near `today`."""
    return resolve(symbol, today or clock.now().date())


def _front_months(product: Product, today: date, nth: int) -> Contract:
    year, month = today.year, today.month
    seen = 0
    for _ in range(12 * (nth + 2)):
        if expiry.month_code(month) in product.months and expiry.roll_date(product.last_trade, year, month) > today:
            seen += 1
            if seen == nth:
                return Contract(product, year, month)
        year, month = expiry.shift_month(year, month, 1)
    raise UnknownTicker(f"{product.root} lists no contract number {nth}")


def _full_year(digits: str, today: date) -> int:
    """The year nearest to `today` that ends in `digits`: one digit repeats every ten years, two every hundred."""
    span: int = 10 ** len(digits)
    year = today.year - today.year % span + int(digits)
    return min((year - span, year, year + span), key=lambda candidate: abs(candidate - today.year))
