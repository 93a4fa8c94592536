"""Which contract a ticker means, and what a tick and a point of it are worth. Pure, over one data file.

Point value is dollars per 1.0 of price for one contract; tick is the smallest price step, in price points.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from brokers import expiry
from justtrades import clock

_DATA = Path(__file__).with_name("data") / "futures.json"
MAX_TICKER_LENGTH = 32
STOCK_EXCHANGES = frozenset({"NASDAQ", "NYSE", "AMEX", "ARCA", "BATS", "CBOE", "OTC"})

# Where a ticker says it is from: `CME_MINI_DL:` (TradingView), `.CME`, `:XCME` (thinkorswim).
_FUTURES_EXCHANGE = r"(?:CME|CBOT|NYMEX|COMEX|XCME|XCBT|XNYM|XCEC)(?:_[A-Z]+)*"
_PLACED = re.compile(rf"(?:{_FUTURES_EXCHANGE}:)?/?(?P<bare>[^:.]+)(?:[:.]{_FUTURES_EXCHANGE})?")
# The last letter before the year is the month, so no two roots can claim one text.
_DATED = re.compile(r"(?P<root>[A-Z0-9]{1,4})(?P<month>[FGHJKMNQUVXZ])(?P<year>20[0-9]{2}|[0-9]{1,2})")
_CONTINUOUS = re.compile(r"(?P<root>[A-Z0-9]{1,4})(?P<nth>[1-9])!")
# NinjaTrader's: `MNQ 12-26`.
_NUMBERED = re.compile(r"(?P<root>[A-Z0-9]{1,4}) (?P<month>0[1-9]|1[0-2])-(?P<year>20[0-9]{2}|[0-9]{2})")
_STOCK = re.compile(r"(?P<exchange>[A-Z]+):(?P<symbol>[A-Z]{1,6}(?:[./-][A-Z]{1,2})?)")
# The Options Clearing Corporation's name has the strike in thousandths, eight digits; charts write it as a price.
_OPTION = re.compile(
    r"(?:OPRA:)?(?P<root>[A-Z]{1,6}) *(?P<day>[0-9]{6})(?P<right>[CP])(?P<strike>[0-9]{8}|[0-9]{1,5}(?:\.[0-9]{1,3})?)"
)
_OCC_STRIKE_DIGITS = 8


class UnknownTicker(ValueError):
    """No product of the table has this root; the message names what was asked for."""


class TickerKind(StrEnum):
    FUTURE = "future"
    STOCK = "stock"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a ticker names, for a venue that trades its kind. An option's symbol is the clearing corporation's."""

    kind: TickerKind
    symbol: str
    exchange: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """One futures root. Products of one `family` quote the same price; `calendar` names their trading hours."""

    root: str
    exchange: str
    description: str
    tick: Decimal
    point_value: Decimal
    months: str
    last_trade: str
    calendar: str
    family: str


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

    def ticks(self, distance: Decimal) -> Decimal:
        """`distance`, in price points, counted in ticks."""
        return distance / self.tick

    def round(self, price: Decimal) -> Decimal:
        """`price` on the nearest tick."""
        return self.on_tick(price, ROUND_HALF_EVEN)

    def toward_entry(self, price: Decimal, entry: Decimal) -> Decimal:
        """A stop's or target's `price` on the tick at or next to it on the side of `entry`.

        Never farther from the entry than asked, unless that would put it at the entry or across: then it is the first
        tick beyond it. Raises ValueError for a price at the entry, which says no side.
        """
        if price == entry:
            raise ValueError(f"a protective price of {price} is the entry's own")
        if price > entry:
            return max(self.on_tick(price, ROUND_FLOOR), self.on_tick(entry, ROUND_FLOOR) + self.tick)
        return min(self.on_tick(price, ROUND_CEILING), self.on_tick(entry, ROUND_CEILING) - self.tick)

    def distance_on_tick(self, distance: Decimal) -> Decimal:
        """`distance` rounded down to whole ticks, but one tick at least; 0 stays 0. Raises ValueError below 0."""
        if distance < 0:
            raise ValueError(f"a distance of {distance} is below 0")
        return max(self.on_tick(distance, ROUND_FLOOR), self.tick) if distance else Decimal(0)

    def on_tick(self, price: Decimal, rounding: str) -> Decimal:
        """`price` on the tick, by one of `decimal`'s rounding modes."""
        return (price / self.tick).quantize(Decimal(1), rounding) * self.tick


