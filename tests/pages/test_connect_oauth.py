"""Connecting through the broker's own sign-in page: there and back, and each way back that is not ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core import signing
from django.test import Client
from django.urls import reverse

from brokers.models import AuthKind, BrokerAccount, BrokerLogin
from brokers.sandbox.testing import RunningSandbox
from brokers.services import access_of
from brokers.services.oauth import SESSION_KEY, STATE_SECONDS
from execution.followers import follower_of
from justtrades.testing import Cast, browser_of
from tests.factories import BrokerLoginFactory, Chain, TraderFactory

START = reverse("broker_oauth", args=["tradovate"])
CALLBACK = reverse("broker_oauth_callback", args=["tradovate"])
ASKED = {"environment": "sandbox", "agree": "on"}


def begin(browser: Client, **query: str) -> str:
    """The address of the broker's page that the browser is sent to."""
    answer = browser.post(START, ASKED, query_params=query)
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def allow(address: str, sandbox: RunningSandbox, account: int = 0) -> dict[str, str]:
    """Sign in on the broker's page and allow access: what the browser brings back."""
    known = sandbox.accounts[account]
    form = {"name": known.username, "password": known.password}
    answer = requests.post(address, data=form, timeout=10, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    assert back.path == CALLBACK
    return {name: values[0] for name, values in parse_qs(back.query).items()}


def test_there_and_back(alice: Client, cast: Cast, sandbox: RunningSandbox) -> None:
    address = begin(alice)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"].endswith(CALLBACK)
    page = alice.get(CALLBACK, allow(address, sandbox), follow=True)
    assert "is connected with 1 account." in page.content.decode()
    login = BrokerLogin.objects.get()
    assert (login.owner, login.auth_kind, login.username) == (
        cast.alice, AuthKind.OAUTH, sandbox.accounts[0].username,
    )  # fmt: skip
    assert login.secrets == {}
    assert login.token_expires_at is not None
    assert login.token_expires_at > datetime.now(UTC)
    assert BrokerAccount.objects.get().broker_id == str(sandbox.accounts[0].id)
    access = access_of(login)
    token = access.store.load()
    assert access.oauth is not None
    assert token is not None
    assert token.refresh != ""
    trader = TraderFactory(recorder__owner=cast.alice, account=BrokerAccount.objects.get())
    facts = follower_of(trader.pk).facts
    assert (facts["has_credentials"], facts["environment_is_configured"]) == (True, True)
    BrokerLogin.objects.update(token="")
    assert follower_of(trader.pk).facts["has_credentials"] is False


def test_a_connected_login_passes_its_preflight(alice: Client, sandbox: RunningSandbox) -> None:
    alice.get(CALLBACK, allow(begin(alice), sandbox))
    login = BrokerLogin.objects.get()
    page = alice.post(reverse("broker_preflight", args=[login.pk]), follow=True).content.decode()
    assert "are ready to trade" in page
    assert "Token until" in page


def refused(browser: Client, brought: dict[str, str]) -> str:
    answer = browser.get(CALLBACK, brought)
    assert answer.status_code == 400
    assert not BrokerLogin.objects.filter(auth_kind=AuthKind.OAUTH).exists()
    text = answer.content.decode()
    assert "is not connected" in text
    return text


def test_a_state_is_good_once(alice: Client, sandbox: RunningSandbox) -> None:
    address = begin(alice)
    first = allow(address, sandbox)
    alice.get(CALLBACK, first)
    BrokerLogin.objects.all().delete()
    again = allow(address, sandbox)
    assert again["state"] == first["state"]
    assert "used already" in refused(alice, again)


def test_two_requests_at_once_use_a_state_once(alice: Client, cast: Cast, sandbox: RunningSandbox) -> None:
    """Each has read the session before the other wrote it."""
    address = begin(alice)
    codes = [allow(address, sandbox), allow(address, sandbox)]
    waiting = alice.session[SESSION_KEY]
    alice.get(CALLBACK, codes[0])
    BrokerLogin.objects.all().delete()
    session = alice.session
    session[SESSION_KEY] = waiting
    session.save()
    assert "at this very moment" in refused(alice, codes[1])


def test_a_state_is_used_up_also_by_a_code_that_fails(alice: Client, sandbox: RunningSandbox) -> None:
    address = begin(alice)
    brought = allow(address, sandbox)
    assert "refused the sign-in" in refused(alice, brought | {"code": "guessed"})
    assert "used already" in refused(alice, allow(address, sandbox))


def test_a_state_belongs_to_the_session_that_began(alice: Client, cast: Cast, sandbox: RunningSandbox) -> None:
    brought = allow(begin(alice), sandbox)
    assert "another browser" in refused(browser_of(cast.alice), brought)


def test_a_state_belongs_to_the_user_who_began(
    alice: Client, charlie: Client, cast: Cast, sandbox: RunningSandbox
) -> None:
    """Somebody else's code must not end in my account, nor mine in theirs."""
    brought = allow(begin(alice), sandbox)
    assert "another user" in refused(charlie, brought)
    session = charlie.session
    session[SESSION_KEY] = alice.session[SESSION_KEY]
    session.save()
    assert "another user" in refused(charlie, brought)


def test_a_state_ends_after_ten_minutes(
    alice: Client, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = allow(begin(alice), sandbox)
    later = datetime.now(UTC) + timedelta(seconds=STATE_SECONDS + 2)
    monkeypatch.setattr(signing.time, "time", later.timestamp)
    assert "longer than ten minutes" in refused(alice, brought)


@pytest.mark.parametrize("state", ["", "x", "WyJhIiwiYiJd:1w:c2lnbmVkLWJ5LW5vYm9keQ", "a:b:c"])
def test_a_state_that_we_did_not_sign_is_refused(state: str, alice: Client, sandbox: RunningSandbox) -> None:
    brought = allow(begin(alice), sandbox)
    before = len(sandbox.arrivals())
    assert "not made here" in refused(alice, brought | {"state": state})
    assert len(sandbox.arrivals()) == before


def test_a_state_is_for_one_broker(alice: Client, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from brokers.registry import VENUES

    monkeypatch.setitem(VENUES, "other", VENUES["tradovate"])
    brought = allow(begin(alice), sandbox)
    answer = alice.get(reverse("broker_oauth_callback", args=["other"]), brought)
    assert answer.status_code == 400
    assert not BrokerLogin.objects.exists()


def test_a_refusal_on_the_brokers_page_is_said(alice: Client, sandbox: RunningSandbox) -> None:
    brought = allow(begin(alice), sandbox)
    assert "access was not allowed" in refused(alice, {"error": "access_denied", "state": brought["state"]})


def test_signing_in_again_takes_the_same_name_only(alice: Client, cast: Cast, sandbox: RunningSandbox) -> None:
    login = BrokerLoginFactory(owner=cast.alice, username=sandbox.accounts[1].username)
    wrong = allow(begin(alice, login=str(login.pk)), sandbox, 0)
    assert "this login is" in refused(alice, wrong)
    right = allow(begin(alice, login=str(login.pk)), sandbox, 1)
    assert alice.get(CALLBACK, right).status_code == 302
    login.refresh_from_db()
    assert (login.auth_kind, login.secrets) == (AuthKind.OAUTH, {})


def test_charlie_cannot_begin_for_alices_login(charlie: Client, hers: Chain, sandbox: RunningSandbox) -> None:
    assert charlie.post(START, ASKED, query_params={"login": str(hers.login.pk)}).status_code == 404


def test_without_agreement_or_registration_nobody_is_sent_anywhere(
    alice: Client, sandbox: RunningSandbox, settings: Any
) -> None:
    page = alice.post(START, {"environment": "sandbox"})
    assert (page.status_code, "needs your agreement" in page.content.decode()) == (200, True)
    page = alice.post(START, ASKED | {"environment": "demo"})
    assert (page.status_code, "MISSING_OAUTH_CLIENT" in page.content.decode()) == (200, True)
    settings.OAUTH_CLIENTS = {"tradovate": ("client-7", "a-client-secret", "https://trader.example.com/oauth", "")}
    answer = alice.post(START, ASKED | {"environment": "demo"})
    assert answer["Location"].startswith("https://trader.example.com/oauth?")
    assert "a-client-secret" not in answer["Location"]
    page = alice.get(reverse("broker_connect_venue", args=["tradovate"]))
    assert "https://trader.example.com" in page["Content-Security-Policy"]
