"""Whether it is flat: our books and a look at the broker's own must agree, and an answer that is missing says nothing.

A look that finds something open sets off the next round of closing with what it found.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog
from django.db import connection as database
from django.db.models import Q, Sum

from brokers.base import AccountRef, Connection, ConnectionState
from brokers.errors import BrokerError
from brokers.reports import SyncReport
from execution import alarms
from execution.flattening import flatten
from execution.flattening.end import end_stuck, finish
from execution.models import BrokerPosition, Flatten, Position
from execution.models.order import LIVE as LIVE_ORDERS
from justtrades import clock

log = structlog.get_logger(__name__)
LOOK_AFTER = timedelta(seconds=1)
LOOK_EVERY = timedelta(seconds=2)
ALARM_AFTER = timedelta(seconds=10)
NOT_FLAT = "NOT_FLAT"


class Desk(Protocol):
    """What verifying needs of the lane."""

    index: int
    loop: Any
    inbox: Any

    def connection_of(self, login_id: UUID) -> Connection | None: ...

    def dispatch(self) -> None: ...


class Verifier:
    """Belongs to the lane's keeper; the looks themselves run beside it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asked_at: dict[UUID, datetime] = {}

    def look(self) -> None:
        """Ask about each wish that was acted on. Once a second."""
        wishes = list(flatten.under_way(self._desk.index))
        for gone in self._asked_at.keys() - {one.pk for one in wishes}:
            del self._asked_at[gone]
        now = clock.now()
        for one in wishes:
            self._warn_if_late(one, now)
            asked_at = self._asked_at.get(one.pk)
            is_tried = one.tried_at is not None and now - one.tried_at >= LOOK_AFTER
            if is_tried and (asked_at is None or now - asked_at >= LOOK_EVERY):
                self._ask(one, now)

    def _ask(self, one: Flatten, now: datetime) -> None:
        connection = self._desk.connection_of(one.account.login_id)
        if connection is None or connection.state is ConnectionState.FAILED:
            return
        self._asked_at[one.pk] = now
        self._desk.loop.background(lambda: self._look(connection, one))

    def _look(self, connection: Connection, one: Flatten) -> None:
        account = AccountRef(one.account.broker_id, one.account.name)
        try:
            sync = connection.query(account)
            if account.broker_id in {ref.broker_id for ref in sync.accounts}:
                self._judge(one, sync)
        except BrokerError as error:
            log.warning("flatten.look_failed", account=account.name, reason=str(error))
        finally:
            # A helper thread of the loop: its database connection would stay open for ever.
            database.close()

    def _judge(self, one: Flatten, sync: SyncReport) -> None:
        found = open_in(sync, one.account.broker_id)
        if one.trader_id is not None:
            found = _share_of(one, found)
        if found:
            end_stuck(one, found)
            if flatten.act_on([one], {one.account_id: found}):
                self._desk.dispatch()
            return
        if is_flat_by_our_books(one):
            finish(one)
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


def _share_of(one: Flatten, found: Mapping[str, int]) -> dict[str, int]:
    """What of it is the trader's: contracts that nobody else of ours holds or has orders in."""
    mine = Q(trader_id=one.trader_id)
    others = Position.objects.filter(~mine, account_id=one.account_id).exclude(net_qty=0)
    elsewhere = flatten.live_orders(~mine & Q(account_id=one.account_id))
    theirs = set(others.values_list("symbol", flat=True)) | set(elsewhere.values_list("symbol", flat=True))
    own = set(Position.objects.filter(mine).values_list("symbol", flat=True))
    return {symbol: net for symbol, net in found.items() if symbol in own - theirs}


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
