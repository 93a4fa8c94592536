"""A target that was refused is placed once more, off the price that was refused; its stop stays where it is.

What is refused again is told to the owner: the position keeps its stop and goes on without that target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from uuid import UUID

from brokers.base import OrderRole, OrderStatus, Side
from brokers.instruments import contract_of
from execution import alarms
from execution.models import IntentKind, IntentSource, IntentStatus, ObjectKind, Order, OrderIntent, Position
from execution.protect import TARGET_AGAIN
from execution.reports.ledger import Ledger
from execution.transitions import Change
from justtrades.ids import client_order_id, idempotency_key, new_id
from traders.exits import ExitTemplate, Level, leg_prices, template_from

TARGET_REJECTED = "TARGET_REJECTED"
Key = tuple[UUID, str]


def place_again(ledger: Ledger, positions: Mapping[Key, Position]) -> None:
    """Wish for each target that this batch refused, unless it is the second one; then raise an alarm."""
    wishes: dict[str, tuple[OrderIntent, Order, Position]] = {}
    for order, trader_id in _refused(ledger):
        position = positions.get((trader_id, order.symbol))
        intent = None if position is None else _wish(ledger, order, position)
        if intent is not None and position is not None:
            wishes[intent.idempotency_key] = (intent, order, position)
    if not wishes:
        return
    tried = set(OrderIntent.objects.filter(idempotency_key__in=wishes).values_list("idempotency_key", flat=True))
    fresh = [intent for key, (intent, _, _) in wishes.items() if key not in tried]
    OrderIntent.objects.bulk_create(fresh, ignore_conflicts=True)
    ledger.changes += [
        Change(one.owner_id, ObjectKind.INTENT, one.id, "", IntentStatus.CLEARED, ledger.now, one.reason_text)
        for one in fresh
    ]
    for key in tried:
        _, order, position = wishes[key]
        text = f"{order.symbol}: the broker refused a target twice, the stop works on: {order.reject_text}"
        alarms.raise_alarm(
            owner_id=order.owner_id, account_id=order.account_id, code=TARGET_REJECTED, ref=position.id, text=text
        )


def _refused(ledger: Ledger) -> Iterator[tuple[Order, UUID]]:
    """The targets that this batch says are refused, with their traders."""
    named = {order.id: order for order in (*ledger.by_broker.values(), *ledger.by_client.values())}
    for order in named.values():
        is_refused = order.role == OrderRole.TARGET and order.status == OrderStatus.REJECTED
        if is_refused and order.updated_at == ledger.now and order.trader_id is not None:
            yield order, order.trader_id


def _wish(ledger: Ledger, order: Order, position: Position) -> OrderIntent | None:
    """One per life of a position and place of a target; None where there is nothing that wants it any more."""
    qty = order.qty - order.filled_qty
    if position.net_qty == 0 or position.avg_price is None or position.exits == "" or qty <= 0:
        return None
    template = template_from(position.exits)
    place = order.target_index if order.target_index is not None else 0
    if place >= len(template.targets) or Side(order.side).sign * position.net_qty > 0:
        return None
    source, kind = IntentSource.RISK_ACTION, IntentKind.PROTECT
    life = "" if position.opened_at is None else f"{position.opened_at:%Y%m%dT%H%M%S%f}"
    key = idempotency_key(source.value, f"target:{position.id}:{life}:{place}", position.trader_id, kind.value)
    account = next(one for one in ledger.accounts.values() if one.id == order.account_id)
    return OrderIntent(
        id=new_id(), owner_id=order.owner_id, source=source, trader_id=position.trader_id,
        account_id=order.account_id, lane_slot=account.login.lane_slot, leg=kind.value, kind=kind,
        idempotency_key=key, client_order_id=client_order_id(key), symbol=order.symbol, side=order.side, qty=qty,
        exits=further(template, place, position, order.price).text, stop_distance=position.stop_distance,
        status=IntentStatus.CLEARED, reason_code=TARGET_AGAIN, created_at=ledger.now, cleared_at=ledger.now,
        reason_text=f"the broker refused a target, it is placed once more: {order.reject_text}"[:512],
    )  # fmt: skip


def further(template: ExitTemplate, place: int, position: Position, refused: Decimal | None) -> ExitTemplate:
    """The exits with this target on the tick, and where that is the price that was refused, a tick further away."""
    average = position.avg_price
    if average is None:
        return template
    side, contract = Side.BUY if position.net_qty > 0 else Side.SELL, contract_of(position.symbol)
    price = leg_prices(template, side, average, contract, at_break_even=False).targets[place]
    if refused is not None and refused != price:
        return template
    level = template.targets[place].level
    if level.price is not None:
        moved = Level(price=price + side.sign * contract.tick)
    else:
        moved = Level(points=abs(price - average) + contract.tick)
    targets = list(template.targets)
    targets[place] = targets[place].model_copy(update={"level": moved})
    return template.model_copy(update={"targets": tuple(targets)})
