"""How long each phase of a signal took, over all of its intents, computed by the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Max, Q, Value
from django.db.models.functions import Greatest

from execution.models import OrderIntent

PHASES = (
    ("planned", "signal__received_at", "signal__planned_at"),
    ("sent", "signal__planned_at", "sent_at"),
    ("acknowledged", "sent_at", "acknowledged_at"),
    ("filled", "acknowledged_at", "filled_at"),
    ("protected", "filled_at", "protected_at"),
)
WHOLE = (
    ("to_sent", "signal__received_at", "sent_at"),
    ("to_filled", "signal__received_at", "filled_at"),
    ("to_protected", "signal__received_at", "protected_at"),
)


class Median(Aggregate):
    """PostgreSQL's continuous median of a duration."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True, slots=True)
class Phase:
    """Milliseconds between one recorded moment and the next; None while no intent has both."""

    name: str
    p50: float | None
    max: float | None
    count: int


@dataclass(frozen=True, slots=True)
class SignalTiming:
    phases: tuple[Phase, ...]
    whole: dict[str, Phase]

    @property
    def headline(self) -> Phase | None:
        """The furthest point that any intent reached: protected, else filled, else sent."""
        reached = (self.whole[name] for name in ("to_protected", "to_filled", "to_sent"))
        return next((phase for phase in reached if phase.count > 0), None)


def time_signals(signal_ids: list[UUID]) -> dict[UUID, SignalTiming]:
    """The timing of each signal that has intents, in one query."""
    rows = (
        OrderIntent.objects.filter(signal__in=signal_ids)
        .order_by()
        .values("signal_id")
        .annotate(**_aggregates((*PHASES, *WHOLE)))
    )
    return {row["signal_id"]: _timing(dict(row)) for row in rows}


def _aggregates(spans: tuple[tuple[str, str, str], ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, start, end in spans:
        # Two machines' clocks, or a fill that overtakes its acknowledgement, may not show as a negative time.
        taken = Greatest(ExpressionWrapper(F(end) - F(start), DurationField()), Value(timedelta(0)))
        both = Q(**{f"{start}__isnull": False, f"{end}__isnull": False})
        found |= {
            f"{name}_p50": Median(taken, filter=both),
            f"{name}_max": Max(taken, filter=both),
            f"{name}_count": Count("id", filter=both),
        }
    return found


def _timing(row: dict[str, Any]) -> SignalTiming:
    def phase(name: str) -> Phase:
        return Phase(name, _ms(row[f"{name}_p50"]), _ms(row[f"{name}_max"]), row[f"{name}_count"])

    return SignalTiming(
        phases=tuple(phase(name) for name, _, _ in PHASES), whole={name: phase(name) for name, _, _ in WHOLE}
    )


def _ms(taken: timedelta | None) -> float | None:
    return None if taken is None else taken / timedelta(milliseconds=1)
