"""Reading a user's own intents, orders, fills and positions. The only door to them for pages and API."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.db.models import Case, Count, F, Min, OuterRef, Q, QuerySet, Subquery, Sum, When

from accounts.selectors import Person
from brokers.base import OrderRole
from brokers.quotes.quote import source_of
from brokers.selectors import secrets_of
from execution.models import Command, Fill, Flatten, IntentStatus, Order, OrderIntent, Position, Transition
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import LIVE as LIVE_ORDERS
from recorders.models import Signal

OUTCOMES: tuple[Literal["total", "done", "denied", "failed", "unknown", "expired", "unfinished"], ...] = (
    "total", "done", "denied", "failed", "unknown", "expired", "unfinished",
)  # fmt: skip
LAST_HEARD = Subquery(
    Signal.objects.filter(owner_id=OuterRef("owner_id"), recorder_id=OuterRef("pk"))
    .order_by("-received_at")
    .values("received_at")[:1]
)
"""For a query of recorders: when each last took in an alert."""
UNFINISHED = sorted(LIVE_INTENTS - {IntentStatus.UNKNOWN})


def count_outcomes(signal_ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    """For each signal: how many of its intents are done, denied, rejected or failed, unknown, expired, unfinished."""
    counts = (
        OrderIntent.objects.filter(signal__in=signal_ids)
        .order_by()
        .values("signal_id")
        .annotate(
            total=Count("id"),
            done=Count("id", filter=Q(status=IntentStatus.DONE)),
            denied=Count("id", filter=Q(status=IntentStatus.DENIED)),
            failed=Count("id", filter=Q(status=IntentStatus.FAILED)),
            unknown=Count("id", filter=Q(status=IntentStatus.UNKNOWN)),
            expired=Count("id", filter=Q(status=IntentStatus.EXPIRED)),
            unfinished=Count("id", filter=Q(status__in=UNFINISHED)),
        )
    )
    return {row["signal_id"]: {name: row[name] for name in OUTCOMES} for row in counts}


def list_intents_for(user: Person) -> QuerySet[OrderIntent]:
    return (
        OrderIntent.objects.filter(owner_id=user.pk)
        .select_related("signal", "account", "trader__recorder")
        .defer("signal__body")
        .order_by("-created_at")
    )


def list_orders_for(user: Person) -> QuerySet[Order]:
    return Order.objects.filter(owner_id=user.pk).select_related("account", "intent").order_by("-created_at")


def list_working_orders_for(user: Person) -> QuerySet[Order]:
    return list_orders_for(user).filter(status__in=sorted(LIVE_ORDERS))


def list_flattens_for(user: Person) -> QuerySet[Flatten]:
    """Acts of closing an account, or a trader's share of one; newest first."""
    return Flatten.objects.filter(owner_id=user.pk).select_related("account", "trader__recorder")


def list_commands_for(user: Person) -> QuerySet[Command]:
    """What the user, or staff for them, asked for by hand; newest first."""
    return Command.objects.filter(owner_id=user.pk)


def list_fills_for(user: Person) -> QuerySet[Fill]:
    fills = Fill.objects.filter(account__owner_id=user.pk)
    return fills.select_related("account", "order__intent").order_by("-filled_at")


def list_positions_for(user: Person) -> QuerySet[Position]:
    """With account, login and recorder; the login's secrets stay in the database."""
    return (
        Position.objects.filter(owner_id=user.pk)
        .select_related("account__login", "trader__recorder")
        .defer(*secrets_of("account__login"))
    )


def get_position_for(user: Person, pk: UUID) -> Position:
    """Raises `Position.DoesNotExist`."""
    return list_positions_for(user).select_related("trader__route_of").get(pk=pk)


def list_open_positions_for(user: Person) -> QuerySet[Position]:
    """Unprotected ones first, longest first; then by account name."""
    return (
        list_positions_for(user)
        .exclude(net_qty=0)
        .order_by(F("unprotected_since").asc(nulls_last=True), "account__name", "symbol", "id")
    )


def list_protective_orders(positions: list[Position]) -> QuerySet[Order]:
    """The live stops and targets of these positions' traders."""
    return Order.objects.filter(
        account__in={position.account_id for position in positions},
        symbol__in={position.symbol for position in positions},
        role__in=[OrderRole.STOP, OrderRole.TARGET],
        status__in=sorted(LIVE_ORDERS),
    ).order_by("created_at")


@dataclass(frozen=True, slots=True)
class Exposure:
    """One contract over those of a user's open positions that go by the same source of quotes.

    `cost` is Σ net x average price, None where one is missing.
    """

    symbol: str
    source: str
    positions: int
    net_qty: int
    cost: Decimal | None


def list_exposures_for(user: Person) -> list[Exposure]:
    rows = (
        Position.objects.filter(owner_id=user.pk)
        .exclude(net_qty=0)
        .order_by("symbol", "account__login__venue", "account__login__environment")
        .values("symbol", venue=F("account__login__venue"), environment=F("account__login__environment"))
        .annotate(
            positions=Count("id"),
            net=Sum("net_qty"),
            cost=Sum(F("net_qty") * F("avg_price")),
            priced=Count("avg_price"),
        )
    )
    return [
        Exposure(
            symbol=row["symbol"],
            source=source_of(row["venue"], row["environment"]),
            positions=row["positions"],
            net_qty=row["net"],
            cost=row["cost"] if row["priced"] == row["positions"] else None,
        )
        for row in rows
    ]


def protection_for(user: Person) -> dict[str, Any]:
    """`open`, `wanting` a stop, `unprotected` and the `oldest` moment since one of them is without."""
    return (
        Position.objects.filter(owner_id=user.pk)
        .exclude(net_qty=0)
        .aggregate(
            open=Count("id"),
            wanting=Count("stop_distance"),
            unprotected=Count("unprotected_since"),
            oldest=Min("unprotected_since"),
        )
    )


def realized_pnl_for(user: Person) -> Decimal:
    """Dollars over all positions, closed ones included."""
    total = Position.objects.filter(owner_id=user.pk).aggregate(total=Sum("realized_pnl"))["total"]
    return Decimal(0) if total is None else total


def list_intents_of(signal: Signal) -> QuerySet[OrderIntent]:
    """Those that did not simply succeed come first, then by account. The caller holds the signal already."""
    return (
        OrderIntent.objects.filter(signal=signal)
        .select_related("account", "trader")
        .order_by(Case(When(status=IntentStatus.DONE, then=1), default=0), "account__name", "created_at")
    )


def list_orders_of(intents: list[OrderIntent]) -> QuerySet[Order]:
    return Order.objects.filter(intent__in=intents).select_related("account").order_by("created_at", "id")


def list_fills_of(orders: list[Order]) -> QuerySet[Fill]:
    return Fill.objects.filter(order__in=orders).select_related("account", "order").order_by("filled_at", "id")


def list_transitions(object_ids: list[UUID]) -> QuerySet[Transition]:
    """Every recorded state change of these objects, oldest first. The caller holds the objects already."""
    return Transition.objects.filter(object_id__in=object_ids).order_by("id")
