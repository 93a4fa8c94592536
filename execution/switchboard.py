"""What a halt does beyond refusing entries: those that already wait at the broker are taken back."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from brokers.base import OrderRole
from execution import changes
from execution.models import Order
from execution.models.order import WORKING
from risk.models import Switch, SwitchMode, SwitchScope


def cancel_halted(lane: int) -> int:
    """Wish away the lane's entries that a halt covers; how many. Once a second, so also what began to work since."""
    halts = list(
        Switch.objects.filter(released_at=None, mode=SwitchMode.HALT).values_list("scope", "target", "owner_id")
    )
    if not halts:
        return 0
    covered = Q(pk__in=[])
    for halt in halts:
        covered |= _covered(*halt)
    waiting = Order.objects.filter(covered, role=OrderRole.ENTRY.value, status__in=sorted(WORKING))
    return changes.of_lane(waiting.exclude(wanted_qty=0), lane).update(
        wanted_qty=0, wanted_price=None, change_sent_at=None, change_attempts=0
    )


def _covered(scope: str, target: str, owner_id: UUID | None) -> Q:
    """As `risk.restrictions` reads it: a scope that nobody knows means all that the owner has, or everything."""
    if target and scope == SwitchScope.ACCOUNT:
        return Q(account_id=target)
    if target and scope == SwitchScope.RECORDER:
        return Q(trader__recorder_id=target)
    is_everything = owner_id is None or scope == SwitchScope.PLATFORM
    return Q(pk__isnull=False) if is_everything else Q(owner_id=owner_id)
