"""Exits whose order ended at the broker before all was closed: they are sent again, or make room for the watchdog's.

An exchange may end a market order that finds no counterparty, and a close without a name may be mistaken for another
one. While such an exit counts as under way nothing else closes the position.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from brokers.base import OrderRole, OrderStatus
from brokers.models import BrokerAccount
from brokers.selectors import secrets_of
from execution import locks, transitions
from execution.changes import of_lane
from execution.intents import Wanting, order_name, wish_flatten
from execution.models import (
    Break,
    BreakKind,
    BreakState,
    BrokerPosition,
    IntentKind,
    IntentSource,
    IntentStatus,
    ObjectKind,
    Order,
    OrderIntent,
    Position,
    Reconciliation,
)
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.reports.outcomes import MAX_EXIT_ATTEMPTS
from execution.transitions import Change
from execution.watchdog.scene import Scene
from justtrades import clock

log = structlog.get_logger(__name__)
AGAIN_AFTER = timedelta(seconds=2)
"""From the end of its order: a fill of it, or the position, may be told of after it."""
WITHOUT_FILLS_AFTER = timedelta(seconds=30)
"""The same for an order that has filled and whose fills were not all told of."""
ENDED = (OrderStatus.FILLED.value, OrderStatus.CANCELED.value, OrderStatus.EXPIRED.value)
NOT_CLOSED = "NOT_CLOSED"
TEXT = "its order ended at the broker, and the position is still open"


def ended_orders() -> QuerySet[Order]:
    """The last orders of exits that are under way, where these are over at the broker. A retry makes another order."""
    newer = Order.objects.filter(
        intent_id=OuterRef("intent_id"), role=OrderRole.EXIT.value, created_at__gt=OuterRef("created_at")
    )
    return Order.objects.filter(
        ~Exists(newer),
        intent__kind=IntentKind.EXIT,
        intent__status=IntentStatus.DISPATCHED,
        role=OrderRole.EXIT.value,
        status__in=ENDED,
    )


def send_again(lane: int, ask: Callable[[BrokerAccount], None]) -> int:
    """How many exits are cleared anew, or closed another way. One that was tried too often fails: the watchdog's own
    takes its place. `ask` has a broker's books read: what is known from before an order's end is no proof.
    """
    ended = list(_unfinished(lane))
    if not ended:
        return 0
    proved = set(_unfinished(lane).filter(_is_told_since()).values_list("pk", flat=True))
    for account in {order.account for order in ended if order.pk not in proved}:
        ask(account)
    found = {(one.trader_id, one.symbol): one.intent_id for one in ended if one.pk in proved and one.intent_id}
    there = {found[one.trader_id, one.symbol]: (one, is_less) for one, is_less in _still_there(found)}
    with transaction.atomic():
        intents = locks.lock_intents(OrderIntent.objects.filter(pk__in=there, status=IntentStatus.DISPATCHED))
        return sum(_close(intent, *there[intent.pk]) for intent in intents)


def _unfinished(lane: int) -> QuerySet[Order]:
    """The broker must hold something on the position's side: what it does not have is not closed but believed.

    Where its owner holds the contract by hand, too, what is ours is there whatever the sum of both.
    """
    now = clock.now()
    mine = {"trader_id": OuterRef("trader_id"), "symbol": OuterRef("symbol")}
    held = Position.objects.filter(**mine)
    there = BrokerPosition.objects.filter(account_id=OuterRef("account_id"), symbol=OuterRef("symbol"))
    is_long = Exists(held.filter(net_qty__gt=0)) & Exists(there.filter(net_qty__gt=0))
    is_short = Exists(held.filter(net_qty__lt=0)) & Exists(there.filter(net_qty__lt=0))
    by_hand = Break.objects.filter(
        account_id=OuterRef("account_id"), symbol=OuterRef("symbol"), kind=BreakKind.EXTERNAL_POSITION,
        state=BreakState.ADOPTED,
    )  # fmt: skip
    is_there = is_long | is_short | Exists(by_hand) & Exists(held.exclude(net_qty=0))
    leaving = OrderIntent.objects.filter(**mine, kind=IntentKind.EXIT, status__in=sorted(LIVE_INTENTS))
    waits = Q(status=IntentStatus.CLEARED, after__status__in=sorted(LIVE_INTENTS))
    is_leaving = Exists(leaving.exclude(waits).exclude(pk__in=ended_orders().values("intent_id")))
    is_told = ~Q(status=OrderStatus.FILLED) | Q(filled_qty__gte=F("qty")) | Q(updated_at__lt=now - WITHOUT_FILLS_AFTER)
    ended = of_lane(ended_orders(), lane).filter(is_there, ~is_leaving, is_told, updated_at__lt=now - AGAIN_AFTER)
    return ended.select_related("account__login").defer(*secrets_of("account__login"))


def _is_told_since() -> Q:
    """What the broker holds was told, or looked at, after the order's end."""
    here = {"account_id": OuterRef("account_id")}
    told = BrokerPosition.objects.filter(**here, symbol=OuterRef("symbol"), reported_at__gt=OuterRef("updated_at"))
    compared = Reconciliation.objects.filter(**here, compared_at__gt=OuterRef("updated_at"))
    return Q(Exists(told) | Exists(compared))


def _still_there(keys: Collection[tuple[UUID | None, str]]) -> list[tuple[Position, bool]]:
    """Those of the positions that can be closed, and whether the broker holds less of them than we think."""
    rows = (
        Position.objects.exclude(net_qty=0)
        .filter(trader_id__in={trader for trader, _ in keys}, symbol__in={symbol for _, symbol in keys})
        .select_related("account__login")
        .defer(*secrets_of("account__login"))
    )
    held = [position for position in rows if (position.trader_id, position.symbol) in keys]
    scene = Scene.around(held) if held else Scene()
    facts = [(position, scene.facts(position, is_asked=False)) for position in held]
    return [(position, one.is_less) for position, one in facts if not one.may_be_gone]


def _close(intent: OrderIntent, position: Position, is_less: bool) -> bool:  # noqa: FBT001 - one of a pair
    """Whether something goes out for it. Another try has another name: where ids are unique, its own is used up."""
    if is_less:
        # An order for the size that we know would be too much.
        wish = f"unfinished:{intent.pk}.{intent.attempts}"
        wanting = Wanting(IntentSource.RISK_ACTION, wish, NOT_CLOSED, TEXT)
        wish_flatten(position.account, position.symbol, position.net_qty, wanting)
    is_last = is_less or intent.attempts >= MAX_EXIT_ATTEMPTS
    now, after = clock.now(), IntentStatus.FAILED if is_last else IntentStatus.CLEARED
    intent.client_order_id = order_name(intent.kind, f"{intent.idempotency_key}#{intent.attempts}")
    intent.status, intent.reason_code, intent.reason_text = after.value, NOT_CLOSED, TEXT
    intent.cleared_at, intent.finished_at = now, now if is_last else None
    columns = ["client_order_id", "status", "reason_code", "reason_text", "cleared_at", "finished_at"]
    intent.save(update_fields=columns)
    change = Change(intent.owner_id, ObjectKind.INTENT, intent.id, IntentStatus.DISPATCHED, after.value, now, TEXT)
    transitions.record([change])
    log.warning("watchdog.exit_unfinished", intent=str(intent.pk), attempts=intent.attempts, is_less=is_less)
    return is_less or not is_last
