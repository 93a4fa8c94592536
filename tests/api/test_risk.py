"""Limits, rules, packs, locks, gauges and the operator's look at the monitors, over the API."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from execution import health
from execution.models import Heartbeat
from justtrades import clock
from justtrades.testing import PASSWORD, Cast, api_client_for
from risk.models import AccountRules, PackAssignment, RiskAction, RiskEvent, RiskLimit
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, Chain
from tests.risk_factories import (
    AccountDayFactory,
    AccountEquityFactory,
    PackAssignmentFactory,
    RiskActionFactory,
    RiskLimitFactory,
    SwitchFactory,
)

STATUS = "/api/admin/max-loss-monitor/status"


@pytest.fixture
def staff(cast: Cast) -> APIClient:
    return api_client_for(cast.bob)


def test_limits_are_set_changed_and_removed(alice: APIClient, hers: Chain) -> None:
    given = {"scope": "account", "account": str(hers.account.pk), "kind": "daily_loss", "amount": "500"}
    made = alice.post("/api/risk/limits/", given, format="json")
    assert made.status_code == 201, made.json()
    row = made.json()
    assert (row["amount"], row["unit"], row["text"]) == ("500", "dollars", "Daily loss 500 $")
    again = alice.post("/api/risk/limits/", given, format="json")
    assert (again.status_code, list(again.json()["errors"])) == (400, ["kind"])
    address = f"/api/risk/limits/{row['id']}/"
    assert alice.patch(address, {"amount": "250.50"}, format="json").json()["amount"] == "250.5"
    assert list(alice.patch(address, {"kind": "weekly_loss"}, format="json").json()["errors"]) == ["kind"]
    assert alice.get("/api/risk/limits/", {"kind": "daily_loss"}).json()["count"] == 1
    RiskActionFactory(limit=RiskLimit.objects.get())
    assert list(alice.patch(address, {"amount": "600"}, format="json").json()["errors"]) == ["amount"]
    assert alice.delete(address).status_code == 400
    RiskAction.objects.update(locks_until=clock.now())
    assert alice.delete(address).status_code == 204
    assert not RiskLimit.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "1e30"}, "amount"),
        ({"amount": None}, "amount"),
        ({"kind": "max_contracts", "amount": "1.5"}, "amount"),
        ({"unit": "percent", "amount": "100.01"}, "amount"),
        ({"scope": "recorder"}, "recorder"),
        ({"stop": 1}, "stop"),
    ],
)
def test_bad_input_names_its_field(given: dict[str, Any], field: str, alice: APIClient) -> None:
    usual = {"scope": "user", "kind": "daily_loss", "amount": "500"}
    answer = alice.post("/api/risk/limits/", {**usual, **given}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not RiskLimit.objects.exists()


def test_no_change_at_all_is_refused_and_leaves_no_trace(alice: APIClient, hers: Chain) -> None:
    limit = RiskLimitFactory(account=hers.account)
    for method, address in (
        ("patch", f"/api/risk/limits/{limit.pk}/"),
        ("put", f"/api/risk/rules/{hers.account.pk}/"),
    ):
        answer = getattr(alice, method)(address, {}, format="json")
        assert (answer.status_code, answer.json()["detail"]) == (400, "Say what to change: nothing was given.")
    assert (RiskEvent.objects.count(), AccountRules.objects.count()) == (0, 0)
    assert RiskLimit.objects.get().updated_at == limit.updated_at


def test_nothing_is_anybody_elses(alice: APIClient, charlie: APIClient, hers: Chain) -> None:
    limit = RiskLimitFactory(account=hers.account)
    lock, assignment = RiskActionFactory(limit=limit), PackAssignmentFactory(account=hers.account)
    for name, row in (("limits", limit), ("actions", lock), ("assignments", assignment)):
        address = f"/api/risk/{name}/{row.pk}/"
        assert alice.get(address).json()["id"] == str(row.pk)
        assert charlie.get(f"/api/risk/{name}/").json()["count"] == 0
        for method in ("get", "patch", "delete", "put"):
            answer = getattr(charlie, method)(address, {"amount": "1"}, format="json")
            assert answer.status_code in {404, 405}
    assert charlie.post(f"/api/risk/actions/{lock.pk}/unlock/").status_code == 404
    assert charlie.get(f"/api/risk/rules/{hers.account.pk}/").status_code == 404
    assert charlie.put(f"/api/risk/rules/{hers.account.pk}/", {}, format="json").status_code == 404
    pack = {"account": str(hers.account.pk), "pack": "topstep-50k", "version": 1, "start_balance": "50000"}
    assert list(charlie.post("/api/risk/assignments/", pack, format="json").json()["errors"]) == ["account"]
    mine = {"scope": "account", "account": str(hers.account.pk), "kind": "weekly_loss", "amount": "1"}
    assert list(charlie.post("/api/risk/limits/", mine, format="json").json()["errors"]) == ["account"]
    assert charlie.get("/api/risk/overview/").json()["accounts"] == []
    assert (RiskLimit.objects.count(), PackAssignment.objects.count(), RiskEvent.objects.count()) == (1, 1, 0)
    assert not AccountRules.objects.exists()


def test_a_filter_by_anothers_row_says_what_one_by_nobodys_says(
    alice: APIClient, charlie: APIClient, hers: Chain
) -> None:
    limit = RiskLimitFactory(account=hers.account)
    RiskLimitFactory(owner=hers.recorder.owner, account=None, trader=hers.trader, scope="trader", kind="weekly_loss")
    RiskLimitFactory(
        owner=hers.recorder.owner, account=None, recorder=hers.recorder, scope="recorder", is_enabled=False
    )
    lock = RiskActionFactory(limit=limit)
    narrowed = {"account": hers.account, "trader": hers.trader, "recorder": hers.recorder}
    for name, row in narrowed.items():
        for address in ("limits", "actions") if name == "account" else ("limits",):
            answers = [charlie.get(f"/api/risk/{address}/", {name: str(pk)}) for pk in (row.pk, uuid4())]
            assert [(one.status_code, one.json()["count"]) for one in answers] == [(200, 0)] * 2
            assert alice.get(f"/api/risk/{address}/", {name: str(row.pk)}).json()["count"] == 1
            assert list(alice.get(f"/api/risk/{address}/", {name: "x"}).json()["errors"]) == [name]
    for query, count in (({"scope": "trader"}, 1), ({"kind": "weekly_loss"}, 1), ({"is_enabled": "true"}, 2)):
        assert alice.get("/api/risk/limits/", query).json()["count"] == count
    for query, count in (({"status": "flat"}, 1), ({"status": "decided"}, 0), ({"session": str(lock.session)}, 1)):
        assert alice.get("/api/risk/actions/", query).json()["count"] == count


def test_rules_of_an_account_are_the_usual_ones_until_somebody_sets_them(alice: APIClient, hers: Chain) -> None:
    address = f"/api/risk/rules/{hers.account.pk}/"
    usual = alice.get(address).json()
    assert (usual["roll_at"], usual["roll_zone"], usual["fee_per_contract"]) == ("17:00:00", "America/Chicago", "0")
    assert not AccountRules.objects.exists()
    said = alice.put(address, {"fee_per_contract": "2.25", "roll_at": "00:00"}, format="json").json()
    assert (said["fee_per_contract"], said["roll_at"], said["unprotected_after_s"]) == ("2.25", "00:00:00", 5)
    answer = alice.put(address, {"roll_zone": "Nowhere/At_all"}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["roll_zone"])


def test_an_account_is_put_under_a_firms_rules(alice: APIClient, hers: Chain) -> None:
    packs = {pack["name"]: pack for pack in alice.get("/api/risk/packs/").json()}
    assert packs["topstep-50k"]["rules"]["trailing_drawdown"]["amount"] == "2000"
    given = {"account": str(hers.account.pk), "pack": "topstep-50k", "version": 1, "start_balance": "50000"}
    made = alice.post("/api/risk/assignments/", given, format="json")
    assert (made.status_code, made.json()["account_name"]) == (201, hers.account.name)
    answer = alice.post("/api/risk/assignments/", {**given, "version": 99}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["pack"])
    assert alice.delete(f"/api/risk/assignments/{made.json()['id']}/").status_code == 204
    assert not PackAssignment.objects.exists()


@pytest.mark.usefixtures("fresh_throttle")
def test_unlocking_asks_for_the_password_once_more(alice: APIClient, cast: Cast, hers: Chain) -> None:
    cache.clear()
    cast.alice.set_password(PASSWORD)
    cast.alice.save()
    lock = RiskActionFactory(limit__account=hers.account)
    address = f"/api/risk/actions/{lock.pk}/unlock/"
    assert alice.get(f"/api/risk/actions/{lock.pk}/").json()["may_unlock"] is True
    for given in ({}, {"password": "wrong"}):
        answer = alice.post(address, given, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    lock.refresh_from_db()
    assert lock.unlocked_at is None
    answer = alice.post(address, {"password": PASSWORD}, format="json")
    assert (answer.status_code, answer.json()["is_locked"]) == (200, False)
    assert alice.post(address, {"password": PASSWORD}, format="json").status_code == 400
    tries = [alice.post(address, {"password": "guess"}, format="json").status_code for _ in range(4)]
    assert tries[-1] == 429


def test_staff_unlocks_what_its_owner_may_not(alice: APIClient, staff: APIClient, hers: Chain) -> None:
    lock = RiskActionFactory(limit__account=hers.account, limit__owner_may_unlock=False)
    address = f"/api/risk/actions/{lock.pk}/unlock/"
    assert alice.post(address).status_code == 400
    assert staff.get(f"/api/risk/actions/{lock.pk}/").status_code == 404
    assert staff.post(address).status_code == 200
    assert RiskEvent.objects.get().actor.email == "bob@example.com"


def beat(slot: int, age: float = 0) -> None:
    """The monitor of the slot's lane said so long ago that it lives."""
    health.beat(f"guard.{slot}", {"accounts": 3, "by_venue": {}, "warnings": 0})
    Heartbeat.objects.filter(name=f"guard.{slot}").update(beat_at=clock.now() - timedelta(seconds=age))


