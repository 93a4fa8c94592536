"""Stops that move to the entry once the market has gone far enough: watched quote by quote, moved once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Mod

from brokers.base import OrderRole
from brokers.quotes.quote import may_stand_in, source_of
from execution import legs, locks, transitions
from execution.bulk import update_rows
from execution.models import ObjectKind, Order, Position
from execution.models.order import WORKING
from execution.transitions import Change
from justtrades import clock
from traders.exits import template_from

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A position whose stop moves when the market trades at `price` or beyond it, in the position's favor.

    `source` is the quote source of its account's venue.
    """

    trader_id: UUID
    symbol: str
    is_long: bool
    price: Decimal
    source: str = ""

    def is_reached(self, traded: Decimal) -> bool:
        return traded >= self.price if self.is_long else traded <= self.price

    def heeds(self, source: str) -> bool:
        """Whether a price of `source` says anything about this position's market."""
        return may_stand_in(source, self.source)


def triggers_of(lane: int) -> dict[str, list[Trigger]]:
    """By symbol: what the lane's open positions wait for."""
    waiting = (
        Position.objects.exclude(net_qty=0)
        .filter(is_at_break_even=False, exits__contains="break_even_after", avg_price__isnull=False)
        .annotate(
            lane=Mod(F("account__login__lane_slot"), settings.LANES),
            venue=F("account__login__venue"),
            environment=F("account__login__environment"),
        )
        .filter(lane=lane)
    )
    found: dict[str, list[Trigger]] = defaultdict(list)
    for position in waiting:
        after = template_from(position.exits).break_even_after
        if after is not None and position.avg_price is not None:
            is_long = position.net_qty > 0
            price = position.avg_price + (after if is_long else -after)
            source = source_of(position.venue, position.environment)
            found[position.symbol].append(Trigger(position.trader_id, position.symbol, is_long, price, source))
    return found


def move_stops(triggers: Iterable[Trigger]) -> int:
    """Move the stops of the positions that are still as they were when the trigger was set; how many."""
    return sum(_move_stop(trigger) for trigger in triggers)


def _move_stop(trigger: Trigger) -> bool:
    key = (trigger.trader_id, trigger.symbol)
    with transaction.atomic():
        working = locks.lock_orders(
            Order.objects.filter(
                trader_id=trigger.trader_id,
                symbol=trigger.symbol,
                role__in=[OrderRole.STOP.value, OrderRole.TARGET.value],
                status__in=sorted(WORKING),
            )
        )
        position = locks.lock_positions([key]).get(key)
        if position is None or position.net_qty == 0 or position.is_at_break_even or position.exits == "":
            return False
        position.is_at_break_even = True
        position.save(update_fields=["is_at_break_even"])
        moved = legs.tend(position, working)
        rows = [(o.id, o.wanted_qty, o.wanted_price, o.change_sent_at, o.change_attempts) for o in moved]
        update_rows(Order, ("wanted_qty", "wanted_price", "change_sent_at", "change_attempts"), rows)
        state = f"{position.net_qty:+d}"
        detail = f"break-even: the market reached {trigger.price.normalize():f}, the stop moves to the entry"
        transitions.record([
            Change(position.owner_id, ObjectKind.POSITION, position.id, state, state, clock.now(), detail)
        ])  # fmt: skip
    log.info("breakeven.moved", trader=str(trigger.trader_id), symbol=trigger.symbol)
    return True
