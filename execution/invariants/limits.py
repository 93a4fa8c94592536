"""What stops new exposure, how much of it may come at once, and what no row may tell."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet

from brokers.base import OrderRole
from brokers.models import BrokerLogin
from execution.invariants.scope import Rates, Scope
from execution.models import Alarm, Break, Flatten, Order, OrderIntent, Transition
from recorders.models import Signal
from risk.models import RiskAction, RiskEvent, Switch, SwitchScope

SWITCHED_WITHIN = timedelta(seconds=1)
MINUTE = timedelta(seconds=60)
TEXTS: tuple[tuple[type[Model], str, tuple[str, ...]], ...] = (
    (Signal, "received_at", ("reason_text",)),
    (OrderIntent, "created_at", ("reason_text",)),
    (Order, "created_at", ("reject_text",)),
    (Transition, "at", ("detail",)),
    (Alarm, "raised_at", ("text",)),
    (Break, "first_seen_at", ("ours", "theirs", "text", "resolution")),
    (Flatten, "began_at", ("reason_text", "detail")),
    (RiskAction, "decided_at", ("text",)),
    (RiskEvent, "at", ("text",)),
    (BrokerLogin, "state_at", ("state_detail",)),
)


def switch_holds(scope: Scope) -> Iterator[str]:
    """I9: from a second after a switch was tripped until it is released, no entry of its scope is sent."""
    for switch in Switch.objects.all():
        covered = Order.objects.filter(_covered(switch), role=OrderRole.ENTRY)
        sent = covered.filter(submit_started_at__gt=switch.tripped_at + SWITCHED_WITHIN)
        if switch.released_at is not None:
            sent = sent.filter(submit_started_at__lt=switch.released_at)
        for pk, at in scope.of(sent, "submit_started_at").values_list("pk", "submit_started_at"):
            if at is not None:
                late = (at - switch.tripped_at).total_seconds()
                yield f"order {pk}: an entry sent {late:.1f} s after switch {switch.pk} ({switch.scope}) was tripped"


def _covered(switch: Switch) -> Q:
    match switch.scope:
        case SwitchScope.PLATFORM:
            return Q()
        case SwitchScope.USER:
            return Q(owner_id=switch.owner_id if switch.target == "" else switch.target)
        case SwitchScope.ACCOUNT:
            return Q(account_id=switch.target)
        case _:
            return Q(trader__recorder_id=switch.target)


def tells_no_secret(scope: Scope) -> Iterator[str]:
    """I13: none of the caller's secrets stands in a text of ours. The secret itself is not repeated here."""
    for model, began, columns in TEXTS:
        for column in columns:
            shown = Q()
            for secret in scope.secrets:
                shown |= Q(**{f"{column}__contains": secret})
            if scope.secrets:
                rows: QuerySet[Any] = scope.of(model._default_manager.filter(shown), began)
                for pk in rows.values_list("pk", flat=True):
                    yield f"{model._meta.model_name} {pk}: its {column} shows a secret"


def throttled(scope: Scope) -> Iterator[str]:
    """I14: nobody's entries, and no recorder's signals, come faster in any 60 s than the throttles allow."""
    rates = scope.rates
    if rates == Rates():
        return
    limits = {"account": rates.account, "recorder": rates.recorder, "platform": rates.platform}
    recent: dict[tuple[str, str], deque[datetime]] = defaultdict(deque)
    told: set[tuple[str, str]] = set()
    for name, target, at in _paced(scope):
        limit, window = limits[name], recent[name, target]
        window.append(at)
        while at - window[0] >= MINUTE:
            window.popleft()
        if limit is not None and len(window) > limit and (name, target) not in told:
            told.add((name, target))
            what = "signals" if name == "recorder" else "entries"
            yield f"{name} {target}: {len(window)} {what} in the minute to {at:%H:%M:%S}, limit {limit}"


def _paced(scope: Scope) -> Iterator[tuple[str, str, datetime]]:
    """Every entry that was sent counts for its account and for all, the first of a signal for the signal's recorder."""
    entries = scope.of(Order.objects.filter(role=OrderRole.ENTRY, submit_started_at__isnull=False), "submit_started_at")
    acted_on = set()
    for account_id, signal_id, recorder_id, at in entries.order_by("submit_started_at").values_list(
        "account_id", "intent__signal_id", "intent__signal__recorder_id", "submit_started_at"
    ):
        if at is None:
            continue
        yield "account", str(account_id), at
        yield "platform", "", at
        if signal_id is not None and signal_id not in acted_on:
            acted_on.add(signal_id)
            yield "recorder", str(recorder_id), at