def test_the_overview_has_every_gauge_with_had_allowed_and_room(
    alice: APIClient, cast: Cast, hers: Chain, settings: Any
) -> None:
    settings.LANES = 1
    beat(0)
    now = clock.now()
    AccountDayFactory(
        account=hers.account, realized=Decimal(-200), fees=Decimal(10), open_pnl=Decimal(-150), contracts=3,
        open_positions=1, quote_at=now - timedelta(seconds=2), books_at=None,
    )  # fmt: skip
    AccountEquityFactory(account=hers.account)
    PackAssignmentFactory(account=hers.account)
    limit = RiskLimitFactory(account=hers.account)
    RiskLimitFactory(account=hers.account, kind="trailing_drawdown", amount=Decimal(1), unit="percent")
    RiskLimitFactory(account=hers.account, kind="max_contracts", amount=Decimal(10), unit="count")
    RiskLimitFactory(owner=cast.alice, account=None, scope="user", kind="weekly_loss", amount=Decimal(1000))
    lock, switch = RiskActionFactory(limit=limit), SwitchFactory(owner=cast.alice)
    shown = alice.get("/api/risk/overview/").json()
    (row,) = shown["accounts"]
    assert (row["pnl"], row["realized"], row["open_pnl"], row["fees"]) == ("-360", "-200", "-150", "10")
    assert (row["equity"], row["contracts"], row["books_age_s"], row["warnings"]) == ("49640", 3, None, [])
    assert row["quote_age_s"] >= 2
    gauges = {gauge["name"]: gauge for gauge in [*row["gauges"], *shown["across"]]}
    said = {name: (g["had"], g["allowed"], g["room"], g["used_percent"], g["state"]) for name, g in gauges.items()}
    assert said["Daily loss"] == ("-360", "-500", "140", 72, "room")
    assert said["Trailing drawdown"] == ("49640", "49700", "-60", 100, "reached")
    assert said["Most contracts"] == ("3", "10", "7", 30, "room")
    assert said["Weekly loss"] == ("-360", "-1000", "640", 36, "room")
    assert said["Topstep trailing drawdown"] == ("49640", "48100", "1540", 23, "room")
    assert (shown["pnl"], shown["unreliable"], shown["nearest"]["name"]) == ("-360", 0, "Trailing drawdown")
    assert [one["id"] for one in row["locks"]] == [str(lock.pk)]
    assert [one["id"] for one in shown["switches"]] == [str(switch.pk)]


