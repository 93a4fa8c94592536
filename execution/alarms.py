"""What a person must see is raised once, told at once, and ends when it is over."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import structlog
from django.db.models import F, QuerySet

from accounts.selectors import Person
from execution import feed
from execution.models import Alarm
from justtrades import clock

log = structlog.get_logger(__name__)
MAX_TEXT = 512


def raise_alarm(*, owner_id: UUID, account_id: UUID | None, code: str, ref: object, text: str) -> bool:
    """Whether it is new; the same matter is open only once. Safe inside a transaction."""
    made = Alarm.objects.bulk_create(
        [Alarm(owner_id=owner_id, account_id=account_id, code=code, ref=str(ref), text=text[:MAX_TEXT])],
        ignore_conflicts=True,
    )
    is_new = Alarm.objects.filter(pk=made[0].pk).exists()
    if is_new:
        log.error("alarm.raised", code=code, ref=str(ref), text=text)
        feed.announce(owner_id, "connections")
    return is_new


def end_alarm(*, owner_id: UUID, code: str, ref: object) -> int:
    """The matter is over; how many alarms ended."""
    ended = Alarm.objects.filter(owner_id=owner_id, code=code, ref=str(ref), ended_at=None).update(ended_at=clock.now())
    if ended:
        feed.announce(owner_id, "connections")
    return ended


def open_refs(code: str, refs: Iterable[object]) -> set[str]:
    """Of these matters the ones that an alarm is open about."""
    wanted = [str(ref) for ref in refs]
    return set(Alarm.objects.filter(code=code, ref__in=wanted, ended_at=None).values_list("ref", flat=True))


def mark_seen(alarm: Alarm) -> None:
    """Somebody saw it: it is loud no more. It ends only when the matter is over."""
    if Alarm.objects.filter(pk=alarm.pk, seen_at=None).update(seen_at=clock.now()):
        feed.announce(alarm.owner_id, "connections")


def list_alarms_for(user: Person) -> QuerySet[Alarm]:
    """Open ones first, then by newest."""
    rows = Alarm.objects.filter(owner_id=user.pk).select_related("account")
    return rows.order_by(F("ended_at").desc(nulls_first=True), "-raised_at")


def list_open_alarms_for(user: Person) -> QuerySet[Alarm]:
    """Those that are not over and that nobody has said to have seen."""
    return list_alarms_for(user).filter(ended_at=None, seen_at=None)
