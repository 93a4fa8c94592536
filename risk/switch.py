"""The kill switch: tripping and releasing it. Whoever decides about an entry reads it anew: `risk.restrictions`."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q

from accounts.models import User
from accounts.selectors import Person
from justtrades import clock
from risk.events import note
from risk.models import EventKind, Switch, SwitchMode, SwitchScope

log = structlog.get_logger(__name__)
MAX_REASON = 255


def trip(
    *, scope: SwitchScope, target: str, mode: SwitchMode, reason: str, actor_id: UUID | None, owner_id: UUID | None
) -> Switch:
    """Refuse new exposure in the scope from now on, until somebody releases it. Exits always pass.

    What is in force already stays, and becomes a HALT if this is one. It is whose it was, with that reason, where
    staff tripped it; what staff join is theirs from then on. `actor_id` None: a throttle did it. `owner_id` is whose
    trading it stops, None for the platform. Raises `ValidationError` naming the field.
    """
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": "Say why: whoever finds it on wants to know."})
    wanted = Switch(
        owner_id=owner_id, scope=scope, target=target, mode=mode, reason=reason[:MAX_REASON], actor_id=actor_id
    )
    with transaction.atomic():
        Switch.objects.bulk_create([wanted], ignore_conflicts=True)
        switch = Switch.objects.get(scope=scope, target=target, released_at=None)
        is_new = switch.pk == wanted.pk or _join(switch, wanted)
        if is_new:
            text = f"{switch.get_mode_display()}, {switch.get_scope_display().lower()}: {wanted.reason}"
            note(EventKind.TRIPPED, text, owner_id=owner_id, subject=switch.pk, actor_id=actor_id)
    if is_new:
        log.warning(
            "switch.tripped", scope=scope, target=target, mode=mode, by="throttle" if not actor_id else "person"
        )
    return switch


def _join(switch: Switch, wanted: Switch) -> bool:
    """Somebody trips what is in force; whether that changes it.

    Who may release it goes by its actor, so an owner never becomes the actor of what somebody else stopped.
    """
    in_force = Switch.objects.filter(pk=switch.pk, released_at=None)
    is_staffs = wanted.actor_id not in {None, switch.owner_id}
    is_harder = wanted.mode == SwitchMode.HALT and (
        in_force.exclude(mode=SwitchMode.HALT).update(mode=SwitchMode.HALT) == 1
    )
    is_taken_over = False
    if is_harder or is_staffs:
        free = in_force if is_harder and is_staffs else in_force.filter(Q(actor=None) | Q(actor=F("owner")))
        is_taken_over = free.update(actor=wanted.actor_id, reason=wanted.reason) == 1
    if is_harder or is_taken_over:
        switch.refresh_from_db()
    return is_harder or is_taken_over


def may_release(user: Person, switch: Switch) -> bool:
    """Staff always; the owner what the owner or a throttle tripped: what staff stopped, staff lets go on."""
    if user.is_staff:
        return True
    return switch.owner_id == user.pk and switch.actor_id in {None, user.pk}


def release(*, switch: Switch, actor: User) -> Switch:
    """Let new exposure through again. Raises `ValidationError` where the actor may not, or it was released before."""
    if not may_release(actor, switch):
        raise ValidationError("Only an administrator may release this switch.", code="not_allowed")
    now = clock.now()
    with transaction.atomic():
        if Switch.objects.filter(pk=switch.pk, released_at=None).update(released_at=now, released_by=actor) != 1:
            raise ValidationError("It was released already.", code="released")
        text = f"{switch.get_scope_display()}: {switch.reason}"
        note(EventKind.RELEASED, text, owner_id=switch.owner_id, subject=switch.pk, actor_id=actor.pk)
    switch.released_at, switch.released_by = now, actor
    log.warning("switch.released", scope=switch.scope, target=switch.target, mode=switch.mode)
    return switch
