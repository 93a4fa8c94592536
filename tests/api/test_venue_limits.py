"""The broker's own limits of an account over the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from brokers.models import BrokerAccount
from brokers.sandbox.testing import RunningSandbox
from justtrades.testing import Cast
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


def test_a_venue_without_limits_says_so(alice: APIClient, cast: Cast) -> None:
    account = BrokerAccountFactory(login=BrokerLoginFactory(owner=cast.alice, venue="projectx", environment="demo"))
    assert alice.get(address(account)).json()["has_limits"] is False
    answer = alice.put(address(account), {"drawdown": 1}, format="json")
    assert answer.status_code == 400
    assert "no loss limits of its own" in answer.json()["detail"]


def test_charlie_gets_nowhere(charlie: APIClient, hers: Chain) -> None:
    for call in (charlie.get, charlie.post, charlie.put):
        assert call(address(hers.account)).status_code == 404
