"""The page of one's logins: how each is, what can be done, and how it ends."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from brokers.access import Priority
from brokers.budget.budgets import Budgets
from brokers.models import BrokerAccount, BrokerLogin
from brokers.sandbox.testing import RunningSandbox
from brokers.services.budgets import rules_of
from justtrades import clock
from justtrades.testing import Cast
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, BrokerPositionFactory, Chain, PositionFactory
from tests.ready import sign_in_of


@pytest.fixture
def login(cast: Cast, sandbox: RunningSandbox) -> BrokerLogin:
    """Alice's login at the sandbox, with its account."""
    known = sandbox.accounts[3]
    made = BrokerLoginFactory(owner=cast.alice, **sign_in_of(known))
    BrokerAccountFactory(login=made, name=known.name, broker_id=str(known.id))
    return made


def act(browser: Client, name: str, login: BrokerLogin) -> str:
    return browser.post(reverse(name, args=[login.pk]), follow=True).content.decode()


def test_each_login_says_how_it_is(alice: Client, login: BrokerLogin) -> None:
    until = clock.now() + timedelta(minutes=70)
    BrokerLogin.objects.update(state="stale", state_at=clock.now(), token_expires_at=until)
    page = alice.get(reverse("brokers")).content.decode()
    for shown in (login.username, "Tradovate", "Sandbox", "Stale", "The connection is silent", "Token until"):
        assert shown in page
    assert "Simulated" in page
    assert "Pre-flight" not in page


def test_requests_that_are_left_are_shown(alice: Client, login: BrokerLogin) -> None:
    in_sandbox = [(limit.scope, limit.requests) for limit in rules_of(login).limits]
    assert in_sandbox == [("login", 120_000)], "it hears in an hour what a venue hears in a day"
    BrokerLogin.objects.update(environment="demo")
    login.refresh_from_db()
    rules = rules_of(login)
    budgets = Budgets(settings.BUDGETS_URL)
    try:
        budgets.shared(rules.login_id, rules.venue, rules.limits).spend(Priority.POLL, "order/list", 7)
        page = alice.get(reverse("brokers")).content.decode()
        assert "7 of 5000" in page
        assert "<meter" in page
        assert rules.venue == "tradovate demo"
        budgets.shared(rules.login_id, rules.venue, rules.limits).penalise(clock.now() + timedelta(minutes=5))
        assert "silent until" in alice.get(reverse("brokers")).content.decode()
    finally:
        budgets.stop()


