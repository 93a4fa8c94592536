"""A signal that ends the process that plans it is given up in time; one that only waits, while lanes start, never."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from execution import planning, setbacks
from execution.models import Alarm, IntentStatus, OrderIntent
from execution.planner import plan_recorder
from recorders.models import Signal, SignalStatus
from tests.execution.desk import planned_intents, recorder_with, signal_for

pytestmark = pytest.mark.django_db


class PowerCutError(Exception):
    """The process is gone."""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, settings: Any) -> Path:
    settings.STATE_DIR = tmp_path
    return tmp_path


@pytest.fixture
def die_planning(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[[Signal, int], None]:
    """A lane plans the recorder's next signal, and its process is killed in the middle of that."""

    def die(signal: Signal, lane: int) -> None:
        left: list[tuple[Path, bytes]] = []

        def kill(_pid: int, _signal: int) -> None:
            left.extend((one, one.read_bytes()) for one in settings.STATE_DIR.rglob("*") if one.is_file())
            raise PowerCutError

        with monkeypatch.context() as killing:
            killing.setattr("justtrades.killpoints.os", SimpleNamespace(kill=kill, getpid=os.getpid))
            settings.KILL_POINT = "plan.mid"
            with pytest.raises(PowerCutError):
                planning.plan_next(signal.recorder_id, lane)
            settings.KILL_POINT = ""
        for path, content in left:
            # A killed process tidies nothing up.
            path.write_bytes(content)

    return die


def waits(signal: Signal) -> tuple[str, int]:
    signal.refresh_from_db()
    return signal.status, signal.plan_attempts


def test_f10_what_ends_the_lane_three_times_is_given_up_and_the_next_one_is_planned(
    die_planning: Callable[[Signal, int], None],
) -> None:
    recorder, _ = recorder_with(1)
    poison = signal_for(recorder)
    for lane in (0, 1, 0):
        assert waits(poison)[0] == SignalStatus.RECEIVED
        die_planning(poison, lane)
        setbacks.count_restart(lane)
    poison.refresh_from_db()
    assert (poison.status, poison.reason_code) == (SignalStatus.IGNORED, "PLANNING_FAILED")
    assert Alarm.objects.get().ref == str(poison.pk)
    assert planned_intents(recorder)[0].status == IntentStatus.CLEARED


def test_a_signal_that_nobody_began_to_plan_is_not_counted_however_many_lanes_start() -> None:
    recorder, _ = recorder_with(1)
    close = signal_for(recorder, "close")
    for _ in range(2):
        for lane in range(3):
            setbacks.count_restart(lane)
    assert waits(close) == (SignalStatus.RECEIVED, 0)


def test_only_the_lane_that_died_counts_and_only_what_it_was_at(die_planning: Callable[[Signal, int], None]) -> None:
    recorder, _ = recorder_with(1)
    first = signal_for(recorder)
    die_planning(first, 1)
    setbacks.count_restart(0)
    assert waits(first) == (SignalStatus.RECEIVED, 0), "another lane died"
    setbacks.count_restart(1)
    setbacks.count_restart(1)
    assert waits(first) == (SignalStatus.RECEIVED, 1), "a death counts once"
    die_planning(first, 1)
    plan_recorder(recorder.pk)
    second = signal_for(recorder)
    setbacks.count_restart(1)
    assert waits(second) == (SignalStatus.RECEIVED, 0), "what was planned since is no reason to give up on the next"


def test_what_a_process_lived_through_is_no_death(state: Path) -> None:
    recorder, _ = recorder_with(1)
    signal = signal_for(recorder, "")
    with pytest.raises(ValueError, match="Action"):
        planning.plan_next(recorder.pk, 0)
    setbacks.count_restart(0)
    assert waits(signal) == (SignalStatus.RECEIVED, 0)
    Signal.objects.all().delete()
    signal_for(recorder)
    planning.plan_next(recorder.pk, 0)
    assert [one for one in state.rglob("*") if one.is_file()] == []


def test_where_no_file_can_be_written_signals_are_planned_all_the_same(state: Path) -> None:
    (state / "planning").write_text("in the way")
    recorder, _ = recorder_with(1)
    signal_for(recorder)
    planning.plan_next(recorder.pk, 0)
    assert OrderIntent.objects.count() == 1
    setbacks.count_restart(0)
