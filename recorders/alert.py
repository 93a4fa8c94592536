"""What an alert says once it is understood, and why one is refused. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Action(StrEnum):
    BUY = "buy"
    SELL = "sell"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class ParsedAlert:
    """Quantities are contracts as the alert states them, positions are signed; None means that it does not say.

    `fired_at` is the alert's own time (aware UTC, whole seconds in TradingView's `{{timenow}}`).
    """

    action: Action
    ticker: str
    quantity: Decimal | None = None
    price: Decimal | None = None
    position: Decimal | None = None
    prev_position: Decimal | None = None
    fired_at: datetime | None = None


class Refusal(ValueError):
    """An alert that cannot be acted on: `code` for machines, `text` with what was had and what is allowed."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text[:512]


def shown(value: object, limit: int = 60) -> str:
    """`value` as it may stand in a refusal: printable, quoted and short."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
