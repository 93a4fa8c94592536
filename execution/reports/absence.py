"""What a venue's whole truth does not hold, and what it holds that we thought was over.

Absence is evidence only when it is seen twice, two seconds apart, and never in a look that says nothing at all while
it should show something. An UNKNOWN order is called NOT_PLACED only while the venue's stream is up, or just back: a
request that is stuck on the way may arrive as long as nobody listens.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from brokers.base import ConnectionState, OrderRole, OrderStatus
from brokers.reports import OrderReport
from execution import locks
from execution.abilities import abilities_of
from execution.models import IntentKind, IntentStatus, ObjectKind, Order, OrderIntent
from execution.models.order import WORKING
from execution.reports.ledger import Ledger
from execution.reports.looks import Look, emptied
from execution.transitions import Change

SETTLE = timedelta(seconds=2)
NEEDED_QUERIES = 2
NEEDED_OF_EMPTY_LISTS = 4
"""Looks that show no order at all of the account, until one that worked is believed to be gone."""
AT_WORK = sorted(WORKING | {OrderStatus.PENDING_CANCEL})
LISTED_AS_LIVE = WORKING | {OrderStatus.SUSPENDED}
COMES_BACK = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED})
LEGS = frozenset({OrderRole.TARGET, OrderRole.STOP})


def apply_looks(ledger: Ledger, looks: Mapping[UUID, Look], listening: Collection[UUID]) -> None:
    """Count the looks without a trace of each of our UNKNOWN orders, and of each that worked; end what is proven.

    `listening` are the logins whose connection has just become live. An order that the venue has was moved out of
    UNKNOWN by its own report before this runs.
    """
    if not looks:
        return
    listed = Order.objects.filter(account_id__in=looks, status__in=[OrderStatus.UNKNOWN.value, *AT_WORK])
    fields = ("id", "account_id", "broker_order_id", "status", "queries_without_trace")
    rows = list(listed.order_by().values_list(*fields))
    # Nothing at all, where an order or a position should be: that is no look.
    empty = {account_id for _, account_id, _, status, _ in rows if status in AT_WORK and looks[account_id].is_bare}
    empty |= emptied(looks)
    wanted = [
        pk
        for pk, account_id, name, status, missed in rows
        if account_id not in empty and (status == OrderStatus.UNKNOWN or name not in looks[account_id].orders or missed)
    ]
    doubtful = Order.objects.filter(Q(intent__isnull=False) | Q(broker_order_id__isnull=False), pk__in=wanted)
    for row in locks.lock_orders(doubtful) if wanted else ():
        order = _as_loaded(ledger, row)
        look = looks[order.account_id]
        if order.status == OrderStatus.UNKNOWN and order.intent_id is not None:
            _look_for_unknown(ledger, order, look, listening)
        elif order.status in AT_WORK and order.broker_order_id is not None:
            _look_for_working(ledger, order, look)
    for account_id, look in looks.items():
        for name, report in look.orders.items():
            known = ledger.by_broker.get((account_id, name))
            if known is not None and report.status in LISTED_AS_LIVE and known.status in COMES_BACK:
                _look_at_ghost(ledger, known, report, look)


def _as_loaded(ledger: Ledger, row: Order) -> Order:
    """The batch's own copy of the order, which may have moved already."""
    known = ledger.by_client.get(row.client_order_id or "")
    if known is None and row.broker_order_id is not None:
        known = ledger.by_broker.get((row.account_id, row.broker_order_id))
    if known is not None:
        return known
    ledger.index(row)
    if row.intent_id is not None and row.intent_id not in ledger.intents and row.intent is not None:
        ledger.intents[row.intent_id] = row.intent
    return row


def _is_counted(order: Order, now: datetime) -> bool:
    """Count one more look without a trace, unless the last one was just now."""
    if order.queried_at is not None and now - order.queried_at < SETTLE:
        return False
    order.queried_at = now
    order.queries_without_trace += 1
    return True


def _look_for_unknown(ledger: Ledger, order: Order, look: Look, listening: Collection[UUID]) -> None:
    if not _is_counted(order, ledger.now):
        return
    ledger.touch(order)
    login = look.account.login
    is_heard = login.state == ConnectionState.LIVE or login.id in listening
    if order.queries_without_trace >= NEEDED_QUERIES and is_heard:
        _prove_not_placed(ledger, order)


def _look_for_working(ledger: Ledger, order: Order, look: Look) -> None:
    """An order that worked and is listed no more has ended, and nobody told us: a stop like that guards nothing."""
    if order.broker_order_id in look.orders:
        if order.queries_without_trace:
            order.queries_without_trace = 0
            ledger.touch(order)
        return
    if order.updated_at >= look.at or not _is_counted(order, ledger.now):
        return
    # `updated_at` stays what it was: a look that found nothing is no news of the order.
    ledger.changed[order.id] = order
    if order.queries_without_trace >= (NEEDED_QUERIES if look.orders else NEEDED_OF_EMPTY_LISTS):
        text = f"{order.queries_without_trace} looks at the broker's books did not show it any more"
        order.queries_without_trace = 0
        ledger.move(order, OrderStatus.CANCELED, text)


def _look_at_ghost(ledger: Ledger, order: Order, report: OrderReport, look: Look) -> None:
    """An exit that we took for ended works at the venue: twice seen, it is what the venue says."""
    if order.role not in LEGS or order.updated_at >= look.at or not _is_counted(order, ledger.now):
        return
    ledger.changed[order.id] = order
    if order.queries_without_trace < NEEDED_QUERIES:
        return
    before, order.status = order.status, report.status.value
    order.queries_without_trace = 0
    ledger.touch(order)
    text = "two looks at the broker's books show that it works"
    ledger.changes.append(Change(order.owner_id, ObjectKind.ORDER, order.id, before, order.status, ledger.now, text))


def _prove_not_placed(ledger: Ledger, order: Order) -> None:
    """An exit may be sent again, it can only reduce. An entry may where the venue takes no id twice, and while it is
    fresh; elsewhere the venue would take a late twin of it.
    """
    text = f"{order.queries_without_trace} looks at the broker's books found no trace of it"
    ledger.move(order, OrderStatus.NOT_PLACED, text)
    intent = ledger.intent_of(order)
    if intent is None:
        return
    is_exit = intent.kind == IntentKind.EXIT and order.role == OrderRole.EXIT
    if is_exit or _may_go_again(ledger, intent, order):
        ledger.move_intent(intent, IntentStatus.CLEARED, "NOT_PLACED", text)
    else:
        ledger.move_intent(intent, IntentStatus.FAILED, "NOT_PLACED", text)


def _may_go_again(ledger: Ledger, intent: OrderIntent, order: Order) -> bool:
    is_fresh = intent.expires_at is not None and ledger.now <= intent.expires_at
    if intent.kind != IntentKind.ENTRY or order.role != OrderRole.ENTRY or not is_fresh:
        return False
    venue = ledger.venues.get(order.account_id, "")
    return abilities_of(venue, order.symbol).enforces_unique_client_ids
