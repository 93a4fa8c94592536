"""Intents that no signal planned: a monitor's or a person's wish about a position that is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from brokers.base import EXIT_PREFIX, Side
from brokers.models import BrokerAccount
from execution import transitions
from execution.models import Command, IntentKind, IntentSource, IntentStatus, ObjectKind, OrderIntent, Position
from execution.models.intent import LIVE
from execution.transitions import Change
from justtrades import clock
from justtrades.ids import client_order_id, idempotency_key, new_id


def order_name(kind: str, key: str) -> str:
    """The client order id of an intent's order. One that closes something says so: brokers are asked for it first."""
    closes = kind in {IntentKind.EXIT, IntentKind.REDUCE, IntentKind.FLATTEN}
    return client_order_id(key, EXIT_PREFIX) if closes else client_order_id(key)


@dataclass(frozen=True, slots=True)
class Wanting:
    """`wish` names the wish for good: the same one is never written twice. `code` and `text` are for the owner.

    It goes after what is under way on the same position, unless it does not wait (`waits` false).
    """

    source: IntentSource
    wish: str
    code: str
    text: str
    command: Command | None = None
    waits: bool = True


def wish_exit(position: Position, wanting: Wanting) -> bool:
    """An intent to close the position; False when this wish was written before. `position` has account and login."""
    return _wish(position, wanting, IntentKind.EXIT)


def wish_exits(position: Position, wanting: Wanting, exits: str, stop_distance: Decimal | None) -> bool:
    """An intent to give the position the exits of a template; False when this wish was written before."""
    return _wish(position, wanting, IntentKind.PROTECT, exits=exits, stop_distance=stop_distance)


def wish_reduce(position: Position, wanting: Wanting, leaves_qty: int) -> bool:
    """An intent to close all but `leaves_qty` contracts, unsigned; False when this wish was written before."""
    return _wish(position, wanting, IntentKind.REDUCE, leaves_qty=leaves_qty)


def wish_flatten(account: BrokerAccount, symbol: str, net_qty: int, wanting: Wanting) -> bool:
    """An intent to close all that an account holds of a contract, whoever opened it; `net_qty` is about what that is.

    False when this wish was written before, or another one for the same contract is under way.
    """
    return bool(write([draft_flatten(account, symbol, net_qty, wanting)]))


def draft_flatten(account: BrokerAccount, symbol: str, net_qty: int, wanting: Wanting) -> OrderIntent:
    """The intent of such a wish, for `write`; the account has its login."""
    now, kind = clock.now(), IntentKind.FLATTEN.value
    key = idempotency_key(wanting.source.value, wanting.wish, symbol, kind)
    return OrderIntent(
        id=new_id(), owner_id=account.owner_id, source=wanting.source, command=wanting.command, account_id=account.pk,
        lane_slot=account.login.lane_slot, leg=kind, kind=kind, idempotency_key=key,
        client_order_id=order_name(kind, key), symbol=symbol, side=(Side.SELL if net_qty > 0 else Side.BUY).value,
        qty=abs(net_qty), status=IntentStatus.CLEARED, reason_code=wanting.code, reason_text=wanting.text,
        created_at=now, cleared_at=now,
    )  # fmt: skip


def _wish(position: Position, wanting: Wanting, kind: IntentKind, **terms: object) -> bool:
    return bool(write([draft(position, wanting, kind, **terms)]))


def draft(position: Position, wanting: Wanting, kind: IntentKind, **terms: object) -> OrderIntent:
    """The intent of a wish about a position that has account and login, for `write`. `terms` are columns of it."""
    now = clock.now()
    key = idempotency_key(wanting.source.value, wanting.wish, position.trader_id, kind.value)
    return OrderIntent(
        id=new_id(), owner_id=position.owner_id, source=wanting.source, command=wanting.command,
        trader_id=position.trader_id, account_id=position.account_id, lane_slot=position.account.login.lane_slot,
        leg=kind.value, kind=kind, idempotency_key=key, client_order_id=order_name(kind.value, key),
        symbol=position.symbol, side=(Side.SELL if position.net_qty > 0 else Side.BUY).value,
        qty=abs(position.net_qty), after_id=_last_under_way(position) if wanting.waits else None,
        status=IntentStatus.CLEARED, reason_code=wanting.code, reason_text=wanting.text[:512],
        created_at=now, cleared_at=now, **terms,
    )  # fmt: skip


def write(drafts: Sequence[OrderIntent]) -> set[UUID]:
    """Write wishes down, each with its transition; the ids of those that are new. What was written before stays."""
    with transaction.atomic():
        OrderIntent.objects.bulk_create(drafts, ignore_conflicts=True)
        ids = [one.id for one in drafts]
        made = set(OrderIntent.objects.filter(pk__in=ids).values_list("pk", flat=True))
        transitions.record(
            Change(one.owner_id, ObjectKind.INTENT, one.id, "", one.status, one.created_at, one.reason_text)
            for one in drafts
            if one.id in made
        )
    return made


def waiting_entries(account_ids: Iterable[UUID]) -> QuerySet[OrderIntent]:
    """Entries that were cleared and have not been sent: they wait for an exit, for their time or for their lane."""
    return OrderIntent.objects.filter(
        account_id__in=list(account_ids), kind=IntentKind.ENTRY, status=IntentStatus.CLEARED
    )


def withdraw_entries(account_ids: Iterable[UUID], code: str, text: str) -> int:
    """Deny what waits on these accounts; how many. One that its lane is just sending is not withdrawn any more."""
    now = clock.now()
    withdrawn = []
    for pk, owner_id in waiting_entries(account_ids).order_by("pk").values_list("pk", "owner_id"):
        changed = OrderIntent.objects.filter(pk=pk, status=IntentStatus.CLEARED).update(
            status=IntentStatus.DENIED, reason_code=code, reason_text=text, finished_at=now
        )
        if changed:
            withdrawn.append(
                Change(owner_id, ObjectKind.INTENT, pk, IntentStatus.CLEARED, IntentStatus.DENIED, now, text)
            )
    transitions.record(withdrawn)
    return len(withdrawn)


def _last_under_way(position: Position) -> UUID | None:
    live = OrderIntent.objects.filter(trader_id=position.trader_id, symbol=position.symbol, status__in=LIVE)
    return live.order_by("created_at", "id").values_list("id", flat=True).last()
