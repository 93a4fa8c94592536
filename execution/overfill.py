"""Contracts that nobody asked for: more than an entry wanted, or the other way round because both of two exits filled.

They are seen in the batch that books them, which raises an alarm; that alarm is the row from which
`execution.watchdog.overfill` works until what is too much is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db.models import Q

from brokers.base import OrderRole, Side
from execution import alarms
from execution.models import IntentKind, Order, Position
from execution.reports.ledger import Ledger

OVERFILL, REVERSED = "OVERFILL", "REVERSED"
LEGS = frozenset({OrderRole.STOP, OrderRole.TARGET})
Key = tuple[UUID, str]


def note(ledger: Ledger, positions: Mapping[Key, Position]) -> None:
    """Raise an alarm for each entry that just got more than it wanted, and each position that an exit just opened."""
    for order in ledger.changed_entries():
        intent = ledger.intent_of(order)
        if intent is not None and order.filled_qty > intent.qty and order.updated_at == ledger.now:
            text = f"{order.symbol}: {order.filled_qty} contracts were filled where {intent.qty} were wanted"
            _alarm(order.owner_id, order.account_id, OVERFILL, order.id, text)
    suspects = {
        (order.trader_id, order.symbol)
        for order in ledger.by_broker.values()
        if order.role in LEGS and order.updated_at == ledger.now and order.trader_id is not None
        and _is_wrong_way(order, positions.get((order.trader_id, order.symbol)))
    }  # fmt: skip
    for position in [positions[key] for key in suspects]:
        if not is_entered(position):
            text = f"{position.net_qty:+d} {position.symbol} was opened by a stop or target that should have been gone"
            _alarm(position.owner_id, position.account_id, REVERSED, position.id, text)


def _alarm(owner_id: UUID, account_id: UUID, code: str, ref: UUID, text: str) -> None:
    alarms.raise_alarm(owner_id=owner_id, account_id=account_id, code=code, ref=ref, text=text)


def _is_wrong_way(leg: Order, position: Position | None) -> bool:
    """Whether the leg has filled and is on the side that the position is on: it did not make it smaller."""
    return position is not None and leg.filled_qty > 0 and Side(leg.side).sign * position.net_qty > 0


def is_entered(position: Position) -> bool:
    """Whether an entry of this side has filled since the position was opened."""
    entries = Order.objects.filter(
        intent__kind=IntentKind.ENTRY,
        intent__trader_id=position.trader_id,
        role=OrderRole.ENTRY.value,
        symbol=position.symbol,
        side=(Side.BUY if position.net_qty > 0 else Side.SELL).value,
        filled_qty__gt=0,
    )
    return entries.filter(Q() if position.opened_at is None else Q(updated_at__gte=position.opened_at)).exists()
