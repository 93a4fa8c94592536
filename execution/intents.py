"""Intents that no signal planned: a monitor's or a person's wish about a position that is open."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from brokers.base import EXIT_PREFIX, Side
from execution import transitions
from execution.models import Command, IntentKind, IntentSource, IntentStatus, ObjectKind, OrderIntent, Position
from execution.models.intent import LIVE
from execution.transitions import Change
from justtrades import clock
from justtrades.ids import client_order_id, idempotency_key


def order_name(kind: str, key: str) -> str:
    """The client order id of an intent's order. One that closes something says so: brokers are asked for it first."""
    closes = kind in {IntentKind.EXIT, IntentKind.REDUCE, IntentKind.FLATTEN}
    return client_order_id(key, EXIT_PREFIX) if closes else client_order_id(key)


@dataclass(frozen=True, slots=True)
class Wanting:
    """`wish` names the wish for good: the same one is never written twice. `code` and `text` are for the owner."""

    source: IntentSource
    wish: str
    code: str
    text: str
    command: Command | None = None


def wish_exit(position: Position, wanting: Wanting) -> bool:
    """An intent to close the position; False when this wish was written before. `position` has account and login."""
    return _wish(position, wanting, IntentKind.EXIT)


def wish_exits(position: Position, wanting: Wanting, exits: str, stop_distance: Decimal | None) -> bool:
    """An intent to give the position the exits of a template; False when this wish was written before."""
    return _wish(position, wanting, IntentKind.PROTECT, exits, stop_distance)


def _wish(
    position: Position, wanting: Wanting, kind: IntentKind, exits: str = "", stop_distance: Decimal | None = None
) -> bool:
    now = clock.now()
    key = idempotency_key(wanting.source.value, wanting.wish, position.trader_id, kind.value)
    with transaction.atomic():
        intent, is_new = OrderIntent.objects.get_or_create(
            idempotency_key=key,
            defaults={
                "owner_id": position.owner_id,
                "source": wanting.source,
                "command": wanting.command,
                "trader_id": position.trader_id,
                "account_id": position.account_id,
                "lane_slot": position.account.login.lane_slot,
                "leg": kind.value,
                "kind": kind,
                "client_order_id": order_name(kind.value, key),
                "symbol": position.symbol,
                "side": (Side.SELL if position.net_qty > 0 else Side.BUY).value,
                "qty": abs(position.net_qty),
                "exits": exits,
                "stop_distance": stop_distance,
                "after_id": _last_under_way(position),
                "status": IntentStatus.CLEARED,
                "reason_code": wanting.code,
                "reason_text": wanting.text,
                "cleared_at": now,
            },
        )
        if is_new:
            transitions.record([
                Change(position.owner_id, ObjectKind.INTENT, intent.id, "", IntentStatus.CLEARED, now, wanting.text)
            ])  # fmt: skip
    return is_new


def _last_under_way(position: Position) -> UUID | None:
    live = OrderIntent.objects.filter(trader_id=position.trader_id, symbol=position.symbol, status__in=LIVE)
    return live.order_by("created_at", "id").values_list("id", flat=True).last()
