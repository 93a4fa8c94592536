"""Breaks over the API: whose they are, and what may be done about them."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from execution.models import Break, Flatten, Position
from tests.factories import BrokerPositionFactory, Chain
from tests.risk_factories import BreakFactory


def test_she_sees_hers_and_charlie_sees_and_changes_nothing(alice: APIClient, charlie: APIClient, hers: Chain) -> None:
    row = BreakFactory(account=hers.account)
    BreakFactory(account=hers.account, symbol="NQZ6", is_suspected=True)
    (shown,) = alice.get("/api/breaks/").json()["results"]
    assert shown == alice.get(f"/api/breaks/{row.pk}/").json()
    assert (shown["id"], shown["kind"], shown["ours"], shown["theirs"]) == (str(row.pk), "quantity", "+2", "+3")
    assert shown["ways"] == ["broker", "flatten", "leave"]
    assert charlie.get("/api/breaks/").json()["count"] == 0
    before = list(Break.objects.values())
    for answer in (
        charlie.get(f"/api/breaks/{row.pk}/"),
        charlie.post(f"/api/breaks/{row.pk}/resolve/", {"how": "leave"}, format="json"),
    ):
        assert answer.status_code == 404
    assert APIClient().get("/api/breaks/").status_code == 401
    assert list(Break.objects.values()) == before


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "how"),
        ({"how": "sell"}, "how"),
        ({"how": "cancel"}, "may be broker, flatten, leave"),
        ({"why": "x"}, "why"),
    ],
)
def test_bad_input_names_its_field(body: dict[str, str], words: str, alice: APIClient, hers: Chain) -> None:
    row = BreakFactory(account=hers.account)
    answer = alice.post(f"/api/breaks/{row.pk}/resolve/", body, format="json")
    assert answer.status_code == 400
    assert words in str(answer.json()["errors"])
    assert Break.objects.get().state == "open"


@pytest.mark.parametrize("how", ["broker", "leave", "flatten"])
def test_each_way_does_what_it_says(how: str, alice: APIClient, hers: Chain) -> None:
    row = BreakFactory(account=hers.account)
    BrokerPositionFactory(account=hers.account, symbol=row.symbol, net_qty=3)
    answer = alice.post(f"/api/breaks/{row.pk}/resolve/", {"how": how}, format="json").json()
    assert answer["state"] == ("open" if how == "flatten" else "resolved")
    assert Flatten.objects.count() == (how == "flatten")
    assert Position.objects.get().net_qty == (3 if how == "broker" else 1)
    if how != "flatten":
        again = alice.post(f"/api/breaks/{row.pk}/resolve/", {"how": how}, format="json")
        assert again.status_code == 400


def test_filters_narrow(alice: APIClient, hers: Chain) -> None:
    row = BreakFactory(account=hers.account)
    BreakFactory(account=hers.account, kind="external_order", ref="9", state="adopted", pauses_entries=False)
    for query in ({"state": "open"}, {"kind": "quantity"}):
        assert [one["id"] for one in alice.get("/api/breaks/", query).json()["results"]] == [str(row.pk)]
    assert alice.get("/api/breaks/", {"symbol": "nothing"}).json()["count"] == 0
