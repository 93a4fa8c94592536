"""Order reports: ours by client order id, our legs by their entry, everybody else's as EXTERNAL."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from brokers.base import OrderRole, OrderStatus, OrderType
from brokers.reports import OrderReport
from execution.abilities import abilities_of, is_whole_stop
from execution.changes import settle_wish
from execution.models import IntentStatus, Order
from execution.reports.ledger import FOUND, Ledger
from execution.reports.outcomes import bind, reject


def apply_order(ledger: Ledger, login_id: UUID, report: OrderReport) -> None:
    account = ledger.accounts.get((login_id, report.account.broker_id))
    if account is None:
        return
    order = _find(ledger, account.id, report)
    if order is None:
        order = _create(ledger, account.id, account.owner_id, report)
    _copy_terms(ledger, order, report)
    _move(ledger, order, report)


def _find(ledger: Ledger, account_id: UUID, report: OrderReport) -> Order | None:
    if report.client_order_id is not None and report.client_order_id in ledger.by_client:
        order = ledger.by_client[report.client_order_id]
        if not report.broker_order_id.startswith("strategy-"):
            bind(ledger, order, report.broker_order_id)
        return order
    known = ledger.by_broker.get((account_id, report.broker_order_id))
    if known is None and report.role in {OrderRole.EXTERNAL, OrderRole.EXIT}:
        known = ledger.take_close(account_id, report)
        if known is not None and known.broker_order_id is not None:
            return None
        if known is not None:
            bind(ledger, known, report.broker_order_id)
    return known


def _create(ledger: Ledger, account_id: UUID, owner_id: UUID, report: OrderReport) -> Order:
    parent = ledger.by_client.get(report.parent_client_order_id or "")
    is_leg = parent is not None and report.role in {OrderRole.TARGET, OrderRole.STOP}
    order = Order(
        owner_id=owner_id,
        intent_id=parent.intent_id if parent is not None and is_leg else None,
        trader_id=parent.trader_id if parent is not None and is_leg else None,
        account_id=account_id,
        role=(report.role if is_leg else OrderRole.EXTERNAL).value,
        broker_order_id=report.broker_order_id,
        symbol=report.symbol,
        side=report.side.value,
        qty=report.qty or 0,
        order_type=(report.order_type or OrderType.MARKET).value,
        target_index=_target_index(ledger, parent, report) if parent is not None and is_leg else None,
        status=report.status.value,
        created_at=ledger.now,
        updated_at=ledger.now,
        version=settings.VERSION,
    )
    ledger.add(order)
    return order


def _target_index(ledger: Ledger, entry: Order, report: OrderReport) -> int | None:
    """The leg's place in its position's exit template: the entry's intent knows which leg of its bracket is which."""
    intent = ledger.intent_of(entry)
    if intent is None or report.bracket_index is None or report.bracket_index >= len(intent.bracket):
        return None
    if is_whole_stop(intent.bracket, abilities_of(ledger.venues[entry.account_id], entry.symbol)):
        return None
    return int(intent.bracket[report.bracket_index][-1])


def _copy_terms(ledger: Ledger, order: Order, report: OrderReport) -> None:
    if order.role == OrderRole.EXTERNAL and report.parent_client_order_id in ledger.by_client:
        _claim_leg(ledger, order, report)
    terms: dict[str, object] = {"qty": report.qty, "price": report.price, "stop_price": report.stop_price}
    if report.order_type is not None:
        terms["order_type"] = report.order_type.value
    for name, value in terms.items():
        if value is not None and getattr(order, name) != value:
            setattr(order, name, value)
            ledger.touch(order)
    if settle_wish(order):
        ledger.touch(order)


def _claim_leg(ledger: Ledger, order: Order, report: OrderReport) -> None:
    """A leg that was reported before the venue said whose it is."""
    parent = ledger.by_client[report.parent_client_order_id or ""]
    order.intent_id, order.trader_id, order.role = parent.intent_id, parent.trader_id, report.role.value
    order.target_index = _target_index(ledger, parent, report)
    if order.id not in ledger.created:
        Order.objects.filter(pk=order.pk).update(
            intent_id=parent.intent_id, trader_id=parent.trader_id, target_index=order.target_index
        )
    ledger.touch(order)


def _move(ledger: Ledger, order: Order, report: OrderReport) -> None:
    if report.status is OrderStatus.SUBMITTING:
        return
    if report.status is OrderStatus.REJECTED:
        reject(ledger, order, report.reject_code or "REJECTED", report.reject_text or "the broker refused the order")
        return
    ledger.move(order, report.status, report.reject_text)
    if settle_wish(order):
        ledger.touch(order)
    intent = ledger.intent_of(order)
    if intent is None or order.role not in {OrderRole.ENTRY, OrderRole.EXIT}:
        return
    if intent.acknowledged_at is None:
        intent.acknowledged_at = report.at
        ledger.stamp(intent)
    if intent.status == IntentStatus.UNKNOWN:
        ledger.move_intent(intent, IntentStatus.DISPATCHED, FOUND, "the broker has it")
