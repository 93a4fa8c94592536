"""Entries that still wait at the broker, taken back for every follower of a recorder, whatever the product."""

from __future__ import annotations

from uuid import UUID

from brokers.base import OrderRole, Side
from execution.drafting import Draft, Wanted, add_leg
from execution.followers import followers_of
from execution.models import Order
from execution.models.order import WORKING
from execution.plan import LegKind, PlannedLeg
from recorders.models import Recorder


def cancel_all(draft: Draft, recorder: Recorder) -> None:
    """A CANCEL intent for each follower that has an entry waiting, by contract."""
    waiting = waiting_symbols(recorder)
    for follower in followers_of(recorder):
        for number, symbol in enumerate(sorted(waiting.get(follower.trader_id, set()))):
            leg = PlannedLeg(f"cancel{number}", LegKind.CANCEL, Side.BUY, 0)
            add_leg(draft, follower, Wanted(leg, symbol))


def waiting_symbols(recorder: Recorder) -> dict[UUID, set[str]]:
    """By trader: the contracts in which an entry rests."""
    rows = Order.objects.filter(
        trader__recorder=recorder, role=OrderRole.ENTRY.value, status__in=sorted(WORKING)
    ).values_list("trader_id", "symbol")
    found: dict[UUID, set[str]] = {}
    for trader_id, symbol in rows:
        if trader_id is not None:
            found.setdefault(trader_id, set()).add(symbol)
    return found
