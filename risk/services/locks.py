"""Lifting the lock of a breach before its session rolls."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.selectors import Person
from justtrades import clock
from risk.events import note
from risk.models import EventKind, RiskAction
from risk.models.action import LIVE
from risk.selectors import in_force
from risk.terms import OF_A_TRADER


def may_unlock(user: Person, action: RiskAction) -> bool:
    """Staff always; the owner where the limit says so, or where it is a setting of a trader of theirs.

    The rules of a prop firm only staff may lift: the firm would not.
    """
    if user.is_staff:
        return True
    if action.owner_id != user.pk:
        return False
    if action.limit is None:
        return action.limit_key.startswith(OF_A_TRADER)
    return action.limit.owner_may_unlock


def unlock(*, action: RiskAction, actor: User) -> RiskAction:
    """Let entries through again; the limit acts no more in this session. Raises `ValidationError`."""
    if not may_unlock(actor, action):
        raise ValidationError("Only an administrator may lift this lock before its session ends.", code="not_allowed")
    now = clock.now()
    locked = in_force(RiskAction.objects.filter(pk=action.pk))
    with transaction.atomic():
        if locked.exclude(status__in=sorted(LIVE)).update(unlocked_at=now, unlocked_by=actor) != 1:
            raise ValidationError(_why_not(action))
        note(
            EventKind.UNLOCKED,
            f"{action.code} on {action.account.name}: entries pass again, and this limit acts no more in the session "
            f"of {action.session:%d %b %Y}",
            owner_id=action.owner_id, subject=action.pk, actor_id=actor.pk,
        )  # fmt: skip
    action.unlocked_at, action.unlocked_by = now, actor
    return action


def _why_not(action: RiskAction) -> str:
    if in_force(RiskAction.objects.filter(pk=action.pk)).exists():
        return "Its positions are still being closed: it can be unlocked once the broker's books say flat."
    return "It is not locked any more."