@lru_cache(maxsize=1)
def products() -> dict[str, Product]:
    rows = json.loads(_DATA.read_text())
    return {row["root"]: _product(row) for row in rows}


def _product(row: dict[str, str]) -> Product:
    return Product(
        root=row["root"],
        exchange=row["exchange"],
        description=row["description"],
        tick=Decimal(row["tick"]),
        point_value=Decimal(row["point_value"]),
        months=row["months"],
        last_trade=row["last_trade"],
        calendar=row["calendar"],
        family=row["family"],
    )


def conversion_ratio(signal: Product, traded: Product) -> Decimal | None:
    """How many contracts of `traded` move as much money as one of `signal`: 10 for NQ traded as MNQ.

    None when their prices are not the same, so that a level of one says nothing about the other.
    """
    return signal.point_value / traded.point_value if signal.family == traded.family else None


@lru_cache(maxsize=4096)
def _split(ticker: str) -> tuple[Product, str, str]:
    """The product of `ticker`, and its month code with the year, or no month and the continuous rank."""
    bare = _bare(ticker)
    if bare in products():
        return products()[bare], "", "1"
    match = _CONTINUOUS.fullmatch(bare) or _DATED.fullmatch(bare)
    root = match["root"] if match is not None else bare
    if match is None or root not in products():
        raise UnknownTicker(f"{ticker!r} names no product that we know{_suggestion(root)}")
    found = match.groupdict()
    return products()[root], found.get("month", ""), found.get("nth") or found["year"]


def _bare(ticker: str) -> str:
    """The root, or the root with rank or month, of `ticker`: without where it is from, in the exchange's form."""
    text = ticker.strip().upper()
    placed = _PLACED.fullmatch(text) if len(text) <= MAX_TICKER_LENGTH else None
    if placed is None:
        raise UnknownTicker(f"{ticker[:MAX_TICKER_LENGTH]!r} names no product that we know")
    numbered = _NUMBERED.fullmatch(placed["bare"])
    if numbered is None:
        return placed["bare"]
    return f"{numbered['root']}{expiry.month_code(int(numbered['month']))}{numbered['year']}"


def _suggestion(root: str) -> str:
    near = difflib.get_close_matches(root, products(), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def product_of(ticker: str) -> Product:
    """The product of `MNQ1!`, `CME_MINI:MNQ1!`, `MNQ`, `MNQZ6`, `MNQZ2026`, `/MNQZ26:XCME` or `MNQ 12-26`.

    Raises `UnknownTicker`, also for a known root said to be from elsewhere: `NYSE:ES` is a share.
    """
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


def classify(ticker: str) -> TickerKind:
    """What kind of thing a ticker names. Raises `UnknownTicker`."""
    return instrument_of(ticker).kind


def instrument_of(ticker: str) -> Instrument:
    """What a ticker names: a known future, an option by its name, or a stock by its exchange. Raises `UnknownTicker`.

    A bare word is never guessed to be a stock: `MNQZ` would then buy shares.
    """
    text = ticker.strip().upper()
    if len(text) <= MAX_TICKER_LENGTH:
        stock = _STOCK.fullmatch(text)
        if stock is not None and stock["exchange"] in STOCK_EXCHANGES:
            return Instrument(TickerKind.STOCK, stock["symbol"], stock["exchange"])
        option = _OPTION.fullmatch(text)
        if option is not None and _is_date(option["day"]):
            return Instrument(TickerKind.OPTION, _occ_name(option))
    return Instrument(TickerKind.FUTURE, _bare(ticker), product_of(ticker).exchange)


def _is_date(day: str) -> bool:
    try:
        date.fromisoformat(f"20{day}")
    except ValueError:
        return False
    return True


def _occ_name(option: re.Match[str]) -> str:
    strike = option["strike"]
    if len(strike) != _OCC_STRIKE_DIGITS:
        strike = f"{int(Decimal(strike) * 1000):08}"
    return f"{option['root']}{option['day']}{option['right']}{strike}"
