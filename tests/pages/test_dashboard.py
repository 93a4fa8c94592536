"""What the trading pages say, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from brokers.base import ConnectionState, OrderRole, OrderStatus, OrderType, Side
from brokers.quotes.cache import Quote, store
from execution.models import IntentStatus
from execution.timing import time_signals
from justtrades import clock
from justtrades.testing import Cast
from recorders.models import SignalStatus
from tests.factories import (
    BrokerAccountFactory,
    BrokerLoginFactory,
    Chain,
    OrderFactory,
    OrderIntentFactory,
    PositionFactory,
    SignalFactory,
    TraderFactory,
)


def follow(hers: Chain, count: int) -> None:
    """`count` more followers, each on a login of its own, with a position, its stop and a finished intent."""
    for _ in range(count):
        account = BrokerAccountFactory(login=BrokerLoginFactory(owner=hers.recorder.owner))
        trader = TraderFactory(recorder=hers.recorder, account=account)
        intent = OrderIntentFactory(trader=trader, signal=hers.signal)
        PositionFactory(trader=trader, stop_distance=Decimal(5))
        OrderFactory(
            intent=intent, client_order_id=None, role=OrderRole.STOP, order_type=OrderType.STOP, side=Side.SELL,
            status=OrderStatus.WORKING, stop_price=Decimal("6016.25"),
        )  # fmt: skip


def text_of(client: Client, path: str) -> str:
    """The page's words, without its markup's line breaks."""
    return " ".join(client.get(path).content.decode().split())


@pytest.mark.parametrize("path", ["/", "/signals/", "/positions/", "/orders/", "/traders/", "/brokers/", "/recorders/"])
def test_more_followers_cost_no_more_queries(path: str, alice: Client, hers: Chain) -> None:
    follow(hers, 2)
    with CaptureQueriesContext(
        connection,
    ) as few:
        alice.get(path)
    follow(hers, 30)
    with CaptureQueriesContext(connection) as many:
        alice.get(path)
    assert len(many) == len(few)
    assert len(many) <= 30


def test_a_signals_page_costs_the_same_for_many_intents(alice: Client, hers: Chain) -> None:
    path = reverse("signal", args=[hers.signal.pk])
    follow(hers, 2)
    with CaptureQueriesContext(connection) as few:
        alice.get(path)
    follow(hers, 30)
    with CaptureQueriesContext(connection) as many:
        alice.get(path)
    assert len(many) == len(few)


def test_long_tables_are_paged(alice: Client, hers: Chain) -> None:
    follow(hers, 104)
    first = text_of(alice, "/positions/")
    assert first.count("data-position=") == 100
    assert "1\N{EN DASH}100 of 105" in first
    assert text_of(alice, "/positions/?page=2").count("data-position=") == 5
    assert text_of(alice, "/").count("data-position=") == 12


def test_the_strip_answers_whether_all_is_protected(alice: Client, hers: Chain) -> None:
    assert "No stops set" in text_of(alice, "/")
    hers.position.stop_distance = Decimal(5)
    hers.position.save()
    assert "1 of 1 covered" in text_of(alice, "/")
    hers.position.unprotected_since = clock.now()
    hers.position.save()
    assert "1 unprotected" in text_of(alice, "/")
    hers.position.net_qty = 0
    hers.position.save()
    assert "Flat" in text_of(alice, "/")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ConnectionState.LIVE, "1 live"),
        (ConnectionState.STALE, "1 degraded"),
        (ConnectionState.CONNECTING, "1 degraded"),
        (ConnectionState.DOWN, "1 down"),
        (ConnectionState.FAILED, "1 down"),
    ],
)
def test_the_strip_answers_whether_brokers_are_connected(
    state: ConnectionState, words: str, alice: Client, hers: Chain
) -> None:
    hers.login.state = state.value
    hers.login.save()
    assert words in text_of(alice, "/")


def test_open_pnl_is_the_quotes_worth(alice: Client, hers: Chain) -> None:
    assert "—" in text_of(alice, reverse("panel", args=["status"]))
    store([Quote("MESZ6", Decimal("6031.25"), None, None, clock.now())])
    text = text_of(alice, "/")
    assert "+$50.00" in text
    assert "+40 t" in text
    assert "6,031.25" in text


def test_a_positions_stop_and_target_stand_in_its_row(alice: Client, hers: Chain) -> None:
    legs = ((OrderRole.STOP, OrderType.STOP, None, "6016.25"), (OrderRole.TARGET, OrderType.LIMIT, "6031.25", None))
    for role, kind, price, stop_price in legs:
        OrderFactory(
            intent=hers.intent, client_order_id=None, role=role, order_type=kind, side=Side.SELL,
            status=OrderStatus.WORKING, price=price, stop_price=stop_price,
        )  # fmt: skip
    row = text_of(alice, reverse("panel", args=["positions"]))
    assert "6,016.25" in row
    assert "6,031.25" in row


def test_a_denial_says_why_with_had_and_limit_and_where_to_change_it(alice: Client, hers: Chain) -> None:
    hers.intent.status = IntentStatus.DENIED
    hers.intent.reason_code = "QUANTITY_ABOVE_MAXIMUM"
    hers.intent.reason_text = "quantity: had 150, at most 100"
    hers.intent.save()
    page = text_of(alice, reverse("signal", args=[hers.signal.pk]))
    assert "quantity: had 150, at most 100" in page
    assert reverse("trader_edit", args=[hers.trader.pk]) in page
    assert reverse("recorder", args=[hers.recorder.pk]) in page
    assert "1 denied" in text_of(alice, "/signals/")


def test_a_refused_alert_is_shown_with_its_reason_and_its_body(alice: Client, hers: Chain) -> None:
    signal = SignalFactory(
        recorder=hers.recorder, status=SignalStatus.REFUSED, reason_code="BODY_NOT_UTF8",
        reason_text="body: is not UTF-8", body=b"\xff\x00buy",
    )  # fmt: skip
    page = text_of(alice, reverse("signal", args=[signal.pk]))
    assert "body: is not UTF-8" in page
    assert "BODY_NOT_UTF8" in page
    assert "buy" in page


def test_phases_are_measured_from_the_recorded_moments(hers: Chain) -> None:
    start = clock.now()
    moments = {
        name: start + timedelta(milliseconds=ms)
        for name, ms in (("sent_at", 10), ("acknowledged_at", 30), ("filled_at", 25), ("protected_at", 40))
    }
    hers.signal.received_at, hers.signal.planned_at = start, start + timedelta(milliseconds=4)
    hers.signal.save()
    for name, moment in moments.items():
        setattr(hers.intent, name, moment)
    hers.intent.save()
    timing = time_signals([hers.signal.pk])[hers.signal.pk]
    assert {phase.name: (phase.p50, phase.max) for phase in timing.phases} == {
        "planned": (4.0, 4.0), "sent": (6.0, 6.0), "acknowledged": (20.0, 20.0),
        # The fill overtook the acknowledgement: that took no time, not a negative one.
        "filled": (0.0, 0.0), "protected": (15.0, 15.0),
    }  # fmt: skip
    assert timing.headline is not None
    assert (timing.headline.name, timing.headline.p50) == ("to_protected", 40.0)


def test_an_empty_dashboard_offers_the_next_step(cast: Cast, charlie: Client) -> None:
    text = text_of(charlie, "/")
    assert "Create a recorder" in text
    assert "No alert has come in yet" in text
    assert "Flat: no open position" in text
    assert "Connect a broker" in text_of(charlie, "/traders/")


def test_filters_live_in_the_address(alice: Client, hers: Chain) -> None:
    assert hers.recorder.name in text_of(alice, "/signals/?q=mes")
    assert "No signal matches" in text_of(alice, "/signals/?q=nothing-like-this")
    assert "No signal matches" in text_of(alice, "/signals/?status=refused")
    assert "No open position matches" in text_of(alice, "/positions/?show=unprotected")


def test_a_character_that_no_stored_text_has_is_not_searched_for(alice: Client, hers: Chain) -> None:
    for path in ("/breaks/", "/orders/", "/signals/", "/positions/", "/traders/", "/risk/"):
        for query in ({"q": "x\x00y"}, {"status": "\x00", "state": "\x00", "recorder": "\x00"}):
            assert alice.get(path, query).status_code == 200, path
    assert hers.recorder.name in text_of(alice, "/signals/?q=m%00es&status=%00")


def test_a_page_number_that_is_none_is_the_first_page(alice: Client, hers: Chain) -> None:
    for page in ("0", "-1", "x", "99999"):
        assert alice.get(f"/positions/?page={page}").status_code == 200
