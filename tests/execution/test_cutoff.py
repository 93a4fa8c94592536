"""Positions end with their trader's last window, by the owner's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from execution import cutoff
from execution.models import IntentSource, OrderIntent, Position
from recorders.settings import read_settings
from tests.execution.desk import MNQ, WritingDesk, recorder_with, set_on
from tests.factories import PositionFactory

DAY_WINDOW = [{"start": "08:45", "end": "15:00"}]
ON = {"auto_flat_after_cutoff": True, "time_windows": DAY_WINDOW}
CHICAGO = "America/Chicago"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("windows", "zone", "now", "expected"),
    [
        (DAY_WINDOW, CHICAGO, utc(2026, 11, 25, 21, 30), utc(2026, 11, 25, 21)),
        (DAY_WINDOW, CHICAGO, utc(2026, 11, 25, 20, 59), utc(2026, 11, 24, 21)),
        # The clocks go back on 1 November: 15:00 is 20:00 UTC on the day before and 21:00 on the day itself.
        (DAY_WINDOW, CHICAGO, utc(2026, 10, 31, 20, 30), utc(2026, 10, 31, 20)),
        (DAY_WINDOW, CHICAGO, utc(2026, 11, 1, 21, 30), utc(2026, 11, 1, 21)),
        (DAY_WINDOW, "Europe/Berlin", utc(2026, 7, 1, 14), utc(2026, 7, 1, 13)),
        # Of several windows the last one's end counts, and one over midnight ends in the morning.
        ([*DAY_WINDOW, {"start": "16:00", "end": "18:30"}], CHICAGO, utc(2026, 11, 26, 1), utc(2026, 11, 26, 0, 30)),
        ([{"start": "17:00", "end": "03:00"}], CHICAGO, utc(2026, 11, 25, 10), utc(2026, 11, 25, 9)),
    ],
)
def test_the_cut_off_is_the_end_of_the_last_window(
    windows: list[dict[str, str]], zone: str, now: datetime, expected: datetime
) -> None:
    settings = read_settings({"auto_flat_after_cutoff": True, "time_windows": windows})
    assert cutoff.cutoff_of(settings, zone, now) == expected


def test_there_is_none_unless_it_is_switched_on() -> None:
    assert cutoff.cutoff_of(read_settings({"time_windows": DAY_WINDOW}), CHICAGO, utc(2026, 11, 25, 21, 30)) is None


def held(opened_at: datetime, **settings: Any) -> Position:
    _, (trader,) = recorder_with(1, settings=settings)
    set_on(trader, "owner", time_zone=CHICAGO)
    return PositionFactory(trader=trader, symbol=MNQ, net_qty=2, opened_at=opened_at)


@pytest.mark.django_db
def test_a_position_that_outlives_the_cut_off_is_closed_once() -> None:
    position = held(utc(2026, 11, 25, 18), **ON)
    with time_machine.travel(utc(2026, 11, 25, 21, 0, 1), tick=False):
        assert cutoff.flatten_at_cutoff(0) == 1
        assert cutoff.flatten_at_cutoff(0) == 0
        desk = WritingDesk()
        assert desk.dispatch() == 1
    intent = OrderIntent.objects.get()
    assert (intent.source, intent.kind, intent.reason_code) == (IntentSource.RISK_ACTION, "exit", "CUTOFF")
    assert (intent.trader_id, intent.side, intent.qty) == (position.trader_id, "sell", 2)


@pytest.mark.django_db
def test_a_close_that_failed_is_tried_anew() -> None:
    held(utc(2026, 11, 25, 18), **ON)
    with time_machine.travel(utc(2026, 11, 25, 21, 0, 1), tick=False):
        assert cutoff.flatten_at_cutoff(0) == 1
        OrderIntent.objects.update(status="failed")
        assert cutoff.flatten_at_cutoff(0) == 1
        assert cutoff.flatten_at_cutoff(0) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "template"),
    [
        (utc(2026, 11, 25, 20, 59), ON),
        (utc(2026, 11, 25, 21, 1), {}),
        (utc(2026, 11, 25, 21, 1), {"time_windows": DAY_WINDOW}),
        # Inside a window again: the next cut-off is its own.
        (utc(2026, 11, 26, 15), ON),
    ],
)
def test_other_positions_stay(now: datetime, template: dict[str, Any]) -> None:
    held(utc(2026, 11, 25, 18), **template)
    with time_machine.travel(now, tick=False):
        assert cutoff.flatten_at_cutoff(0) == 0


@pytest.mark.django_db
def test_a_position_opened_after_the_cut_off_waits_for_the_next_one() -> None:
    held(utc(2026, 11, 25, 22), **ON)
    with time_machine.travel(utc(2026, 11, 25, 23), tick=False):
        assert cutoff.flatten_at_cutoff(0) == 0
    with time_machine.travel(utc(2026, 11, 26, 21) + timedelta(seconds=1), tick=False):
        assert cutoff.flatten_at_cutoff(0) == 1


@pytest.mark.django_db
def test_a_traders_own_override_switches_it_on() -> None:
    position = held(utc(2026, 11, 25, 18))
    set_on(position.trader, "", overrides=ON)
    with time_machine.travel(utc(2026, 11, 25, 21, 1), tick=False):
        assert cutoff.flatten_at_cutoff(0) == 1
