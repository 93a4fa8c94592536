"""Exits that could open something are taken away: those that lost their position, and those that are more than it.

Brokers end the other half of a pair themselves. What still works two seconds later is canceled, or cut, by us: a wish
on the order's row, said again until the broker's own report shows it (`execution.changes`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Mod

from brokers.base import OrderRole, Side
from execution.changes import MOST_ATTEMPTS
from execution.models import BreakKind, IntentKind, Order, OrderIntent, Position
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import WORKING
from execution.reconcile.history import note_cuts
from execution.shrink import Cut, cuts_to, wish_for
from execution.watchdog.owed import may_guard_something, unbooked_here
from execution.watchdog.telling import Matter, tell
from justtrades import clock

log = structlog.get_logger(__name__)
LEGS = [OrderRole.TARGET.value, OrderRole.STOP.value]
TIDY_AFTER = timedelta(seconds=2)
STUCK_AFTER = 5
"""Cancels that changed nothing before somebody is told."""
EXIT_WORKS_ON = "EXIT_WORKS_ON"
Key = tuple[UUID, str]

_EXCESS = """
    SELECT o.trader_id, o.symbol, p.net_qty
    FROM execution_position p
    JOIN brokers_brokeraccount a ON a.id = p.account_id
    JOIN brokers_brokerlogin l ON l.id = a.login_id
    JOIN execution_order o ON o.account_id = p.account_id AND o.symbol = p.symbol AND o.trader_id = p.trader_id
    WHERE p.net_qty <> 0 AND p.updated_at < %(since)s AND l.lane_slot %% %(lanes)s = %(lane)s
      AND o.role = ANY(%(legs)s) AND o.status = ANY(%(working)s)
      AND NOT EXISTS (SELECT 1 FROM execution_orderintent e
                      WHERE e.id = o.intent_id AND e.kind = 'entry' AND e.status = ANY(%(live)s))
      AND NOT EXISTS (SELECT 1 FROM execution_orderintent i
                      WHERE i.trader_id = p.trader_id AND i.symbol = p.symbol AND i.status = ANY(%(live)s)
                        AND i.kind <> 'entry')
      AND NOT EXISTS (SELECT 1 FROM execution_fill f
                      JOIN execution_order x ON x.account_id = f.account_id AND x.broker_order_id = f.broker_order_id
                      WHERE f.account_id = p.account_id AND f.symbol = p.symbol AND f.applied_at IS NULL
                        AND x.trader_id IS NOT NULL)
    GROUP BY o.trader_id, o.symbol, p.net_qty
    HAVING max(o.updated_at) < %(since)s AND (
        greatest(sum(o.qty - o.filled_qty) FILTER (WHERE o.role = 'stop'),
                 sum(o.qty - o.filled_qty) FILTER (WHERE o.role = 'target')) > abs(p.net_qty)
        OR bool_or((o.side = 'sell') <> (p.net_qty > 0)))
"""


def tidy(lane: int) -> int:
    """Wish away what the lane's positions have too much of; how many wishes are new."""
    found = {BreakKind.ORPHANED_EXIT: _orphans(lane), BreakKind.EXTRA_EXIT: _excess(lane)}
    for kind, cuts in found.items():
        if cuts:
            with transaction.atomic():
                wish_for(cuts)
                note_cuts(kind, [cut.order_id for cut in cuts])
            log.warning("watchdog.tidied", what=kind.value, orders=len(cuts))
    return sum(len(cuts) for cuts in found.values())


