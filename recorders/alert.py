"""What an alert says once it is understood, and why one is refused. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """`CANCEL` ends entries that still wait at the broker; `HEARTBEAT` says that the sender is alive, no more."""

    BUY = "buy"
    SELL = "sell"
    CLOSE = "close"
    CLOSE_LONG = "close_long"
    CLOSE_SHORT = "close_short"
    CANCEL = "cancel"
    HEARTBEAT = "heartbeat"


ENTRIES = frozenset({Action.BUY, Action.SELL})
EXITS = frozenset({Action.CLOSE, Action.CLOSE_LONG, Action.CLOSE_SHORT})


class Flag(StrEnum):
    """What was odd about an alert that was understood all the same; shown to its owner."""

    REPAIRED = "repaired"
    DELAYED_DATA = "delayed_data"
    SECRET_REMOVED = "secret_removed"  # noqa: S105 - a word for people
    CLOCK_SKEW = "clock_skew"


@dataclass(frozen=True, slots=True)
class ParsedAlert:
    """Quantities are contracts as the alert states them, positions are signed; None means that it does not say.

    `position` and `prev_position` are the strategy's own, after and before the order. `position_side` is the sign of
    the position after it (1, 0, -1) where the alert names the side without a size. `fired_at` is the alert's own time
    (aware UTC, whole seconds in TradingView's `{{timenow}}`). `settings` are fields of `recorders.settings.Settings`
    that this alert overrides, as JSON values. `limit_price` asks for a limit entry at that price. `premium` is an
    option's price in dollars.
    """

    action: Action
    ticker: str
    dialect: str = "canonical"
    quantity: Decimal | None = None
    price: Decimal | None = None
    position: Decimal | None = None
    prev_position: Decimal | None = None
    position_side: int | None = None
    fired_at: datetime | None = None
    strategy: str = ""
    limit_price: Decimal | None = None
    premium: Decimal | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()


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
