"""How a paper account is filled, as its owner has set it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from brokers.access import Credentials
from brokers.errors import Refused
from brokers.quotes.quote import SANDBOX

INITIAL = {"balance": "50000", "commission": "0.50", "slippage_ticks": "1"}
MOST_DOLLARS = Decimal(1_000_000_000)
MOST_SLIPPAGE_TICKS = 100


@dataclass(frozen=True, slots=True)
class Terms:
    """Starting cash and commission per contract and side in dollars; slippage is what market and stop orders lose.

    `is_always_open`: made-up prices know no trading hours.
    """

    balance: Decimal = Decimal(50_000)
    commission: Decimal = Decimal(0)
    slippage_ticks: int = 0
    is_always_open: bool = False


def terms_of(credentials: Credentials) -> Terms:
    """From the login's settings `balance`, `commission` and `slippage_ticks`. Raises `Refused` naming what is wrong."""
    settings = credentials.settings
    slippage_ticks = _number(settings, "slippage_ticks", MOST_SLIPPAGE_TICKS)
    if slippage_ticks != int(slippage_ticks):
        raise Refused("INVALID_SETTING", "slippage_ticks: whole ticks only")
    return Terms(
        balance=_number(settings, "balance", MOST_DOLLARS),
        commission=_number(settings, "commission", MOST_DOLLARS),
        slippage_ticks=int(slippage_ticks),
        is_always_open=credentials.environment == SANDBOX,
    )


def _number(settings: Mapping[str, str], name: str, most: Decimal | int) -> Decimal:
    text = settings.get(name, "") or INITIAL[name]
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Refused("INVALID_SETTING", f"{name}: {text!r} is no number") from None
    if not (value.is_finite() and 0 <= value <= most):
        raise Refused("INVALID_SETTING", f"{name}: had {text}, at least 0 and at most {most}")
    return value
