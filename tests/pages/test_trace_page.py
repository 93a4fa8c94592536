"""The pages of a trace: what they tell, who gets in, and how they look to a browser."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from brokers.base import OrderRole, OrderStatus, OrderType, Side
from execution import planning
from execution.models import Order, OrderIntent
from justtrades import clock
from justtrades.testing import Cast, browser_of
from recorders.models import Notice, NoticeKind, Signal, SignalStatus
from tests.factories import (
    Chain,
    FillFactory,
    OrderFactory,
    RecorderFactory,
    SignalFactory,
    TraderFactory,
    make_chain,
)
from tests.pages.conftest import Screen
from traders.models import Trader


def story_of(owner: Any) -> tuple[Signal, Trader, Trader]:
    """An alert with two followers: one is filled and protected, one is denied by a gate."""
    recorder = RecorderFactory(owner=owner, name="Breakout")
    trader = TraderFactory(recorder=recorder, overrides={"stop_distance": "12"}, multiplier=Decimal(2))
    denied = TraderFactory(recorder=recorder, overrides={"direction_filter": "short_only"})
    signal = SignalFactory(recorder=recorder, price=Decimal(6000), dialect="canonical")
    planning.plan_next(recorder.pk, lane=0)
    entry = Order.objects.get(trader=trader)
    Order.objects.filter(pk=entry.pk).update(
        status=OrderStatus.FILLED.value, broker_order_id="771", filled_qty=2, avg_price=Decimal("6000.25")
    )
    now = clock.now()
    OrderIntent.objects.filter(pk=entry.intent_id).update(sent_at=now, acknowledged_at=now, filled_at=now)
    FillFactory(order=entry, price=Decimal("6000.25"), qty=2, broker_order_id="771")
    OrderFactory(
        intent=entry.intent, client_order_id=None, role=OrderRole.STOP, order_type=OrderType.STOP, side=Side.SELL,
        status=OrderStatus.WORKING, stop_price=Decimal("5997.25"), qty=2,
    )  # fmt: skip
    signal.refresh_from_db()
    return signal, trader, denied


@pytest.fixture(autouse=True)
def configured(settings: Any) -> None:
    urls = ("http://127.0.0.1:1", "ws://127.0.0.1:1", "")
    settings.BROKER_ENDPOINTS = {**settings.BROKER_ENDPOINTS, ("tradovate", "sandbox"): urls}
    settings.LANES = 1


@pytest.fixture
def story(cast: Cast) -> tuple[Signal, Trader, Trader]:
    return story_of(cast.alice)


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_the_page_tells_the_whole_story(alice: Client, story: tuple[Signal, Trader, Trader]) -> None:
    signal, trader, _ = story
    page = text_of(alice, reverse("trace", args=[signal.pk, trader.pk]))
    for told in (
        trader.account.name, "1 tick worse, $2.50", "filled at 6,000.25, the alert named 6,000.00", "12 ticks",
        "stop 5,997.25", "broker's 771", "came with its entry", "direction filter: off", "that nobody changed",
        "x 2", "Every recorded change", "&quot;action&quot;: &quot;buy&quot;",
    ):  # fmt: skip
        assert told in page, told
    assert reverse("recorder", args=[signal.recorder_id]) in page


def test_a_declined_followers_page_says_why(alice: Client, story: tuple[Signal, Trader, Trader]) -> None:
    signal, _, denied = story
    page = text_of(alice, reverse("trace", args=[signal.pk, denied.pk]))
    for told in (
        "direction filter: had buy, limit short_only", "DIRECTION_FILTER", "every nth: not reached",
        "Nothing was sent.", "not asked: it was declined before",
    ):  # fmt: skip
        assert told in page, told
    assert reverse("trader_edit", args=[denied.pk]) in page


def test_a_signal_that_asked_nobody_has_traces_with_its_reason(alice: Client, hers: Chain) -> None:
    signal = SignalFactory(
        recorder=hers.recorder, status=SignalStatus.IGNORED, reason_code="DESYNC", reason_text="an alert is missing"
    )
    page = text_of(alice, reverse("trace", args=[signal.pk, hers.trader.pk]))
    assert "an alert is missing" in page
    assert "No order was wanted of this trader" in page


def test_all_traders_of_a_signal_and_the_way_straight_to_a_single_one(
    alice: Client, hers: Chain, story: tuple[Signal, Trader, Trader]
) -> None:
    signal, *traders = story
    page = text_of(alice, reverse("signal_traces", args=[signal.pk]))
    for trader in traders:
        assert reverse("trace", args=[signal.pk, trader.pk]) in page
    assert "had buy, limit short_only" in page
    only = alice.get(reverse("signal_traces", args=[hers.signal.pk]))
    assert only["Location"] == reverse("trace", args=[hers.signal.pk, hers.trader.pk])
    nobody = SignalFactory(recorder=RecorderFactory(owner=signal.owner))
    assert "Nobody followed the recorder" in text_of(alice, reverse("signal_traces", args=[nobody.pk]))


def test_every_row_of_the_log_and_every_intent_of_the_drawer_leads_to_its_trace(
    alice: Client, story: tuple[Signal, Trader, Trader]
) -> None:
    signal, *traders = story
    refused = SignalFactory(recorder=signal.recorder, status=SignalStatus.REFUSED)
    for path in ("/", "/signals/"):
        page = text_of(alice, path)
        for one in (signal, refused):
            assert reverse("signal_traces", args=[one.pk]) in page
    drawer = alice.get(reverse("signal", args=[signal.pk]), headers={"hx-request": "true"}).content.decode()
    for trader in traders:
        assert reverse("trace", args=[signal.pk, trader.pk]) in drawer


def test_traces_are_their_owners_alone(
    cast: Cast, client: Client, alice: Client, charlie: Client, story: tuple[Signal, Trader, Trader]
) -> None:
    signal, trader, _ = story
    bobs = make_chain(cast.bob)
    for path in (reverse("signal_traces", args=[signal.pk]), reverse("trace", args=[signal.pk, trader.pk])):
        for method in ("get", "head"):
            assert getattr(charlie, method)(path).status_code == 404
            assert getattr(browser_of(cast.bob), method)(path).status_code == 404  # staff, and still not his
        assert alice.post(path).status_code == 405
        assert client.get(path)["Location"].startswith(reverse("account_login"))
    for pk, of in ((signal.pk, bobs.trader.pk), (bobs.signal.pk, trader.pk)):
        assert alice.get(reverse("trace", args=[pk, of])).status_code == 404


def test_hostile_text_is_escaped_and_nothing_is_inline(alice: Client, story: tuple[Signal, Trader, Trader]) -> None:
    signal, trader, _ = story
    evil = "<img src=x onerror=alert(1)>"
    Signal.objects.filter(pk=signal.pk).update(body=evil.encode(), dialect=evil[:16], reason_text=evil)
    Order.objects.update(reject_text=evil, reject_code=evil)
    OrderIntent.objects.update(reason_text=evil, reason_code="X")
    for path in (reverse("trace", args=[signal.pk, trader.pk]), reverse("signal_traces", args=[signal.pk])):
        response = alice.get(path)
        text = response.content.decode()
        assert "<img" not in text
        assert " style=" not in text
        assert "unsafe" not in response["Content-Security-Policy"]


def test_a_refresh_asks_for_the_inside_only(alice: Client, story: tuple[Signal, Trader, Trader]) -> None:
    signal, trader, _ = story
    for path in (reverse("trace", args=[signal.pk, trader.pk]), reverse("signal_traces", args=[signal.pk])):
        assert "<html" in text_of(alice, path)
        assert "<html" not in alice.get(path, headers={"hx-request": "true"}).content.decode()


def test_many_traders_cost_no_more_queries(alice: Client, story: tuple[Signal, Trader, Trader]) -> None:
    signal, *_ = story
    path = reverse("signal_traces", args=[signal.pk])
    with CaptureQueriesContext(connection) as few:
        alice.get(path)
    for _ in range(20):
        TraderFactory(recorder=signal.recorder, created_at=signal.received_at)
    with CaptureQueriesContext(connection) as many:
        alice.get(path)
    assert len(many) == len(few)
    assert len(many) <= 12


def test_open_notices_stand_on_the_dashboard_and_others_do_not(alice: Client, charlie: Client, hers: Chain) -> None:
    usual = {"owner": hers.recorder.owner, "recorder": hers.recorder}
    Notice.objects.create(**usual, kind=NoticeKind.SILENT, text="silent for 43 minutes <b>")
    Notice.objects.create(**usual, kind=NoticeKind.TOO_MANY, text="it is over", ended_at=clock.now())
    page = text_of(alice, "/")
    assert "silent for 43 minutes &lt;b&gt;" in page
    assert "it is over" not in page
    assert "silent for" not in text_of(charlie, "/")


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_of_a_trace_is_wider_than_the_screen(
    width: int, cast: Cast, live: Any, screen_of: Callable[..., Screen]
) -> None:
    signal, trader, denied = story_of(cast.alice)
    screen = screen_of(cast.alice, width=width)
    for path in (
        reverse("trace", args=[signal.pk, trader.pk]), reverse("trace", args=[signal.pk, denied.pk]),
        reverse("signal_traces", args=[signal.pk]), "/signals/",
    ):  # fmt: skip
        page = screen.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert screen.alarms == []
