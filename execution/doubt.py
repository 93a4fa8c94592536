"""UNKNOWN orders: how they come to be, and the looks at the broker's books that resolve them.

Nothing here ever sends an order. See `execution.reports.absence` for what a look without a trace proves. What is still
UNKNOWN after half a minute, because no look got an answer, is an alarm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
from execution import alarms, locks, transitions
from execution.models import Alarm, IntentStatus, ObjectKind, Order, OrderIntent
from execution.transitions import Change
from justtrades import clock

log = structlog.get_logger(__name__)
SILENT_AFTER = timedelta(seconds=8)
FIRST_LOOK_AFTER = timedelta(seconds=2)
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (2, 3, 5, 10, 20))
"""Before each look at an account; from the last one on the same again: 2, 5, 10, 20, 40, 60 s after the order went."""
ALARM_AFTER = timedelta(seconds=30)
ALARM = "ORDER_UNKNOWN"
Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class Looked:
    """The last look at an account: when, the how-manyth for these orders in a row, answered or not."""

    at: datetime
    times: int
    orders: frozenset[UUID]

    def is_over(self, orders: frozenset[UUID], now: datetime) -> bool:
        """Whether it is time for the next; an order that this look was not for begins the pauses anew."""
        return now - self.at >= PAUSES[min(self.times_for(orders), len(PAUSES) - 1)]

    def times_for(self, orders: frozenset[UUID]) -> int:
        return self.times if orders <= self.orders else 0


class Desk(Protocol):
    """What a look needs of the lane."""

    index: int
    loop: Any
    inbox: Any
    looked_at: dict[Key, Looked]

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
    """Ask the broker about each account of the lane that has an UNKNOWN order due for a look; answers come as syncs.

    How many were asked. A look that fails counts as one: a broker that is away is not asked every second.
    """
    now = clock.now()
    unknown = Order.objects.annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES)).filter(
        lane=desk.index, status=OrderStatus.UNKNOWN.value, submit_started_at__lt=now - FIRST_LOOK_AFTER
    )
    accounts: dict[tuple[UUID, str, str], set[UUID]] = defaultdict(set)
    rows = unknown.order_by().values_list("id", "account__login_id", "account__broker_id", "account__name")
    for order_id, login_id, broker_id, name in rows:
        accounts[login_id, broker_id, name].add(order_id)
    before = desk.looked_at
    desk.looked_at = {}
    asked = 0
    for (login_id, broker_id, name), found in accounts.items():
        orders, last = frozenset(found), before.get((login_id, broker_id))
        if last is not None and not last.is_over(orders, now):
            desk.looked_at[login_id, broker_id] = last
            continue
        times = 0 if last is None else last.times_for(orders)
        desk.looked_at[login_id, broker_id] = Looked(now, times + 1, orders)
        connection = desk.connection_of(login_id)
        if connection is not None and connection.state is not ConnectionState.FAILED:
            account = AccountRef(broker_id, name)
            desk.loop.background(lambda c=connection, i=login_id, a=account: _look(desk, c, i, a))
            asked += 1
    _be_loud(desk.index, now)
    return asked


def _be_loud(lane: int, now: datetime) -> None:
    """An alarm for each order that stays UNKNOWN, until it is not any more."""
    mine = Order.objects.annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES)).filter(lane=lane)
    unknown = mine.filter(status=OrderStatus.UNKNOWN.value)
    told = {alarm.ref: alarm for alarm in Alarm.objects.filter(code=ALARM, ended_at=None)}
    for order in unknown.filter(submit_started_at__lt=now - ALARM_AFTER):
        if told.pop(str(order.id), None) is None:
            text = f"whether the {order.role} {order.side} {order.qty} {order.symbol} is at the broker is not known"
            alarms.raise_alarm(
                owner_id=order.owner_id, account_id=order.account_id, code=ALARM, ref=order.id, text=text
            )
    for order in mine.filter(id__in=list(told)).exclude(status=OrderStatus.UNKNOWN.value):
        alarms.end_alarm(owner_id=order.owner_id, code=ALARM, ref=order.id)


def _look(desk: Desk, connection: Connection, login_id: UUID, account: AccountRef) -> None:
    try:
        sync: Event = connection.query(account)
    except BrokerError as error:
        log.warning("doubt.look_failed", account=account.name, reason=str(error))
        return
    desk.inbox.put(login_id, [sync])
