from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from justtrades.testing import Cast
from tests.factories import BrokerAccountFactory, Chain, RecorderFactory, TraderFactory
from traders.models import Trader


@pytest.mark.usefixtures("ready_broker")
def test_following_a_recorder(alice: APIClient, cast: Cast) -> None:
    recorder, account = RecorderFactory(owner=cast.alice), BrokerAccountFactory(login__owner=cast.alice)
    ids = {"recorder": str(recorder.pk), "account": str(account.pk)}
    made = alice.post("/api/traders/", {**ids, "multiplier": "2.5", "stop_ticks": 0}, format="json")
    assert made.status_code == 201
    assert made.json() | ids | {"multiplier": "2.5", "stop_ticks": 0, "target_ticks": None} == made.json()
    again = alice.post("/api/traders/", ids, format="json")
    assert (again.status_code, list(again.json()["errors"])) == (400, ["account"])
    assert Trader.objects.get().owner == cast.alice


def test_an_override_of_none_is_inherited_again(alice: APIClient, hers: Chain) -> None:
    address = f"/api/traders/{hers.trader.pk}/"
    assert alice.patch(address, {"stop_ticks": 0}, format="json").json()["stop_ticks"] == 0
    assert alice.patch(address, {"stop_ticks": None}, format="json").json()["stop_ticks"] is None


def test_a_trader_stays_where_it_is(alice: APIClient, cast: Cast, hers: Chain) -> None:
    other = RecorderFactory(owner=cast.alice)
    answer = alice.patch(f"/api/traders/{hers.trader.pk}/", {"recorder": str(other.pk)}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["recorder"])
    hers.trader.refresh_from_db()
    assert hers.trader.recorder == hers.recorder


@pytest.mark.usefixtures("ready_broker")
def test_enable_and_disable(alice: APIClient, hers: Chain) -> None:
    for verb, expected in (("disable", False), ("disable", False), ("enable", True)):
        assert alice.post(f"/api/traders/{hers.trader.pk}/{verb}/").json()["is_enabled"] is expected
        hers.trader.refresh_from_db()
        assert hers.trader.is_enabled is expected


def test_deleting_only_what_never_traded(alice: APIClient, cast: Cast, hers: Chain) -> None:
    assert alice.delete(f"/api/traders/{hers.trader.pk}/").status_code == 400
    unused = TraderFactory(recorder__owner=cast.alice)
    assert alice.delete(f"/api/traders/{unused.pk}/").status_code == 204
    assert list(Trader.objects.all()) == [hers.trader]


def test_filters(alice: APIClient, cast: Cast, hers: Chain) -> None:
    other = TraderFactory(recorder__owner=cast.alice, is_enabled=False)

    def found(**query: Any) -> list[str]:
        return [row["id"] for row in alice.get("/api/traders/", query).json()["results"]]

    assert found() == [str(hers.trader.pk), str(other.pk)]
    assert found(recorder=other.recorder.pk) == found(account=other.account.pk) == found(is_enabled="false")
    assert found(is_enabled="false") == [str(other.pk)]
