"""What a halt and a prop firm's times do beyond refusing entries: those that already wait at the broker are taken back.

A fill while a cancel is on its way is a position: `execution.guard.packs` closes it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import Q, QuerySet

from brokers.base import OrderRole
from execution import changes
from execution.guard.packs import LEAD
from execution.models import Order
from execution.models.order import WORKING
from execution.valuation import known_contract
from justtrades import clock
from risk import packs
from risk.models import Switch, SwitchMode, SwitchScope
from risk.packs import Pack

log = structlog.get_logger(__name__)
NEWS_LEAD = timedelta(seconds=10)
"""Before a news window: a cancel takes a second or two."""


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
    return _wish_away(changes.of_lane(_waiting(covered).exclude(wanted_qty=0), lane))


def cancel_untimely(lane: int) -> int:
    """Wish away the lane's entries that would be filled when their firm allows none; how many.

    Once a second. One whose cancel was given up is asked for again: what rests past the firm's time costs an account.
    """
    is_wished = Q(wanted_qty=0, change_attempts__lt=changes.MOST_ATTEMPTS)
    under_rules = _waiting(Q(account__rule_pack__is_enforced=True) & ~is_wished)
    rows = changes.of_lane(under_rules, lane).values_list(
        "pk", "symbol", "account__rule_pack__pack", "account__rule_pack__version"
    )
    now = clock.now()
    untimely = [pk for pk, symbol, name, version in rows if _is_untimely(symbol, name, version, now)]
    if not untimely:
        return 0
    count = _wish_away(_waiting(Q(pk__in=untimely)))
    log.info("switchboard.untimely_entries", lane=lane, count=count)
    return count


def _is_untimely(symbol: str, name: str, version: int, now: datetime) -> bool:
    contract = known_contract(symbol)
    try:
        pack = packs.get(name, version)
    except (KeyError, packs.BadPack):
        # The monitor says so: see `execution.guard.packs.load_packs`.
        return False
    return contract is not None and _wants_no_entry(pack, contract.product.calendar, now)


def _wants_no_entry(pack: Pack, calendar: str, now: datetime) -> bool:
    is_closed = any(packs.flat_by(pack, moment, calendar) is not None for moment in (now, now + LEAD))
    return is_closed or any(packs.in_news(pack, moment) is not None for moment in (now, now + NEWS_LEAD))


def _waiting(condition: Q) -> QuerySet[Order]:
    return Order.objects.filter(condition, role=OrderRole.ENTRY.value, status__in=sorted(WORKING))


def _wish_away(orders: QuerySet[Order]) -> int:
    return orders.update(wanted_qty=0, wanted_price=None, change_sent_at=None, change_attempts=0)


def _covered(scope: str, target: str, owner_id: UUID | None) -> Q:
    """As `risk.restrictions` reads it: a scope that nobody knows means all that the owner has, or everything."""
    if target and scope == SwitchScope.ACCOUNT:
        return Q(account_id=target)
    if target and scope == SwitchScope.RECORDER:
        return Q(trader__recorder_id=target)
    is_everything = owner_id is None or scope == SwitchScope.PLATFORM
    return Q(pk__isnull=False) if is_everything else Q(owner_id=owner_id)
