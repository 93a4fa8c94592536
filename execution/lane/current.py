"""The lane that this process owns, for the tasks that run in it."""

from __future__ import annotations

from execution.lane.runtime import Lane

_lane: Lane | None = None


def set_lane(lane: Lane | None) -> None:
    global _lane  # noqa: PLW0603 - one lane per process
    _lane = lane


def get_lane() -> Lane | None:
    return _lane
