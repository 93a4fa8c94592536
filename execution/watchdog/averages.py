"""Fills whose price the venue still owes us: nothing is computed from a missing average, and nothing waits for ever.

A venue that sends prices late asks for them itself, at half a second, one second and one and a half
(`brokers.tradovate.gaps`). After that the average which it states for the account gives the price away, if nobody else
holds the contract; else what may be unprotected is closed by the account's rule for positions without a stop.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, Sum
from django.db.models.functions import Mod

from brokers.base import AccountRef, OrderRole, Side
from brokers.reports import FillReport
from brokers.selectors import secrets_of
from execution import transitions
from execution.intents import Wanting, wish_flatten
from execution.models import BrokerPosition, Fill, IntentSource, IntentStatus, ObjectKind, Order, OrderIntent, Position
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import WORKING
from execution.transitions import Change
from execution.watchdog.looks import Desk
from execution.watchdog.naked import rules_of
from execution.watchdog.telling import Matter, tell
from justtrades import clock
from risk.models.book import UnprotectedPolicy

TRIES_END_AFTER = timedelta(seconds=2)
LONGEST_KEPT = timedelta(days=1)
SAME_BATCH = timedelta(seconds=1)
UNPRICED = "UNPRICED"
PRICE_PLACES = Decimal("0.0000000001")
FOLLOWS = "the venue did not tell the price of this fill: it follows from the average that it states"
Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class Late:
    """One order's fills without a price; `order` with account and login, and its intent."""

    order: Order
    fills: tuple[Fill, ...]

    @property
    def since(self) -> datetime:
        return min(fill.stored_at for fill in self.fills)

    @property
    def qty(self) -> int:
        return sum(fill.qty for fill in self.fills)


class LateFills:
    """Belongs to the keeper's thread. `_told` are the fills whose price has been handed to the lane's inbox."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told: set[UUID] = set()

    def settle(self) -> int:
        """Price what can be priced, tell of what is overdue and end what may be unprotected; how many intents."""
        lane, now = self._desk.index, clock.now()
        waiting = late_fills(lane)
        self._told &= {fill.id for late in waiting for fill in late.fills}
        untold = [late for late in waiting if not {fill.id for fill in late.fills} <= self._told]
        unknown = [
            late for late in untold if now - late.since >= TRIES_END_AFTER and not self._price(late, waiting, now)
        ]
        rules = rules_of({late.order.account_id for late in unknown})
        overdue = [
            late
            for late in unknown
            if now - late.since >= timedelta(seconds=rules[late.order.account_id].unprotected_after_s)
        ]
        tell(lane, UNPRICED, [_matter(late) for late in overdue])
        closing = [
            late
            for late in overdue
            if rules[late.order.account_id].unprotected_policy != UnprotectedPolicy.ALARM and _must_close(late)
        ]
        return sum(_close(late) for late in closing)

    def _price(self, late: Late, waiting: Sequence[Late], now: datetime) -> bool:
        """Hand the price that follows from what the venue states to the inbox; False where none does."""
        price = implied_price(late, waiting)
        if price is None:
            return False
        account, status = late.order.account, late.order.status
        reports = [
            FillReport(AccountRef(account.broker_id, account.name), fill.broker_fill_id, fill.broker_order_id,
                       fill.symbol, Side(fill.side), fill.qty, price, fill.filled_at)
            for fill in late.fills
        ]  # fmt: skip
        transitions.record([
            Change(late.order.owner_id, ObjectKind.ORDER, late.order.id, status, status, now, FOLLOWS)
        ])  # fmt: skip
        self._told |= {fill.id for fill in late.fills}
        self._desk.inbox.put(account.login_id, reports)
        return True


def late_fills(lane: int) -> list[Late]:
    """The lane's fills of ours without a price, by order."""
    fills = Fill.objects.annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES)).filter(
        lane=lane, applied_at__isnull=True, price__isnull=True, stored_at__gte=clock.now() - LONGEST_KEPT
    )
    by_order: dict[Key, list[Fill]] = defaultdict(list)
    for fill in fills.order_by("stored_at", "id"):
        by_order[fill.account_id, fill.broker_order_id].append(fill)
    if not by_order:
        return []
    orders = Order.objects.filter(
        account_id__in={account for account, _ in by_order},
        broker_order_id__in={name for _, name in by_order},
        trader__isnull=False,
    )
    named = orders.select_related("account__login", "intent").defer(*secrets_of("account__login"))
    return [
        Late(order, tuple(by_order[order.account_id, order.broker_order_id]))
        for order in named
        if order.broker_order_id is not None and (order.account_id, order.broker_order_id) in by_order
    ]


def implied_price(late: Late, waiting: Sequence[Late]) -> Decimal | None:
    """What the fills of an entry must have cost, so that our average is the one which the venue states.

    Only where the venue holds just what our books would, and one trader alone has to do with it.
    """
    order = late.order
    here = Q(account_id=order.account_id, symbol=order.symbol)
    rivals = [o for o in waiting if (o.order.account_id, o.order.symbol) == (order.account_id, order.symbol)]
    held = list(Position.objects.filter(here).exclude(net_qty=0))
    if len(rivals) > 1 or order.role != OrderRole.ENTRY or any(p.trader_id != order.trader_id for p in held):
        return None
    net = sum(position.net_qty for position in held)
    stated = BrokerPosition.objects.filter(here, reported_at__gte=late.since - SAME_BATCH).first()
    added = Side(order.side).sign * late.qty
    if stated is None or stated.avg_price is None or stated.net_qty != net + added or net * added < 0:
        return None
    cost = Decimal(0)
    for position in held:
        if position.avg_price is None:
            return None
        cost += position.avg_price * abs(position.net_qty)
    price = (stated.avg_price * abs(stated.net_qty) - cost) / late.qty
    return price.quantize(PRICE_PLACES) if price > 0 else None


def _matter(late: Late) -> Matter:
    order = late.order
    text = f"{order.account.name}: {late.qty} contracts of {order} were filled, and the broker does not tell the price"
    return Matter(order.owner_id, order.account_id, str(order.pk), text)


def _must_close(late: Late) -> bool:
    """Whether it opened something that wants a stop, has none at the broker, and is that trader's alone."""
    order, intent = late.order, late.order.intent
    trader_id = order.trader_id
    if order.role != OrderRole.ENTRY or intent is None or intent.stop_distance is None or trader_id is None:
        return False
    stops = Order.objects.filter(intent=intent, role=OrderRole.STOP.value, status__in=sorted(WORKING))
    covered = stops.aggregate(total=Sum(F("qty") - F("filled_qty")))["total"] or 0
    others = Position.objects.filter(account_id=order.account_id, symbol=order.symbol).exclude(net_qty=0)
    is_shared = others.exclude(trader_id=trader_id).exists()
    return covered < order.filled_qty + late.qty and not is_shared


def _close(late: Late) -> bool:
    """Its size is known and its price is not, so our books cannot say what to close: the venue closes what it has."""
    order = late.order
    wish = f"unpriced:{order.id}"
    tried = OrderIntent.objects.filter(idempotency_key__startswith=f"{IntentSource.RISK_ACTION.value}:{wish}.")
    if tried.filter(status__in=[*LIVE_INTENTS, IntentStatus.DONE]).exists():
        return False
    text = "filled at a price that the broker does not tell, and without a working stop"
    wanting = Wanting(IntentSource.RISK_ACTION, f"{wish}.{tried.count()}", UNPRICED, text)
    return wish_flatten(order.account, order.symbol, Side(order.side).sign * late.qty, wanting)
