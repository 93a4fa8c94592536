"""A limit is reached: the decision, the lock and the closing, in one transaction; then the orders.

The decision is unique per limit, account and session, so that it is taken once however many monitors see the breach.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from execution.flattening import flatten
from execution.flattening.flatten import Wish
from execution.models import IntentSource, Position
from justtrades import clock
from justtrades.ids import new_id
from justtrades.killpoints import killpoint
from risk.models import ActionStatus, EventKind, RiskAction, RiskEvent

LIMIT = "limit:"


@dataclass(frozen=True, slots=True)
class Breach:
    """What is to be closed and locked. `limit_key` as in `RiskAction`, `had` and `allowed` in dollars where stated."""

    limit_key: str
    owner_id: UUID
    account_id: UUID
    trader_id: UUID | None
    session: date
    locks_until: datetime
    code: str
    text: str
    had: Decimal | None = None
    allowed: Decimal | None = None

    @property
    def key(self) -> DecidedKey:
        return self.limit_key, self.account_id, self.trader_id, self.session


DecidedKey = tuple[str, UUID, UUID | None, date]


def decide(breaches: Sequence[Breach]) -> int:
    """Write down what is new and begin to close it; how many actions that made. The caller dispatches."""
    now = clock.now()
    wanted = [RiskAction(**action_fields(new_id(), breach, now)) for breach in breaches]
    with transaction.atomic():
        RiskAction.objects.bulk_create(wanted, ignore_conflicts=True)
        made_ids = set(RiskAction.objects.filter(pk__in=[one.pk for one in wanted]).values_list("pk", flat=True))
        made = [one for one in wanted if one.pk in made_ids]
        RiskEvent.objects.bulk_create(
            RiskEvent(owner_id=one.owner_id, kind=EventKind.BREACHED, subject=str(one.pk), text=one.text)
            for one in made
        )
        flattens = flatten.begin_all((one.account_id, one.owner_id, one.trader_id, _wish(one)) for one in made)
        flatten.act_on(flattens)
    return len(made)


def act_again(lane_accounts: Collection[UUID]) -> int:
    """Begin anew where one of our own orders opened something on an account that a limit has closed and locked.

    Never the flag before the act: who dies in between leaves an action that is found again.
    """
    now = clock.now()
    reopened = Position.objects.filter(account=OuterRef("account"), updated_at__gt=OuterRef("flat_at")).exclude(
        net_qty=0
    )
    own = reopened.filter(trader=OuterRef("trader"))
    locked = RiskAction.objects.filter(
        Q(trader=None) & Exists(reopened) | Exists(own),
        account__in=lane_accounts, status=ActionStatus.FLAT, unlocked_at=None, locks_until__gt=now,
    )  # fmt: skip
    wishes = []
    with transaction.atomic():
        for action in locked:
            # Somebody may unlock it at this moment: then what is held there is theirs.
            still = RiskAction.objects.filter(pk=action.pk, status=ActionStatus.FLAT, unlocked_at=None)
            if still.update(status=ActionStatus.FLATTENING) == 1:
                killpoint("guard.reopened")
                again = _wish(action, f":{now.isoformat()}")
                wishes.append((action.account_id, action.owner_id, action.trader_id, again))
        if wishes:
            flatten.act_on(flatten.begin_all(wishes))
    return len(wishes)


def decided_in(sessions: Iterable[date], account_ids: Iterable[UUID]) -> set[DecidedKey]:
    """What was decided already, also what was unlocked since: such a limit acts no more in that session."""
    rows = RiskAction.objects.filter(session__in=set(sessions), account__in=list(account_ids))
    return set(rows.values_list("limit_key", "account_id", "trader_id", "session"))


def action_fields(pk: UUID, breach: Breach, now: datetime) -> dict[str, Any]:
    """The decision as a row, by column."""
    is_row = breach.limit_key.startswith(LIMIT)
    return {
        "id": pk,
        "owner_id": breach.owner_id,
        "limit_id": UUID(breach.limit_key.removeprefix(LIMIT)) if is_row else None,
        "limit_key": breach.limit_key,
        "account_id": breach.account_id,
        "trader_id": breach.trader_id,
        "session": breach.session,
        "code": breach.code,
        "text": breach.text[:512],
        "had": breach.had,
        "allowed": breach.allowed,
        "status": ActionStatus.FLATTENING.value,
        "decided_at": now,
        "locks_until": breach.locks_until,
    }


def _wish(action: RiskAction, again: str = "") -> Wish:
    key = f"risk_action:{action.pk}{again}"
    return Wish(IntentSource.RISK_ACTION, key, action.code, action.text, risk_action_id=action.pk)
