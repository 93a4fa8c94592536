"""Connecting, asking and switching logins over the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from brokers.models import BrokerAccount, BrokerAgreement, BrokerLogin
from brokers.sandbox.testing import RunningSandbox
from justtrades.testing import Cast
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, Chain
from tests.ready import sign_in_of

CONNECT = "/api/brokers/connect/"


def given(sandbox: RunningSandbox, account: int = 0, **fields: str) -> dict[str, Any]:
    known = sandbox.accounts[account]
    asked = {"username": known.username, "password": known.password, **fields}
    return {"venue": "tradovate", "environment": "sandbox", "fields": asked}


@pytest.fixture
def login(cast: Cast, sandbox: RunningSandbox) -> BrokerLogin:
    known = sandbox.accounts[1]
    made = BrokerLoginFactory(owner=cast.alice, **sign_in_of(known))
    BrokerAccountFactory(login=made, name=known.name, broker_id=str(known.id))
    return made


def test_connecting(alice: APIClient, cast: Cast, sandbox: RunningSandbox) -> None:
    answer = alice.post(CONNECT, given(sandbox), format="json")
    assert answer.status_code == 201
    said = answer.json()
    assert (said["username"], said["auth_kind"], said["is_enabled"]) == (
        sandbox.accounts[0].username, "credentials", True,
    )  # fmt: skip
    assert [account["broker_id"] for account in said["accounts"]] == [str(sandbox.accounts[0].id)]
    login = BrokerLogin.objects.get()
    assert (str(login.pk), login.owner) == (said["id"], cast.alice)
    assert alice.get(f"/api/logins/{login.pk}/").json() | {"accounts": said["accounts"]} == said


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"venue": "rithmic"}, "venue"),
        ({"venue": "bucketshop"}, "venue"),
        ({"environment": "moon"}, "environment"),
        ({"fields": {"username": "a"}}, "password"),
        ({"fields": {"username": "a", "password": "b", "tricks": "c"}}, "tricks"),
        ({"fields": {"username": "nobody-7", "password": "guessed-41c9"}}, "password"),
        ({"fields": "guessed-41c9"}, "fields"),
        ({"fields": {"username": "a", "password": {"guessed-41c9": 1}}}, "fields.password"),
        ({"tricks": 1}, "tricks"),
    ],
)
def test_what_is_wrong_is_named_without_what_was_typed(
    changes: dict[str, Any], field: str, alice: APIClient, sandbox: RunningSandbox
) -> None:
    answer = alice.post(CONNECT, given(sandbox) | changes, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert "guessed-41c9" not in answer.content.decode()
    assert not BrokerLogin.objects.exists()


def test_rules_are_agreed_to_where_they_are_somebodys(alice: APIClient, cast: Cast, sandbox: RunningSandbox) -> None:
    asked = given(sandbox) | {"environment": "demo"}
    answer = alice.post(CONNECT, asked, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["agree"])
    assert not BrokerAgreement.objects.exists()


def test_a_preflight_answers_with_each_check(alice: APIClient, login: BrokerLogin) -> None:
    (account,) = alice.post(f"/api/brokers/logins/{login.pk}/preflight/").json()
    assert account["name"] == BrokerAccount.objects.get().name
    assert {check["code"] for check in account["preflight"]} >= {"SIGN_IN", "ACCOUNT", "CONTRACT"}
    assert all(check["is_ok"] for check in account["preflight"])
    asked = {"account": account["id"], "symbol": "MNQZ1"}
    (again,) = alice.post(f"/api/brokers/logins/{login.pk}/preflight/", asked, format="json").json()
    failed = [check["code"] for check in again["preflight"] if not check["is_ok"]]
    assert failed == ["CONTRACT"]
    assert alice.get(f"/api/accounts/{account['id']}/").json()["preflight"] == again["preflight"]


def test_a_preflight_of_another_logins_account_is_refused(alice: APIClient, hers: Chain, login: BrokerLogin) -> None:
    asked = {"account": str(hers.account.pk)}
    answer = alice.post(f"/api/brokers/logins/{login.pk}/preflight/", asked, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["account"])


def test_switching_and_reconnecting(alice: APIClient, login: BrokerLogin) -> None:
    address = f"/api/brokers/logins/{login.pk}"
    assert alice.post(f"{address}/reconnect/").json()["reconnect_at"] is not None
    assert alice.post(f"{address}/disable/").json()["is_enabled"] is False
    assert alice.post(f"{address}/reconnect/").status_code == 400
    assert alice.post(f"{address}/enable/").json()["is_enabled"] is True
    BrokerLogin.objects.update(awaits_approval=True, is_enabled=False)
    assert alice.post(f"{address}/enable/").status_code == 400
    assert BrokerLogin.objects.get().is_enabled is False


@pytest.mark.parametrize("verb", ["preflight", "reconnect", "enable", "disable"])
def test_charlie_does_nothing_to_alices_login(
    verb: str, charlie: APIClient, login: BrokerLogin, sandbox: RunningSandbox
) -> None:
    before = (BrokerLogin.objects.values().get(), len(sandbox.arrivals()))
    answer = charlie.post(f"/api/brokers/logins/{login.pk}/{verb}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (BrokerLogin.objects.values().get(), len(sandbox.arrivals())) == before


def test_nobody_connects_anonymously(sandbox: RunningSandbox, db: None) -> None:
    before = len(sandbox.arrivals())
    assert APIClient().post(CONNECT, given(sandbox), format="json").status_code == 401
    assert len(sandbox.arrivals()) == before
