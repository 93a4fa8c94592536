"""Unlocking, closing everything and the kill switch: what is asked before, and what follows."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from execution.models import Command, Flatten
from justtrades import clock
from justtrades.testing import PASSWORD, Cast, browser_of
from risk.models import Switch
from tests.factories import BrokerPositionFactory, Chain
from tests.risk_factories import (
    RiskActionFactory,
    SwitchFactory,
)


def text_of(client: Client, path: str) -> str:
    """The page's words, without its markup's line breaks."""
    return " ".join(client.get(path).content.decode().split())


@pytest.fixture
def with_password(cast: Cast) -> Client:
    """Alice's browser; she has a password that can be asked for."""
    cast.alice.set_password(PASSWORD)
    cast.alice.save()
    return browser_of(cast.alice)


def test_unlocking_asks_for_the_password_and_then_does_it(with_password: Client, hers: Chain) -> None:
    lock = RiskActionFactory(limit__account=hers.account)
    page = text_of(with_password, "/risk/")
    assert "No entry until" in page
    address = reverse("risk_unlock", args=[lock.pk])
    assert address in page
    assert "Entries pass again at once" in text_of(with_password, address)
    asked = with_password.post(address)
    assert asked.status_code == 302
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    lock.refresh_from_db()
    assert lock.unlocked_at is None
    done = with_password.post(asked["Location"], {"password": PASSWORD, "next": address}, follow=True)
    assert f"{hers.account.name} is unlocked" in done.content.decode()
    lock.refresh_from_db()
    assert lock.unlocked_by == hers.recorder.owner


def test_a_lock_that_only_staff_may_lift_offers_no_button(alice: Client, hers: Chain) -> None:
    lock = RiskActionFactory(limit__account=hers.account, limit__owner_may_unlock=False)
    address = reverse("risk_unlock", args=[lock.pk])
    assert address not in text_of(alice, "/risk/")
    assert "Only an administrator may lift this lock" in text_of(alice, address)
    alice.post(address)
    lock.refresh_from_db()
    assert lock.unlocked_at is None


def test_flattening_says_what_it_will_do_asks_and_reports_each_account(with_password: Client, hers: Chain) -> None:
    BrokerPositionFactory(account=hers.account)
    assert "Closes 1 position on 1 account, cancels 0 orders." in text_of(with_password, "/risk/flatten/")
    asked = with_password.post("/risk/flatten/")
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert not Command.objects.exists()
    done = with_password.post(asked["Location"], {"password": PASSWORD, "next": "/risk/flatten/"}, follow=True)
    command = Command.objects.get()
    page = done.content.decode()
    assert "0 of 1 accounts verified flat" in " ".join(page.split())
    assert hers.account.name in page
    Flatten.objects.update(status="flat", flat_at=clock.now())
    progress = text_of(with_password, reverse("risk_command_progress", args=[command.pk]))
    assert "Every account is flat, verified" in progress


def test_where_nothing_is_open_there_is_nothing_to_confirm(charlie: Client, cast: Cast) -> None:
    page = text_of(charlie, "/risk/flatten/")
    assert "there is nothing to close" in page
    assert "Yes, flatten everything" not in page


def test_disabling_all_switches_every_trader_off(alice: Client, hers: Chain, his: Chain) -> None:
    assert "Switches 1 trader off." in text_of(alice, "/risk/disable/")
    assert alice.post("/risk/disable/").status_code == 302
    for chain, is_on in ((hers, False), (his, True)):
        chain.trader.refresh_from_db()
        assert chain.trader.is_enabled is is_on


def test_the_kill_switch_is_tripped_and_released(alice: Client, cast: Cast, hers: Chain) -> None:
    assert "The whole platform" not in text_of(alice, "/risk/switches/")
    form = {"target": f"account:{hers.account.pk}", "mode": "halt", "reason": "the news"}
    assert alice.post("/risk/switches/", {**form, "target": "platform"}).status_code == 200
    assert alice.post("/risk/switches/", {**form, "reason": " "}).status_code == 200
    assert not Switch.objects.exists()
    alice.post("/risk/switches/", form)
    switch = Switch.objects.get()
    assert (switch.scope, switch.target, switch.owner, switch.actor) == (
        "account", str(hers.account.pk), cast.alice, cast.alice,
    )  # fmt: skip
    assert f"{hers.account.name}</span>" in text_of(alice, "/risk/switches/")
    assert "Halt" in text_of(alice, "/risk/")
    alice.post(reverse("risk_switch_release", args=[switch.pk]))
    switch.refresh_from_db()
    assert switch.released_by == cast.alice


def test_what_staff_stopped_staff_lets_go_on(alice: Client, cast: Cast) -> None:
    stopped = SwitchFactory(owner=cast.alice, actor=cast.bob)
    everybody = SwitchFactory(owner=None, actor=cast.bob, scope="platform", target="")
    assert "only an administrator may release it" in text_of(alice, "/risk/switches/")
    alice.post(reverse("risk_switch_release", args=[stopped.pk]))
    assert alice.post(reverse("risk_switch_release", args=[everybody.pk])).status_code == 404
    staff = browser_of(cast.bob)
    for switch in (stopped, everybody):
        switch.refresh_from_db()
        assert switch.released_at is None
        staff.post(reverse("risk_switch_release", args=[switch.pk]))
        switch.refresh_from_db()
        assert switch.released_by == cast.bob
