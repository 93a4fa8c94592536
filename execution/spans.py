"""How long a position was without its stop: written down in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from brokers.models import BrokerAccount
from execution.bulk import copy_rows
from execution.models import IntentKind, IntentSource, OrderIntent, Position, SpanEnd, UnprotectedSpan
from justtrades.ids import idempotency_key

REARM_AFTER = timedelta(seconds=2)
"""How long a stop may take before it is placed again; nothing is done about a position before."""
_COLUMNS = (
    "owner_id", "account_id", "trader_id", "venue", "symbol", "began_at", "ended_at", "ended_by", "was_acted_on",
)  # fmt: skip


class Ended(NamedTuple):
    """A position that has its stop now, or is closed, and since when it had been without."""

    position: Position
    since: datetime
    by: SpanEnd


def rearm_wish(position: Position, since: datetime) -> str:
    """The name of the one wish for another stop that a position has each time it is without."""
    return f"rearm:{position.id}:{_moment(since)}"


def close_wish(position: Position, since: datetime) -> str:
    """The name of the wish to close a position for want of a stop; its tries are numbered after it."""
    return f"unprotected:{position.id}:{_moment(since)}"


def wish_key(wish: str, position: Position, kind: IntentKind) -> str:
    """The idempotency key of the watchdog's intent for it."""
    return idempotency_key(IntentSource.RISK_ACTION.value, wish, position.trader_id, kind.value)


def close_keys(position: Position, since: datetime) -> tuple[str, str]:
    """The idempotency keys that the first try to close it may have: its own exit's, and its account's flatten's."""
    wish = f"{close_wish(position, since)}.0"
    source, kind = IntentSource.RISK_ACTION.value, IntentKind.FLATTEN.value
    return wish_key(wish, position, IntentKind.EXIT), idempotency_key(source, wish, position.symbol, kind)


def end_flat(position: Position, now: datetime) -> None:
    """For whoever closes the record of a position: call it before `unprotected_since` is cleared."""
    if position.unprotected_since is not None:
        venues = BrokerAccount.objects.filter(pk=position.account_id).values_list("pk", "login__venue")
        write([Ended(position, position.unprotected_since, SpanEnd.FLAT)], dict(venues), now)


def write(ended: Sequence[Ended], venues: Mapping[UUID, str], now: datetime) -> None:
    """One row for each, in one statement; `venues` by account. One that took no time is none."""
    lasting = [one for one in ended if one.since < now]
    acted_on = _acted_on([one for one in lasting if now - one.since >= REARM_AFTER])
    rows = [
        (p.owner_id, p.account_id, p.trader_id, venues.get(p.account_id, ""), p.symbol, since, now, by.value,
         p.id in acted_on)
        for p, since, by in lasting
    ]  # fmt: skip
    copy_rows(UnprotectedSpan, _COLUMNS, rows)


def _acted_on(ended: Sequence[Ended]) -> set[UUID]:
    """The positions of those about which the watchdog did something."""
    if not ended:
        return set()
    keys: dict[str, UUID] = {}
    for position, since, _ in ended:
        keys[wish_key(rearm_wish(position, since), position, IntentKind.PROTECT)] = position.id
        keys |= dict.fromkeys(close_keys(position, since), position.id)
    wished = OrderIntent.objects.filter(idempotency_key__in=keys).values_list("idempotency_key", flat=True)
    return {keys[key] for key in wished}


def _moment(since: datetime) -> str:
    return f"{since:%Y%m%dT%H%M%S%f}"
