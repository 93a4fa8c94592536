"""Signals not to be followed, or that nobody manages to plan: each ends with its reason, and the queue moves on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from execution import alarms, locks, transitions
from execution.models import ObjectKind
from execution.plan import Declined
from execution.transitions import Change
from justtrades import clock
from recorders.alert import ENTRIES, EXITS
from recorders.models import Signal, SignalStatus

log = structlog.get_logger(__name__)
MAX_PLAN_ATTEMPTS = 3
PLANNING_FAILED = "PLANNING_FAILED"
OVERTAKING = timedelta(seconds=60)
"""How far back a close is looked for that came before the entry which it follows."""


def superseded_by(signal: Signal) -> Declined | None:
    """Why an entry without positions is too late: a close of the same ticker fired after it, and came before it."""
    entries, exits = ({action.value for action in actions} for actions in (ENTRIES, EXITS))
    if signal.fired_at is None or signal.action not in entries:
        return None
    overtaken = Signal.objects.filter(
        owner_id=signal.owner_id,
        recorder_id=signal.recorder_id,
        ticker=signal.ticker,
        action__in=exits,
        received_at__gte=signal.received_at - OVERTAKING,
        received_at__lte=signal.received_at,
        fired_at__gt=signal.fired_at,
    ).exclude(status=SignalStatus.REFUSED)
    if not overtaken.exists():
        return None
    return Declined("SUPERSEDED", "a close that fired after this entry came before it")


@contextmanager
def begun(signal_id: UUID, lane: int | None) -> Iterator[None]:
    """Leave a mark while the lane plans the signal: whatever ends its process leaves it there for `count_restart`.

    A file takes some microseconds of an order's way, a commit a millisecond. Without a lane nothing is marked.
    """
    mark = None if lane is None else _marks_of(lane) / str(signal_id)
    try:
        if mark is not None:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
    except OSError as error:
        log.warning("setbacks.not_marked", signal=str(signal_id), reason=str(error))
    try:
        yield
    finally:
        if mark is not None:
            # What was planned is planned, whatever becomes of a file.
            with suppress(OSError):
                mark.unlink()


def count_restart(lane: int) -> None:
    """What the lane's process before this one was planning when it ended may be what ended it: that counts as a try.

    What only waited while nobody was there does not.
    """
    for mark in tuple(_marks_of(lane).glob("*-*-*-*-*")):
        waiting = Signal.objects.filter(pk=mark.name, status=SignalStatus.RECEIVED)
        for signal_id, recorder_id in waiting.values_list("pk", "recorder_id"):
            give_up_on(recorder_id, "the process that planned it ended in the middle", only=signal_id)
        mark.unlink(missing_ok=True)


def _marks_of(lane: int) -> Path:
    return settings.STATE_DIR / "planning" / str(lane)


def give_up_on(recorder_id: UUID, reason: str, *, only: UUID | None = None) -> None:
    """Count a failed try at the recorder's oldest waiting signal; after the last one the signal is IGNORED, visibly.

    Where it is not `only` that comes next, nothing is counted.
    """
    with transaction.atomic():
        locks.lock_planning_of(recorder_id)
        signal = locks.lock_next_signal_of(recorder_id)
        if signal is None or only not in (None, signal.pk):
            return
        signal.plan_attempts += 1
        if signal.plan_attempts >= MAX_PLAN_ATTEMPTS:
            signal.status, signal.reason_code = SignalStatus.IGNORED, PLANNING_FAILED
            signal.reason_text = f"planning failed {signal.plan_attempts} times: {reason}"[:512]
            transitions.record([
                Change(signal.owner_id, ObjectKind.SIGNAL, signal.id, SignalStatus.RECEIVED, signal.status,
                       clock.now(), signal.reason_text)
            ])  # fmt: skip
            text = f"{signal} of {signal.recorder} was not executed: {signal.reason_text}"
            alarms.raise_alarm(
                owner_id=signal.owner_id, account_id=None, code=PLANNING_FAILED, ref=signal.pk, text=text
            )
        signal.save(update_fields=["plan_attempts", "status", "reason_code", "reason_text"])
