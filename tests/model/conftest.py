"""What a story needs around it. Imports are lazy: pytest may load this before Django has its settings."""

from __future__ import annotations

import os
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A venue that links nothing and takes no id twice, one lane, and deaths that a test survives."""
    from brokers import registry
    from tests.model.machine import ALONE

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
    from django.conf import settings

    from tests.model.lane import Died

    settings.KILL_POINT = ""
    raise Died
