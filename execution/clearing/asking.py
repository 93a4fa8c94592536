"""Whether a login may ask its broker for anything soon enough. Only the login's own lane knows, from its memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

MayAskAt = Callable[[UUID], datetime | None]


def nobody_knows(_login_id: UUID) -> None:
    """No lane is owned here."""


class Asking:
    """`of_lane` is lent by the lane that this process owns; without one nothing is known, and nothing is denied."""

    def __init__(self) -> None:
        self.of_lane: MayAskAt = nobody_knows

    def silent_past(self, login_id: UUID, expires_at: datetime) -> datetime | None:
        """From when on an entry could be sent, where that is after it has expired; None where it can be before."""
        at = self.of_lane(login_id)
        return at if at is not None and at > expires_at else None


asking = Asking()
