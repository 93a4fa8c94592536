"""Who follows a recorder, with all that a plan and a pre-trade check need, in three queries however many there are."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Case, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Coalesce

from brokers.addresses import endpoints_for
from brokers.base import OrderRole, OrderType, Side
from brokers.instruments import product_of
from brokers.models import AuthKind
from execution.models import IntentKind, IntentStatus, Order
from execution.models.intent import LIVE
from execution.models.order import LIVE as LIVE_ORDERS
from recorders.models import Recorder
from risk.checks import Facts
from traders.models import Trader
from traders.settings import Route


@dataclass(frozen=True, slots=True)
class Holding:
    """Net signed contracts of one month that a follower holds, or will hold when what is under way is done."""

    symbol: str
    expected_qty: int
    last_intent_id: UUID | None


@dataclass(frozen=True, slots=True)
class Follower:
    """`overrides` is the JSON text of the trader's settings; `zone` the owner's IANA time zone; `cash` dollars."""

    trader_id: UUID
    owner_id: UUID
    account_id: UUID
    lane_slot: int
    login_id: UUID
    venue: str
    environment: str
    broker_id: str
    account_name: str
    route: Route
    overrides: str
    zone: str
    cash: Decimal | None
    facts: dict[str, Any]

    def facts_for(self, **of_intent: Any) -> Facts:
        return Facts(**self.facts, **of_intent)


_FIELDS = (
    "id", "owner_id", "account_id", "account__login__lane_slot", "account__login_id", "account__broker_id",
    "account__name", "multiplier", "max_contracts", "custom_ticker", "convert_size", "overrides_text",
    "owner__time_zone", "account__cash",
    "owner__is_active", "owner__is_approved", "is_enabled", "account__is_enabled", "account__login__is_enabled",
    "has_credentials", "account__login__state", "account__login__state_detail",
    "account__login__venue", "account__login__environment", "account__login__firm", "login_settings",
    "account__can_trade",
)  # fmt: skip


def followers_of(recorder: Recorder) -> list[Follower]:
    """Every trader of the recorder, switched on or not: each one gets its verdict."""
    return _followers(Trader.objects.filter(recorder=recorder))


def follower_of(trader_id: UUID) -> Follower:
    """Raises `Trader.DoesNotExist`."""
    found = _followers(Trader.objects.filter(pk=trader_id))
    if not found:
        raise Trader.DoesNotExist
    return found[0]


def _followers(traders: QuerySet[Trader]) -> list[Follower]:
    # What is encrypted is empty or it is not: nothing is decrypted to know that there is something.
    has_credentials = Case(
        When(~Q(account__login__token="") & Q(account__login__auth_kind=AuthKind.OAUTH), then=Value(True)),  # noqa: FBT003 - SQL values
        When(~Q(account__login__secrets="") & Q(account__login__auth_kind=AuthKind.CREDENTIALS), then=Value(True)),  # noqa: FBT003
        default=Value(False),  # noqa: FBT003
        output_field=BooleanField(),
    )
    # As text: equal texts are resolved once, however many traders have them.
    overrides = Coalesce(Cast("route_of__overrides", TextField()), Cast("overrides", TextField()))
    login_settings = Cast("account__login__settings", TextField())
    rows = traders.annotate(
        has_credentials=has_credentials, overrides_text=overrides, login_settings=login_settings
    ).values_list(*_FIELDS)
    is_configured = cache(_is_configured)
    return [_follower(row, is_configured) for row in rows]


def _is_configured(venue: str, environment: str, firm: str, login_settings: str) -> bool:
    """Whether there is an address to sign in at; many logins have the same, and each is looked up once."""
    of_login = json.loads(login_settings)
    return endpoints_for(venue, environment, {**of_login, "firm": firm} if firm else of_login) is not None


def _follower(row: tuple[Any, ...], is_configured: Callable[[str, str, str, str], bool]) -> Follower:
    (
        trader_id, owner_id, account_id, lane_slot, login_id, broker_id, account_name, multiplier, max_contracts,
        custom_ticker, convert_size, overrides, zone, cash,
        active, approved, enabled, account_on, login_on, has_credentials, state, detail, venue, environment,
        firm, login_settings, can_trade,
    ) = row  # fmt: skip
    return Follower(
        trader_id=trader_id,
        owner_id=owner_id,
        account_id=account_id,
        lane_slot=lane_slot,
        login_id=login_id,
        venue=venue,
        environment=environment,
        broker_id=broker_id,
        account_name=account_name,
        route=Route(multiplier, max_contracts, custom_ticker, convert_size),
        overrides=overrides,
        zone=zone,
        cash=cash,
        facts={
            "owner_is_active": active,
            "owner_is_approved": approved,
            "trader_is_enabled": enabled,
            "account_is_enabled": account_on,
            "login_is_enabled": login_on,
            "account_can_trade": can_trade,
            "has_credentials": has_credentials,
            "login_state": state,
            "login_detail": detail,
            "environment_is_configured": is_configured(venue, environment, firm, login_settings),
        },
    )


HoldingKey = tuple[UUID, str]
"""A trader and the root of a product."""


# One statement, so one moment: a fill that was booked between a look at the positions and one at the intents would be
# missed by both, or counted by both.
_HOLDINGS = """
    SELECT p.trader_id, p.symbol, p.net_qty, NULL::timestamptz, NULL::uuid, '', '', 0, 0, '', '', 0
    FROM execution_position p JOIN traders_trader t ON t.id = p.trader_id
    WHERE t.recorder_id = %(recorder)s AND p.net_qty <> 0
    UNION ALL
    SELECT i.trader_id, i.symbol, 0, i.created_at, i.id, i.kind, i.side, i.qty, coalesce(i.leaves_qty, 0), i.order_type,
           i.status, coalesce(o.filled_qty, 0)
    FROM execution_orderintent i JOIN traders_trader t ON t.id = i.trader_id
    LEFT JOIN execution_order o ON o.intent_id = i.id
    WHERE t.recorder_id = %(recorder)s AND i.status = ANY(%(live)s) AND (o.id IS NULL OR o.role IN ('entry', 'exit'))
