"""No story of alerts, fills, faults, deaths and time breaks what was promised.

`STORIES=500 pytest tests/model` tells more of them; a story that fails is printed as code, with a blob that repeats it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from brokers import registry
from tests.model.lane import Died
from tests.model.machine import ALONE, Story

pytestmark = pytest.mark.django_db
STORIES = int(os.environ.get("STORIES", "15"))
STEPS = int(os.environ.get("STORY_STEPS", "25"))
USUAL = settings(
    deadline=None,
    database=None,
    print_blob=True,
    stateful_step_count=STEPS,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A venue that links nothing and takes no id twice, one lane, and deaths that a test survives."""
    usual = registry.VENUES["tradovate"]
    alone = replace(
        usual.capabilities,
        native_brackets=False,
        native_multi_bracket=False,
        native_oco=False,
        auto_trail=False,
        enforces_unique_client_ids=True,
    )
    monkeypatch.setitem(registry.VENUES, ALONE, replace(usual, capabilities=alone))
    urls = ("http://127.0.0.1:1", "ws://127.0.0.1:1", "")
    settings.BROKER_ENDPOINTS = {(venue, "sandbox"): urls for venue in ("tradovate", ALONE)}
    settings.LANES = 1
    monkeypatch.setattr("justtrades.killpoints.os", SimpleNamespace(kill=_die, getpid=os.getpid))
    # A look's thread closes its own connection to the database; here that is the test's.
    monkeypatch.setattr("execution.flattening.verify.database.close", lambda: None)


def _die(_pid: int, _signal: int) -> None:
    """A process dies once."""
    django_settings.KILL_POINT = ""
    raise Died


def test_no_story_breaks_what_was_promised() -> None:
    run_state_machine_as_test(Story, settings=settings(USUAL, max_examples=STORIES))
