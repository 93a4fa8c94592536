"""The broker's own limits of an account over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from brokers.models import BrokerAccount
from brokers.sandbox.testing import RunningSandbox
from justtrades.testing import PASSWORD, Cast, api_client_for
from risk.models import RiskEvent
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, Chain
from tests.ready import sign_in_of


@pytest.fixture
def account(cast: Cast, sandbox: RunningSandbox) -> BrokerAccount:
    known = sandbox.add_accounts(1)[0]
    login = BrokerLoginFactory(owner=cast.alice, **sign_in_of(known))
    made: BrokerAccount = BrokerAccountFactory(login=login, name=known.name, broker_id=str(known.id))
    return made


def address(account: BrokerAccount) -> str:
    return f"/api/accounts/{account.pk}/venue-limits/"


def test_limits_are_asked_for_set_and_kept(alice: APIClient, account: BrokerAccount, cast: Cast) -> None:
    never = {"account": str(account.pk), "has_limits": True, "asked_at": None, "limits": None}
    assert alice.get(address(account)).json() == never
    asked = alice.post(address(account)).json()
    assert asked["asked_at"] is not None
    assert set(asked["limits"].values()) == {None, False}
    given = {"daily_loss_auto_liq": "500.50", "drawdown": 2000, "drawdown_mode": "EOD"}
    said = alice.put(address(account), given, format="json").json()["limits"]
    assert (said["daily_loss_auto_liq"], said["drawdown"], said["drawdown_mode"]) == ("500.5", "2000", "EOD")
    said = alice.put(address(account), {"drawdown": None}, format="json").json()["limits"]
    assert (said["daily_loss_auto_liq"], said["drawdown"], said["drawdown_mode"]) == ("500.5", None, "EOD")
    assert alice.get(address(account)).json()["limits"] == said
    assert [event.actor for event in RiskEvent.objects.all()] == [cast.alice] * 2


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"daily_loss_auto_liq": -5}, "daily_loss_auto_liq"),
        ({"daily_loss_auto_liq": 0}, "daily_loss_auto_liq"),
        ({"daily_loss_alert": "1.005"}, "daily_loss_alert"),
        ({"drawdown_mode": "Sometimes"}, "drawdown_mode"),
        ({"is_locked": True}, "is_locked"),
        ({"daily_los_auto_liq": 5}, "daily_los_auto_liq"),
    ],
)
def test_what_is_wrong_is_named_and_nobody_is_asked(
    alice: APIClient, account: BrokerAccount, sandbox: RunningSandbox, given: dict[str, Any], field: str
) -> None:
    before = len(sandbox.arrivals())
    answer = alice.put(address(account), given, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert (len(sandbox.arrivals()), RiskEvent.objects.count()) == (before, 0)


LIMITS = {
    "daily_loss_auto_liq": "500", "daily_profit_auto_liq": "900", "drawdown": "2000", "drawdown_mode": "EOD",
}  # fmt: skip


def test_what_is_raised_or_taken_away_asks_for_the_password(
    cast: Cast, account: BrokerAccount, sandbox: RunningSandbox
) -> None:
    cast.alice.set_password(PASSWORD)
    cast.alice.save()
    alice = api_client_for(cast.alice)

    def code_of(given: dict[str, Any]) -> str | None:
        cache.clear()
        answer = alice.put(address(account), given, format="json")
        return None if answer.status_code == 200 else answer.json()["code"]

    assert code_of(LIMITS) is None, "it had none, so these are tighter, and it was asked for that"
    before = len(sandbox.arrivals())
    for looser in (
        {"daily_loss_auto_liq": None}, {"daily_loss_auto_liq": "500.01"}, {"daily_profit_auto_liq": 1000},
        {"drawdown_mode": "RealTime"}, {"drawdown_stops_at": 1}, {"daily_loss_alert": 1, "drawdown": 2001},
    ):  # fmt: skip
        assert code_of(looser) == "step_up_required", looser
    assert len(sandbox.arrivals()) == before
    assert code_of({"daily_loss_auto_liq": "499", "weekly_loss_auto_liq": 900, "drawdown_mode": "EOD"}) is None
    assert code_of({"daily_loss_auto_liq": None, "password": PASSWORD}) is None
    assert alice.get(address(account)).json()["limits"]["daily_loss_auto_liq"] is None
    assert not RiskEvent.objects.filter(text__contains=PASSWORD).exists()


def test_no_change_at_all_is_refused_and_nobody_is_asked(
    alice: APIClient, account: BrokerAccount, sandbox: RunningSandbox
) -> None:
    before = len(sandbox.arrivals())
    answer = alice.put(address(account), {}, format="json")
    assert (answer.status_code, answer.json()["detail"]) == (400, "Say what to change: nothing was given.")
    assert (len(sandbox.arrivals()), RiskEvent.objects.count()) == (before, 0)


def test_a_venue_without_limits_says_so(alice: APIClient, cast: Cast) -> None:
    account = BrokerAccountFactory(login=BrokerLoginFactory(owner=cast.alice, venue="projectx", environment="demo"))
    assert alice.get(address(account)).json()["has_limits"] is False
    answer = alice.put(address(account), {"drawdown": 1}, format="json")
    assert answer.status_code == 400
    assert "no loss limits of its own" in answer.json()["detail"]


def test_charlie_gets_nowhere(charlie: APIClient, hers: Chain) -> None:
    for call in (charlie.get, charlie.post, charlie.put):
        assert call(address(hers.account)).status_code == 404
