"""Writing down who changed what about risk, in the transaction of the change itself."""

from __future__ import annotations

from uuid import UUID

from risk.models import EventKind, RiskEvent

MAX_TEXT = 512


def note(
    kind: EventKind, text: str, *, owner_id: UUID | None, subject: object = "", actor_id: UUID | None = None
) -> None:
    """`actor_id` None: the product itself. `owner_id` None only for what stops the whole platform."""
    RiskEvent.objects.create(
        owner_id=owner_id, actor_id=actor_id, kind=kind, subject=str(subject), text=text[:MAX_TEXT]
    )
