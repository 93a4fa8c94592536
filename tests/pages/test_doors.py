"""Who gets in where: each page for its owner, nothing of it for anybody else."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from justtrades.testing import Cast
from tests.factories import Chain, CommandFactory
from tests.risk_factories import AlarmFactory, BreakFactory, RiskActionFactory, RiskLimitFactory, SwitchFactory

PAGES = (
    "dashboard", "signals", "positions", "orders", "recorders", "recorder_new", "traders", "trader_new", "brokers",
    "broker_connect", "risk", "risk_switches", "risk_alarms", "risk_history", "risk_limit_new", "risk_flatten",
    "risk_disable", "breaks", "profile", "mfa_index", "account_change_password",
    "account_email",
)  # fmt: skip
PANELS = ("status", "positions", "signals", "recorders", "orders", "fills", "breaks")
OWNED = {
    "signal": "signal", "signal_traces": "signal", "trace": ("signal", "trader"),
    "recorder": "recorder", "recorder_edit": "recorder", "recorder_rotate": "recorder", "recorder_delete": "recorder",
    "recorder_test_alert": "recorder", "recorder_quota": "recorder",
    "recorder_clone": "recorder", "recorder_revoke": "recorder",
    "chain_converge": ("recorder", "chain"),
    "trader_edit": "trader", "trader_enable": "trader", "trader_disable": "trader", "trader_delete": "trader",
    "broker_enable": "login", "broker_disable": "login", "broker_reconnect": "login", "broker_preflight": "login",
    "broker_approve": "login", "broker_delete": "login",
    "venue_limits": "account",
    "break_resolve": "break",
    "risk_rules": "account", "risk_high_water": "account", "risk_pack": "account", "risk_pack_remove": "account",
    "risk_limit_edit": "limit", "risk_limit_remove": "limit", "risk_unlock": "action", "risk_alarm_seen": "alarm",
    "risk_switch_release": "switch", "risk_command": "command", "risk_command_progress": "command",
}  # fmt: skip
READ_ONLY = {
    "signal", "signal_traces", "trace", "recorder", "recorder_quota", "risk_command", "risk_command_progress",
}  # fmt: skip
MADE: dict[str, Callable[[Chain], Any]] = {
    "limit": lambda hers: RiskLimitFactory(account=hers.account),
    "action": lambda hers: RiskActionFactory(limit__account=hers.account),
    "alarm": lambda hers: AlarmFactory(account=hers.account),
    "break": lambda hers: BreakFactory(account=hers.account),
    "switch": lambda hers: SwitchFactory(owner=hers.recorder.owner),
    "command": lambda hers: CommandFactory(owner=hers.recorder.owner),
}
"""Rows that no chain has, made where a page is about one."""
POST_ONLY = {
    "recorder_rotate", "recorder_delete", "recorder_test_alert", "trader_enable", "trader_disable", "trader_delete",
    "broker_enable", "broker_disable", "broker_reconnect", "broker_preflight",
    "recorder_clone", "recorder_revoke", "chain_converge",
    "risk_limit_remove", "risk_high_water", "risk_pack_remove", "risk_alarm_seen",
}  # fmt: skip


def every_row() -> dict[str, list[tuple[Any, ...]]]:
    """All of the product's tables, to the last column."""
    product = {"accounts", "billing", "brokers", "recorders", "traders", "risk", "execution"}
    return {
        model._meta.label: sorted(model._default_manager.values_list(), key=repr)
        for model in apps.get_models()
        if model._meta.app_label in product
    }


def address(name: str, hers: Chain) -> str:
    rows = OWNED[name]
    return reverse(name, args=[row_of(hers, row).pk for row in ((rows,) if isinstance(rows, str) else rows)])


def row_of(hers: Chain, name: str) -> Any:
    return MADE[name](hers) if name in MADE else getattr(hers, name)


