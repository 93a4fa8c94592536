"""Whether it is flat: our books and a look at the broker's own must agree, and an answer that is missing says nothing.

A look that finds something open sets off the next round of closing with what it found.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog
from django.db import connection as database
from django.db.models import Q, Sum

from brokers.base import AccountRef, Connection, ConnectionState
from brokers.errors import BrokerError
from brokers.models import BrokerAccount
from brokers.reports import OrderReport, SyncReport
from execution import alarms
from execution.flattening import flatten
from execution.flattening.end import end_stuck, finish
from execution.models import BrokerPosition, Fill, Flatten, IntentKind, Order, OrderIntent, Position
from execution.models.order import LIVE as LIVE_ORDERS
from justtrades import clock

log = structlog.get_logger(__name__)
LOOK_AFTER = timedelta(seconds=1)
LOOK_EVERY = timedelta(seconds=2)
ALARM_AFTER = timedelta(seconds=10)
HANDS = 8
"""Half of the lane's helper threads: a hundred accounts are looked at within seconds, orders may need the others."""
NOT_FLAT = "NOT_FLAT"


class Desk(Protocol):
    """What verifying needs of the lane."""

    index: int
    loop: Any
    inbox: Any

    def connection_of(self, login_id: UUID) -> Connection | None: ...

    def dispatch(self) -> None: ...


class Verifier:
    """Belongs to the lane's keeper; the looks themselves run beside it, one of an account at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asked_at: dict[UUID, datetime] = {}
        self._asking: set[UUID] = set()
        self._due: deque[list[Flatten]] = deque()
        self._hands = threading.BoundedSemaphore(HANDS)

    def look(self) -> None:
        """Ask about each account with wishes that were acted on. Once a second."""
        now = clock.now()
        tried: dict[UUID, list[Flatten]] = defaultdict(list)
        for one in flatten.under_way(self._desk.index):
            self._warn_if_late(one, now)
            if one.tried_at is not None and now - one.tried_at >= LOOK_AFTER:
                tried[one.account_id].append(one)
        for gone in set(self._asked_at) - tried.keys():
            self._asked_at.pop(gone, None)
        for account_id, wishes in tried.items():
            asked_at = self._asked_at.get(account_id)
            if account_id not in self._asking and (asked_at is None or now - asked_at >= LOOK_EVERY):
                self._asking.add(account_id)
                self._due.append(wishes)
        for _ in range(min(len(self._due), HANDS)):
            if self._hands.acquire(blocking=False):
                self._desk.loop.background(self._work)

    def _work(self) -> None:
        """Look at one account after the other, until none is left."""
        try:
            while (wishes := self._next()) is not None:
                try:
                    self._look(wishes)
                finally:
                    self._asking.discard(wishes[0].account_id)
        finally:
            self._hands.release()
            # A helper thread of the loop: its database connection would stay open for ever.
            database.close()

    def _next(self) -> list[Flatten] | None:
        try:
            return self._due.popleft()
        except IndexError:
            return None

    def _look(self, wishes: Sequence[Flatten]) -> None:
        of = wishes[0].account
        connection = self._desk.connection_of(of.login_id)
        if connection is None or connection.state is ConnectionState.FAILED:
            return
        self._asked_at[of.pk] = clock.now()
        account = AccountRef(of.broker_id, of.name)
        try:
            sync = connection.query(account)
        except BrokerError as error:
            log.warning("flatten.look_failed", account=account.name, reason=str(error))
            return
        if account.broker_id in {ref.broker_id for ref in sync.accounts}:
            for one in wishes:
                self._judge(one, sync)

    def _judge(self, asked: Flatten, sync: SyncReport) -> None:
        one = flatten.still_acting(asked)
        if one is None or _is_overtaken(one, sync.at):
            return
        found = open_in(sync, one.account.broker_id)
        if one.trader_id is not None:
            found = _share_of(one, found)
        if found:
            end_stuck(one, found)
            if flatten.act_on([one], {one.account_id: found}):
                self._desk.dispatch()
            return
        if is_flat_by_our_books(one) and (one.trader_id is None or _is_counted(one.account, one.trader_id, sync)):
            finish(one, sync.at)
            return
        # What it tells of orders and positions may be just what our books are missing.
        self._desk.inbox.put(one.account.login_id, [sync])

    def _warn_if_late(self, one: Flatten, now: datetime) -> None:
        if one.alarmed_at is not None or now - one.began_at < ALARM_AFTER:
            return
        text = f"{one.account.name} is not flat after {ALARM_AFTER.seconds} s: {one.reason_text}"
        alarms.raise_alarm(owner_id=one.owner_id, account_id=one.account_id, code=NOT_FLAT, ref=one.pk, text=text)
        Flatten.objects.filter(pk=one.pk).update(alarmed_at=now)


def open_in(sync: SyncReport, broker_id: str) -> dict[str, int]:
    """By contract what the broker says is open: signed contracts, 0 where only orders work."""
    live = {status.value for status in LIVE_ORDERS}
    found = {
        order.symbol: 0 for order in sync.orders if order.account.broker_id == broker_id and order.status.value in live
    }
    for position in sync.positions:
        if position.account.broker_id == broker_id and position.net_qty != 0:
            found[position.symbol] = position.net_qty
    return found


def _is_overtaken(one: Flatten, at: datetime) -> bool:
    """Whether something has been closed since the look began: it tells nothing about that."""
    closes = OrderIntent.objects.filter(account_id=one.account_id, kind__in=[IntentKind.FLATTEN, IntentKind.EXIT])
    if one.trader_id is not None:
        closes = closes.filter(Q(trader_id=one.trader_id) | Q(trader_id=None))
    return closes.filter(Q(created_at__gte=at) | Q(dispatched_at__gte=at)).exists()


def _share_of(one: Flatten, found: Mapping[str, int]) -> dict[str, int]:
    """What of it is the trader's: contracts that it holds or has orders in by our books, and nobody else of ours.

    What is open there and not in our books is its owner's own, or will be in them soon: see `_is_counted`.
    """
    mine = Q(trader_id=one.trader_id)
    own = _in_use(mine)
    theirs = _in_use(~mine & Q(account_id=one.account_id))
    return {symbol: net for symbol, net in found.items() if symbol in own - theirs}


def _in_use(whose: Q) -> set[str]:
    """Contracts with a position or an order of these traders'."""
    held = Position.objects.filter(whose).exclude(net_qty=0).values_list("symbol", flat=True)
    return {*held, *flatten.live_orders(whose).values_list("symbol", flat=True)}


