"""Who may not, is denied by name; the others are none the worse for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from execution.models import IntentStatus, Order
from justtrades import clock
from tests.execution.desk import held, planned_intents, recorder_with, set_on
from traders.models import Trader

pytestmark = pytest.mark.django_db

DENIED: dict[str, tuple[str, dict[str, Any]]] = {
    "OWNER_DISABLED": ("owner", {"is_active": False}),
    "OWNER_NOT_APPROVED": ("owner", {"is_approved": False}),
    "TRADER_DISABLED": ("", {"is_enabled": False}),
    "ACCOUNT_DISABLED": ("account", {"is_enabled": False}),
    "LOGIN_DISABLED": ("account.login", {"is_enabled": False}),
    "MISSING_CREDENTIALS": ("account.login", {"secrets": None}),
    "LOGIN_FAILED": ("account.login", {"state": "failed", "state_detail": "Incorrect password"}),
    "MISSING_ENDPOINT": ("account.login", {"venue": "elsewhere"}),
}


@pytest.mark.parametrize("code", DENIED)
def test_a_follower_that_may_not_is_denied_and_the_others_are_not(code: str) -> None:
    recorder, (denied, *others) = recorder_with(3)
    where, fields = DENIED[code]
    if where == "owner":
        # Followers of one recorder have one owner today; give this one its own.
        stranger, _ = recorder_with(0)
        Trader.objects.filter(pk=denied.pk).update(owner=stranger.owner)
        denied.refresh_from_db()
    set_on(denied, where, **fields)
    by_trader = {intent.trader_id: intent for intent in planned_intents(recorder)}
    verdict = by_trader[denied.pk]
    assert (verdict.status, verdict.reason_code) == (IntentStatus.DENIED, code)
    assert verdict.reason_text
    assert verdict.finished_at is not None
    assert [by_trader[other.pk].status for other in others] == [IntentStatus.CLEARED] * 2
    assert Order.objects.count() == 0


@pytest.mark.parametrize("code", ["OWNER_NOT_APPROVED", "TRADER_DISABLED", "ACCOUNT_DISABLED", "LOGIN_DISABLED"])
def test_who_may_not_enter_may_still_leave(code: str) -> None:
    recorder, (trader,) = recorder_with(1)
    held(trader, 1)
    set_on(trader, *DENIED[code][:1], **DENIED[code][1])
    (way_out, way_in) = planned_intents(recorder, "sell")
    assert way_out.status == IntentStatus.CLEARED
    assert (way_in.status, way_in.reason_code) == (IntentStatus.DENIED, code)


def test_a_stale_entry_is_expired_and_a_stale_exit_is_not() -> None:
    recorder, (trader, other) = recorder_with(2)
    held(other, -1)
    intents = planned_intents(recorder, received_at=clock.now() - timedelta(seconds=31))
    found = {(intent.trader_id, intent.kind): (intent.status, intent.reason_code) for intent in intents}
    assert found == {
        (trader.pk, "entry"): (IntentStatus.EXPIRED, "STALE"),
        (other.pk, "exit"): (IntentStatus.CLEARED, ""),
        (other.pk, "entry"): (IntentStatus.EXPIRED, "STALE"),
    }
