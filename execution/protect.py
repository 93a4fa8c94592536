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
from execution.abilities import abilities_of
from execution.bulk import update_rows
from execution.models import ObjectKind, Order, Position
from execution.models.order import LIVE
from execution.submitting import Batch, Due, Terms, order_row
from execution.transitions import Change
from justtrades.ids import new_id
from traders import exits

EXITS_FOLLOW = "EXITS_FOLLOW"
"""Why exits are placed for what an entry has just filled (`execution.synthetic`)."""
REARM = "REARM"
"""Why a stop is placed again (`execution.watchdog`)."""
TARGET_AGAIN = "TARGET_AGAIN"
"""Why a target is placed again that was refused (`execution.retarget`)."""
REPAIRS = frozenset({REARM, TARGET_AGAIN})
"""What puts back an exit that was there, or should have been; a stop that was moved to the entry stays there."""


class _Leg(NamedTuple):
    """A pair to place; either price may be missing. `place` is its target's place in the template, None for a stop that
    covers several.
    """

    place: int | None
    qty: int
    target: Decimal | None
    stop: Decimal | None
    stop_type: OrderType = OrderType.STOP


def take_up(batch: Batch, intent: Due) -> bool:
    """Give the position the intent's exits, and put the orders that are missing into the batch; whether there are any.

    Legs that only move have wishes on their rows and need the intent no more.
    """
    if intent.trader_id is None:
        return False
    key = (intent.trader_id, intent.symbol)
    position = locks.lock_positions([key])[key]
    template = exits.template_from(intent.exits)
    position.exits = intent.exits
    if intent.reason_code not in REPAIRS:
        position.is_at_break_even = False
    if template.stop is None or position.avg_price is not None:
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
    missing = _to_place(intent, position, template, live)
    for leg in missing:
        _place(batch, intent, leg, Side.SELL if position.net_qty > 0 else Side.BUY)
    return bool(missing)


def _to_place(intent: Due, position: Position, template: exits.ExitTemplate, live: list[Order]) -> list[_Leg]:
    """The legs that the intent is to add to those that are live."""
    abilities = abilities_of(intent.venue, intent.symbol)
    if intent.reason_code == TARGET_AGAIN:
        return [leg for leg in _single_orders(position, template, live, intent.qty) if leg.target is not None]
    if not abilities.native_oco:
        singles = list(_single_orders(position, template, live, intent.qty))
        if abilities.native_brackets and intent.reason_code == EXITS_FOLLOW:
            # The entry brought its stop along; not told of yet, it would be placed a second time.
            return [leg for leg in singles if leg.stop is None]
        return singles
    pairs = list(_missing(position, template, live))
    if intent.reason_code != REARM:
        return pairs
    return pairs + _lone_stop(position, template, live, sum(leg.qty for leg in pairs if leg.stop is not None))


def _lone_stop(position: Position, template: exits.ExitTemplate, live: list[Order], placed: int) -> list[_Leg]:
    """A stop for contracts whose target still works without one; `placed` are in stops that go now."""
    if position.avg_price is None or position.net_qty == 0:
        return []
    stop = _prices(position, template, position.avg_price).stop
    stopped = sum(leg.qty - leg.filled_qty for leg in live if leg.role == OrderRole.STOP)
    uncovered = abs(position.net_qty) - stopped - placed
    return [] if stop is None or uncovered <= 0 else [_Leg(None, uncovered, None, stop, _stop_type(template))]


def _missing(position: Position, template: exits.ExitTemplate, live: list[Order]) -> Iterator[_Leg]:
    if position.avg_price is None:
        return
    at_work = legs.sizes_at_work(live, len(template.targets) + 1)
    uncovered = abs(position.net_qty) - sum(at_work)
    if uncovered <= 0:
        return
    prices = _prices(position, template, position.avg_price)
    for place, qty in enumerate(exits.added_sizes(template, at_work, uncovered)):
        target = prices.targets[place] if place < len(prices.targets) else None
        if qty > 0 and (target is not None or prices.stop is not None):
            yield _Leg(place, qty, target, prices.stop)


def _single_orders(position: Position, template: exits.ExitTemplate, live: list[Order], qty: int) -> Iterator[_Leg]:
    """Where the venue links nothing: one stop for all that no stop covers, and it goes first; then targets for `qty`
    contracts. Whatever one of them fills, `execution.synthetic` cuts from the others.
    """
    if position.avg_price is None or position.net_qty == 0:
        return
    held, places = abs(position.net_qty), len(template.targets) + 1
    prices = _prices(position, template, position.avg_price)
    uncovered = held - sum(legs.sizes_of(live, OrderRole.STOP, places))
    if prices.stop is not None and uncovered > 0:
        yield _Leg(None, uncovered, None, prices.stop, _stop_type(template))
    at_work = legs.sizes_of(live, OrderRole.TARGET, places)
    fresh = min(qty, held - sum(at_work))
    without_target = held - fresh - sum(at_work)
    sizes = exits.added_sizes(template, (*at_work[:-1], max(0, without_target)), max(0, fresh))
    for place, target in enumerate(prices.targets):
        if sizes[place] > 0:
            yield _Leg(place, sizes[place], target, None)


def _stop_type(template: exits.ExitTemplate) -> OrderType:
    """A stop that trails from the start is the venue's own trailing stop."""
    trails_at_once = template.trail_trigger is not None and template.trail_trigger == 0
    return OrderType.TRAILING_STOP if trails_at_once else OrderType.STOP


def _prices(position: Position, template: exits.ExitTemplate, average: Decimal) -> exits.LegPrices:
    side = Side.BUY if position.net_qty > 0 else Side.SELL
    contract = contract_of(position.symbol)
    return exits.leg_prices(template, side, average, contract, at_break_even=position.is_at_break_even)


def _place(batch: Batch, intent: Due, leg: _Leg, side: Side) -> None:
    account = AccountRef(intent.broker_id, intent.account_name)
    target_id, stop_id = (_leg_id(prefix, intent, leg.place) for prefix in (TARGET_PREFIX, STOP_PREFIX))
    request: Request
    if leg.target is not None and leg.stop is not None:
        request = SubmitOco(target_id, stop_id, account, intent.symbol, side, leg.qty, leg.target, leg.stop)
    elif leg.stop is not None:
        request = SubmitOrder(
            stop_id, account, intent.symbol, side, leg.qty, leg.stop_type, stop_price=leg.stop, is_protective=True
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
        (OrderType.LIMIT if is_target else leg.stop_type).value,
        leg.target if is_target else None,
        None if is_target else leg.stop,
        leg.place,
    )
    batch.orders.append(order_row(batch, intent, order_id, terms))
    batch.changes.append(
        Change(intent.owner_id, ObjectKind.ORDER, order_id, "", OrderStatus.SUBMITTING.value, batch.now)
    )


def _leg_id(prefix: str, intent: Due, place: int | None) -> str:
    """Derived from the intent and its try: what was refused may be placed again, what was sent is never renamed."""
    digest = hashlib.sha256(f"{intent.client_order_id}:{intent.attempts}:{place}".encode()).digest()
    return prefix + base64.b32encode(digest)[:26].decode()
