"""What planning and dispatch need around them."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def sandbox_is_configured(settings: Any) -> None:
    """Followers of the sandbox have an address; nothing in this folder connects to it."""
    urls = ("http://127.0.0.1:1", "ws://127.0.0.1:1", "")
    settings.BROKER_ENDPOINTS = {**settings.BROKER_ENDPOINTS, ("tradovate", "sandbox"): urls}
    settings.LANES = 1
