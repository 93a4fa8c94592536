"""Connecting and asking in a real browser, against the sandbox."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from brokers.models import AuthKind, BrokerAccount, BrokerAgreement, BrokerLogin
from brokers.sandbox.testing import RunningSandbox
from justtrades.testing import Cast
from tests.pages.test_browser import OpenScreen

pytestmark = pytest.mark.browser

SIZES = [(1440, 900), (390, 844)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_login_is_picked_connected_and_asked(
    width: int, height: int, screen_of: OpenScreen, cast: Cast, broker_sandbox: RunningSandbox
) -> None:
    known = broker_sandbox.accounts[4]
    screen = screen_of(cast.alice, width=width, height=height)
    page = screen.open(reverse("broker_connect"))
    card = page.locator("#pick-tradovate")
    card.get_by_text("Its rules on automated trading").click()
    card.get_by_label("I have read this and I agree").check()
    card.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Connect Tradovate")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("Environment").select_option("sandbox")
    page.get_by_label("Username").fill(known.username)
    page.get_by_label("Password").fill(known.password)
    page.get_by_role("button", name="Sign in and list accounts").click()
    expect(page.get_by_text("is connected with 1 account.")).to_be_visible()
    page.get_by_role("button", name="Run pre-flight").click()
    expect(page.get_by_text("ready to trade.")).to_be_visible()
    expect(page.get_by_text("Pre-flight passed")).to_be_visible()
    page.get_by_text("Pre-flight passed").click()
    expect(page.get_by_text("the broker signs this login in")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Yes, delete this login").click()
    expect(page.get_by_text("No broker login yet")).to_be_visible()
    assert screen.alarms == []
    assert BrokerLogin.objects.get().secrets is None
    assert BrokerAccount.objects.get().preflight != []
    assert BrokerAgreement.objects.get().owner == cast.alice


def test_the_brokers_own_page_leads_there_and_back(
    screen_of: OpenScreen, cast: Cast, broker_sandbox: RunningSandbox
) -> None:
    known = broker_sandbox.accounts[3]
    screen = screen_of(cast.alice)
    page = screen.open(reverse("broker_connect_venue", args=["tradovate"]))
    page.get_by_label("I have read this and I agree").check()
    page.get_by_label("Environment").select_option("sandbox")
    page.get_by_role("button", name="Sign in on the broker's page").click()
    expect(page.get_by_role("heading", name="Tradovate sandbox")).to_be_visible()
    page.get_by_label("Username").fill(known.username)
    page.get_by_label("Password").fill(known.password)
    page.get_by_role("button", name="Allow access").click()
    expect(page.get_by_text("is connected with 1 account.")).to_be_visible()
    assert screen.alarms == []
    assert BrokerLogin.objects.get().auth_kind == AuthKind.OAUTH
