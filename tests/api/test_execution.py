from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient

from execution.models import IntentStatus
from justtrades.testing import Cast, browser_of
from tests.factories import Chain, OrderFactory, OrderIntentFactory, PositionFactory, make_chain

LISTS = ("intents", "orders", "fills", "positions")


@pytest.mark.parametrize("name", LISTS)
def test_nothing_can_be_written(name: str, alice: APIClient, hers: Chain) -> None:
    row = getattr(hers, name.removesuffix("s"))
    before = type(row).objects.values().get()
    for method in (alice.post, alice.put, alice.patch, alice.delete):
        assert method(f"/api/{name}/", {"qty": 5}, format="json").status_code == 405
        assert method(f"/api/{name}/{row.pk}/", {"qty": 5}, format="json").status_code == 405
    assert type(row).objects.values().get() == before


@pytest.mark.parametrize("name", LISTS)
def test_filters_narrow(name: str, alice: APIClient, cast: Cast, hers: Chain) -> None:
    other = make_chain(cast.alice)
    for query in (
        {"recorder": str(hers.recorder.pk)},
        {"trader": str(hers.trader.pk)},
        {"account": str(hers.account.pk)},
    ):
        rows = alice.get(f"/api/{name}/", query).json()["results"]
        assert [row["id"] for row in rows] == [str(getattr(hers, name.removesuffix("s")).pk)]
    assert alice.get(f"/api/{name}/", {"symbol": "mesz6"}).json()["count"] == 2
    assert alice.get(f"/api/{name}/", {"symbol": "NQZ6"}).json()["count"] == 0
    assert alice.get(f"/api/{name}/", {"since": "2999-01-01T00:00:00Z"}).json()["count"] == 0
    assert other.recorder.owner == cast.alice


def test_a_denial_shows_its_reason(alice: APIClient, hers: Chain) -> None:
    denied = OrderIntentFactory(
        trader=hers.trader, status=IntentStatus.DENIED, reason_code="OWNER_NOT_APPROVED", reason_text="owner: no"
    )
    rows = alice.get("/api/intents/", {"status": "denied"}).json()["results"]
    assert [(row["id"], row["reason_code"]) for row in rows] == [(str(denied.pk), "OWNER_NOT_APPROVED")]
    both = alice.get("/api/intents/?status=denied&status=done").json()
    assert both["count"] == 2


def test_open_positions(alice: APIClient, hers: Chain) -> None:
    flat = PositionFactory(trader=hers.trader, symbol="NQZ6", net_qty=0, avg_price=None)
    for query, expected in (("true", hers.position), ("false", flat)):
        rows = alice.get("/api/positions/", {"is_open": query}).json()["results"]
        assert [row["id"] for row in rows] == [str(expected.pk)]


@pytest.mark.parametrize(
    ("price", "shown"),
    [("6021.2500000000", "6021.25"), ("100000", "100000"), ("0.0000001", "0.0000001"), ("0", "0"), (None, None)],
)
def test_prices_are_exact_text(price: str | None, shown: str | None, alice: APIClient, hers: Chain) -> None:
    order = OrderFactory(intent=hers.intent, client_order_id=None, price=None if price is None else Decimal(price))
    assert alice.get(f"/api/orders/{order.pk}/").json()["price"] == shown


def test_times_are_utc_for_a_browser_in_any_zone(cast: Cast, hers: Chain) -> None:
    cast.alice.time_zone = "Asia/Tokyo"
    cast.alice.save()
    shown: Any = browser_of(cast.alice).get(f"/api/intents/{hers.intent.pk}/").json()["created_at"]
    assert shown.endswith("Z")
    assert parse_datetime(shown) == hers.intent.created_at
