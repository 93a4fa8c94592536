"""Connecting a login: what is offered, what is agreed to, and what comes of what is typed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from brokers.access import Access, Endpoints
from brokers.base import AccountRef
from brokers.errors import AuthFailed
from brokers.models import BrokerAccount, BrokerAgreement, BrokerLogin
from brokers.picker import policy_hash
from brokers.registry import VENUES
from brokers.sandbox.testing import RunningSandbox
from brokers.venue import CredentialField, ListedAccount
from justtrades.testing import Cast
from tests.factories import BrokerLoginFactory, Chain

CONNECT = reverse("broker_connect_venue", args=["tradovate"])
FIRMS = (("alpha", "Alpha Futures"), ("bravo", "Bravo Trading"))


def typed(sandbox: RunningSandbox, account: int = 0, **changes: str) -> dict[str, str]:
    known = sandbox.accounts[account]
    return {
        "environment": "sandbox", "username": known.username, "password": known.password, "agree": "on", **changes,
    }  # fmt: skip


@pytest.fixture
def firms(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that several firms run, whose sign-in names one account."""

    def sign_in_check(access: Access) -> tuple[ListedAccount, ...]:
        firm = access.credentials.settings["firm"]
        return (ListedAccount(AccountRef("7", f"{firm}-50K"), can_trade=False, is_simulated=True, kind="EVALUATION"),)

    venue = replace(
        VENUES["tradovate"],
        label="Gateway",
        fields=(
            CredentialField("firm", "Firm", choices=FIRMS, initial="alpha"),
            CredentialField("username", "Username"),
            CredentialField("api_key", "API key", is_secret=True),
            CredentialField("rest_url", "API address", is_required=False),
        ),
        environments=("live",),
        endpoints=lambda environment, settings: Endpoints("https://api.example.com", "wss://api.example.com"),
        sign_in_check=sign_in_check,
        oauth=None,
    )
    monkeypatch.setitem(VENUES, "gateway", venue)


def test_every_venue_stands_under_a_tab_with_its_rules(alice: Client) -> None:
    seen = ""
    for market in ("futures", "stocks", "paper", "coming"):
        page = alice.get(reverse("broker_connect"), {"market": market})
        assert page.status_code == 200
        seen += page.content.decode()
    for venue in VENUES.values():
        assert venue.label in seen
    assert VENUES["tradovate"].automation_policy[:40] in seen


def test_a_card_for_each_firm(alice: Client, firms: None) -> None:
    page = alice.get(reverse("broker_connect")).content.decode()
    for _name, label in FIRMS:
        assert label in page


def test_another_firm_is_chosen_and_agreed_to_beside_its_addresses(alice: Client, firms: None) -> None:
    assert "Another firm" in alice.get(reverse("broker_connect")).content.decode()
    address = reverse("broker_connect_venue", args=["gateway"])
    alice.post(reverse("broker_agree", args=["gateway"]), {"firm": "", "agree": "on"})
    page = alice.get(address).content.decode()
    for asked in ('name="agree"', 'name="firm"', 'name="rest_url"'):
        assert asked in page
    assert 'name="rest_url"' not in alice.get(f"{address}?firm=alpha").content.decode()
    given = {"environment": "live", "firm": "bravo", "username": "ann", "api_key": "k-1", "agree": "on"}
    alice.post(address, given | {"rest_url": "https://api.bravo.example.com"})
    login = BrokerLogin.objects.get()
    assert (login.firm, login.settings) == ("bravo", {"rest_url": "https://api.bravo.example.com"})
    assert BrokerAgreement.objects.filter(firm="bravo").exists()


def test_what_is_coming_is_shown_and_refused_by_name(alice: Client, cast: Cast) -> None:
    assert "Coming soon" in alice.get(reverse("broker_connect"), {"market": "coming"}).content.decode()
    address = reverse("broker_connect_venue", args=["rithmic"])
    for answer in (alice.get(address, follow=True), alice.post(address, {"username": "a"}, follow=True)):
        assert "Rithmic cannot be connected yet" in answer.content.decode()
    assert not BrokerLogin.objects.exists()


