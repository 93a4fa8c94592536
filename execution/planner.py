"""From waiting signals to lanes at work: plan, then send what is ours and ring for what is another lane's."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError

from execution import planning, setbacks
from execution.dispatch import send
from execution.lane import current
from execution.lane.runtime import Lane
from execution.planning import Planned
from justtrades import bell, clock
from recorders.models import Signal, SignalStatus

log = structlog.get_logger(__name__)
DISPATCH_TASK = "execution.dispatch_lane"


def plan_waiting(*, older_than_s: float) -> int:
    """Plan whatever no bell announced; returns how many recorders had something waiting."""
    since = clock.now() - timedelta(seconds=older_than_s)
    waiting = Signal.objects.filter(status=SignalStatus.RECEIVED, received_at__lt=since)
    recorders = list(waiting.order_by().values_list("recorder_id", flat=True).distinct())
    for recorder_id in recorders:
        plan_recorder(recorder_id)
    return len(recorders)


def plan_recorder(recorder_id: UUID) -> None:
    """Plan every waiting signal of the recorder, oldest first, and get their orders on their way."""
    own = current.get_lane()
    while True:
        try:
            planned = planning.plan_next(recorder_id, own.index if own is not None and own.is_owner else None)
        except (OperationalError, InterfaceError):
            raise
        except (DatabaseError, ValueError, ArithmeticError, LookupError) as error:
            log.exception("planner.failed", recorder=str(recorder_id))
            setbacks.give_up_on(recorder_id, type(error).__name__)
            return
        if planned is None:
            return
        _set_off(planned, own)


def _set_off(planned: Planned, own: Lane | None) -> None:
    if own is not None:
        send(planned.requests, own.submit)
    lanes = {slot % settings.LANES for slot in planned.lane_slots}
    for lane in lanes - ({own.index} if own is not None else set()):
        bell.ring(DISPATCH_TASK, f"lane.{lane}", lane)
    if own is not None and own.index in lanes:
        own.dispatch()
