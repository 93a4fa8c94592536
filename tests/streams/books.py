"""Both sides' books, read for all cases at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from brokers.base import OrderRole
from execution.models import IntentKind, IntentStatus, Order, OrderIntent, Position
from execution.models.intent import LIVE
from execution.models.order import IN_FLIGHT, WORKING
from recorders.models import Signal, SignalStatus
from tests.e2e.plant import Plant
from tests.streams.case import plain

OVER = (IntentStatus.DENIED, IntentStatus.EXPIRED, IntentStatus.FAILED)


@dataclass(slots=True)
class Books:
    """Venue rows by broker account id, our contracts by trader, and what is still under way by trader and recorder."""

    venue: dict[int, Mapping[str, Any]]
    net: dict[UUID, dict[str, int]]
    realized: dict[UUID, Decimal]
    busy: dict[UUID, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, plant: Plant) -> Books:
        """Ours first: what the venue has done since is then seen as a difference, never hidden."""
        busy = _under_way()
        net: dict[UUID, dict[str, int]] = defaultdict(dict)
        realized: dict[UUID, Decimal] = defaultdict(Decimal)
        for row in Position.objects.all():
            realized[row.trader_id] += row.realized_pnl
            if row.net_qty:
                net[row.trader_id][row.symbol] = row.net_qty
            if row.unprotected_since is not None:
                busy[row.trader_id].append(f"{row.symbol} has no stop of its size")
        return cls({row["id"]: row for row in plant.sandbox.state()}, net, realized, busy)

    def differences(self, broker_id: int, traders: Iterable[UUID]) -> list[str]:
        """Where what the traders of an account hold is not what the venue says that it holds."""
        ours: Counter[str] = Counter()
        for trader in traders:
            ours.update(self.net.get(trader, {}))
        at_venue = {row["symbol"]: row["netPos"] for row in self.venue[broker_id]["positions"]}
        names = sorted(ours.keys() | at_venue.keys())
        return [
            f"{name}: ours {ours[name]:+d}, venue {at_venue.get(name, 0):+d}"
            for name in names
            if ours[name] != at_venue.get(name, 0)
        ]

    def net_of(self, trader: UUID) -> int:
        return sum(self.net.get(trader, {}).values())

    def legs_of(self, broker_ids: Iterable[int]) -> tuple[str, ...]:
        """`sell 2 limit 25010`: contracts at one price are counted together."""
        found: Counter[tuple[str, str, str]] = Counter()
        for order in (order for broker_id in broker_ids for order in self.venue[broker_id]["workingOrders"]):
            price = order["stopPrice"] if order["price"] is None else order["price"]
            at = "?" if price is None else plain(Decimal(repr(price)))
            found[order["action"].lower(), order["orderType"].lower(), at] += order["qty"]
        return tuple(sorted(f"{action} {qty} {kind} {price}" for (action, kind, price), qty in found.items()))


def _under_way() -> dict[UUID, list[str]]:
    """What has to end before anything is judged, by the id of the recorder or trader that waits for it."""
    busy: dict[UUID, list[str]] = defaultdict(list)
    for recorder, count in Counter(
        Signal.objects.filter(status=SignalStatus.RECEIVED).values_list("recorder_id", flat=True)
    ).items():
        busy[recorder].append(f"{count} signals wait")
    rests = Q(kind=IntentKind.ENTRY, order_type="limit", orders__role=OrderRole.ENTRY, orders__status__in=WORKING)
    for intent in OrderIntent.objects.filter(status__in=LIVE).exclude(rests):
        busy[intent.trader_id].append(f"{intent} is {intent.status}")
    pending = Q(wanted_qty__isnull=False, status__in=WORKING) | Q(status__in=IN_FLIGHT)
    for order in Order.objects.filter(pending, trader__isnull=False):
        if order.trader_id is not None:
            busy[order.trader_id].append(f"{order.role} {order.qty} is {order.status}, wanted {order.wanted_qty}")
    return busy


def codes_of(recorders: Iterable[UUID]) -> tuple[str, ...]:
    """Why what did not happen did not happen: the signal's own reason, else those of its intents."""
    found: list[str] = []
    for signal in Signal.objects.filter(recorder_id__in=list(recorders)).order_by("received_at", "id"):
        if signal.reason_code:
            found.append(signal.reason_code)
            continue
        intents = OrderIntent.objects.filter(signal=signal, status__in=OVER).order_by("created_at", "id")
        found += intents.values_list("reason_code", flat=True)
    return tuple(found)
