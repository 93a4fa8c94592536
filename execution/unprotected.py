"""How long a user's positions were without the stop that they want, by venue; counted by the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Max, Q, QuerySet

from accounts.selectors import Person
from brokers.registry import VENUES
from execution.models import IntentKind, OrderIntent, Position, SpanEnd, UnprotectedSpan
from execution.selectors import list_open_positions_for
from execution.spans import close_wish, rearm_wish, wish_key
from justtrades import clock
from risk.models import AccountRules
from risk.models.book import UnprotectedPolicy

DAY = timedelta(hours=24)
WINDOWS = (("24h", "24 hours", DAY), ("7d", "7 days", timedelta(days=7)), ("30d", "30 days", timedelta(days=30)))
LIVE_ROWS = 100


class Quantile(Aggregate):
    """PostgreSQL's continuous percentile of a duration; `share` is between 0 and 1."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()

    def __init__(self, expression: Any, share: float, **extra: Any) -> None:
        super().__init__(expression, share=share, **extra)


@dataclass(frozen=True, slots=True)
class Figures:
    """Spans that began in a window, in seconds; None where there is none. A stop that came with its fill is no span.

    `acted_on`: we placed the stop again, or closed; `closed`: it ended with the position.
    """

    window: str
    label: str
    count: int
    p50: float | None
    p95: float | None
    max: float | None
    acted_on: int
    closed: int


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of the last 24 hours that wanted a stop and filled, and how many had it in the batch of their fill."""

    filled: int = 0
    at_once: int = 0


@dataclass(frozen=True, slots=True)
class VenueFigures:
    venue: str
    label: str
    windows: tuple[Figures, ...]
    entries: Entries


@dataclass(frozen=True, slots=True)
class Unprotected:
    """A position that is without its stop now; `done` says what was done about it, "" for nothing yet."""

    position: Position
    since: datetime
    bound_s: int
    policy: str
    done: str

    @property
    def contracts(self) -> int:
        return abs(self.position.net_qty)


def figures_for(user: Person) -> list[VenueFigures]:
    """By venue's name, those with spans in the longest window or entries in the shortest; two queries."""
    now = clock.now()
    spans = {row["venue"]: row for row in _spans(user, now)}
    entries = {row["venue"]: Entries(row["filled"], row["at_once"]) for row in _entries(user, now)}
    return [
        VenueFigures(
            venue=venue,
            label=VENUES[venue].label if venue in VENUES else venue,
            windows=tuple(_figures(spans.get(venue, {}), *window) for window in WINDOWS),
            entries=entries.get(venue, Entries()),
        )
        for venue in sorted(spans.keys() | entries.keys())
    ]


def _spans(user: Person, now: datetime) -> list[dict[str, Any]]:
    took = ExpressionWrapper(F("ended_at") - F("began_at"), DurationField())
    found: dict[str, Any] = {}
    for name, _, length in WINDOWS:
        inside = Q(began_at__gte=now - length)
        found |= {
            f"{name}_count": Count("id", filter=inside),
            f"{name}_p50": Quantile(took, 0.5, filter=inside),
            f"{name}_p95": Quantile(took, 0.95, filter=inside),
            f"{name}_max": Max(took, filter=inside),
            f"{name}_acted_on": Count("id", filter=inside & Q(was_acted_on=True)),
            f"{name}_closed": Count("id", filter=inside & Q(ended_by=SpanEnd.FLAT)),
        }
    longest = max(length for _, _, length in WINDOWS)
    mine = UnprotectedSpan.objects.filter(owner_id=user.pk, began_at__gte=now - longest)
    return [dict(row) for row in mine.order_by().values("venue").annotate(**found)]


def _entries(user: Person, now: datetime) -> list[dict[str, Any]]:
    filled = OrderIntent.objects.filter(
        owner_id=user.pk,
        created_at__gte=now - DAY,
        kind=IntentKind.ENTRY,
        filled_at__isnull=False,
        stop_distance__isnull=False,
    )
    by_venue = filled.order_by().values(venue=F("account__login__venue"))
    counted = by_venue.annotate(filled=Count("id"), at_once=Count("id", filter=Q(protected_at=F("filled_at"))))
    return [dict(row) for row in counted]


def _figures(row: Mapping[str, Any], name: str, label: str, _length: timedelta) -> Figures:
    return Figures(
        window=name,
        label=label,
        count=row.get(f"{name}_count", 0),
        p50=_seconds(row.get(f"{name}_p50")),
        p95=_seconds(row.get(f"{name}_p95")),
        max=_seconds(row.get(f"{name}_max")),
        acted_on=row.get(f"{name}_acted_on", 0),
        closed=row.get(f"{name}_closed", 0),
    )


def _seconds(taken: timedelta | None) -> float | None:
    return None if taken is None else round(taken.total_seconds(), 3)


def list_unprotected_for(user: Person) -> QuerySet[Position]:
    """Open positions that want a stop and have none working for their full size, longest first."""
    return list_open_positions_for(user).filter(unprotected_since__isnull=False)


def unprotected_now(user: Person) -> list[Unprotected]:
    """The first of them, with their account's rule and what the watchdog did; three queries."""
    positions = list(list_unprotected_for(user)[:LIVE_ROWS])
    rules = AccountRules.objects.in_bulk({position.account_id for position in positions})
    keys = {position.pk: _keys(position) for position in positions}
    wished = OrderIntent.objects.filter(idempotency_key__in=[key for pair in keys.values() for key in pair])
    texts = dict(wished.values_list("idempotency_key", "reason_text"))
    found = []
    for position in positions:
        rule = rules.get(position.account_id) or AccountRules()
        done = [texts[key] for key in keys[position.pk] if key in texts]
        policy = UnprotectedPolicy(rule.unprotected_policy).label
        since = position.unprotected_since
        if since is not None:
            found.append(Unprotected(position, since, rule.unprotected_after_s, str(policy), done[-1] if done else ""))
    return found


def _keys(position: Position) -> tuple[str, ...]:
    """Of the watchdog's wishes for it, the later one last."""
    since = position.unprotected_since
    if since is None:
        return ()
    return (
        wish_key(rearm_wish(position, since), position, IntentKind.PROTECT),
        wish_key(f"{close_wish(position, since)}.0", position, IntentKind.EXIT),
    )
