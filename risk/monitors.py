"""Whether a limit is reached, and how far it is away. Pure; all money is dollars.

A monitor never judges by closed trades alone: the day's result is what was realised since the session began and what
is open now.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)
HUNDRED = Decimal(100)
CENT = Decimal("0.01")


class Kind(StrEnum):
    """The kinds of `risk.models.LimitKind` that money decides."""

    DAILY_LOSS = "daily_loss"
    DAILY_PROFIT = "daily_profit"
    WEEKLY_LOSS = "weekly_loss"
    TRAILING_DRAWDOWN = "trailing_drawdown"
    FLOOR = "floor"
    """Equity must stay above `amount`: a prop firm's static drawdown."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One limit. `amount` is positive; a percentage is of the equity where the session began.

    `key` is `RiskAction.limit_key`. `from_day_end` counts a trailing drawdown from the best end of a day; its floor
    rises no higher than `locks_at` (None: without end), as prop firms have it. `start` is the balance that a firm's
    drawdown counts from: no high-water mark is lower, whenever we began to look, and a floor's bar begins there.
    """

    key: str
    kind: Kind
    amount: Decimal
    is_percent: bool = False
    from_day_end: bool = False
    locks_at: Decimal | None = None
    label: str = ""
    start: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known at one moment; None is not known, and never means zero.

    `day` and `week` are realised plus open, after fees. The high-water marks include this moment's equity.
    """

    day: Decimal | None
    week: Decimal | None = None
    equity: Decimal | None = None
    start_equity: Decimal | None = None
    intraday_high: Decimal | None = None
    end_of_day_high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Gauge:
    """How a limit stands. `room` is what may still be lost (a profit target: still be won); 0 or less is a breach.

    `had` is the figure that is judged, `allowed` where it may not go, `whole` the limit itself, in dollars. All None
    while it cannot be judged.
    """

    terms: Terms
    had: Decimal | None = None
    allowed: Decimal | None = None
    room: Decimal | None = None
    whole: Decimal | None = None

    @property
    def is_breached(self) -> bool:
        return self.room is not None and self.room <= ZERO

    @property
    def span(self) -> Decimal | None:
        """What a bar on a screen stands for: the limit, or the room where a result on the good side makes it more."""
        return None if self.room is None or self.whole is None else max(self.room, self.whole)

    @property
    def text(self) -> str:
        """For the owner: what was had, and the limit."""
        name = self.terms.label or self.terms.kind.value.replace("_", " ")
        if self.had is None or self.allowed is None:
            return f"{name}: not known"
        return f"{name}: had {money(self.had)}, limit {money(self.allowed)}"


def gauge_of(terms: Terms, figures: Figures) -> Gauge:
    """How the limit stands at this moment."""
    amount = _dollars(terms, figures)
    if amount is None:
        return Gauge(terms)
    match terms.kind:
        case Kind.DAILY_LOSS:
            return _above(terms, figures.day, -amount, amount)
        case Kind.WEEKLY_LOSS:
            return _above(terms, figures.week, -amount, amount)
        case Kind.FLOOR:
            return _above(terms, figures.equity, amount, ZERO if terms.start is None else terms.start - amount)
        case Kind.TRAILING_DRAWDOWN:
            return _above(terms, figures.equity, _trailing_floor(terms, figures, amount), amount)
        case Kind.DAILY_PROFIT:
            return _below(terms, figures.day, amount)


def is_loss(kind: Kind) -> bool:
    """Whether the limit is reached by losing."""
    return kind is not Kind.DAILY_PROFIT


def money(value: Decimal) -> str:
    """Dollars and cents with a sign."""
    cents = value.quantize(CENT)
    return f"{'-' if cents < ZERO else ''}${abs(cents):,}"


def _dollars(terms: Terms, figures: Figures) -> Decimal | None:
    if not terms.is_percent:
        return terms.amount
    if figures.start_equity is None or figures.start_equity <= ZERO:
        return None
    return figures.start_equity * terms.amount / HUNDRED


def _trailing_floor(terms: Terms, figures: Figures, amount: Decimal) -> Decimal | None:
    high = figures.end_of_day_high if terms.from_day_end else figures.intraday_high
    if high is None:
        return None
    floor = (high if terms.start is None else max(high, terms.start)) - amount
    return floor if terms.locks_at is None else min(floor, terms.locks_at)


def _above(terms: Terms, had: Decimal | None, allowed: Decimal | None, whole: Decimal) -> Gauge:
    if had is None or allowed is None:
        return Gauge(terms)
    return Gauge(terms, had, allowed, had - allowed, whole)


def _below(terms: Terms, had: Decimal | None, allowed: Decimal) -> Gauge:
    return Gauge(terms) if had is None else Gauge(terms, had, allowed, allowed - had, allowed)
