"""P4: what became of a request. Denied, Rejected and Unknown are never mixed, and doubt is never made a rejection."""

from __future__ import annotations

from brokers.base import OrderStatus
from brokers.reports import Accepted, NotSent, Outcome, Rejected, Sent, Unknown
from execution.intents import order_name
from execution.models import IntentKind, IntentStatus, Order, OrderIntent
from execution.reports.ledger import FOUND, Ledger

MAX_EXIT_ATTEMPTS = 5


def apply_sent(ledger: Ledger, sent: Sent) -> None:
    order = ledger.by_client.get(sent.client_order_id)
    intent = ledger.intent_of(order) if order is not None else None
    if intent is not None and intent.sent_at is None:
        intent.sent_at = sent.at
        ledger.stamp(intent)


def apply_outcome(ledger: Ledger, outcome: Outcome) -> None:
    """Outcomes of cancels carry ids that are no order's: the order's own report tells what became of it."""
    order = ledger.by_client.get(outcome.client_order_id)
    if order is None:
        return
    intent = ledger.intent_of(order)
    if isinstance(outcome, Accepted):
        _accepted(ledger, order, intent, outcome)
    elif isinstance(outcome, Rejected):
        reject(ledger, order, outcome.code, outcome.text)
    elif isinstance(outcome, NotSent):
        not_placed(ledger, order, outcome.reason)
    elif isinstance(outcome, Unknown):
        ledger.move(order, OrderStatus.UNKNOWN, outcome.reason)
        if intent is not None:
            ledger.move_intent(intent, IntentStatus.UNKNOWN, "UNKNOWN", outcome.reason)


def _accepted(ledger: Ledger, order: Order, intent: OrderIntent | None, outcome: Accepted) -> None:
    if outcome.broker_order_id is not None:
        bind(ledger, order, outcome.broker_order_id)
    if outcome.broker_strategy_id is not None:
        order.broker_strategy_id = outcome.broker_strategy_id
        ledger.touch(order)
    if order.status in {OrderStatus.SUBMITTING, OrderStatus.UNKNOWN}:
        ledger.move(order, OrderStatus.WORKING, "accepted")
    if intent is not None:
        if intent.acknowledged_at is None:
            intent.acknowledged_at = outcome.at
            ledger.stamp(intent)
        if intent.status == IntentStatus.UNKNOWN:
            ledger.move_intent(intent, IntentStatus.DISPATCHED, FOUND, "the broker has it")


def bind(ledger: Ledger, order: Order, broker_order_id: str) -> None:
    """Give our order its broker order id; an EXTERNAL row that had it first becomes part of ours."""
    if order.broker_order_id == broker_order_id:
        return
    stranger = ledger.by_broker.get((order.account_id, broker_order_id))
    if stranger is not None and stranger.id != order.id:
        _absorb(ledger, order, stranger)
    order.broker_order_id = broker_order_id
    ledger.index(order)
    ledger.touch(order)


def _absorb(ledger: Ledger, order: Order, stranger: Order) -> None:
    if ledger.created.pop(stranger.id, None) is None:
        stranger.fills.update(order=order)
        stranger.delete()
        ledger.changed.pop(stranger.id, None)
    ledger.move(order, OrderStatus(stranger.status), "reported before its reply")


def reject(ledger: Ledger, order: Order, code: str, text: str) -> None:
    """The venue's refusal, with proof. A refused exit is tried again: it can only reduce, and must get through.

    It goes under a new name: where ids are unique, a refused order has used its own up.
    """
    intent = ledger.intent_of(order)
    is_exit = intent is not None and intent.kind in {IntentKind.EXIT, IntentKind.REDUCE, IntentKind.FLATTEN}
    order.reject_code, order.reject_text = code[:64], text[:512]
    if intent is not None and is_exit and order.role == "exit" and intent.attempts < MAX_EXIT_ATTEMPTS:
        ledger.move(order, OrderStatus.REJECTED, f"{code}: {text}")
        if intent.client_order_id == order.client_order_id:
            intent.client_order_id = order_name(intent.kind, f"{intent.idempotency_key}#{intent.attempts}")
        ledger.move_intent(intent, IntentStatus.CLEARED, code, text)
        return
    ledger.move(order, OrderStatus.REJECTED, f"{code}: {text}")
    if intent is not None and (order.role in {"entry", "exit"} or intent.kind == IntentKind.PROTECT):
        ledger.move_intent(intent, IntentStatus.FAILED, code, text)


def not_placed(ledger: Ledger, order: Order, reason: str) -> None:
    """Proof that nothing was sent: an entry may go again while it is fresh, an exit at any time."""
    intent = ledger.intent_of(order)
    ledger.move(order, OrderStatus.NOT_PLACED, reason)
    if intent is None:
        return
    if intent.expires_at is not None and ledger.now > intent.expires_at:
        ledger.move_intent(intent, IntentStatus.FAILED, "NOT_SENT", f"{reason}; too old to be sent again")
    else:
        ledger.move_intent(intent, IntentStatus.CLEARED, "NOT_SENT", reason)
