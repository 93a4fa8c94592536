"""Cancel, close, verify, again: until our books and the broker's agree that there is nothing left."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from brokers.models import BrokerAccount
from execution import transitions
from execution.models import Command, Flatten, FlattenStatus, IntentSource, ObjectKind
from execution.transitions import Change
from justtrades import clock


@dataclass(frozen=True, slots=True)
class Wish:
    """Why something is to be flat. `key` names the wish for good: the same one is written once."""

    source: IntentSource
    key: str
    code: str
    text: str
    command: Command | None = None
    risk_action_id: UUID | None = None


def begin(account: BrokerAccount, wish: Wish, *, trader_id: UUID | None = None) -> Flatten:
    """Write the wish down; the account's lane acts on it within a second, or when `bell` rings its dispatch.

    `trader_id` None means all that the account holds, whoever opened it, and every working order. Called inside the
    transaction of the decision.
    """
    now = clock.now()
    flatten, is_new = Flatten.objects.get_or_create(
        key=wish.key,
        defaults={
            "owner_id": account.owner_id,
            "account": account,
            "trader_id": trader_id,
            "source": wish.source,
            "command": wish.command,
            "risk_action_id": wish.risk_action_id,
            "reason_code": wish.code,
            "reason_text": wish.text[:512],
            "began_at": now,
        },
    )
    if is_new:
        transitions.record([
            Change(account.owner_id, ObjectKind.FLATTEN, flatten.id, "", FlattenStatus.ACTING, now, wish.text)
        ])  # fmt: skip
    return flatten
