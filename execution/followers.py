"""Who follows a recorder, with all that a plan and a pre-trade check need, in three queries however many there are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import BooleanField, Case, Q, Value, When

from brokers.base import Side
from brokers.instruments import product_of
from execution.models import IntentKind, OrderIntent, Position
from execution.models.intent import LIVE
from recorders.models import Recorder
from risk.checks import Facts
from traders.models import Trader
from traders.settings import EffectiveSettings, RecorderSettings, TraderOverrides, resolve


@dataclass(frozen=True, slots=True)
class Holding:
    """Net signed contracts of one month that a follower holds, or will hold when what is under way is done."""

    symbol: str
    expected_qty: int
    last_intent_id: UUID | None


@dataclass(frozen=True, slots=True)
class Follower:
    trader_id: UUID
    owner_id: UUID
    account_id: UUID
    lane_slot: int
    login_id: UUID
    broker_id: str
    account_name: str
    settings: EffectiveSettings
    facts: dict[str, Any]

    def facts_for(self, **of_intent: Any) -> Facts:
        return Facts(max_contracts=self.settings.max_contracts, **self.facts, **of_intent)


_FIELDS = (
    "id", "owner_id", "account_id", "account__login__lane_slot", "account__login_id", "account__broker_id",
    "account__name", "multiplier", "max_contracts",
    "initial_position_size", "target_ticks", "stop_ticks",
    "owner__is_active", "owner__is_approved", "is_enabled", "account__is_enabled", "account__login__is_enabled",
    "has_credentials", "account__login__state", "account__login__state_detail",
    "account__login__venue", "account__login__environment",
)  # fmt: skip


def followers_of(recorder: Recorder) -> list[Follower]:
    """Every trader of the recorder, switched on or not: each one gets its verdict."""
    has_credentials = Case(
        When(Q(account__login__password=""), then=Value(False)),  # noqa: FBT003 - SQL values
        default=Value(True),  # noqa: FBT003
        output_field=BooleanField(),
    )
    rows = Trader.objects.filter(recorder=recorder).annotate(has_credentials=has_credentials).values_list(*_FIELDS)
    inherited = RecorderSettings(recorder.initial_position_size, recorder.target_ticks, recorder.stop_ticks)
    configured = {key for key, urls in settings.BROKER_ENDPOINTS.items() if urls[0]}
    return [_follower(row, inherited, configured) for row in rows]


def _follower(row: tuple[Any, ...], inherited: RecorderSettings, configured: set[tuple[str, str]]) -> Follower:
    (
        trader_id, owner_id, account_id, lane_slot, login_id, broker_id, account_name, multiplier, max_contracts, size,
        target, stop,
        active, approved, enabled, account_on, login_on, has_credentials, state, detail, venue, environment,
    ) = row  # fmt: skip
    return Follower(
        trader_id=trader_id,
        owner_id=owner_id,
        account_id=account_id,
        lane_slot=lane_slot,
        login_id=login_id,
        broker_id=broker_id,
        account_name=account_name,
        settings=resolve(inherited, TraderOverrides(multiplier, max_contracts, size, target, stop)),
        facts={
            "owner_is_active": active,
            "owner_is_approved": approved,
            "trader_is_enabled": enabled,
            "account_is_enabled": account_on,
            "login_is_enabled": login_on,
            "has_credentials": has_credentials,
            "login_state": state,
            "login_detail": detail,
            "environment_is_configured": (venue, environment) in configured,
        },
    )


def holdings_of(recorder: Recorder, root: str) -> dict[UUID, Holding]:
    """What each trader of the recorder holds, or is about to hold, of the product `root`."""
    held: dict[UUID, tuple[str, int]] = {}
    positions = Position.objects.filter(trader__recorder=recorder).exclude(net_qty=0)
    for trader_id, symbol, net_qty in positions.values_list("trader_id", "symbol", "net_qty"):
        if product_of(symbol).root == root:
            held[trader_id] = (symbol, net_qty)
    under_way = _live_intents(recorder, root)
    return {
        trader_id: _expect(held.get(trader_id, ("", 0)), under_way[trader_id])
        for trader_id in held.keys() | under_way.keys()
    }


def _live_intents(recorder: Recorder, root: str) -> dict[UUID, list[dict[str, Any]]]:
    live = OrderIntent.objects.filter(trader__recorder=recorder, status__in=LIVE).order_by("created_at", "id")
    fields = ("id", "trader_id", "symbol", "kind", "side", "qty", "orders__filled_qty", "orders__role")
    grouped: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in live.values(*fields):
        if product_of(row["symbol"]).root == root and row["orders__role"] in {None, "entry", "exit"}:
            grouped[row["trader_id"]].append(row)
    return grouped


def _expect(held: tuple[str, int], under_way: list[dict[str, Any]]) -> Holding:
    symbol, expected = held
    last: UUID | None = None
    for intent in under_way:
        symbol, last = intent["symbol"], intent["id"]
        if intent["kind"] == IntentKind.EXIT:
            expected = 0
        else:
            expected += Side(intent["side"]).sign * (intent["qty"] - (intent["orders__filled_qty"] or 0))
    return Holding(symbol, expected, last)
