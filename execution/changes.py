"""Wishes of working orders become changes at the broker.

A wish is on the order's row (`wanted_qty`, `wanted_price`) until the broker's report shows that it came true, so that
a lost message or a dead process costs a repetition and no more: stating the same terms twice changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Mod

from brokers.base import CHANGE_PREFIX, AccountRef, CancelOrder, ModifyOrder, OrderRole, OrderType, Request
from execution.models import Order, OrderIntent
from execution.models.order import WORKING
from execution.submitting import Routed
from justtrades import clock

log = structlog.get_logger(__name__)
REPEAT_AFTER = timedelta(seconds=2)
MOST_ATTEMPTS = 10
Submit = Callable[[Sequence[Routed]], None]

_CLAIM = """
    UPDATE execution_order o SET change_sent_at = %(now)s, change_attempts = o.change_attempts + 1
    FROM brokers_brokeraccount a JOIN brokers_brokerlogin l ON l.id = a.login_id
    WHERE a.id = o.account_id AND l.lane_slot %% %(lanes)s = %(lane)s
      AND o.wanted_qty IS NOT NULL AND o.status = ANY(%(working)s) AND o.broker_order_id IS NOT NULL
      AND o.change_attempts < %(most)s AND (o.change_sent_at IS NULL OR o.change_sent_at < %(repeat)s)
    RETURNING o.id, o.broker_order_id, o.order_type, o.qty, o.price, o.stop_price, o.wanted_qty, o.wanted_price,
              o.change_attempts, a.broker_id, a.name, a.login_id
"""


class _Wish(NamedTuple):
    order_id: UUID
    broker_order_id: str
    order_type: str
    qty: int
    price: Decimal | None
    stop_price: Decimal | None
    wanted_qty: int
    wanted_price: Decimal | None
    attempt: int
    broker_id: str
    account_name: str
    login_id: UUID


def send_changes(lane: int, submit: Submit) -> int:
    """Send each wish of the lane that was not sent yet, or not confirmed in time; returns how many."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "now": now,
                "lanes": settings.LANES,
                "lane": lane,
                "working": sorted(WORKING),
                "most": MOST_ATTEMPTS,
                "repeat": now - REPEAT_AFTER,
            },
        )
        wishes = [_Wish(*row) for row in cursor.fetchall()]
    for wish in wishes:
        if wish.attempt == MOST_ATTEMPTS:
            log.error("changes.given_up", order=wish.broker_order_id, wanted=wish.wanted_qty)
    if wishes:
        submit([(wish.login_id, _request_for(wish)) for wish in wishes])
    return len(wishes)


def _request_for(wish: _Wish) -> Request:
    account = AccountRef(wish.broker_id, wish.account_name)
    name = _change_id(wish)
    if wish.wanted_qty == 0:
        return CancelOrder(name, account, wish.broker_order_id)
    kind = OrderType(wish.order_type)
    wanted = wish.wanted_price
    return ModifyOrder(
        name,
        account,
        wish.broker_order_id,
        wish.wanted_qty,
        kind,
        price=(wanted if wanted is not None else wish.price) if kind is OrderType.LIMIT else None,
        stop_price=(wanted if wanted is not None else wish.stop_price) if kind is OrderType.STOP else None,
    )


def _change_id(wish: _Wish) -> str:
    digest = hashlib.sha256(f"{wish.order_id}:{wish.attempt}:{wish.wanted_qty}:{wish.wanted_price}".encode()).digest()
    return CHANGE_PREFIX + base64.b32encode(digest)[:26].decode()


def wish_terms(order: Order, qty: int, price: Decimal | None) -> bool:
    """Note on the row what the order is to be; True when that is a new wish. The caller writes the row."""
    if (order.wanted_qty, order.wanted_price) == (qty, price):
        return False
    order.wanted_qty, order.wanted_price = qty, price
    order.change_sent_at, order.change_attempts = None, 0
    return True


def settle_wish(order: Order) -> bool:
    """Drop a wish that came true, or that nobody can fulfil any more; True when it is gone."""
    if order.wanted_qty is None:
        return False
    shown = order.price if order.order_type == OrderType.LIMIT else order.stop_price
    is_true = order.wanted_qty == order.qty and order.wanted_price in {None, shown}
    if not is_true and order.status in WORKING:
        return False
    order.wanted_qty = order.wanted_price = order.change_sent_at = None
    order.change_attempts = 0
    return True


def cancel_late_entries(lane: int) -> int:
    """Wish away the limit entries that nobody filled in time."""
    late = OrderIntent.objects.filter(cancel_at__lt=clock.now()).values("id")
    orders = Order.objects.filter(
        intent__in=late,
        role=OrderRole.ENTRY.value,
        status__in=sorted(WORKING),
        wanted_qty__isnull=True,
    )
    return of_lane(orders, lane).update(wanted_qty=0)


def cancel_entries(trader_id: UUID, symbol: str) -> int:
    """Wish away the trader's entries that still wait at the broker; how many."""
    waiting = Order.objects.filter(
        trader_id=trader_id, symbol=symbol, role=OrderRole.ENTRY.value, status__in=sorted(WORKING)
    )
    return waiting.update(wanted_qty=0)


def of_lane(orders: QuerySet[Order], lane: int) -> QuerySet[Order]:
    mine = orders.annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES)).filter(lane=lane)
    return Order.objects.filter(pk__in=mine.values("pk"))