def _is_counted(account: BrokerAccount, trader_id: UUID, sync: SyncReport) -> bool:
    """Whether our books have all that the look tells of a trader: each order that works, each fill of the trader's.

    An order that we never heard of may be an exit of its own.
    """
    live = {status.value for status in LIVE_ORDERS}
    for order in sync.orders:
        if (
            order.account.broker_id == account.broker_id
            and order.status.value in live
            and not _is_heard(account, order)
        ):
            return False
    fills = {
        fill.broker_fill_id: fill.broker_order_id for fill in sync.fills if fill.account.broker_id == account.broker_id
    }
    known = Order.objects.filter(account=account, trader_id=trader_id, broker_order_id__in=set(fills.values()))
    own = set(known.values_list("broker_order_id", flat=True))
    wanted = {name for name, order_id in fills.items() if order_id in own}
    counted = Fill.objects.filter(account=account, broker_fill_id__in=wanted, applied_at__isnull=False)
    return counted.count() == len(wanted)


def _is_heard(account: BrokerAccount, report: OrderReport) -> bool:
    named = Q() if report.client_order_id is None else Q(client_order_id=report.client_order_id)
    return Order.objects.filter(Q(broker_order_id=report.broker_order_id) | named, account=account).exists()


def is_flat_by_our_books(one: Flatten) -> bool:
    """No live order, and nothing held: by our fills, or by what the broker reported since the closing began.

    Of a whole account what its traders hold against each other is nothing at the broker.
    """
    whose = Q(account_id=one.account_id) if one.trader_id is None else Q(trader_id=one.trader_id)
    if flatten.live_orders(whose).exists():
        return False
    held = Position.objects.filter(whose).values("symbol").annotate(net=Sum("net_qty")).exclude(net=0)
    symbols = {row["symbol"] for row in held}
    if not symbols:
        return True
    since = one.began_at if one.tried_at is None else one.tried_at
    flat = BrokerPosition.objects.filter(
        account_id=one.account_id, symbol__in=symbols, net_qty=0, reported_at__gte=since
    )
    return one.trader_id is None and flat.count() == len(symbols)
