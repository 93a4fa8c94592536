"""The fate of requests while the venue, the way to it or its answers fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from brokers.base import ConnectionState, OrderStatus, OrderType, Side, SubmitOrder
from brokers.reports import Accepted, NotSent, Rejected, Unknown
from brokers.webull import http
from tests.brokers.scripted import until
from tests.brokers.webull.trader import Trader, entry_id

PLACE = "trading/orders/place"


@pytest.mark.parametrize("kind", ["drop_after_accept", "garbled"])
def test_an_order_without_a_readable_answer_is_unknown_and_then_found(trader: Trader, kind: str) -> None:
    """F1 F3: nothing is sent again, and the order's own detail tells what became of it."""
    trader.fault(kind, endpoint=PLACE)
    name = trader.submit()
    assert isinstance(trader.outcome(name), Unknown)
    trader.order(name, OrderStatus.FILLED)
    evidence = trader.connection.query(trader.futures)
    assert [o.status for o in evidence.orders if o.client_order_id == name] == [OrderStatus.FILLED]
    assert trader.entries() == [name]


def test_an_order_lost_on_its_way_is_unknown_and_not_found(trader: Trader) -> None:
    """F2: doubt is no refusal; two looks without a trace are the evidence."""
    trader.fault("drop_before_accept", endpoint=PLACE)
    name = trader.submit()
    assert isinstance(trader.outcome(name), Unknown)
    for _ in range(2):
        assert trader.connection.query(trader.futures).orders == ()
    assert trader.entries() == []


def test_a_venue_that_does_not_answer_is_unknown(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    """F2: the answer may still come."""
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    trader.fault("hang", endpoint=PLACE)
    assert isinstance(trader.outcome(trader.submit()), Unknown)


@pytest.mark.parametrize("kind", ["drop_after_accept", "garbled"])
@pytest.mark.parametrize("endpoint", ["trading/orders/cancel", "trading/orders/replace"])
def test_a_change_without_a_readable_answer_is_unknown_and_looked_up(trader: Trader, kind: str, endpoint: str) -> None:
    """F4: the report tells what became of the order."""
    name = trader.submit(order_type=OrderType.LIMIT, price=Decimal(24_900))
    working = trader.order(name, OrderStatus.WORKING)
    trader.fault(kind, endpoint=endpoint)
    if endpoint.endswith("cancel"):
        change = trader.cancel(working)
        trader.order(name, OrderStatus.CANCELED)
    else:
        change = trader.change(working, price=Decimal(24_950))
        until(lambda: trader.orders()[name].price == Decimal(24_950))
    assert isinstance(trader.outcome(change), Unknown)


@pytest.mark.parametrize("prefix", ["OPENAPI_", "OAUTH_OPENAPI_"])
def test_a_name_that_was_used_tells_the_earlier_order(trader: Trader, prefix: str) -> None:
    """F5: the duplicate proves that the first one arrived; nothing is doubled."""
    trader.sandbox.switches(error_prefix=prefix)
    name = trader.submit()
    first = trader.outcome(name)
    order = trader.order(name, OrderStatus.FILLED)
    trader.events.clear()
    trader.submit(name=name)
    again = trader.outcome(name)
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert again.broker_order_id == order.broker_order_id
    assert trader.entries() == [name]
    assert trader.net() == 1


def test_a_report_may_come_before_its_answer(trader: Trader) -> None:
    """G7: told once, whichever is first."""
    trader.fault("events_before_reply", endpoint=PLACE)
    trader.fault("delay", endpoint=PLACE, seconds=0.05)
    name = trader.submit()
    trader.order(name, OrderStatus.FILLED)
    assert isinstance(trader.outcome(name), Accepted)
    assert [fill.qty for fill in trader.fills()] == [1]


def test_a_limit_hit_is_no_success_and_nothing_is_placed(trader: Trader) -> None:
    """H3: a 429 is the venue's word that nothing was executed; the next order waits it out unsent."""
    trader.fault("rate_limit", endpoint=PLACE)
    refused = trader.outcome(trader.submit())
    waiting = trader.outcome(trader.submit())
    assert isinstance(refused, Rejected)
    assert refused.code == "RATE_LIMITED"
    assert isinstance(waiting, NotSent)
    assert trader.entries() == []


def test_a_wrong_secret_fails_the_login_and_orders_do_not_leave(new_trader: Callable[..., Trader]) -> None:
    """H4: refused once, asked no more."""
    trader = new_trader()
    secrets = {"password": "0" * 32}
    trader.access = replace(trader.access, credentials=replace(trader.access.credentials, secrets=secrets))
    trader.connection = trader._connect()
    trader.connection.start()
    trader.wait_state(ConnectionState.FAILED)
    asked = len(trader.sandbox.arrivals())
    assert isinstance(trader.outcome(trader.submit()), Rejected | NotSent)
    assert trader.entries() == []
    assert len(trader.sandbox.arrivals()) == asked


def test_a_key_that_is_withdrawn_rejects_the_order_with_proof(trader: Trader) -> None:
    """H2 H4: a 401 says that nothing was placed."""
    trader.sandbox.fault(trader.login.username, "bad_login")
    outcome = trader.outcome(trader.submit())
    assert isinstance(outcome, Rejected | NotSent)
    trader.wait_state(ConnectionState.FAILED)
    assert trader.entries() == []


def test_a_venue_that_is_away_leaves_orders_unsent_and_comes_back(trader: Trader) -> None:
    """F2: connection refused is doubt once bytes have left, and the connection recovers by itself."""
    trader.sandbox.fault(trader.login.username, "refuse_connections")
    outcome = trader.outcome(trader.submit())
    assert isinstance(outcome, NotSent | Unknown)
    trader.sandbox.clear_faults()
    name = trader.submit()
    trader.order(name, OrderStatus.FILLED)


def test_a_slow_account_delays_nobody_else(trader: Trader, new_trader: Callable[..., Trader]) -> None:
    """An order of the other account, and of the other login, is accepted while this one waits."""
    other = new_trader().live()
    trader.fault("delay", endpoint=PLACE, seconds=0.5, count=1)
    slow = trader.submit()
    quick = [trader.submit(symbol="AAPL")]
    far = other.submit()
    assert isinstance(trader.outcome(quick[0]), Accepted)
    assert isinstance(other.outcome(far), Accepted)
    assert all(outcome.client_order_id != slow for outcome in trader.outcomes())
    trader.outcome(slow)


def test_submitting_returns_at_once(trader: Trader) -> None:
    """A burst over both accounts settles each request exactly once."""
    names = [entry_id() for _ in range(20)]
    requests = [
        SubmitOrder(name, trader.futures, "MNQZ6", Side.BUY, 1)
        if index % 2
        else SubmitOrder(name, trader.stocks, "AAPL", Side.BUY, 1)
        for index, name in enumerate(names)
    ]
    trader.fault("delay", endpoint=PLACE, seconds=0.5, count=1)
    started = time.monotonic()
    trader.connection.submit(requests)
    submitted = time.monotonic() - started
    assert {type(trader.outcome(name)) for name in names} == {Accepted}
    assert submitted < time.monotonic() - started
    until(lambda: trader.net() == 10)
    until(lambda: trader.net("AAPL") == 10)
