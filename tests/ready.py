"""Brokers for tests of what happens once one has been asked: the sandbox, or one that says yes to everything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from brokers.access import Access
from brokers.base import AccountRef
from brokers.registry import VENUES
from brokers.sandbox.testing import SandboxAccount
from brokers.venue import Check

SANDBOX = ("tradovate", "sandbox")
NOWHERE = ("http://127.0.0.1:9/v1", "ws://127.0.0.1:9", "")


def sign_in_of(account: SandboxAccount) -> dict[str, Any]:
    """What a `BrokerLoginFactory` needs to be a login of the sandbox."""
    return {"username": account.username, "secrets": {"password": account.password}}


def let_every_account_trade(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[tuple[str, str]]:
    """The questions that come in, as account and symbol."""
    asked: list[tuple[str, str]] = []

    def preflight(_access: Access, account: AccountRef, symbol: str) -> tuple[Check, ...]:
        asked.append((account.name, symbol))
        return (Check("SIGN_IN", is_ok=True, text="the broker signs this login in"),)

    settings.BROKER_ENDPOINTS = {**settings.BROKER_ENDPOINTS, SANDBOX: NOWHERE}
    monkeypatch.setitem(VENUES, SANDBOX[0], replace(VENUES[SANDBOX[0]], preflight=preflight))
    return asked
