"""Positions: what the fills made of them, their stops, and what may never make them bigger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from brokers.base import ConnectionState
from brokers.models import BrokerAccount
from execution.flattening.flatten import live_orders
from execution.health import lane_name
from execution.invariants.scope import Scope
from execution.invariants.stories import exits_that_grew, stories_of, wrong_sums
from execution.models import (
    Alarm,
    Break,
    BreakKind,
    BreakState,
    Fill,
    Flatten,
    FlattenStatus,
    IntentKind,
    IntentSource,
    IntentStatus,
    Order,
    OrderIntent,
    Position,
    Transition,
)
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.watchdog.naked import UNPROTECTED
from risk.models import AccountRules
from risk.models.book import UnprotectedPolicy

ACTED_WITHIN_S = 2
"""What the watchdog's own second may add to an account's bound before a position counts as forgotten."""
APPLIED_WITHIN = timedelta(seconds=10)
COMPARED_WITHIN = timedelta(seconds=75)
"""Each minute, and what a venue and our budget for it may take."""


def unprotected_is_acted_on(scope: Scope) -> Iterator[str]:
    """I4: past its account's bound a position without its stop has an open alarm, and the policy was carried out."""
    acts = OrderIntent.objects.filter(
        Q(trader_id=OuterRef("trader_id")) | Q(kind=IntentKind.FLATTEN),
        account_id=OuterRef("account_id"),
        symbol=OuterRef("symbol"),
    )
    leaving = Q(kind__in=[IntentKind.EXIT, IntentKind.FLATTEN], status__in=sorted(LIVE_INTENTS))
    by_risk = Q(
        source=IntentSource.RISK_ACTION,
        created_at__gte=OuterRef("unprotected_since"),
        status__in=sorted(LIVE_INTENTS | {IntentStatus.DONE}),
    )
    rows = Position.objects.filter(unprotected_since__isnull=False).exclude(net_qty=0)
    naked = scope.now_of(rows).annotate(was_acted_on=Exists(acts.filter(leaving | by_risk)))
    for position in naked.select_related("account__risk_rules"):
        rules = getattr(position.account, "risk_rules", AccountRules())
        age = scope.seconds_since(position.unprotected_since)
        if age <= rules.unprotected_after_s + ACTED_WITHIN_S:
            continue
        name = f"position {position.pk}: {age:.1f} s without its stop"
        if not Alarm.objects.filter(code=UNPROTECTED, ref=str(position.pk), ended_at=None).exists():
            yield f"{name}, and no alarm is open"
        if not position.was_acted_on and rules.unprotected_policy != UnprotectedPolicy.ALARM:
            yield f"{name}, and nothing was done about it"


def are_their_fills(scope: Scope) -> Iterator[str]:
    """I5: each fill is booked once, a position is what was booked, and the broker's books agreed a minute ago."""
    yield from wrong_sums(stories_of(scope.of(Position.objects.all(), "updated_at")))
    ours = Order.objects.filter(
        Q(trader__isnull=False) | Q(intent__isnull=False),
        account_id=OuterRef("account_id"),
        broker_order_id=OuterRef("broker_order_id"),
    )
    waiting = Fill.objects.filter(Exists(ours), applied_at__isnull=True, filled_at__lt=scope.now - APPLIED_WITHIN)
    for pk, at, price in scope.of(waiting, "filled_at", "account__owner_id").values_list("pk", "filled_at", "price"):
        reason = ", its price is still missing" if price is None else ""
        yield f"fill {pk}: not booked for {scope.seconds_since(at):.0f} s{reason}"
    yield from _stale(scope)


def _stale(scope: Scope) -> Iterator[str]:
    """Accounts that a living lane has not compared with the broker for more than a minute, and no break says so."""
    since = scope.now - COMPARED_WITHIN
    unreadable = Break.objects.filter(account_id=OuterRef("pk"), kind=BreakKind.UNREADABLE)
    live = BrokerAccount.objects.filter(
        ~Exists(unreadable.exclude(state=BreakState.RESOLVED)),
        is_enabled=True,
        login__is_enabled=True,
        login__state=ConnectionState.LIVE.value,
        login__state_at__lt=since,
    ).exclude(reconciliation__compared_at__gte=since)
    alive = scope.lanes_alive()
    columns = ("pk", "login__lane_slot", "reconciliation__compared_at")
    for pk, slot, at in scope.now_of(live).values_list(*columns):
        if lane_name(slot % settings.LANES) in alive:
            age = "never" if at is None else f"{scope.seconds_since(at):.0f} s ago"
            yield f"account {pk}: compared with the broker {age}, and nothing says so"


def exits_only_reduce(scope: Scope) -> Iterator[str]:
    """I7: no close, stop or target makes a position bigger; what is verified flat has nothing left at work."""
    yield from exits_that_grew(stories_of(scope.of(Position.objects.all(), "updated_at")))
    flattened = Flatten.objects.filter(status=FlattenStatus.FLAT, flat_at__isnull=False)
    for flatten in scope.of(flattened, "began_at"):
        left = live_orders(Q(account_id=flatten.account_id, created_at__lt=flatten.flat_at))
        if flatten.trader_id is not None:
            left = left.filter(trader_id=flatten.trader_id)
        for pk in left.values_list("pk", flat=True):
            yield f"order {pk}: still at work, and flatten {flatten.pk} is verified"
        if not Transition.objects.filter(object_id=flatten.pk, to_state=FlattenStatus.FLAT).exists():
            yield f"flatten {flatten.pk}: flat, and no transition says so"
