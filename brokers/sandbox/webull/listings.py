"""What the venue lists: the futures of the common catalog, a dozen stocks, and monthly options on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from brokers import expiry
from brokers.sandbox.market.catalog import Catalog, Contract, Product

EQUITY, OPTION, FUTURES = "EQUITY", "OPTION", "FUTURES"
US_STOCK, US_ETF, US_OPTION, US_FUTURES = "US_STOCK", "US_ETF", "US_OPTION", "US_FUTURES"
CENT = Decimal("0.01")
OPTION_MULTIPLIER = Decimal(100)
OPTION_MONTHS = 4
STRIKES_EACH_SIDE = 8
FIRST_STOCK_ID, FIRST_OPTION_ID = 913_000_001, 1_040_000_000
FRIDAY, THIRD = 4, 3
CONTINUOUS = "main"
# Symbol, name, exchange, last price (USD, of our invention), distance between strikes, whether it is a fund.
_STOCKS = (
    ("AAPL", "Apple Inc", "NAS", "314.60", "10", False),
    ("MSFT", "Microsoft Corp", "NAS", "521.00", "20", False),
    ("NVDA", "NVIDIA Corp", "NAS", "188.40", "10", False),
    ("TSLA", "Tesla Inc", "NAS", "402.25", "20", False),
    ("AMZN", "Amazon.com Inc", "NAS", "243.10", "10", False),
    ("META", "Meta Platforms Inc", "NAS", "640.80", "20", False),
    ("GOOGL", "Alphabet Inc", "NAS", "298.30", "10", False),
    ("AMD", "Advanced Micro Devices Inc", "NAS", "212.50", "10", False),
    ("NFLX", "Netflix Inc", "NAS", "108.90", "5", False),
    ("SPY", "SPDR S&P 500 ETF Trust", "PSE", "690.20", "10", True),
    ("QQQ", "Invesco QQQ Trust", "NAS", "618.70", "10", True),
    ("IWM", "iShares Russell 2000 ETF", "PSE", "251.40", "5", True),
)


def _product(number: int, root: str, name: str, price: Decimal, point_value: Decimal) -> Product:
    return Product(
        id=number,
        root=root,
        description=name,
        exchange_id=0,
        group_id=0,
        months="",
        rule="",
        tick=CENT,
        point_value=point_value,
        price_format_type="Decimal",
        price_format=2,
        is_micro=False,
        base_price=price,
        day_margin=Decimal(0),
        full_margin=Decimal(0),
    )


@dataclass(frozen=True, eq=False)
class Stock(Contract):
    """A share; one trades as one, so its point value is 1."""

    exchange: str
    strike_step: Decimal
    is_fund: bool

    @cached_property
    def name(self) -> str:
        return self.product.root

    @cached_property
    def last_trade(self) -> date:
        return date.max


@dataclass(frozen=True, eq=False)
class StockOption(Contract):
    """One option contract of 100 shares. ``right`` is CALL or PUT."""

    underlying: Stock
    expires: date
    strike: Decimal
    right: str

    @cached_property
    def name(self) -> str:
        return f"{self.underlying.name}{self.expires:%y%m%d}{self.right[0]}{int(self.strike * 1000):08d}"

    @cached_property
    def last_trade(self) -> date:
        return self.expires


class Listings(Catalog):
    """All that can be looked up by name or id, as of ``today()``; ids are the same on every start."""

    def __init__(self, today: Callable[[], date]) -> None:
        super().__init__(today)
        self.stocks = {row[0]: _stock(index, *row) for index, row in enumerate(_STOCKS)}
        self.options = {option.name: option for option in self._list_options(today())}
        added: list[Contract] = [*self.stocks.values(), *self.options.values()]
        self.by_name |= {contract.name: contract for contract in added}
        self.by_id |= {contract.id: contract for contract in added}

    def _list_options(self, today: date) -> Iterator[StockOption]:
        for by in range(OPTION_MONTHS):
            year, month = expiry.shift_month(today.year, today.month, by)
            expires = expiry.nth_weekday(year, month, FRIDAY, THIRD)
            for stock in self.stocks.values():
                yield from _options_of(stock, expires)

    def orderable(self, symbol: str) -> Contract | None:
        """A future or stock of this exact name; an expired one is not, a continuous one never."""
        return None if symbol in self.options else self.tradable(symbol)

    def quotable(self, symbol: str) -> Contract | None:
        """Anything of this name, and ``ESmain`` for the front month of ES."""
        root = symbol.removesuffix(CONTINUOUS)
        if root != symbol and root in self.products:
            return self.front(root)
        return self.tradable(symbol)

    def option(self, underlying: str, expires: str, strike: Decimal, right: str) -> StockOption | None:
        """``expires`` as 2027-01-15."""
        found = (o for o in self.options.values() if o.underlying.name == underlying and o.strike == strike)
        live = (o for o in found if o.expires.isoformat() == expires and o.right == right and not self.expired(o))
        return next(live, None)


def instrument_type(contract: Contract) -> str:
    if isinstance(contract, Stock):
        return EQUITY
    return OPTION if isinstance(contract, StockOption) else FUTURES


def category(contract: Contract) -> str:
    """As events and market data name it."""
    if isinstance(contract, Stock):
        return US_ETF if contract.is_fund else US_STOCK
    return US_OPTION if isinstance(contract, StockOption) else US_FUTURES


def wire_symbol(contract: Contract) -> str:
    """Options are named by their underlying; their legs tell which one."""
    return contract.underlying.name if isinstance(contract, StockOption) else contract.name


def _stock(index: int, symbol: str, name: str, exchange: str, price: str, step: str, is_fund: bool) -> Stock:  # noqa: FBT001  a row of the table
    product = _product(FIRST_STOCK_ID + index, symbol, name, Decimal(price), Decimal(1))
    return Stock(FIRST_STOCK_ID + index, 0, product, 0, 0, exchange, Decimal(step), is_fund)


def _options_of(stock: Stock, expires: date) -> Iterator[StockOption]:
    step, spot = stock.strike_step, stock.product.base_price
    middle = (spot / step).to_integral_value() * step
    months = expires.year * 12 + expires.month
    for side, right in enumerate(("CALL", "PUT")):
        for nth in range(-STRIKES_EACH_SIDE, STRIKES_EACH_SIDE + 1):
            strike = middle + nth * step
            serial = ((months % 1200) * 1000 + stock.id - FIRST_STOCK_ID) * 100 + side * 50 + nth + STRIKES_EACH_SIDE
            inner = max(spot - strike if right == "CALL" else strike - spot, Decimal(0))
            price = (inner + spot / 50).quantize(CENT)
            number = FIRST_OPTION_ID + serial
            product = _product(number, stock.name, f"{stock.name} option", price, OPTION_MULTIPLIER)
            yield StockOption(number, 0, product, expires.year, expires.month, stock, expires, strike, right)
