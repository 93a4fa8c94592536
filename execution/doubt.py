"""UNKNOWN orders: how they come to be, and the looks at the broker's books that resolve them.

Nothing here ever sends an order. See `execution.reports.absence` for what a look without a trace proves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Mod

from brokers.base import AccountRef, Connection, ConnectionState, OrderStatus
from brokers.errors import BrokerError
from brokers.reports import Event
from execution import locks, transitions
from execution.models import IntentStatus, ObjectKind, Order, OrderIntent
from execution.transitions import Change
from justtrades import clock

log = structlog.get_logger(__name__)
SILENT_AFTER = timedelta(seconds=8)
FIRST_LOOK_AFTER = timedelta(seconds=2)
LOOK_EVERY = timedelta(seconds=2.5)
NEVER = datetime.min.replace(tzinfo=UTC)


class Desk(Protocol):
    """What a look needs of the lane."""

    index: int
    loop: Any
    inbox: Any
    looked_at: dict[tuple[UUID, str], datetime]

    def connection_of(self, login_id: UUID) -> Connection | None: ...


def doubt_everything_in_flight(lane: int) -> int:
    """A lane that starts knows that whatever is SUBMITTING was sent, or not, by a process that is gone."""
    return _doubt(lane, Q(), "the process that sent it ended before the answer came")


def doubt_silent(lane: int | None) -> int:
    """SUBMITTING for longer than any answer takes is UNKNOWN; `lane` None means all lanes."""
    late = Q(submit_started_at__lt=clock.now() - SILENT_AFTER)
    return _doubt(lane, late, f"no answer within {SILENT_AFTER.seconds} s")


def _doubt(lane: int | None, condition: Q, reason: str) -> int:
    with transaction.atomic():
        in_flight = Order.objects.filter(condition, status=OrderStatus.SUBMITTING.value)
        if lane is not None:
            in_flight = in_flight.annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES)).filter(lane=lane)
        intents = OrderIntent.objects.filter(orders__in=in_flight)
        ids = [intent.id for intent in locks.lock_intents(intents)]
        orders = locks.lock_orders(Order.objects.filter(intent_id__in=ids, status=OrderStatus.SUBMITTING.value))
        _mark_unknown(orders, reason)
    return len(orders)


def _mark_unknown(orders: Sequence[Order], reason: str) -> None:
    now = clock.now()
    before, after = IntentStatus.DISPATCHED.value, IntentStatus.UNKNOWN.value
    changes = []
    for order in orders:
        owner = order.owner_id
        changes.append(Change(owner, ObjectKind.ORDER, order.id, order.status, OrderStatus.UNKNOWN.value, now, reason))
        if order.intent_id is not None:
            changes.append(Change(owner, ObjectKind.INTENT, order.intent_id, before, after, now, reason))
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(status=OrderStatus.UNKNOWN.value, updated_at=now)
    OrderIntent.objects.filter(pk__in=[order.intent_id for order in orders], status=IntentStatus.DISPATCHED).update(
        status=IntentStatus.UNKNOWN, reason_code="UNKNOWN", reason_text=reason
    )
    transitions.record(changes)


def look_for_unknown(desk: Desk) -> int:
    """Ask the broker about each account of the lane that has an UNKNOWN order due for a look; answers come as syncs."""
    now = clock.now()
    due = Order.objects.annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES)).filter(
        Q(queried_at__isnull=True) | Q(queried_at__lt=now - LOOK_EVERY),
        lane=desk.index,
        status=OrderStatus.UNKNOWN.value,
        submit_started_at__lt=now - FIRST_LOOK_AFTER,
    )
    accounts = due.values_list("account__login_id", "account__broker_id", "account__name").distinct().order_by()
    for login_id, broker_id, name in accounts:
        # A look that failed leaves no trace on the order: a broker that is away is not asked every second.
        if now - desk.looked_at.get((login_id, broker_id), NEVER) < LOOK_EVERY:
            continue
        desk.looked_at[login_id, broker_id] = now
        connection = desk.connection_of(login_id)
        if connection is None or connection.state is ConnectionState.FAILED:
            continue
        account = AccountRef(broker_id, name)
        desk.loop.background(lambda c=connection, i=login_id, a=account: _look(desk, c, i, a))
    return len(accounts)


def _look(desk: Desk, connection: Connection, login_id: UUID, account: AccountRef) -> None:
    try:
        sync: Event = connection.query(account)
    except BrokerError as error:
        log.warning("doubt.look_failed", account=account.name, reason=str(error))
        return
    desk.inbox.put(login_id, [sync])
