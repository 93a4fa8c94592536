"""Signals, intents and orders: decided, sent once and in time, doubted until there is evidence, and never silent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from brokers.base import OrderRole, OrderStatus
from execution.health import lane_name
from execution.invariants.scope import Scope
from execution.models import IntentKind, IntentStatus, ObjectKind, Order, OrderIntent, Transition
from execution.models.intent import FINISHED
from execution.models.order import LIVE
from recorders.dedupe import WEAK_WINDOW_S
from recorders.models import Signal, SignalStatus

DECIDED_WITHIN = timedelta(seconds=30)
SENT_WITHIN = timedelta(seconds=2)
BEHIND_LEGS = timedelta(seconds=5)
"""How long what closes may wait for legs that are in its way (`execution.dispatch.CUT_BOUND`)."""
NEEDED_LOOKS = 2
LOOKS = re.compile(r"(\d+) looks? at the broker's books")
UNDONE = (IntentStatus.DENIED, IntentStatus.EXPIRED, IntentStatus.FAILED)
NOT_FOLLOWED = (SignalStatus.IGNORED, SignalStatus.EXPIRED, SignalStatus.REFUSED)


def decided(scope: Scope) -> Iterator[str]:
    """I1: a signal is decided within 30 s."""
    waiting = Signal.objects.filter(status=SignalStatus.RECEIVED, received_at__lt=scope.now - DECIDED_WITHIN)
    for pk, at in scope.of(waiting, "received_at").values_list("pk", "received_at"):
        yield f"signal {pk}: received {scope.seconds_since(at):.0f} s ago, and nothing is decided"


def never_doubled(scope: Scope) -> Iterator[str]:
    """I2: one live order per intent, one entry order in an intent's life, one order per client id, one signal per
    alert.
    """
    orders = scope.of(Order.objects.filter(role__in=[OrderRole.ENTRY, OrderRole.EXIT]), "created_at")
    live = orders.filter(intent__isnull=False, status__in=sorted(LIVE))
    yield from (f"intent {pk}: {times} live orders" for pk, times in _repeated(live, "intent_id"))
    entries = orders.filter(intent__isnull=False, role=OrderRole.ENTRY)
    yield from (f"intent {pk}: {times} entry orders in its life" for pk, times in _repeated(entries, "intent_id"))
    named = scope.of(Order.objects.filter(client_order_id__isnull=False), "created_at")
    yield from (f"client order id {name}: {times} orders" for name, times in _repeated(named, "client_order_id"))
    earlier = Signal.objects.filter(
        recorder_id=OuterRef("recorder_id"),
        body_hash=OuterRef("body_hash"),
        received_at__gt=OuterRef("received_at") - timedelta(seconds=WEAK_WINDOW_S),
        received_at__lt=OuterRef("received_at"),
    )
    again = scope.of(Signal.objects.filter(Exists(earlier), has_weak_key=True), "received_at")
    for pk in again.values_list("pk", flat=True):
        yield f"signal {pk}: the same alert was stored less than {WEAK_WINDOW_S} s before"


def _repeated(orders: QuerySet[Order], column: str) -> Iterator[tuple[object, int]]:
    found = orders.order_by().values(column).annotate(times=Count("id")).filter(times__gt=1)
    yield from ((row[column], row["times"]) for row in found)


def no_late_entry(scope: Scope) -> Iterator[str]:
    """I3: no entry is sent after it expired."""
    entries = Order.objects.filter(
        role=OrderRole.ENTRY, intent__kind=IntentKind.ENTRY, submit_started_at__gt=F("intent__expires_at")
    )
    for pk, at, limit in scope.of(entries, "created_at").values_list("pk", "submit_started_at", "intent__expires_at"):
        if at is not None and limit is not None:
            yield f"order {pk}: an entry sent {(at - limit).total_seconds():.1f} s after it expired"


def doubt_ended_with_evidence(scope: Scope) -> Iterator[str]:
    """I6: what left UNKNOWN was found at the venue, refused by it, or looked for twice; never sent again before."""
    left = Transition.objects.filter(object_kind=ObjectKind.ORDER, from_state=OrderStatus.UNKNOWN)
    told = list(scope.of(left, "at").values_list("object_id", "to_state", "detail"))
    orders = Order.objects.in_bulk({object_id for object_id, _, _ in told})
    for object_id, state, detail in told:
        order = orders.get(object_id)
        if order is None:
            continue
        looks = LOOKS.match(detail)
        is_unseen = detail == "" or (looks is not None and int(looks[1]) < NEEDED_LOOKS)
        if state == OrderStatus.SUBMITTING:
            yield f"order {object_id}: sent again while its fate was unknown"
        elif state == OrderStatus.NOT_PLACED and is_unseen:
            yield f"order {object_id}: called not placed without evidence ({detail})"
        elif state != OrderStatus.NOT_PLACED and not (order.broker_order_id or order.reject_code or detail):
            yield f"order {object_id}: went from UNKNOWN to {state} without evidence"


def nobody_waits(scope: Scope) -> Iterator[str]:
    """I8, as far as rows tell: a lane that is alive leaves nothing that is cleared and due lying about."""
    alive, since = scope.lanes_alive(), scope.now - SENT_WITHIN
    due = OrderIntent.objects.filter(
        Q(after__isnull=True) | Q(after__status__in=sorted(FINISHED), after__finished_at__lt=since),
        status=IntentStatus.CLEARED,
        cleared_at__lt=since,
    )
    for pk, slot, kind, at in scope.of(due, "created_at").values_list("pk", "lane_slot", "kind", "cleared_at"):
        name = lane_name(slot % settings.LANES)
        late_s = scope.seconds_since(at)
        waits = kind in {IntentKind.EXIT, IntentKind.REDUCE} and late_s <= (SENT_WITHIN + BEHIND_LEGS).total_seconds()
        if name in alive and not waits:
            yield f"intent {pk}: cleared {late_s:.1f} s ago, {name} is alive and sent nothing"


def says_why(scope: Scope) -> Iterator[str]:
    """I10: whatever was not executed has a code, and words for its owner."""
    silent = Q(reason_code="") | Q(reason_text="") | Q(reason_text__icontains="unknown error")
    intents = scope.of(OrderIntent.objects.filter(silent, status__in=UNDONE), "created_at")
    yield from (f"intent {pk}: {status} without a reason" for pk, status in intents.values_list("pk", "status"))
    signals = scope.of(Signal.objects.filter(silent, status__in=NOT_FOLLOWED), "received_at")
    yield from (f"signal {pk}: {status} without a reason" for pk, status in signals.values_list("pk", "status"))
