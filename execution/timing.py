"""How long each phase of a signal took: over all of its intents, computed by the database, or of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Max, Q, Value
from django.db.models.functions import Greatest

from execution.models import OrderIntent
from recorders.models import Signal

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


@dataclass(frozen=True, slots=True)
class Moment:
    """A point on the way of one alert to one account; `at` is None where it was not, or is not, recorded.

    `ms` counts from the last moment before it that is known, `total_ms` from the receipt.
    """

    name: str
    at: datetime | None
    ms: float | None = None
    total_ms: float | None = None
    note: str = ""


WHOLE_SECONDS = "the alert states whole seconds, so up to one second of this is rounding"
OWN_CLOCK = "by the sender's clock"
STORED = "committed before the sender was answered; its moment is not written down apart from the receipt"
APPLIED = "when the broker's report was applied; the fills below have the broker's own time"
WAITED = "only after the order before it on this account had come to its end"
TAKEN_UP = "when planning took the signal up; intents are committed after it"


def moments_of(signal: Signal, intent: OrderIntent | None) -> list[Moment]:
    """From the alert's own time to a protected position, in order; times that two machines took may overtake."""
    received, fired = signal.received_at, signal.fired_at
    since_fired = None if fired is None else _between(fired, received)
    note = OWN_CLOCK if fired is None or fired.microsecond else WHOLE_SECONDS
    found = [
        Moment("alert", fired, note="" if fired is not None else "the alert states no time"),
        # Not held to zero: a sender whose clock is ahead of ours should be seen.
        Moment("received", received, since_fired, 0.0, note if fired is not None else ""),
        Moment("stored", None, note=STORED),
    ]
    last = received
    for name, at, why in _later_moments(signal, intent):
        if at is None:
            found.append(Moment(name, None))
            continue
        found.append(Moment(name, at, max(_between(last, at), 0.0), _between(received, at), why))
        last = at
    return found


def _later_moments(signal: Signal, intent: OrderIntent | None) -> list[tuple[str, datetime | None, str]]:
    planned = [("planned", signal.planned_at, TAKEN_UP)]
    has_waited = intent is not None and intent.after_id is not None
    notes = {"sent": WAITED if has_waited else "", "acknowledged": "", "filled": APPLIED, "protected": ""}
    return [*planned, *((name, getattr(intent, f"{name}_at", None), note) for name, note in notes.items())]


def _between(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(milliseconds=1)