def test_a_venue_that_nobody_knows_is_not_found(alice: Client) -> None:
    for name in ("broker_connect_venue", "broker_agree", "broker_oauth", "broker_oauth_callback"):
        address = reverse(name, args=["bucketshop"])
        assert {alice.get(address).status_code, alice.post(address).status_code} <= {404, 405}
    assert alice.get(CONNECT, {"firm": "nobody"}).status_code == 404


def test_agreeing_on_a_card_is_kept_with_its_time_and_its_text(alice: Client, cast: Cast, firms: None) -> None:
    address = reverse("broker_agree", args=["gateway"])
    assert alice.post(address, {"firm": "bravo"}).status_code == 302
    assert not BrokerAgreement.objects.exists()
    assert alice.post(address, {"firm": "nobody", "agree": "on"}).status_code == 404
    before = datetime.now(UTC)
    answer = alice.post(address, {"firm": "bravo", "agree": "on"})
    assert answer["Location"] == f"{reverse('broker_connect_venue', args=['gateway'])}?firm=bravo"
    kept = BrokerAgreement.objects.get()
    assert (kept.owner, kept.venue, kept.firm) == (cast.alice, "gateway", "bravo")
    assert kept.text_hash == policy_hash("gateway", "bravo")
    assert before <= kept.agreed_at <= datetime.now(UTC)
    alice.post(address, {"firm": "bravo", "agree": "on"})
    assert BrokerAgreement.objects.get() == kept


def test_a_text_that_changed_asks_again(alice: Client, firms: None, monkeypatch: pytest.MonkeyPatch) -> None:
    alice.post(reverse("broker_agree", args=["gateway"]), {"firm": "bravo", "agree": "on"})
    page = reverse("broker_connect_venue", args=["gateway"]) + "?firm=bravo"
    assert 'name="agree"' not in alice.get(page).content.decode()
    monkeypatch.setitem(VENUES, "gateway", replace(VENUES["gateway"], automation_policy="No robots on Fridays."))
    text = alice.get(page).content.decode()
    assert 'name="agree"' in text
    assert "No robots on Fridays." in text


def test_nothing_is_asked_of_the_broker_without_agreement(alice: Client, sandbox: RunningSandbox) -> None:
    before = len(sandbox.arrivals())
    page = alice.post(CONNECT, typed(sandbox, agree=""))
    assert "Connecting needs your agreement." in page.content.decode()
    assert not BrokerLogin.objects.exists()
    assert len(sandbox.arrivals()) == before


def test_connecting_stores_login_accounts_token_and_agreement(
    alice: Client, cast: Cast, sandbox: RunningSandbox
) -> None:
    answer = alice.post(CONNECT, typed(sandbox), follow=True)
    assert "is connected with 1 account." in answer.content.decode()
    login = BrokerLogin.objects.get()
    account = BrokerAccount.objects.get()
    assert (login.owner, login.username, login.environment) == (cast.alice, sandbox.accounts[0].username, "sandbox")
    assert login.secrets == {"password": sandbox.accounts[0].password}
    assert login.token_expires_at is not None
    assert login.token_expires_at > datetime.now(UTC)
    assert (account.login, account.can_trade, account.broker_id) == (login, True, str(sandbox.accounts[0].id))
    assert BrokerAgreement.objects.get().owner == cast.alice


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"password": ""}, "This field is required."),
        ({"password": "not-her-password-8c1"}, "The broker refused to sign in"),
        ({"username": ""}, "This field is required."),
        ({"app_secret": "no-colon-in-5f02"}, "with a colon between them"),
        ({"environment": "moon"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_no_secret_is_shown_again(
    wrong: dict[str, str], text: str, alice: Client, sandbox: RunningSandbox
) -> None:
    given = typed(sandbox, account=1, **wrong)
    page = alice.post(CONNECT, given).content.decode()
    assert f'role="alert">{text}' in page or text in page
    assert not BrokerLogin.objects.exists()
    for name in ("password", "app_secret"):
        if given.get(name):
            assert given[name] not in page


def test_a_firm_is_part_of_what_a_login_is(alice: Client, cast: Cast, firms: None) -> None:
    address = reverse("broker_connect_venue", args=["gateway"])
    given = {"environment": "live", "username": "ann", "api_key": "k-1", "agree": "on"}
    alice.post(f"{address}?firm=alpha", given)
    alice.post(f"{address}?firm=bravo", given | {"firm": "alpha"})
    assert sorted(BrokerLogin.objects.values_list("firm", "username")) == [("alpha", "ann"), ("bravo", "ann")]
    alpha = BrokerAccount.objects.get(login__firm="alpha")
    assert (alpha.name, alpha.kind, alpha.is_simulated, alpha.can_trade) == ("alpha-50K", "EVALUATION", True, False)
    page = alice.get(reverse("brokers")).content.decode()
    for shown in ("Bravo Trading", "Cannot trade", "Simulated", "Evaluation"):
        assert shown in page


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com", "https://127.0.0.1", "https://10.0.0.5", "https://localhost", "https://db.internal",
        "https://a:b@api.example.com", "https://[::1]", "https://169.254.169.254", "file:///etc/passwd", "https://[",
    ],
)  # fmt: skip
def test_credentials_go_to_no_address_of_our_own(url: str, alice: Client, firms: None) -> None:
    given = {
        "environment": "live",
        "username": "ann",
        "api_key": "k-1",
        "agree": "on",
        "rest_url": url,
        "firm": "alpha",
    }
    page = alice.post(reverse("broker_connect_venue", args=["gateway"]), given).content.decode()
    assert "Must be an address on the internet" in page
    assert not BrokerLogin.objects.exists()


