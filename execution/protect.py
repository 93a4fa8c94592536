"""Exits for a position that is open already: what is missing is placed as OCO pairs, what is there is moved."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from brokers.base import (
    STOP_PREFIX,
    TARGET_PREFIX,
    AccountRef,
    OrderRole,
    OrderStatus,
    OrderType,
    Request,
    Side,
    SubmitOco,
    SubmitOrder,
)
from brokers.instruments import contract_of
from execution import legs, locks
from execution.bulk import update_rows
from execution.models import ObjectKind, Order, Position
from execution.models.order import LIVE
from execution.submitting import Batch, Due, Terms, order_row
from execution.transitions import Change
from justtrades.ids import new_id
from traders import exits


class _Leg(NamedTuple):
    """A pair to place; either price may be missing. `place` is its target's place in the template."""

    place: int
    qty: int
    target: Decimal | None
    stop: Decimal | None


def take_up(batch: Batch, intent: Due) -> bool:
    """Give the position the intent's exits, and put the orders that are missing into the batch; whether there are any.

    Legs that only move have wishes on their rows and need the intent no more.
    """
    key = (intent.trader_id, intent.symbol)
    position = locks.lock_positions([key])[key]
    template = exits.template_from(intent.exits)
    position.exits, position.is_at_break_even = intent.exits, False
    position.stop_distance = None if template.stop is None else template.stop.distance(position.avg_price)
    position.save(update_fields=["exits", "is_at_break_even", "stop_distance"])
    live = list(
        Order.objects.filter(
            trader_id=intent.trader_id,
            symbol=intent.symbol,
            role__in=[OrderRole.TARGET.value, OrderRole.STOP.value],
            status__in=sorted(LIVE),
        )
    )
    moved = legs.tend(position, live)
    rows = [(o.id, o.wanted_qty, o.wanted_price, o.change_sent_at, o.change_attempts) for o in moved]
    update_rows(Order, ("wanted_qty", "wanted_price", "change_sent_at", "change_attempts"), rows)
    missing = list(_missing(position, template, live))
    for leg in missing:
        _place(batch, intent, leg, Side.SELL if position.net_qty > 0 else Side.BUY)
    return bool(missing)


def _missing(position: Position, template: exits.ExitTemplate, live: list[Order]) -> Iterator[_Leg]:
    if position.avg_price is None:
        return
    at_work = legs.sizes_at_work(live, len(template.targets) + 1)
    uncovered = abs(position.net_qty) - sum(at_work)
    if uncovered <= 0:
        return
    side = Side.BUY if position.net_qty > 0 else Side.SELL
    prices = exits.leg_prices(
        template, side, position.avg_price, contract_of(position.symbol), at_break_even=position.is_at_break_even
    )
    for place, qty in enumerate(exits.added_sizes(template, at_work, uncovered)):
        target = prices.targets[place] if place < len(prices.targets) else None
        if qty > 0 and (target is not None or prices.stop is not None):
            yield _Leg(place, qty, target, prices.stop)


def _place(batch: Batch, intent: Due, leg: _Leg, side: Side) -> None:
    account = AccountRef(intent.broker_id, intent.account_name)
    target_id, stop_id = (_leg_id(prefix, intent, leg.place) for prefix in (TARGET_PREFIX, STOP_PREFIX))
    request: Request
    if leg.target is not None and leg.stop is not None:
        request = SubmitOco(target_id, stop_id, account, intent.symbol, side, leg.qty, leg.target, leg.stop)
    elif leg.stop is not None:
        request = SubmitOrder(
            stop_id, account, intent.symbol, side, leg.qty, OrderType.STOP, stop_price=leg.stop, is_protective=True
        )
    else:
        request = SubmitOrder(
            target_id, account, intent.symbol, side, leg.qty, OrderType.LIMIT, leg.target, is_protective=True
        )
    if leg.target is not None:
        _note(batch, intent, OrderRole.TARGET, target_id, side, leg)
    if leg.stop is not None:
        _note(batch, intent, OrderRole.STOP, stop_id, side, leg)
    batch.requests.append((intent.login_id, request))


def _note(batch: Batch, intent: Due, role: OrderRole, name: str, side: Side, leg: _Leg) -> None:
    order_id = new_id()
    is_target = role is OrderRole.TARGET
    terms = Terms(
        role,
        name,
        side,
        leg.qty,
        (OrderType.LIMIT if is_target else OrderType.STOP).value,
        leg.target if is_target else None,
        None if is_target else leg.stop,
        leg.place,
    )
    batch.orders.append(order_row(batch, intent, order_id, terms))
    batch.changes.append(
        Change(intent.owner_id, ObjectKind.ORDER, order_id, "", OrderStatus.SUBMITTING.value, batch.now)
    )


def _leg_id(prefix: str, intent: Due, place: int) -> str:
    """Derived from the intent and its try: what was refused may be placed again, what was sent is never renamed."""
    digest = hashlib.sha256(f"{intent.client_order_id}:{intent.attempts}:{place}".encode()).digest()
    return prefix + base64.b32encode(digest)[:26].decode()
