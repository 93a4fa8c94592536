"""What is left of a login's requests, as the lane that owns it tells."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from execution.clearing.asking import asking
from justtrades import clock
from tests.execution.desk import planned_intents, recorder_with


@pytest.mark.django_db
@pytest.mark.parametrize(("opens_in_s", "code"), [(None, ""), (20, ""), (31, "NO_REQUESTS_LEFT")])
def test_an_entry_that_the_broker_cannot_be_asked_for_in_time_is_denied_at_once(
    opens_in_s: int | None, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that only has to wait is not: it goes as soon as something is left."""
    recorder, (trader, other) = recorder_with(2)
    opens = {trader.account.login_id: opens_in_s}

    def opens_at(login_id: UUID) -> datetime | None:
        seconds = opens.get(login_id)
        return None if seconds is None else clock.now() + timedelta(seconds=seconds)

    monkeypatch.setattr(asking, "of_lane", opens_at)
    by_trader = {intent.trader_id: intent.reason_code for intent in planned_intents(recorder)}
    assert by_trader == {trader.pk: code, other.pk: ""}
