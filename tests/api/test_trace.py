"""Traces over the API: the owner's, all of it, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from brokers.base import OrderRole, OrderStatus
from execution import planning
from execution.models import Order
from justtrades import clock
from justtrades.testing import Cast, api_client_for
from recorders.models import Signal
from tests.factories import Chain, FillFactory, RecorderFactory, SignalFactory, TraderFactory, make_chain
from traders.models import Trader


@pytest.fixture
def configured(settings: Any) -> None:
    urls = ("http://127.0.0.1:1", "ws://127.0.0.1:1", "")
    settings.BROKER_ENDPOINTS = {**settings.BROKER_ENDPOINTS, ("tradovate", "sandbox"): urls}


@pytest.fixture
def story(cast: Cast, configured: None) -> tuple[Signal, Trader]:
    """Alice's alert for MES at 6,000, sent and filled a tick worse."""
    recorder = RecorderFactory(owner=cast.alice)
    trader = TraderFactory(recorder=recorder, overrides={"stop_distance": "12"})
    signal = SignalFactory(
        recorder=recorder, price=Decimal(6000), dialect="canonical", flags="repaired clock_skew",
        fired_at=clock.now().replace(microsecond=0) - timedelta(seconds=1),
    )  # fmt: skip
    planning.plan_next(recorder.pk, lane=0)
    order = Order.objects.get(trader=trader)
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.FILLED.value, broker_order_id="771", filled_qty=1)
    FillFactory(order=order, price=Decimal("6000.25"), broker_order_id="771")
    signal.refresh_from_db()
    return signal, trader


def test_the_whole_story_of_one_trader(alice: APIClient, story: tuple[Signal, Trader]) -> None:
    signal, trader = story
    trace = alice.get(f"/api/signals/{signal.pk}/traces/{trader.pk}/").json()
    assert (trace["trader"], trace["account_name"]) == (str(trader.pk), trader.account.name)
    assert trace["signal"]["flags"] == ["repaired", "clock_skew"]
    assert trace["signal"]["body"] == bytes(signal.body).decode()
    assert trace["slippage"] == {
        "ticks": "1", "dollars": "1.25", "contracts": 1, "alert_price": "6000", "fill_price": "6000.25",
    }  # fmt: skip
    phases = {phase["name"]: phase for phase in trace["phases"]}
    assert list(phases) == ["alert", "received", "stored", "planned", "sent", "acknowledged", "filled", "protected"]
    assert "whole seconds" in phases["received"]["note"]
    assert phases["stored"]["at"] is None
    assert phases["planned"]["ms"] >= 0
    (gate, *_) = trace["decision"]["gates"]
    assert gate == {"code": "DIRECTION_FILTER", "state": "off", "had": "", "limit": ""}
    stop = next(row for row in trace["settings"] if row["name"] == "stop_distance")
    assert (stop["value"], stop["text"], stop["source"], stop["title"]) == ("12", "12 ticks", "trader", "Stop")
    (intent,) = trace["intents"]
    (order,) = intent["orders"]
    assert order["request"]["kind"] == "order_with_bracket"
    assert order["request"]["bracket"][0]["stop_points"] == "3.00"
    assert (order["response"]["accepted"], order["response"]["broker_order_id"]) == (True, "771")
    assert [fill["price"] for fill in order["fills"]] == ["6000.25"]
    assert intent["check"]["outcome"] == "passed"
    assert [event["after"] for event in trace["events"] if event["subject"] == "signal"] == ["planned"]


def test_a_page_of_traces_of_all_traders(alice: APIClient, hers: Chain) -> None:
    others = [TraderFactory(recorder=hers.recorder, created_at=hers.signal.received_at) for _ in range(3)]
    everybody = {str(trader.pk) for trader in (hers.trader, *others)}
    first = alice.get(f"/api/signals/{hers.signal.pk}/traces/", {"limit": 3}).json()
    assert (first["count"], len(first["results"])) == (4, 3)
    second = alice.get(first["next"]).json()
    assert {row["trader"] for row in first["results"] + second["results"]} == everybody
    of_hers = next(row for row in first["results"] + second["results"] if row["trader"] == str(hers.trader.pk))
    assert (of_hers["outcome"], of_hers["decision"]) == ("done", None)
    assert "settings" not in of_hers


def test_traces_are_their_owners_alone(
    cast: Cast, alice: APIClient, charlie: APIClient, story: tuple[Signal, Trader]
) -> None:
    signal, trader = story
    bobs = make_chain(cast.bob)
    addresses = (f"/api/signals/{signal.pk}/traces/", f"/api/signals/{signal.pk}/traces/{trader.pk}/")
    for address in addresses:
        assert alice.get(address).status_code == 200
        assert alice.post(address, {}).status_code == 405
        assert charlie.get(address).status_code == 404
        assert api_client_for(cast.bob).get(address).status_code == 404  # staff, and still not his
        assert APIClient().get(address).status_code == 401
    # Her signal with his trader, his signal with her trader, and a trader of another recorder of hers.
    other = make_chain(cast.alice)
    for pk, of in ((signal.pk, bobs.trader.pk), (bobs.signal.pk, trader.pk), (signal.pk, other.trader.pk)):
        assert alice.get(f"/api/signals/{pk}/traces/{of}/").status_code == 404


def test_a_broker_text_is_shown_without_its_secrets(alice: APIClient, story: tuple[Signal, Trader]) -> None:
    signal, trader = story
    Order.objects.filter(role=OrderRole.ENTRY).update(
        status=OrderStatus.REJECTED.value, reject_code="AUTH", reject_text='refused {"accessToken": "eyJhbGciOi"}'
    )
    answer = alice.get(f"/api/signals/{signal.pk}/traces/{trader.pk}/")
    assert "eyJhbGciOi" not in answer.content.decode()
    response = answer.json()["intents"][0]["orders"][0]["response"]
    assert (response["code"], response["text"].startswith("refused")) == ("AUTH", True)
