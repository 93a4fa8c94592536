"""The kill switch and the two commands for when everything is to stop, over the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from execution import commands
from execution.models import Command, Flatten, IntentKind, IntentSource, IntentStatus, OrderIntent, Transition
from execution.preview import preview_flatten
from justtrades import clock
from justtrades.testing import PASSWORD, Cast, api_client_for
from risk.models import RiskEvent, Switch, SwitchMode, SwitchScope
from tests.factories import (
    BrokerAccountFactory,
    BrokerPositionFactory,
    Chain,
    OrderFactory,
    OrderIntentFactory,
    PositionFactory,
    make_chain,
)
from tests.risk_factories import SwitchFactory
from traders.models import Trader

pytestmark = pytest.mark.usefixtures("fresh_throttle")
SWITCHES, FLATTEN, DISABLE = "/api/switches/", "/api/commands/flatten-all/", "/api/commands/disable-all/"


def post(client: APIClient, address: str, **given: Any) -> Any:
    return client.post(address, given, format="json")


def with_password(user: User) -> APIClient:
    user.set_password(PASSWORD)
    user.save()
    return api_client_for(user)


@pytest.mark.parametrize("scope", ["user", "account", "recorder"])
def test_an_owner_trips_and_releases_what_is_hers(scope: str, cast: Cast, hers: Chain) -> None:
    alice = with_password(cast.alice)
    target = {"account": {"target": str(hers.account.pk)}, "recorder": {"target": str(hers.recorder.pk)}}
    made = post(alice, SWITCHES, scope=scope, mode="halt", reason="enough for today", **target.get(scope, {}))
    assert made.status_code == 201
    shown = made.json()
    assert (shown["scope"], shown["mode"], shown["by"], shown["may_release"]) == (scope, "halt", "you", True)
    assert shown["target"] == target.get(scope, {"target": str(cast.alice.pk)})["target"]
    assert alice.get(SWITCHES).json()["results"] == [shown]
    stored = Switch.objects.get()
    assert (stored.owner, stored.actor) == (cast.alice, cast.alice)
    address = f"{SWITCHES}{shown['id']}/release/"
    assert post(alice, address, password="wrong").status_code == 403
    assert post(alice, address).json()["code"] == "step_up_required"
    assert post(alice, address, password=PASSWORD).status_code == 200
    assert alice.get(SWITCHES).json()["results"] == []
    assert post(alice, address, password=PASSWORD).status_code == 404
    assert list(RiskEvent.objects.values_list("kind", flat=True).order_by("id")) == ["tripped", "released"]


def test_tripping_it_twice_is_tripping_it_once(alice: APIClient) -> None:
    first = post(alice, SWITCHES, scope="user", reason="one").json()
    second = post(alice, SWITCHES, scope="user", mode="halt", reason="two").json()
    assert (first["mode"], first["id"]) == ("reduce_only", second["id"])
    assert (second["mode"], second["reason"], Switch.objects.count()) == ("halt", "two", 1)


def test_nobody_stops_or_releases_what_is_not_his(cast: Cast, hers: Chain) -> None:
    charlie = with_password(cast.charlie)
    mine = SwitchFactory(owner=cast.alice)
    for scope, row in (("account", hers.account), ("recorder", hers.recorder), ("user", cast.alice)):
        assert post(charlie, SWITCHES, scope=scope, target=str(row.pk), reason="x").status_code == 404
    assert post(charlie, f"{SWITCHES}{mine.pk}/release/", password=PASSWORD).status_code == 404
    assert charlie.get(SWITCHES).json()["results"] == []
    assert Switch.objects.filter(released_at=None).count() == 1
    assert APIClient().get(SWITCHES).status_code == APIClient().post(FLATTEN).status_code == 401


def test_the_platform_is_staffs_to_stop_and_everybodys_to_see(cast: Cast, alice: APIClient) -> None:
    refused = post(alice, SWITCHES, scope="platform", reason="x")
    assert (refused.status_code, Switch.objects.count()) == (403, 0)
    bob = with_password(cast.bob)
    made = post(bob, SWITCHES, scope="platform", reason="the exchange is down").json()
    (seen,) = alice.get(SWITCHES).json()["results"]
    assert (seen["scope"], seen["by"], seen["may_release"]) == ("platform", "staff", False)
    assert post(alice, f"{SWITCHES}{made['id']}/release/").status_code == 404
    assert post(bob, f"{SWITCHES}{made['id']}/release/", password=PASSWORD).status_code == 200


def test_what_staff_or_a_throttle_tripped_says_so(cast: Cast) -> None:
    alice = with_password(cast.alice)
    by_throttle = SwitchFactory(owner=cast.alice, actor=None)
    by_staff = SwitchFactory(owner=cast.alice, actor=cast.bob, scope=SwitchScope.ACCOUNT, target="1")
    shown = {row["id"]: (row["by"], row["may_release"]) for row in alice.get(SWITCHES).json()["results"]}
    assert shown == {str(by_throttle.pk): ("throttle", True), str(by_staff.pk): ("staff", False)}
    refused = post(alice, f"{SWITCHES}{by_staff.pk}/release/", password=PASSWORD)
    assert (refused.status_code, "administrator" in refused.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"scope": "planet"}, "scope"), ({}, "scope"), ({"scope": "account"}, "target"),
        ({"scope": "account", "target": "x"}, "target"), ({"scope": "user", "mode": "soft"}, "mode"),
        ({"scope": "user", "reason": ""}, "reason"), ({"scope": "user", "reason": "x" * 256}, "reason"),
        ({"scope": "user", "until": "noon"}, "until"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field(alice: APIClient, given: dict[str, Any], field: str) -> None:
    answer = post(alice, SWITCHES, **{"reason": "x", **given})
    assert (answer.status_code, list(answer.json()["errors"]), Switch.objects.count()) == (400, [field], 0)


def test_wrong_passwords_run_out(cast: Cast) -> None:
    alice = with_password(cast.alice)
    assert [post(alice, FLATTEN, password="wrong").status_code for _ in range(6)] == [403] * 5 + [429]
    assert Command.objects.count() == 0


def open_things(hers: Chain) -> OrderIntent:
    """Beside her position: an order that works, another account with a position of her own hand, a waiting entry."""
    OrderFactory(intent=hers.intent, role="stop", client_order_id=None, status="working")
    by_hand = BrokerAccountFactory(login=hers.login, name="BYHAND")
    BrokerPositionFactory(account=by_hand, symbol="MNQZ6", net_qty=-3)
    BrokerAccountFactory(login=hers.login, name="EMPTY")
    waits = {"status": IntentStatus.CLEARED, "cleared_at": clock.now(), "symbol": "MCLF7"}
    made: OrderIntent = OrderIntentFactory(trader=hers.trader, signal__status="planned", **waits)
    return made


def test_flatten_all_says_what_it_does_and_does_it(cast: Cast, hers: Chain) -> None:
    alice = with_password(cast.alice)
    waiting, bobs = open_things(hers), make_chain(cast.bob)
    preview = alice.get(FLATTEN).json()
    assert preview["text"] == "Closes 2 positions on 2 accounts, cancels 2 orders."
    assert (preview["accounts"], preview["positions"], preview["orders"]) == (2, 2, 2)
    assert preview["lines"] == ["BYHAND: -3 MNQZ6, 0 orders", f"{hers.account.name}: +1 MESZ6, 2 orders"]
    assert (Command.objects.count(), Flatten.objects.count()) == (0, 0)
    answer = post(alice, FLATTEN, password=PASSWORD)
    assert answer.status_code == 202
    assert (answer.json()["kind"], answer.json()["payload"]) == (
        "flatten_all", {"accounts": 2, "positions": 2, "orders": 2},
    )  # fmt: skip
    command = Command.objects.get()
    assert (command.owner, command.actor) == (cast.alice, cast.alice)
    flattens = Flatten.objects.filter(command=command, source=IntentSource.COMMAND, trader=None)
    assert {one.account.name for one in flattens} == {"BYHAND", hers.account.name}
    closing = OrderIntent.objects.filter(command=command, kind=IntentKind.FLATTEN, status=IntentStatus.CLEARED)
    assert {intent.symbol for intent in closing} == {"MNQZ6", "MESZ6"}
    assert not Flatten.objects.filter(account=bobs.account).exists()
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason_code) == (IntentStatus.DENIED, "FLATTENED")
    assert Transition.objects.filter(object_id=waiting.pk, to_state=IntentStatus.DENIED).count() == 1


def test_accounts_can_be_named_and_only_ones_own_count(cast: Cast, hers: Chain) -> None:
    open_things(hers)
    theirs = make_chain(cast.charlie)
    PositionFactory(trader=theirs.trader, symbol="MNQZ6")
    found = preview_flatten(cast.alice, [hers.account, theirs.account])
    assert ([one.pk for one in found.accounts], found.orders) == ([hers.account.pk], 2)
    assert commands.preview_flatten(User.objects.create(email="x@example.com")).is_empty


def test_flattening_nothing_is_a_command_without_consequences(cast: Cast) -> None:
    alice = with_password(cast.alice)
    assert "nothing to close" in alice.get(FLATTEN).json()["text"]
    assert post(alice, FLATTEN, password=PASSWORD).json()["payload"]["accounts"] == 0
    assert (Flatten.objects.count(), OrderIntent.objects.count()) == (0, 0)


def test_disable_all_switches_every_trader_of_hers_off(cast: Cast, hers: Chain) -> None:
    alice = with_password(cast.alice)
    bobs = make_chain(cast.bob)
    assert alice.get(DISABLE).json() == {"traders": 1}
    assert post(alice, DISABLE, password="wrong").status_code == 403
    assert Trader.objects.filter(is_enabled=True).count() == 2
    answer = post(alice, DISABLE, password=PASSWORD)
    assert (answer.status_code, answer.json()["kind"], answer.json()["payload"]) == (
        202, "disable_all", {"traders": 1},
    )  # fmt: skip
    assert list(Trader.objects.filter(is_enabled=True)) == [bobs.trader]
    assert alice.get(DISABLE).json() == {"traders": 0}
    assert Command.objects.get().actor == cast.alice


def test_a_switch_is_no_obstacle_to_closing(cast: Cast, hers: Chain) -> None:
    alice = with_password(cast.alice)
    post(alice, SWITCHES, scope="user", mode=SwitchMode.HALT, reason="stop")
    assert post(alice, FLATTEN, password=PASSWORD).status_code == 202
    assert OrderIntent.objects.filter(kind=IntentKind.FLATTEN, status=IntentStatus.CLEARED).count() == 1