def test_fifty_logins_cost_no_more_queries_than_one(
    alice: Client, cast: Cast, login: BrokerLogin, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(20) as few:
        alice.get(reverse("brokers"))
    for _ in range(49):
        BrokerAccountFactory.create_batch(2, login=BrokerLoginFactory(owner=cast.alice))
    with django_assert_max_num_queries(len(few.captured_queries)):
        page = alice.get(reverse("brokers"))
    assert page.content.decode().count("Run pre-flight") == 50


def test_the_list_decrypts_nothing(alice: Client, login: BrokerLogin) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE brokers_brokerlogin SET secrets = 'no ciphertext', token = 'no ciphertext'")
    assert alice.get(reverse("brokers")).status_code == 200
    assert alice.get(reverse("broker_delete", args=[login.pk])).status_code == 200


def test_reconnecting_is_asked_of_the_lane(alice: Client, login: BrokerLogin) -> None:
    before = clock.now()
    assert "connected anew" in act(alice, "broker_reconnect", login)
    login.refresh_from_db()
    assert login.reconnect_at is not None
    assert login.reconnect_at >= before


def test_what_is_off_is_not_reconnected(alice: Client, login: BrokerLogin) -> None:
    act(alice, "broker_disable", login)
    assert "switched off" in act(alice, "broker_reconnect", login)
    login.refresh_from_db()
    assert (login.is_enabled, login.reconnect_at) == (False, None)
    assert "connects within a few seconds" in act(alice, "broker_enable", login)
    login.refresh_from_db()
    assert login.is_enabled is True


def test_a_preflight_shows_each_check(alice: Client, login: BrokerLogin) -> None:
    assert "ready to trade" in act(alice, "broker_preflight", login)
    account = BrokerAccount.objects.get()
    assert account.preflight_at is not None
    assert [check["is_ok"] for check in account.preflight] == [True] * len(account.preflight)
    assert {"SIGN_IN", "ACCOUNT", "CONTRACT"} <= {check["code"] for check in account.preflight}
    page = alice.get(reverse("brokers")).content.decode()
    for check in account.preflight:
        assert check["text"] in page


def test_a_failed_preflight_names_the_account_and_the_check(alice: Client, login: BrokerLogin) -> None:
    BrokerAccount.objects.update(broker_id="999999")
    page = act(alice, "broker_preflight", login)
    assert f"Not ready to trade: {BrokerAccount.objects.get().name}" in page
    assert "Pre-flight failed" in page
    failure = BrokerAccount.objects.get().preflight_failure
    assert failure is not None
    assert failure["code"] == "ACCOUNT"


def test_a_broker_out_of_reach_is_a_failed_preflight(
    alice: Client, login: BrokerLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    urls = (f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}", "")
    monkeypatch.setattr(settings, "BROKER_ENDPOINTS", {("tradovate", "sandbox"): urls})
    assert "Not ready to trade" in act(alice, "broker_preflight", login)
    monkeypatch.setattr(settings, "BROKER_ENDPOINTS", {("tradovate", "sandbox"): ("", "", "")})
    act(alice, "broker_preflight", login)
    failure = BrokerAccount.objects.get().preflight_failure
    assert failure is not None
    assert failure["code"] == "MISSING_ENDPOINT"


def test_deleting_is_refused_while_something_depends_on_it(alice: Client, hers: Chain) -> None:
    BrokerPositionFactory(account=hers.account, symbol="MNQZ6", net_qty=-2)
    page = alice.get(reverse("broker_delete", args=[hers.login.pk])).content.decode()
    name = hers.account.name
    for obstacle in (
        f"The trader of {hers.recorder.name} on {name} is on", f"{name} holds -2 MNQZ6", f"{name} holds +1 MESZ6",
    ):  # fmt: skip
        assert obstacle in page
    assert "Yes, delete" not in page
    page = act(alice, "broker_delete", hers.login)
    assert "switch it off first" in page
    hers.login.refresh_from_db()
    assert (hers.login.deleted_at, hers.login.is_enabled) == (None, True)


def test_a_deleted_login_is_wiped_and_its_history_stays(alice: Client, hers: Chain, login: BrokerLogin) -> None:
    hers.trader.is_enabled = False
    hers.trader.save()
    PositionFactory._meta.model.objects.update(net_qty=0)
    BrokerLogin.objects.update(token="a-token", token_expires_at=clock.now())
    page = alice.get(reverse("broker_delete", args=[hers.login.pk])).content.decode()
    assert hers.account.name in page
    assert "and its secrets with it" in act(alice, "broker_delete", hers.login)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets, token FROM brokers_brokerlogin WHERE id = %s", [hers.login.pk])
        assert cursor.fetchone() == ("", "")
    hers.login.refresh_from_db()
    assert (hers.login.is_enabled, hers.login.token_expires_at) == (False, None)
    assert hers.login.deleted_at is not None
    listed = alice.get(reverse("brokers")).content.decode()
    assert hers.login.username not in listed
    assert login.username in listed
    assert alice.get(reverse("broker_delete", args=[hers.login.pk])).status_code == 404
    assert alice.get(reverse("orders")).status_code == 200
    hers.order.refresh_from_db()


def test_connecting_a_deleted_login_brings_it_back(alice: Client, login: BrokerLogin, sandbox: RunningSandbox) -> None:
    act(alice, "broker_delete", login)
    known = sandbox.accounts[3]
    form = {"environment": "sandbox", "username": known.username, "password": known.password, "agree": "on"}
    alice.post(reverse("broker_connect_venue", args=["tradovate"]), form)
    again = BrokerLogin.objects.get()
    assert (again.pk, again.deleted_at, again.is_enabled) == (login.pk, None, True)
    assert BrokerAccount.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["broker_enable", "broker_disable", "broker_reconnect", "broker_preflight", "broker_delete"]
)
def test_charlie_does_nothing_to_alices_login(
    name: str, charlie: Client, login: BrokerLogin, sandbox: RunningSandbox
) -> None:
    before = (BrokerLogin.objects.values().get(), BrokerAccount.objects.values().get(), len(sandbox.arrivals()))
    assert charlie.post(reverse(name, args=[login.pk])).status_code == 404
    assert (BrokerLogin.objects.values().get(), BrokerAccount.objects.values().get(), len(sandbox.arrivals())) == before
