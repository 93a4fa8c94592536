"""From what an owner set to the terms that a monitor judges by, and how much of a limit is used up."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from risk.models import MONEY, Basis, RiskLimit, Unit
from risk.monitors import Gauge, Kind, Terms

HUNDRED = Decimal(100)
OF_A_TRADER, OF_A_PACK = "setting:", "pack:"
"""How a `limit_key` begins where it is a trader's own `max_daily_loss`, or a rule of a prop firm."""


def pack_key(assignment_id: UUID) -> str:
    """What the `limit_key` of its rules begins with; a colon and the rule follow."""
    return f"{OF_A_PACK}{assignment_id}"


def terms_of(limit: RiskLimit) -> Terms:
    """Raises `ValueError` for a kind that counts contracts or positions: no money decides those."""
    if limit.kind not in MONEY:
        raise ValueError(f"{limit.kind} is not decided by money")
    return Terms(
        key=limit.key,
        kind=Kind(limit.kind),
        amount=limit.amount,
        is_percent=limit.unit == Unit.PERCENT,
        from_day_end=limit.basis == Basis.END_OF_DAY,
        label=str(limit.get_kind_display()),
    )


def used_percent(gauge: Gauge) -> int | None:
    """What of the limit is used up, 0 to 100 and whole; 100 means reached, None that it cannot be judged."""
    room, span = gauge.room, gauge.span
    if room is None or span is None:
        return None
    if gauge.is_breached:
        return 100
    return min(int(HUNDRED * (span - room) / span), 99)
