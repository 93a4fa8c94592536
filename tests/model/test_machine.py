"""No story of alerts, fills, faults, deaths and time breaks what was promised.

A story that does is printed as the calls that tell it, with a seed that tells it again (`--hypothesis-seed`). The long
run also looks for the shortest one that still breaks something.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Story

pytestmark = pytest.mark.django_db
USUAL = settings(
    deadline=None, database=None, print_blob=True, derandomize=False, suppress_health_check=list(HealthCheck)
)
AS_IT_COMES = settings(USUAL, max_examples=12, stateful_step_count=25, phases=(Phase.generate,))
AT_LENGTH = settings(USUAL, max_examples=int(os.environ.get("STORIES", "400")), stateful_step_count=50)


def test_no_story_breaks_what_was_promised() -> None:
    run_state_machine_as_test(Story, settings=AS_IT_COMES)


@pytest.mark.streams
@pytest.mark.timeout(3600)
def test_no_long_story_breaks_what_was_promised() -> None:
    run_state_machine_as_test(Story, settings=AT_LENGTH)
