"""A trader on several accounts: all of it is made or nothing, and the further ones take the first one's settings."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from brokers.models import BrokerAccount
from justtrades.testing import Cast
from tests.factories import BrokerAccountFactory, Chain, RecorderFactory
from traders.models import Trader

pytestmark = pytest.mark.usefixtures("ready_broker")


@pytest.fixture
def accounts(cast: Cast) -> list[BrokerAccount]:
    return [BrokerAccountFactory(login__owner=cast.alice) for _ in range(4)]


def ask(alice: APIClient, accounts: list[BrokerAccount], routes: Any, **given: Any) -> Any:
    recorder = RecorderFactory(owner=accounts[0].owner)
    ids = {"recorder": str(recorder.pk), "account": str(accounts[0].pk)}
    return alice.post("/api/traders/", {**ids, "routes": routes, **given}, format="json")


def test_a_trader_on_three_accounts(alice: APIClient, accounts: list[BrokerAccount]) -> None:
    routes = [
        {"account": str(accounts[1].pk), "multiplier": "0.5", "max_contracts": 3},
        {"account": str(accounts[2].pk), "custom_ticker": "MNQ1!", "convert_size": True, "is_enabled": False},
    ]
    made = ask(alice, accounts, routes, stop_ticks=8, multiplier="2").json()
    assert (made["route_of"], made["multiplier"], made["stop_ticks"]) == (None, "2", 8)
    usual = {"is_enabled": True, "multiplier": "1", "max_contracts": None, "custom_ticker": "", "convert_size": False}
    shown = [{key: route[key] for key in (*usual, "account")} for route in made["routes"]]
    assert shown == [usual | route for route in routes]
    further = alice.get(f"/api/traders/{made['routes'][0]['id']}/").json()
    assert (further["route_of"], further["routes"], further["stop_ticks"]) == (made["id"], [], None)
    assert further["effective"]["stop_distance"] == {"value": "8", "source": "trader"}
    assert further["effective"]["multiplier"] == {"value": "0.5", "source": "trader"}
    assert {row["id"] for row in alice.get("/api/traders/").json()["results"]} >= {made["id"], further["id"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", None),
        ("account", "00000000-0000-0000-0000-000000000000"),
        ("account", "first"),
        ("account", "second"),
        ("multiplier", -1),
        ("multiplier", "NaN"),
        ("max_contracts", True),
        ("custom_ticker", "NOTHING"),
        ("convert_size", True),
        ("stop_ticks", 8),
        ("recorder", "x"),
    ],
)
def test_all_or_nothing(field: str, value: Any, alice: APIClient, accounts: list[BrokerAccount]) -> None:
    """The second of two routes is wrong: also the trader and the first are not made."""
    named = {"first": str(accounts[0].pk), "second": str(accounts[1].pk)}
    wrong = {"account": str(accounts[2].pk), field: named.get(value, value) if isinstance(value, str) else value}
    answer = ask(alice, accounts, [{"account": str(accounts[1].pk)}, wrong])
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [f"routes.1.{field}"])
    assert Trader.objects.count() == 0


@pytest.mark.parametrize("routes", [None, {}, "x", 5, ["x"], [None], [[]], [{}] * 51], ids=repr)
def test_routes_are_a_list_of_objects(routes: Any, alice: APIClient, accounts: list[BrokerAccount]) -> None:
    answer = ask(alice, accounts, routes)
    assert answer.status_code == 400
    assert {name.partition(".")[0] for name in answer.json()["errors"]} == {"routes"}
    assert Trader.objects.count() == 0


def test_a_wrong_trader_makes_no_routes(alice: APIClient, accounts: list[BrokerAccount]) -> None:
    answer = ask(alice, accounts, [{"account": str(accounts[1].pk)}], auto_flat_after_cutoff=True)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["auto_flat_after_cutoff"])
    assert Trader.objects.count() == 0


def test_adding_an_account_later(alice: APIClient, accounts: list[BrokerAccount], hers: Chain) -> None:
    address = f"/api/traders/{hers.trader.pk}/routes/"
    made = alice.post(address, {"account": str(accounts[1].pk), "multiplier": "3"}, format="json")
    assert made.status_code == 201
    assert (made.json()["route_of"], made.json()["recorder"]) == (str(hers.trader.pk), str(hers.recorder.pk))
    again = alice.post(address, {"account": str(accounts[1].pk)}, format="json")
    assert (again.status_code, list(again.json()["errors"])) == (400, ["account"])
    nested = alice.post(f"/api/traders/{made.json()['id']}/routes/", {"account": str(accounts[2].pk)}, format="json")
    assert (nested.status_code, list(nested.json()["errors"])) == (400, ["route_of"])
    unknown = alice.post(address, {"account": str(accounts[2].pk), "stop_ticks": 1}, format="json")
    assert (unknown.status_code, list(unknown.json()["errors"])) == (400, ["stop_ticks"])
    assert [route["id"] for route in alice.get(f"/api/traders/{hers.trader.pk}/").json()["routes"]] == [
        made.json()["id"]
    ]


@pytest.mark.parametrize("given", [{"stop_ticks": 8}, {"targets": []}, {"stop_distance": None}, {"risk_percent": "1"}])
def test_a_further_account_has_no_overrides(
    given: dict[str, Any], alice: APIClient, accounts: list[BrokerAccount], hers: Chain
) -> None:
    made = alice.post(f"/api/traders/{hers.trader.pk}/routes/", {"account": str(accounts[1].pk)}, format="json").json()
    answer = alice.patch(f"/api/traders/{made['id']}/", {"multiplier": "2", **given}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, list(given))
    assert alice.patch(f"/api/traders/{made['id']}/", {"multiplier": "2"}, format="json").json()["multiplier"] == "2"
    alice.patch(f"/api/traders/{hers.trader.pk}/", {"stop_ticks": 3}, format="json")
    effective = alice.get(f"/api/traders/{made['id']}/").json()["effective"]
    assert effective["stop_distance"] == {"value": "3", "source": "trader"}


def test_charlie_cannot_route_to_or_from_what_is_alices(
    charlie: APIClient, cast: Cast, accounts: list[BrokerAccount], hers: Chain
) -> None:
    theirs = BrokerAccountFactory(login__owner=cast.charlie)
    answer = charlie.post(f"/api/traders/{hers.trader.pk}/routes/", {"account": str(theirs.pk)}, format="json")
    assert answer.status_code == 404
    recorder = RecorderFactory(owner=cast.charlie)
    given = {"recorder": str(recorder.pk), "account": str(theirs.pk), "routes": [{"account": str(accounts[1].pk)}]}
    refused = charlie.post("/api/traders/", given, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["routes.0.account"])
    assert Trader.objects.get() == hers.trader
