"""Each other venue is connected and asked through the same pages, against its own sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from brokers.models import BrokerAccount, BrokerLogin
from brokers.sandbox.testing import RunningSandbox, running_sandbox


def listen(sandbox: RunningSandbox, settings: Any) -> None:
    urls = (sandbox.rest_url, sandbox.ws_url, sandbox.md_url)
    settings.BROKER_ENDPOINTS = {**settings.BROKER_ENDPOINTS, (sandbox.venue_name, "sandbox"): urls}


def typed(sandbox: RunningSandbox, **more: str) -> dict[str, str]:
    known = sandbox.accounts[0]
    return {
        "environment": "sandbox", "username": known.username, "password": known.password, "agree": "on", **more,
    }  # fmt: skip


def preflight(browser: Client) -> list[tuple[str, dict[str, bool]]]:
    """By account, whether each check passed."""
    browser.post(reverse("broker_preflight", args=[BrokerLogin.objects.get().pk]))
    accounts = BrokerAccount.objects.order_by("name")
    return [(one.name, {check["code"]: check["is_ok"] for check in one.preflight}) for one in accounts]


def test_a_firm_on_projectx(alice: Client, settings: Any) -> None:
    with running_sandbox(accounts=1, venue="projectx") as sandbox:
        listen(sandbox, settings)
        address = reverse("broker_connect_venue", args=["projectx"]) + "?firm=e8"
        assert "refused to sign in" in alice.post(address, typed(sandbox, password="wrong-key")).content.decode()
        page = alice.post(address, typed(sandbox), follow=True).content.decode()
        assert "is connected with" in page
        login = BrokerLogin.objects.get()
        assert (login.firm, login.settings, login.token_expires_at is not None) == ("e8", {}, True)
        assert "E8 Futures" in page
        (name, checks), *_ = preflight(alice)
        assert name == BrokerAccount.objects.get().name
        assert checks["SIGN_IN"] is True
        assert all(checks.values()), checks


def test_a_webull_key_waits_for_the_phone(alice: Client, settings: Any) -> None:
    with running_sandbox(accounts=1, venue="webull") as sandbox:
        listen(sandbox, settings)
        sandbox.switches(token_check=True)
        page = alice.post(reverse("broker_connect_venue", args=["webull"]), typed(sandbox), follow=True)
        assert "Approve the sign-in" in page.content.decode()
        login = BrokerLogin.objects.get()
        assert (login.awaits_approval, login.is_enabled) == (True, False)
        approve = reverse("broker_approve", args=[login.pk])
        assert "still waits" in alice.post(approve).content.decode()
        sandbox.switches(auto_approve=True)
        assert "is connected with" in alice.post(approve, follow=True).content.decode()
        login.refresh_from_db()
        assert (login.awaits_approval, login.is_enabled) == (False, True)
        kinds = set(BrokerAccount.objects.values_list("kind", flat=True))
        assert "FUTURES" in kinds
        checks = dict(preflight(alice))
        assert len(checks) > 1
        assert all(check.get("SIGN_IN") for check in checks.values()), checks


def test_a_paper_account_needs_nobody(alice: Client, cast: Any) -> None:
    address = reverse("broker_connect_venue", args=["paper"])
    page = alice.get(address).content.decode()
    assert 'name="agree"' not in page
    assert 'value="50000"' in page
    given = {
        "environment": "demo",
        "username": "Practice",
        "balance": "no money",
        "commission": "0",
        "slippage_ticks": "0",
    }
    assert "balance" in alice.post(address, given).content.decode()
    assert not BrokerLogin.objects.exists()
    assert (
        "is connected with 1 account" in alice.post(address, given | {"balance": "2500"}, follow=True).content.decode()
    )
    login = BrokerLogin.objects.get()
    assert (login.secrets, login.settings["balance"]) == ({}, "2500")
    account = BrokerAccount.objects.get()
    assert (account.is_simulated, account.is_real_money) == (True, False)
    assert preflight(alice)[0][1]["SIGN_IN"] is True


@pytest.mark.parametrize("venue", ["tradovate", "ninjatrader"])
def test_tradovates_two_doors(venue: str, alice: Client, sandbox: RunningSandbox, settings: Any) -> None:
    urls = (sandbox.rest_url, sandbox.ws_url, sandbox.md_url)
    settings.BROKER_ENDPOINTS = {**settings.BROKER_ENDPOINTS, (venue, "sandbox"): urls}
    alice.post(reverse("broker_connect_venue", args=[venue]), typed(sandbox))
    assert BrokerLogin.objects.get().venue == venue
    assert all(preflight(alice)[0][1].values())
