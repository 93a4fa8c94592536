"""Names of what is traded, ours and Webull's, and whether both mean the same contract.

A futures name is the same on both sides (`MNQZ6`); a stock is its symbol; an option is the clearing corporation's name
with us, and the underlying with strike, expiry and right at the venue (Webull wire facts, orders).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from brokers.access import Priority
from brokers.errors import Refused
from brokers.instruments import TickerKind, UnknownTicker, contract_of, instrument_of
from brokers.webull import limits
from brokers.webull.client import Client
from brokers.webull.types import Market

CONTRACT_MISMATCH, UNKNOWN_CONTRACT, ACCOUNT_CLASS = "CONTRACT_MISMATCH", "UNKNOWN_CONTRACT", "ACCOUNT_CLASS"
FUTURES_CLASS = "FUTURES"
# Classes of accounts that hold neither futures nor securities.
_ELSEWHERE = ("CRYPTO", "EVENTS")
CENT, FINE_TICK = Decimal("0.01"), Decimal("0.0001")
_STOCK = re.compile(r"[A-Z]{1,6}(?:[./-][A-Z]{1,2})?")
_OCC = re.compile(r"(?P<root>[A-Z]{1,6})(?P<day>[0-9]{6})(?P<right>[CP])(?P<strike>[0-9]{8})")
_THOUSANDTHS = 1000
_CATEGORIES = {Market.FUTURES: "US_FUTURES", Market.EQUITY: "US_STOCK", Market.OPTION: "US_OPTION"}


@dataclass(frozen=True, slots=True)
class Traded:
    """What a symbol of ours names. `symbol` is how reports name it."""

    market: Market
    symbol: str

    @property
    def category(self) -> str:
        """The venue's class of market data."""
        return _CATEGORIES[self.market]


def traded_of(symbol: str) -> Traded:
    """Raises `Refused` with the code UNKNOWN_CONTRACT for what names nothing that this venue could trade.

    A bare word is a stock: whoever hands a symbol to this venue has chosen its market already.
    """
    text = symbol.strip().upper()
    try:
        found = instrument_of(text)
    except UnknownTicker:
        found = None
    if found is not None and found.kind is not TickerKind.FUTURE:
        return Traded(Market.OPTION if found.kind is TickerKind.OPTION else Market.EQUITY, found.symbol)
    if any(letter.isdigit() for letter in text):
        return _future(text)
    if not _STOCK.fullmatch(text):
        raise Refused(UNKNOWN_CONTRACT, f"{symbol} names nothing that Webull trades")
    return Traded(Market.EQUITY, text)


def _future(text: str) -> Traded:
    try:
        contract = contract_of(text)
    except UnknownTicker as error:
        raise Refused(UNKNOWN_CONTRACT, str(error)) from None
    if contract.symbol != text:
        raise Refused(UNKNOWN_CONTRACT, f"{text} is not a contract's own name, {contract.symbol} is")
    return Traded(Market.FUTURES, text)


def option_leg(occ: str) -> dict[str, str]:
    """How the venue names an option: the fields of an order's only leg, without side and quantity."""
    match = _OCC.fullmatch(occ)
    if match is None:
        raise Refused(UNKNOWN_CONTRACT, f"{occ} is not an option's name")
    strike = Decimal(match["strike"]) / _THOUSANDTHS
    return {
        "symbol": match["root"],
        "strike_price": f"{strike:.3f}".removesuffix("0"),
        "option_expire_date": date.fromisoformat(f"20{match['day']}").isoformat(),
        "instrument_type": Market.OPTION.value,
        "option_type": "CALL" if match["right"] == "C" else "PUT",
        "market": "US",
    }


def occ_of(leg: Mapping[str, Any], underlying: str) -> str:
    """The clearing corporation's name of an option that the venue describes. Raises KeyError or ValueError."""
    day = date.fromisoformat(str(leg.get("option_expire_date") or leg["init_exp_date"])[:10])
    strike = Decimal(str(leg.get("strike_price") or leg["option_exercise_price"]))
    right = "C" if str(leg["option_type"]).upper() == "CALL" else "P"
    return f"{leg.get('symbol') or underlying}{day:%y%m%d}{right}{int(strike * _THOUSANDTHS):08}"


def on_tick(price: Decimal, traded: Traded) -> Decimal:
    """`price` on the nearest tick."""
    tick = _tick_of(traded, price)
    return (price / tick).quantize(Decimal(1), ROUND_HALF_EVEN) * tick


def _tick_of(traded: Traded, price: Decimal) -> Decimal:
    if traded.market is Market.FUTURES:
        return contract_of(traded.symbol).tick
    return FINE_TICK if traded.market is Market.EQUITY and price < 1 else CENT


def is_tradable_class(kind: str) -> bool:
    return not kind.startswith(_ELSEWHERE)


def check_account_class(traded: Traded, kind: str) -> None:
    """Futures belong to the futures account, all else to the individual ones. Raises `Refused`."""
    is_futures = traded.market is Market.FUTURES
    if is_futures != kind.startswith(FUTURES_CLASS) or not is_tradable_class(kind):
        wanted = "the futures account" if is_futures else "an individual account"
        raise Refused(ACCOUNT_CLASS, f"{traded.symbol} is traded in {wanted}, this one is {kind or 'unknown'}")


class ContractBook:
    """Futures that the venue lists with the size and tick that we know; one environment's, for all its logins."""

    def __init__(self) -> None:
        self._same: set[str] = set()

    def check(self, client: Client, traded: Traded, priority: Priority) -> None:
        """Ask the venue about a future, once if it agrees. Raises `Refused`, or what kept it from being asked."""
        if traded.market is Market.FUTURES and traded.symbol not in self._same:
            verdict = _verdict(client, traded.symbol, priority)
            if verdict is not None:
                raise verdict
            self._same.add(traded.symbol)


def _verdict(client: Client, symbol: str, priority: Priority) -> Refused | None:
    query = {"category": "US_FUTURES", "symbols": symbol}
    answer = client.read(limits.INSTRUMENTS, query, priority)
    rows = answer.get("data") if isinstance(answer, dict) else answer
    row = next((row for row in rows or () if isinstance(row, dict) and row.get("symbol") == symbol), None)
    if row is None:
        return Refused(UNKNOWN_CONTRACT, f"Webull does not list {symbol}")
    contract = contract_of(symbol)
    try:
        size, tick = Decimal(str(row["size"])), Decimal(str(row["min_tick"]))
    except (KeyError, InvalidOperation):
        return Refused(CONTRACT_MISMATCH, f"Webull does not say what a point of {symbol} is worth")
    if (size, tick) != (contract.point_value, contract.tick):
        ours = f"{contract.point_value} and {contract.tick}"
        return Refused(CONTRACT_MISMATCH, f"{symbol}: Webull has size {size} and tick {tick}, we have {ours}")
    return None