def test_signing_in_again_keeps_what_the_login_is(alice: Client, cast: Cast, sandbox: RunningSandbox) -> None:
    known = sandbox.accounts[2]
    login = BrokerLoginFactory(owner=cast.alice, username=known.username, state="failed", is_enabled=False)
    address = f"{CONNECT}?login={login.pk}"
    page = alice.get(address).content.decode()
    assert f"Sign {known.username} in again" in page
    alice.post(address, typed(sandbox, 2, username="somebody-else", environment="live"))
    again = BrokerLogin.objects.get()
    assert (again.pk, again.username, again.environment) == (login.pk, known.username, "sandbox")
    assert (again.secrets, again.is_enabled, again.state) == ({"password": known.password}, True, "down")
    assert again.reconnect_at is not None


def test_charlie_cannot_sign_in_what_is_alices(charlie: Client, hers: Chain, sandbox: RunningSandbox) -> None:
    before = BrokerLogin.objects.values().get()
    for address in (f"{CONNECT}?login={hers.login.pk}", f"{CONNECT}?login=x"):
        assert charlie.get(address).status_code == 404
        assert charlie.post(address, typed(sandbox, 3)).status_code == 404
    assert BrokerLogin.objects.values().get() == before


def test_refusals_end_before_the_broker_closes_its_door(
    alice: Client, cast: Cast, firms: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(access: Access) -> tuple[ListedAccount, ...]:
        asked.append(access.credentials.username)
        raise AuthFailed("LoginRefused", "wrong key")

    monkeypatch.setitem(VENUES, "gateway", replace(VENUES["gateway"], sign_in_check=refuse))
    address = reverse("broker_connect_venue", args=["gateway"]) + "?firm=alpha"
    given = {"environment": "live", "username": "ann", "api_key": "k-1", "agree": "on"}
    for _ in range(3):
        assert "wrong key" in alice.post(address, given).content.decode()
    page = alice.post(address, given).content.decode()
    assert "lock everybody out" in page
    assert asked == ["ann"] * 3


def test_a_venue_without_usernames_asks_for_a_name(
    alice: Client, monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox
) -> None:
    fields = (CredentialField("app_key", "App key", is_secret=True),)

    def sign_in_check(access: Access) -> tuple[ListedAccount, ...]:
        return (ListedAccount(AccountRef("1", access.credentials.secrets["app_key"][:3]), is_simulated=False),)

    monkeypatch.setitem(VENUES, "tradovate", replace(VENUES["tradovate"], fields=fields, sign_in_check=sign_in_check))
    given: dict[str, Any] = {"environment": "sandbox", "username": "My phone", "app_key": "abc-def", "agree": "on"}
    alice.post(CONNECT, given)
    assert BrokerLogin.objects.get().username == "My phone"
    assert "Real money" in alice.get(reverse("brokers")).content.decode()
