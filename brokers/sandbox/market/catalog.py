"""Products and contracts the venue lists, and how a symbol text is resolved to one of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import orjson

from brokers import expiry

EXCHANGES = {"CBOT": 1, "CME": 2, "NYMEX": 3, "COMEX": 4}
CONTRACT_GROUPS = {
    "E-Mini Indices": 10,
    "Micro Indices": 15,
    "Metals": 4,
    "Energies": 9,
    "Financials": 3,
    "Currencies": 6,
    "Grains": 5,
    "Meats": 7,
    "Cryptocurrencies": 12,
}
HIGHEST_PRICE = Decimal(10) ** 12
FIRST_PRODUCT_ID = 701
FIRST_CONTRACT_ID = 4_300_000
FIRST_MATURITY_ID = 60_000
LISTED_MONTHS_BACK = 24
LISTED_MONTHS_AHEAD = 27
_PRODUCTS_FILE = Path(__file__).with_name("products.json")
_CONTINUOUS = re.compile(r"^(?P<root>[A-Z0-9]+?)(?P<nth>[1-9])!$")
_LONG_YEAR = re.compile(r"^(?P<stem>[A-Z0-9]+[FGHJKMNQUVXZ])20\d(?P<digit>\d)$")


@dataclass(frozen=True, slots=True)
class Product:
    """One futures root. ``tick`` is in price points, ``point_value`` in USD per 1.0 price, margins in USD per lot."""

    id: int
    root: str
    description: str
    exchange_id: int
    group_id: int
    months: str
    rule: str
    tick: Decimal
    point_value: Decimal
    price_format_type: str
    price_format: int
    is_micro: bool
    base_price: Decimal
    day_margin: Decimal
    full_margin: Decimal

    def on_tick(self, price: Decimal) -> bool:
        return abs(price) < HIGHEST_PRICE and price % self.tick == 0

    def row(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.root,
            "currencyId": 1,
            "productType": "Futures",
            "description": self.description,
            "exchangeId": self.exchange_id,
            "contractGroupId": self.group_id,
            "status": "Verified",
            "months": self.months,
            "valuePerPoint": float(self.point_value),
            "priceFormatType": self.price_format_type,
            "priceFormat": self.price_format,
            "tickSize": float(self.tick),
            "isMicro": self.is_micro,
        }


@dataclass(frozen=True, eq=False)
class Contract:
    """One listed expiry of a product; compared by identity, as the catalog holds each once."""

    id: int
    maturity_id: int
    product: Product
    year: int
    month: int

    @cached_property
    def name(self) -> str:
        return f"{self.product.root}{expiry.month_code(self.month)}{self.year % 10}"

    @cached_property
    def last_trade(self) -> date:
        return expiry.last_trade_date(self.product.rule, self.year, self.month)

    @cached_property
    def roll(self) -> date:
        return expiry.roll_date(self.product.rule, self.year, self.month)

    @property
    def tick(self) -> Decimal:
        return self.product.tick

    @property
    def point_value(self) -> Decimal:
        return self.product.point_value

    def row(self) -> dict[str, object]:
        listed = f"{self.year - 2}-{self.month:02d}-01T05:00Z"
        return {"id": self.id, "name": self.name, "contractMaturityId": self.maturity_id, "timestamp": listed}

    def maturity_row(self, *, is_front: bool) -> dict[str, object]:
        row: dict[str, object] = {
            "id": self.maturity_id,
            "productId": self.product.id,
            "expirationMonth": self.year * 100 + self.month,
            "expirationDate": f"{self.last_trade.isoformat()}T22:00Z",
            "isFront": is_front,
        }
        notice = expiry.first_notice_date(self.product.rule, self.year, self.month)
        if notice is not None:
            row["firstIntentDate"] = f"{notice.isoformat()}T22:00Z"
        return row


def _load_products() -> list[Product]:
    rows = orjson.loads(_PRODUCTS_FILE.read_bytes())
    return [
        Product(
            id=FIRST_PRODUCT_ID + index,
            root=row["root"],
            description=row["description"],
            exchange_id=EXCHANGES[row["exchange"]],
            group_id=CONTRACT_GROUPS[row["group"]],
            months=row["months"],
            rule=row["lastTradeRule"],
            tick=Decimal(row["tickSize"]),
            point_value=Decimal(row["valuePerPoint"]),
            price_format_type=row["priceFormatType"],
            price_format=row["priceFormat"],
            is_micro=row["isMicro"],
            base_price=Decimal(row["basePrice"]),
            day_margin=Decimal(row["dayMargin"]),
            full_margin=Decimal(row["fullMargin"]),
        )
        for index, row in enumerate(rows)
    ]


class Catalog:
    """All listed products and contracts as of ``today()``; ids are the same on every start."""

    def __init__(self, today: Callable[[], date]) -> None:
        self._today = today
        self.products = {product.root: product for product in _load_products()}
        self._listed: dict[str, list[Contract]] = {root: self._list(p) for root, p in self.products.items()}
        contracts = [contract for listed in self._listed.values() for contract in listed]
        self.by_name = {contract.name: contract for contract in contracts}
        self.by_id = {contract.id: contract for contract in contracts}
        self.by_maturity = {contract.maturity_id: contract for contract in contracts}

    def _list(self, product: Product) -> list[Contract]:
        today = self._today()
        span = range(-LISTED_MONTHS_BACK, LISTED_MONTHS_AHEAD)
        months = [expiry.shift_month(today.year, today.month, by) for by in span]
        return [
            self._contract(product, year, month) for year, month in months if expiry.month_code(month) in product.months
        ]

    def _contract(self, product: Product, year: int, month: int) -> Contract:
        serial = (product.id - FIRST_PRODUCT_ID) * 1200 + (year - 2000) * 12 + month
        return Contract(FIRST_CONTRACT_ID + serial, FIRST_MATURITY_ID + serial, product, year, month)

    def front(self, root: str, nth: int = 1) -> Contract:
        """The ``nth`` contract not yet rolled (1 = front month). Raises KeyError for an unknown root."""
        today = self._today()
        open_months = [contract for contract in self._listed[root] if contract.roll > today]
        return open_months[nth - 1]

    def is_front(self, contract: Contract) -> bool:
        return self.front(contract.product.root) is contract

    def tradable(self, name: str) -> Contract | None:
        """The contract of this exact venue name, unless it has expired."""
        contract = self.by_name.get(name)
        if contract is None or contract.last_trade < self._today():
            return None
        return contract

    def next_after(self, contract: Contract, *, forward: bool) -> Contract | None:
        listed = self._listed[contract.product.root]
        index = listed.index(contract) + (1 if forward else -1)
        return listed[index] if 0 <= index < len(listed) else None

    def expired(self, contract: Contract) -> bool:
        return contract.last_trade < self._today()

    def suggest(self, text: str, limit: int) -> list[Contract]:
        """Live contracts whose name starts with ``text``: the venue answers a prefix, so ES also finds nothing less."""
        wanted = text.upper()
        found = [c for c in self.by_name.values() if c.name.startswith(wanted) and not self.expired(c)]
        return found[:limit]

    def resolve(self, symbol: str) -> Contract | None:
        """Contract for MNQZ6, MNQZ2026, MNQ, MNQ1! or CME_MINI:MNQ1!; None when nothing listed matches."""
        text = symbol.rsplit(":", 1)[-1].strip().upper()
        long_year = _LONG_YEAR.match(text)
        if long_year is not None:
            text = long_year["stem"] + long_year["digit"]
        if text in self.products:
            return self.front(text)
        continuous = _CONTINUOUS.match(text)
        if continuous is not None and continuous["root"] in self.products:
            return self.front(continuous["root"], int(continuous["nth"]))
        return self.by_name.get(text)
