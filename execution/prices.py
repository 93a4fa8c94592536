"""Prices and money as people read them: in the contract's tick format, with a true minus sign."""

from __future__ import annotations

from decimal import Decimal

from brokers.instruments import Contract

MINUS = "\N{MINUS SIGN}"
THIRTY_SECONDS = frozenset({"ZT", "ZF", "ZN", "TN", "ZB", "UB"})
EIGHTHS = frozenset({"ZC", "ZW", "ZS", "KE"})


def format_price(price: Decimal | None, contract: Contract | None) -> str:
    """`20,431.25`, `112'165` for a Treasury future, `450'2` for a grain; a dash for no price."""
    if price is None:
        return "—"
    if contract is None:
        return f"{price.normalize():,f}"
    if contract.root in THIRTY_SECONDS:
        return _thirty_seconds(price, contract.tick)
    if contract.root in EIGHTHS:
        whole, rest = divmod(price, 1)
        return f"{whole:,.0f}'{rest * 8:.0f}"
    return f"{price:,.{_decimals(price, contract.tick)}f}"


def _decimals(price: Decimal, tick: Decimal) -> int:
    """Places of the tick; an average between two ticks gets up to two more, so that it is not shown as a tick."""
    places = max(0, -int(tick.normalize().as_tuple().exponent))
    own = max(0, -int(price.normalize().as_tuple().exponent))
    return min(own, places + 2) if own > places else places


def _thirty_seconds(price: Decimal, tick: Decimal) -> str:
    whole, rest = divmod(price, 1)
    parts = rest * 32
    if tick * 32 >= 1:
        return f"{whole:,.0f}'{int(parts):02d}"
    return f"{whole:,.0f}'{int(parts * 10):03d}"


def format_money(amount: Decimal | None, *, signed: bool = True) -> str:
    """`+$1,250.00`, `$0.00`, with a true minus sign below zero; a dash where nobody knows."""
    if amount is None:
        return "—"
    cents = amount.quantize(Decimal("0.01"))
    sign = MINUS if cents < 0 else "+" if signed and cents > 0 else ""
    return f"{sign}${abs(cents):,.2f}"


def format_ticks(ticks: int | None) -> str:
    if ticks is None:
        return "—"
    sign = MINUS if ticks < 0 else "+" if ticks > 0 else ""
    return f"{sign}{abs(ticks):,} t"
