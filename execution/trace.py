"""Everything that came of one signal: each intent with its orders, fills, phases and recorded state changes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import QueryDict

from execution import selectors
from execution.models import Fill, Order, OrderIntent, Transition
from execution.rows import FillRow, OrderRow, fill_row, order_row
from execution.timing import time_signals
from recorders.models import Signal
from recorders.selectors import body_text

INTENTS_PER_PAGE = 50
BODY_SHOWN = 4096
STEPS = (
    ("Cleared", "cleared_at"),
    ("Sent", "sent_at"),
    ("Acknowledged", "acknowledged_at"),
    ("Filled", "filled_at"),
    ("Protected", "protected_at"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A moment in an intent's life and its milliseconds since the signal was received; None while it has not come."""

    name: str
    at: datetime | None
    ms: float | None


@dataclass(frozen=True, slots=True)
class IntentTrace:
    intent: OrderIntent
    orders: list[OrderRow]
    fills: list[FillRow]
    steps: list[Step]
    transitions: list[Transition]


def trace_signal(signal: Signal, query: QueryDict) -> dict[str, Any]:
    """Intents that need attention come first. Six queries, whatever the number of intents."""
    page = Paginator(selectors.list_intents_of(signal), INTENTS_PER_PAGE).get_page(query.get("page"))
    intents = list(page.object_list)
    orders = list(selectors.list_orders_of(intents))
    fills = list(selectors.list_fills_of(orders))
    changes = selectors.list_transitions([signal.pk, *(intent.pk for intent in intents)])
    timings = time_signals([signal.pk])
    return {
        "signal": signal,
        "body": readable_body(signal),
        "outcomes": selectors.count_outcomes([signal.pk]).get(signal.pk, {}),
        "timing": timings.get(signal.pk),
        "page": page,
        "traces": _traces(signal, intents, orders, fills, list(changes)),
    }


def _traces(
    signal: Signal, intents: list[OrderIntent], orders: list[Order], fills: list[Fill], changes: list[Transition]
) -> list[IntentTrace]:
    orders_of = grouped((order.intent_id, order) for order in orders)
    fills_of = grouped((fill.order_id, fill) for fill in fills)
    changes_of = grouped((change.object_id, change) for change in changes)
    return [
        IntentTrace(
            intent=intent,
            orders=[order_row(order) for order in orders_of[intent.pk]],
            fills=[fill_row(fill) for order in orders_of[intent.pk] for fill in fills_of[order.pk]],
            steps=steps_of(signal, intent),
            transitions=changes_of[intent.pk],
        )
        for intent in intents
    ]


def grouped(pairs: Iterable[tuple[UUID | None, Any]]) -> dict[UUID | None, list[Any]]:
    found: dict[UUID | None, list[Any]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found


def steps_of(signal: Signal, intent: OrderIntent) -> list[Step]:
    return [_step(signal, name, getattr(intent, moment)) for name, moment in STEPS]


def _step(signal: Signal, name: str, at: datetime | None) -> Step:
    return Step(name, at, None if at is None else (at - signal.received_at) / timedelta(milliseconds=1))


def readable_body(signal: Signal) -> str:
    """The alert as it came, indented where it is JSON and short enough to be read."""
    text = body_text(signal)[:BODY_SHOWN]
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
