"""What a bell sets off. Each task is a door: ids in, one service call."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.db import connection

from execution import planner, polls
from execution.lane import current


@shared_task(name="execution.plan_recorder", expires=30)
def plan_recorder(recorder_id: str) -> None:
    connection.close_if_unusable_or_obsolete()
    planner.plan_recorder(UUID(recorder_id))


@shared_task(name=planner.DISPATCH_TASK, expires=30)
def dispatch_lane(_lane: str) -> None:
    connection.close_if_unusable_or_obsolete()
    lane = current.get_lane()
    if lane is not None:
        lane.dispatch()


@shared_task(name="execution.poll_risk", expires=5)
def poll_risk() -> None:
    connection.close_if_unusable_or_obsolete()
    lane = current.get_lane()
    if lane is not None and lane.is_owner:
        polls.look(lane)