def _orphans(lane: int) -> list[Cut]:
    """Exits that still work although their trader holds nothing: any of them could open a position.

    What is left of a close that met a fill of its own legs counts, once the broker has named its order.
    The legs of an entry that may be filling just now are spared, those that may guard what the broker holds and we have
    not been told of, and while a fill waits for its price all of them.
    """
    since = clock.now() - TIDY_AFTER
    here = Position.objects.filter(trader_id=OuterRef("trader_id"), symbol=OuterRef("symbol"))
    holding = here.filter(~Q(net_qty=0) | Q(updated_at__gte=since))
    entering = OrderIntent.objects.filter(
        id=OuterRef("intent_id"), kind=IntentKind.ENTRY, status__in=sorted(LIVE_INTENTS)
    )
    orphans = _working(lane).filter(~Exists(holding), ~Exists(entering), ~unbooked_here(), updated_at__lt=since)
    found = list(orphans.exclude(wanted_qty=0))
    spared = may_guard_something(found)
    return [Cut(one.id, 0) for one in found if one.id not in spared]


def _working(lane: int) -> QuerySet[Order]:
    is_known = ~Q(role=OrderRole.EXIT.value) | Q(broker_order_id__isnull=False)
    return Order.objects.annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES)).filter(
        is_known, lane=lane, role__in=[*LEGS, OrderRole.EXIT.value], status__in=sorted(WORKING), trader__isnull=False
    )


def _excess(lane: int) -> list[Cut]:
    """More contracts in stops, or in targets, than are held, and legs that would make the position bigger."""
    terms: dict[str, Any] = {
        "since": clock.now() - TIDY_AFTER, "lanes": settings.LANES, "lane": lane, "legs": LEGS,
        "working": sorted(WORKING), "live": sorted(LIVE_INTENTS),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_EXCESS, terms)
        nets: dict[Key, int] = {(trader_id, symbol): net for trader_id, symbol, net in cursor.fetchall()}
    legs = _settled_legs(nets)
    return [cut for key, net in nets.items() for cut in excess_of(legs[key], net)]


def _settled_legs(keys: Iterable[Key]) -> dict[Key, list[Order]]:
    """Their working legs, without those that may guard more than we have been told of, and those of an entry that still
    fills: they are sized for the whole of it.
    """
    wanted = set(keys)
    found: dict[Key, list[Order]] = defaultdict(list)
    if not wanted:
        return found
    rows = Order.objects.filter(
        trader_id__in={trader for trader, _ in wanted},
        symbol__in={symbol for _, symbol in wanted},
        role__in=LEGS,
        status__in=sorted(WORKING),
    ).exclude(intent__kind=IntentKind.ENTRY, intent__status__in=sorted(LIVE_INTENTS))
    legs = list(rows.order_by("created_at", "id"))
    spared = may_guard_something(legs)
    for order in legs:
        if order.trader_id is not None and order.id not in spared:
            found[order.trader_id, order.symbol].append(order)
    return found


def excess_of(legs: Sequence[Order], net_qty: int) -> list[Cut]:
    """What is to be taken from working legs so that no more is in them than is held, as far as nobody wishes it yet."""
    closing = (Side.SELL if net_qty > 0 else Side.BUY).value
    own = [leg for leg in legs if leg.side == closing]
    cuts = [Cut(leg.id, 0) for leg in legs if leg.side != closing] + cuts_to(own, abs(net_qty))
    wanted = {leg.id: leg.wanted_qty for leg in legs}
    return [cut for cut in cuts if wanted[cut.order_id] != cut.wanted_qty]


def insist(lane: int) -> None:
    """Have cancels and cuts that changed nothing said again for as long as it takes, and somebody told."""
    stubborn = list(
        _working(lane).filter(wanted_qty__lt=F("qty"), change_attempts__gte=STUCK_AFTER).select_related("account")
    )
    matters = [
        Matter(one.owner_id, one.account_id, str(one.pk),
               f"{one.account.name}: {one} is to be {one.wanted_qty} and the broker did not do it {STUCK_AFTER} times")
        for one in stubborn
    ]  # fmt: skip
    tell(lane, EXIT_WORKS_ON, matters)
    given_up = [one.pk for one in stubborn if one.change_attempts >= MOST_ATTEMPTS]
    Order.objects.filter(pk__in=given_up).update(change_attempts=STUCK_AFTER)
