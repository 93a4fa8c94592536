"""The legs of a preview as a page shows them: a row for each leg, a column for each size, to fit a phone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import redis

from brokers.base import Side
from brokers.instruments import Contract, contract_of
from brokers.quotes.cache import latest
from recorders.settings import Settings
from traders.preview import PreviewSize, preview_legs

PRICE_WITHOUT_QUOTE = Decimal(25_000)


def preview_of(
    settings: Settings, *, ticker: str, side: Side, price: Decimal | None, multiplier: Decimal
) -> dict[str, Any]:
    """What the template needs; `problem` alone where there is nothing to show."""
    try:
        contract = contract_of(ticker.strip().upper())
        entry, source = price_of(contract.symbol) if price is None else (price, "")
        sizes = preview_legs(settings, contract.symbol, side, entry, multiplier)
    except ValueError as error:
        return {"problem": str(error)}
    stop = sizes[0].legs[0].stop_price
    return {
        "contract": contract,
        "side": side,
        "price": price_text(entry, contract),
        "source": source,
        "settings": settings,
        "sizes": [size.size for size in sizes],
        "legs": _rows(sizes, contract, side, entry),
        "stop": price_text(stop, contract),
        "loss": money_text(stop, entry, side, contract),
    }


def _rows(sizes: list[PreviewSize], contract: Contract, side: Side, entry: Decimal) -> list[dict[str, Any]]:
    """Nearest target first; last, without a price, what no target closes."""
    found = {leg.target_price for size in sizes for leg in size.legs}
    targets = sorted((target for target in found if target is not None), key=lambda target: abs(target - entry))
    return [
        {
            "price": price_text(target, contract),
            "gain": money_text(target, entry, side, contract),
            "counts": [sum(leg.contracts for leg in size.legs if leg.target_price == target) for size in sizes],
        }
        for target in (*targets, *({None} & found))
    ]


def price_of(symbol: str) -> tuple[Decimal, str]:
    """The last quote, or a round number where there is none, and in words which of the two it is."""
    try:
        quote = latest([symbol]).get(symbol)
    except redis.RedisError:
        quote = None
    if quote is None or quote.last is None:
        return PRICE_WITHOUT_QUOTE, "no quote here, so the price is assumed"
    return quote.last, "the last quote"


def price_text(price: Decimal | None, contract: Contract) -> str:
    """With the places of the contract's tick; "" for none."""
    places = max(0, -int(contract.tick.normalize().as_tuple().exponent))
    return "" if price is None else f"{price:,.{places}f}"


def money_text(price: Decimal | None, entry: Decimal, side: Side, contract: Contract) -> str:
    """What one contract makes from `entry` to `price`, `+$20.00`; "" for no price."""
    if price is None:
        return ""
    made = (price - entry) * side.sign * contract.point_value
    sign = "\N{MINUS SIGN}" if made < 0 else "+" if made > 0 else ""
    return f"{sign}${abs(made):,.2f}"