@pytest.mark.parametrize(
    ("case", "warning"),
    [("silent", "Nobody watches it now"), ("not counted", "not counted in this session"), ("stale", "no price")],
)
def test_a_monitor_without_fresh_data_never_says_that_all_is_well(
    case: str, warning: str, alice: APIClient, hers: Chain, settings: Any
) -> None:
    settings.LANES = 1
    beat(0, age=60 if case == "silent" else 0)
    if case != "not counted":
        AccountDayFactory(account=hers.account, warning="no price for MESZ6" if case == "stale" else "")
    RiskLimitFactory(account=hers.account)
    shown = alice.get("/api/risk/overview/").json()
    assert [text for text in shown["accounts"][0]["warnings"] if warning in text]
    assert shown["unreliable"] == 1
    is_known = case != "not counted"
    assert shown["accounts"][0]["gauges"][0]["state"] == ("room" if is_known else "unknown")


def test_the_status_is_exactly_what_scripts_expect_and_more(staff: APIClient, settings: Any) -> None:
    settings.LANES = 2
    venues = (
        ("tradovate", "live", 2), ("projectx", "demo", 1), ("webull", "sandbox", 1), ("paper", "paper", 3),
        ("ninjatrader", "demo", 1),
    )  # fmt: skip
    for venue, environment, count in venues:
        login = BrokerLoginFactory(venue=venue, environment=environment, lane_slot=0)
        for _ in range(count):
            BrokerAccountFactory(login=login)
    BrokerAccountFactory(login__lane_slot=0, is_enabled=False)
    BrokerAccountFactory(login__lane_slot=0, login__is_enabled=False)
    beat(0)
    for address in (STATUS, f"{STATUS}/"):
        shown = staff.get(address).json()
        assert shown["paper_trades"] == {"monitor_running": True}
        assert shown["live_accounts"] == {
            "running": True, "tradovate_accounts": 2, "projectx_accounts": 1, "breached_today": [],
            "webull_accounts": 1, "ninjatrader_accounts": 1, "paper_accounts": 3,
        }  # fmt: skip
    assert [lane["running"] for lane in shown["lanes"]] == [True, False]
    assert len(shown["accounts"]) == 8