def test_every_page_with_an_id_is_in_the_sweep() -> None:
    apps_of_ours = ("execution", "recorders", "traders", "brokers", "accounts")
    with_id = {
        pattern.name
        for app in apps_of_ours
        for pattern in import_module(f"{app}.urls").urlpatterns
        if "<uuid" in str(pattern.pattern)
    }
    assert with_id == set(OWNED)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_for_its_owner(name: str, alice: Client, hers: Chain) -> None:
    response = alice.get(reverse(name), follow=True)
    assert response.status_code == 200
    assert "<h1" in response.content.decode()


@pytest.mark.parametrize("name", PANELS)
def test_every_panel_opens_for_its_owner_and_is_not_kept(name: str, alice: Client, hers: Chain) -> None:
    response = alice.get(reverse("panel", args=[name]))
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", sorted(set(OWNED) - POST_ONLY))
def test_every_page_of_a_row_opens_for_its_owner(name: str, alice: Client, hers: Chain) -> None:
    assert alice.get(address(name, hers), follow=True).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_is_sent_to_sign_in(name: str, client: Client, db: None) -> None:
    response = client.get(reverse(name))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


def methods_of(name: str) -> set[str]:
    if name in POST_ONLY:
        return {"post"}
    return {"get", "head"} if name in READ_ONLY else {"get", "post"}


@pytest.mark.parametrize("name", sorted(OWNED))
def test_charlie_finds_nothing_and_changes_nothing(name: str, charlie: Client, hers: Chain) -> None:
    path, before = address(name, hers), every_row()
    for method in ("get", "head", "post", "put", "patch", "delete"):
        response = getattr(charlie, method)(path, {"name": "x", "action": "buy", "ticker": "MES1!"})
        assert response.status_code == (404 if method in methods_of(name) else 405), method
    assert every_row() == before


@pytest.mark.parametrize("name", sorted(POST_ONLY))
def test_nothing_is_changed_by_a_get(name: str, alice: Client, hers: Chain) -> None:
    path, before = address(name, hers), every_row()
    assert alice.get(path).status_code == 405
    assert every_row() == before


@pytest.mark.parametrize("path", ["/", "/signals/", "/positions/", "/orders/", "/recorders/", "/traders/", "/brokers/"])
def test_each_sees_only_what_is_theirs(path: str, alice: Client, hers: Chain, his: Chain) -> None:
    text = alice.get(path).content.decode()
    for row in (his.recorder, his.account, his.login, his.signal, his.trader, his.position, his.order):
        assert str(row.pk) not in text
    assert his.recorder.name not in text
    assert his.account.name not in text


def test_a_trader_cannot_be_made_on_another_owners_account(alice: Client, hers: Chain, his: Chain) -> None:
    before = every_row()
    form = {"recorder": hers.recorder.pk, "account": his.account.pk, "multiplier": "1", "max_contracts": "5"}
    response = alice.post(reverse("trader_new"), form)
    assert response.status_code == 200
    assert "Select a valid choice" in response.content.decode()
    assert every_row() == before


def test_pages_carry_the_policy_and_no_inline_code(alice: Client, hers: Chain) -> None:
    paths = ["/", "/signals/", "/positions/", "/orders/", "/recorders/", "/traders/", "/brokers/", "/settings/"]
    paths += ["/risk/", "/risk/switches/", "/risk/limits/new/"]
    for path in [*paths, address("signal", hers), address("recorder", hers), "/accounts/2fa/"]:
        response = alice.get(path)
        assert "script-src 'self'" in response["Content-Security-Policy"]
        assert "unsafe" not in response["Content-Security-Policy"]
        text = response.content.decode()
        assert " style=" not in text, path
        assert " onclick=" not in text, path


def test_a_user_who_waits_for_approval_is_told(cast: Cast, alice: Client) -> None:
    assert "waits for approval" not in alice.get("/").content.decode()
    cast.alice.is_approved = False
    cast.alice.save()
    assert "waits for approval" in alice.get("/").content.decode()
