"""What a venue's whole truth does not hold. Absence is evidence only when it is seen twice, two seconds apart."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from brokers.base import OrderRole, OrderStatus
from brokers.reports import SyncReport
from execution import locks
from execution.abilities import abilities_of
from execution.models import IntentKind, IntentStatus, Order, OrderIntent
from execution.reports.ledger import Ledger

SETTLE = timedelta(seconds=2)
NEEDED_QUERIES = 2


def apply_sync(ledger: Ledger, login_id: UUID, sync: SyncReport) -> None:
    """Count a look without a trace for each of our UNKNOWN orders; the second one proves that it was not placed.

    An order that the venue has was moved out of UNKNOWN by its own report before this runs.
    """
    accounts = {
        account.id: ref.broker_id
        for ref in sync.accounts
        if (account := ledger.accounts.get((login_id, ref.broker_id))) is not None
    }
    doubtful = Order.objects.filter(account_id__in=accounts, status=OrderStatus.UNKNOWN.value, intent__isnull=False)
    for row in locks.lock_orders(doubtful):
        order = ledger.by_client.get(row.client_order_id or "", row)
        if order.status == OrderStatus.UNKNOWN:
            _look(ledger, order)


def _look(ledger: Ledger, order: Order) -> None:
    ledger.index(order)
    if order.intent_id is not None and order.intent_id not in ledger.intents and order.intent is not None:
        ledger.intents[order.intent_id] = order.intent
    if order.queried_at is not None and ledger.now - order.queried_at < SETTLE:
        return
    order.queried_at = ledger.now
    order.queries_without_trace += 1
    ledger.touch(order)
    if order.queries_without_trace >= NEEDED_QUERIES:
        _prove_not_placed(ledger, order)


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
