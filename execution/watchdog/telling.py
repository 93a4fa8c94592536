"""Alarms that follow the rows: raised when something is found, ended when it is found no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.functions import Mod

from execution import alarms
from execution.models import Alarm, Position


class Matter(NamedTuple):
    """What an alarm is about; `ref` is the id of a row."""

    owner_id: UUID
    account_id: UUID
    ref: str
    text: str


def opened(lane: int, code: str) -> QuerySet[Alarm]:
    """The lane's alarms of a kind that are not over."""
    mine = Alarm.objects.annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES))
    return mine.filter(code=code, ended_at=None, lane=lane)


def tell(lane: int, code: str, matters: Iterable[Matter], *, goes_on: Collection[str] = ()) -> None:
    """Raise an alarm for each matter that has none, and end those that are over: neither named nor in `goes_on`."""
    told = dict(opened(lane, code).values_list("ref", "owner_id"))
    found = {matter.ref: matter for matter in matters}
    for ref, matter in found.items():
        if ref not in told:
            alarms.raise_alarm(
                owner_id=matter.owner_id, account_id=matter.account_id, code=code, ref=ref, text=matter.text
            )
    for ref, owner_id in told.items():
        if ref not in found and ref not in goes_on:
            alarms.end_alarm(owner_id=owner_id, code=code, ref=ref)


def end_with_positions(lane: int, code: str) -> None:
    """End the alarms about positions (`ref`) that are not open any more, or that were opened after them."""
    told = {alarm.ref: alarm for alarm in opened(lane, code)}
    held = Position.objects.filter(pk__in=told).exclude(net_qty=0) if told else ()
    open_ones = {str(position.pk): position.opened_at for position in held}
    for ref, alarm in told.items():
        opened_at = open_ones.get(ref)
        if ref not in open_ones or (opened_at is not None and opened_at > alarm.raised_at):
            alarms.end_alarm(owner_id=alarm.owner_id, code=code, ref=ref)
