"""What a bell sets off. Each task is a door: ids in, one service call."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from execution import planner
from execution.lane import current


@shared_task(name="execution.plan_signal", expires=30)
def plan_signal(signal_id: str) -> None:
    planner.plan_signal(UUID(signal_id))


@shared_task(name=planner.DISPATCH_TASK, expires=30)
def dispatch_lane(_lane: str) -> None:
    lane = current.get_lane()
    if lane is not None:
        lane.dispatch()