"""


_HOLDINGS_OF_OWNERS = _HOLDINGS.replace("t.recorder_id = %(recorder)s", "t.owner_id = ANY(%(owners)s)")


class _UnderWay(NamedTuple):
    """A live intent; `leaves` is what a partial exit is to leave, `filled` what its order has filled so far."""

    created_at: datetime
    id: UUID
    kind: str
    side: str
    qty: int
    leaves: int
    order_type: str
    status: str
    filled: int


def holdings_of(recorder: Recorder) -> dict[HoldingKey, Holding]:
    """What each trader of the recorder holds, or is about to hold, of each product."""
    return _holdings(_HOLDINGS, {"recorder": recorder.pk})


def holdings_of_owners(owners: Collection[UUID]) -> dict[HoldingKey, Holding]:
    """The same of every trader that these owners have."""
    return _holdings(_HOLDINGS_OF_OWNERS, {"owners": list(owners)})


def _holdings(statement: str, whose: dict[str, Any]) -> dict[HoldingKey, Holding]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**whose, "live": sorted(LIVE)})
        rows = cursor.fetchall()
    held: dict[HoldingKey, tuple[str, int]] = {}
    under_way: dict[HoldingKey, list[tuple[str, _UnderWay]]] = defaultdict(list)
    for trader_id, symbol, net_qty, *rest in rows:
        key = trader_id, product_of(symbol).root
        if rest[0] is None:
            held[key] = (symbol, net_qty)
        else:
            under_way[key].append((symbol, _UnderWay(*rest)))
    return {key: _expect(held.get(key, ("", 0)), under_way[key]) for key in held.keys() | under_way.keys()}


def _expect(held: tuple[str, int], under_way: list[tuple[str, _UnderWay]]) -> Holding:
    symbol, expected = held
    last: UUID | None = None
    leaves = False
    for of, intent in sorted(under_way, key=lambda row: (row[1].created_at, row[1].id)):
        symbol = of
        # A limit entry that rests at the broker may rest for long: nothing waits for it, an exit cancels it.
        is_resting = intent.order_type == OrderType.LIMIT and intent.status == IntentStatus.DISPATCHED
        last = last if is_resting or (leaves and intent.kind == IntentKind.PROTECT) else intent.id
        leaves = leaves or intent.kind in {IntentKind.EXIT, IntentKind.REDUCE}
        if intent.kind == IntentKind.EXIT:
            expected = 0
        elif intent.kind == IntentKind.REDUCE:
            left = min(abs(expected), intent.leaves)
            expected = left if expected > 0 else -left
        elif intent.kind == IntentKind.ENTRY:
            expected += Side(intent.side).sign * (intent.qty - intent.filled)
    return Holding(symbol, expected, last)


def legs_at_work(recorder: Recorder) -> dict[tuple[UUID, str], dict[int, int]]:
    """By trader and symbol: contracts of the live exit legs of each place in the exit template.

    A pair of target and stop counts once, and a place may have several pairs: one of the entry and one of each add.
    """
    legs = Order.objects.filter(
        trader__recorder=recorder,
        role__in=[OrderRole.TARGET, OrderRole.STOP],
        status__in=sorted(LIVE_ORDERS),
        target_index__isnull=False,
    )
    by_role: dict[tuple[UUID, str], Counter[tuple[int, str]]] = defaultdict(Counter)
    for trader_id, symbol, index, role, left in legs.values_list(
        "trader_id", "symbol", "target_index", "role", F("qty") - F("filled_qty")
    ):
        if trader_id is not None and index is not None:
            by_role[trader_id, symbol][index, role] += left
    return {
        key: {index: max(sizes[index, role.value] for role in (OrderRole.TARGET, OrderRole.STOP)) for index, _ in sizes}
        for key, sizes in by_role.items()
    }
