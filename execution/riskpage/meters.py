"""How far each limit is away, ready to be shown: what was had, what is allowed and what is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from execution.prices import format_money
from execution.riskpage.figures import Book, TraderFigures
from risk.models import MONEY, LimitKind, LimitScope, RiskLimit
from risk.monitors import Figures, Kind, Terms, gauge_of
from risk.services.limits import name_of
from risk.terms import OF_A_TRADER, terms_of, used_percent

NEAR_PERCENT = 80
EQUITY_KINDS = frozenset({Kind.TRAILING_DRAWDOWN, Kind.FLOOR})


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit as it stands. `key` is `RiskAction.limit_key`; `limit_id` None where it is no limit row.

    `had`, `allowed` and `room` are dollars while `is_money`, else contracts or positions; None is not known. `used` is
    0 to 100, and 100 means that it is reached. `is_equity`: what is had is the account's worth, not a result. `terms`
    says the limit itself in words.
    """

    key: str
    name: str
    whose: str
    scope: str
    had: Decimal | None
    allowed: Decimal | None
    room: Decimal | None
    used: int | None
    limit_id: UUID | None = None
    is_money: bool = True
    is_equity: bool = False
    is_target: bool = False
    is_enabled: bool = True
    terms: str = ""

    @property
    def state(self) -> str:
        """`off`, `unknown`, `reached`, `near` or `room`."""
        if not self.is_enabled:
            return "off"
        if self.used is None or self.room is None:
            return "unknown"
        if self.room <= 0:
            return "reached"
        return "near" if self.used >= NEAR_PERCENT else "room"

    @property
    def had_text(self) -> str:
        return self._text(self.had)

    @property
    def allowed_text(self) -> str:
        return self._text(self.allowed)

    @property
    def room_text(self) -> str:
        """`$140.00 left`; a target has it to go."""
        if self.room is None:
            return "Not known"
        if self.state == "reached":
            return "Reached"
        left = format_money(self.room, signed=False) if self.is_money else _plain(self.room)
        return f"{left} {'to go' if self.is_target else 'left'}"

    def _text(self, value: Decimal | None) -> str:
        if value is None or self.is_money:
            return format_money(value, signed=not self.is_equity)
        return _plain(value)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def meters_of(limits: Iterable[RiskLimit], book: Book) -> list[Meter]:
    return [_meter(limit, book) for limit in limits]


def setting_meters(traders: Iterable[TraderFigures]) -> list[Meter]:
    """Of the most loss that traders state in their own settings."""
    return [
        money_meter(
            Terms(
                f"{OF_A_TRADER}{one.share.trader_id}",
                Kind.DAILY_LOSS,
                one.most_loss,
                label="Daily loss, by its settings",
            ),
            one.figures,
            whose=one.name,
            scope=LimitScope.TRADER,
        )
        for one in traders
        if one.most_loss is not None
    ]


def money_meter(terms: Terms, figures: Figures, *, whose: str, scope: str, limit: RiskLimit | None = None) -> Meter:
    """How a limit of money stands."""
    gauge = gauge_of(terms, figures)
    return Meter(
        key=terms.key,
        name=terms.label,
        whose=whose,
        scope=scope,
        had=gauge.had,
        allowed=gauge.allowed,
        room=gauge.room,
        used=used_percent(gauge),
        limit_id=None if limit is None else limit.pk,
        is_equity=terms.kind in EQUITY_KINDS,
        is_target=terms.kind is Kind.DAILY_PROFIT,
        is_enabled=limit is None or limit.is_enabled,
        terms=_terms_text(terms),
    )


def nearest(meters: Iterable[Meter]) -> Meter | None:
    """The limit of losses that is used up most; None where none can be judged."""
    judged = [meter for meter in meters if meter.used is not None and meter.is_enabled and not meter.is_target]
    return max((meter for meter in judged if meter.is_money), key=_used, default=None)


def _terms_text(terms: Terms) -> str:
    return f"{_plain(terms.amount)} %" if terms.is_percent else format_money(terms.amount, signed=False)


def _used(meter: Meter) -> int:
    return -1 if meter.used is None else meter.used


def _meter(limit: RiskLimit, book: Book) -> Meter:
    if limit.kind in MONEY:
        return money_meter(terms_of(limit), book.of(limit), whose=name_of(limit), scope=limit.scope, limit=limit)
    counted = book.counts(limit)
    had = None if counted is None else counted[0 if limit.kind == LimitKind.MAX_CONTRACTS else 1]
    return Meter(
        key=limit.key,
        name=str(limit.get_kind_display()),
        whose=name_of(limit),
        scope=limit.scope,
        had=None if had is None else Decimal(had),
        allowed=limit.amount,
        room=None if had is None else limit.amount - had,
        used=None if had is None else min(100, int(100 * had / limit.amount)),
        limit_id=limit.pk,
        is_money=False,
        is_enabled=limit.is_enabled,
        terms=_plain(limit.amount),
    )