def test_the_status_says_when_nobody_watches_and_who_reached_a_limit(
    staff: APIClient, hers: Chain, settings: Any, django_assert_max_num_queries: Any
) -> None:
    settings.LANES = 1
    beat(0, age=6)
    AccountDayFactory(account=hers.account, books_at=clock.now() - timedelta(seconds=3), warning="no price for MESZ6")
    RiskActionFactory(limit__account=hers.account)
    old = RiskActionFactory(limit__account=hers.account, limit__kind="weekly_loss", session=clock.now().date())
    RiskAction.objects.filter(pk=old.pk).update(session="2026-01-02", locks_until=clock.now())
    with django_assert_max_num_queries(8):
        shown = staff.get(STATUS).json()
    assert (shown["paper_trades"]["monitor_running"], shown["live_accounts"]["running"]) == (False, False)
    (breach,) = shown["live_accounts"]["breached_today"]
    assert (breach["account"], breach["code"], breach["locked"]) == (hers.account.name, "DAILY_LOSS", True)
    assert (breach["had"], breach["allowed"], breach["status"]) == ("-512.5", "-500", "flat")
    (row,) = shown["accounts"]
    assert (row["watched"], row["warning"], row["pnl"]) == (False, "no price for MESZ6", "0")
    assert row["books_age_s"] >= 3
    assert shown["lanes"][0]["heartbeat_age_s"] >= 6


def test_a_limit_that_was_reached_on_paper_is_no_live_accounts(staff: APIClient) -> None:
    on_paper = BrokerAccountFactory(login=BrokerLoginFactory(venue="paper", environment="paper"))
    RiskActionFactory(limit__account=on_paper)
    live = RiskActionFactory()
    breached = staff.get(STATUS).json()["live_accounts"]["breached_today"]
    assert [one["account"] for one in breached] == [live.account.name]


def test_the_status_is_for_staff(alice: APIClient) -> None:
    assert alice.get(STATUS).status_code == 403
    assert APIClient().get(STATUS).status_code == 401
