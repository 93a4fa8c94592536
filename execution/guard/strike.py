"""The short way of a breach that a tick caused: decided, locked, marked as sent and sent, one transaction for all.

As with fresh entries (ADR 0004): what is known in memory is not asked of the database again. Everything else about a
flatten, and whatever cannot go this way, is `execution.flattening.flatten`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction

from brokers.base import Side
from execution import feed
from execution.bulk import copy_fields
from execution.guard.days import Day
from execution.guard.decide import Breach, action_fields
from execution.intents import order_name
from execution.models import Flatten, FlattenStatus, IntentKind, IntentSource, IntentStatus, ObjectKind, OrderIntent
from execution.submitting import Batch, Due, Routed, take_up
from execution.transitions import Change
from justtrades import clock
from justtrades.ids import idempotency_key, new_id
from risk.models import EventKind, RiskAction, RiskEvent

log = structlog.get_logger(__name__)
SOURCE, KIND = IntentSource.RISK_ACTION.value, IntentKind.FLATTEN.value


def can_strike(breach: Breach, days: Mapping[UUID, Day]) -> bool:
    """Whether a whole account of this lane is meant, and something of it is held."""
    day = days.get(breach.account_id)
    return breach.trader_id is None and day is not None and bool(day.book.held)


def strike(breaches: Sequence[Breach], days: Mapping[UUID, Day]) -> list[Routed] | None:
    """Write everything down; the requests that the caller must send at once.

    None: nothing was written, because one of them was decided before, or a close of one of the contracts is under way.
    """
    batch = Batch(clock.now())
    try:
        with transaction.atomic():
            _write(batch, breaches, days)
    except IntegrityError:
        return None
    return batch.requests


def tell(breaches: Sequence[Breach]) -> None:
    """After the requests are on their way."""
    for breach in breaches:
        log.warning("guard.breached", account=str(breach.account_id), code=breach.code, text=breach.text)
    for owner_id in {breach.owner_id for breach in breaches}:
        feed.announce(owner_id, "connections", "intents", "orders", "positions")


def _write(batch: Batch, breaches: Sequence[Breach], days: Mapping[UUID, Day]) -> None:
    wanted = {new_id(): breach for breach in breaches}
    copy_fields(RiskAction, [action_fields(pk, one, batch.now) for pk, one in wanted.items()])
    rows: list[dict[str, Any]] = []
    intents: list[dict[str, Any]] = []
    for action_id, breach in wanted.items():
        flatten_id = new_id()
        rows.append(_flatten(flatten_id, action_id, breach, batch.now))
        batch.changes.append(
            Change(breach.owner_id, ObjectKind.FLATTEN, flatten_id, "", FlattenStatus.ACTING, batch.now, breach.text)
        )
        day = days[breach.account_id]
        for symbol, holding in day.book.held.items():
            key = idempotency_key(SOURCE, f"{flatten_id}.0", symbol, KIND)
            due = _due(key, day, breach, symbol, holding.net_qty)
            intents.append(
                {**_intent(due, breach, batch.now), "idempotency_key": key, "lane_slot": day.account.lane_slot}
            )
            take_up(batch, due)
    copy_fields(RiskEvent, [_event(one, breach) for one, breach in wanted.items()])
    copy_fields(Flatten, rows)
    copy_fields(OrderIntent, intents)
    batch.write()


def _event(action_id: UUID, breach: Breach) -> dict[str, Any]:
    return {
        "owner_id": breach.owner_id,
        "kind": EventKind.BREACHED.value,
        "subject": str(action_id),
        "text": breach.text,
    }


def _flatten(pk: UUID, action_id: UUID, breach: Breach, now: datetime) -> dict[str, Any]:
    return {
        "id": pk,
        "owner_id": breach.owner_id,
        "account_id": breach.account_id,
        "source": SOURCE,
        "risk_action_id": action_id,
        "key": f"risk_action:{action_id}",
        "reason_code": breach.code,
        "reason_text": breach.text[:512],
        "tries": 1,
        "tried_at": now,
        "began_at": now,
    }


def _due(key: str, day: Day, breach: Breach, symbol: str, net: int) -> Due:
    account = day.account
    return Due(
        id=new_id(),
        owner_id=breach.owner_id,
        trader_id=None,
        account_id=account.id,
        kind=KIND,
        client_order_id=order_name(KIND, key),
        symbol=symbol,
        side=(Side.SELL if net > 0 else Side.BUY).value,
        qty=abs(net),
        bracket=(),
        order_type="market",
        price=None,
        broker_id=account.broker_id,
        account_name=account.name,
        login_id=account.login_id,
        venue=account.venue,
    )


def _intent(due: Due, breach: Breach, now: datetime) -> dict[str, Any]:
    return {
        "id": due.id,
        "owner_id": due.owner_id,
        "source": SOURCE,
        "account_id": due.account_id,
        "leg": KIND,
        "kind": KIND,
        "client_order_id": due.client_order_id,
        "symbol": due.symbol,
        "side": due.side,
        "qty": due.qty,
        "status": IntentStatus.DISPATCHED.value,
        "reason_code": breach.code,
        "reason_text": breach.text[:512],
        "attempts": 1,
        "created_at": now,
        "cleared_at": now,
        "dispatched_at": now,
    }
