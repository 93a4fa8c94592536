"""The adapter against the sandbox venue's scripted faults; the numbers are those of the fault matrix."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from brokers.base import ConnectionState, OrderRole, OrderStatus
from brokers.reports import Accepted, FillReport, NotSent, OrderReport, Rejected, Sent, SyncReport, Unknown
from brokers.tradovate import desk, session
from tests.brokers.scripted import until
from tests.brokers.tradovate.trader import Trader, outcomes


@pytest.mark.parametrize("kind", ["drop_after_accept", "garbled"])
def test_f33_f34_an_order_without_a_readable_answer_is_unknown_and_then_found(trader: Trader, kind: str) -> None:
    """F1, F3"""
    trader.fault(kind)
    entry_id = trader.enter()
    trader.client.wait(Unknown)
    trader.client.wait(SyncReport, 2)
    evidence = trader.client.connection.query(trader.ref)
    assert [o.status for o in evidence.orders if o.client_order_id == entry_id] == [OrderStatus.FILLED]
    assert {o.role for o in evidence.orders if o.parent_client_order_id == entry_id} == {
        OrderRole.TARGET,
        OrderRole.STOP,
    }
    assert [position.net_qty for position in evidence.positions] == [1]
    assert (trader.entries(), len(outcomes(trader))) == (1, 1)


def test_f33_an_order_lost_before_the_venue_took_it_is_unknown_and_not_found(trader: Trader) -> None:
    """F2"""
    trader.fault("drop_before_accept")
    entry_id = trader.enter()
    trader.client.wait(Unknown)
    evidence = trader.client.connection.query(trader.ref)
    assert [o for o in evidence.orders if entry_id in (o.client_order_id, o.parent_client_order_id)] == []
    assert trader.entries() == 0


def test_f35_a_slow_account_is_unknown_and_delays_nobody(
    trader: Trader, new_trader: Callable[[], Trader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F1"""
    monkeypatch.setattr(desk, "ANSWER_SECONDS", 0.5)
    other = new_trader().live()
    trader.fault("hang")
    trader.enter()
    other.enter()
    (accepted,) = other.client.wait(Accepted)
    (unknown,) = trader.client.wait(Unknown)
    assert accepted.at < unknown.at


def test_f37_a_429_is_no_success_and_silences_the_login(trader: Trader) -> None:
    """H3"""
    trader.fault("rate_limit")
    trader.enter()
    (rejected,) = trader.client.wait(Rejected)
    assert rejected.code == "RATE_LIMITED"
    trader.enter()
    trader.client.wait(NotSent)
    assert trader.entries() == 0


def test_f37_a_penalty_ticket_is_waited_out_and_the_order_placed_once(trader: Trader) -> None:
    """H5"""
    trader.fault("penalty_ticket", seconds=0.3)
    entry_id = trader.enter()
    (accepted,) = trader.client.wait(Accepted)
    assert accepted.client_order_id == entry_id
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert (trader.entries(), len(outcomes(trader)), len(trader.client.heard(Sent))) == (1, 1, 1)


def test_f37_a_ticket_that_asks_for_a_captcha_is_for_a_person(trader: Trader) -> None:
    """H5"""
    trader.fault("penalty_ticket", seconds=1, captcha=True)
    trader.enter()
    (rejected,) = trader.client.wait(Rejected)
    assert rejected.code == "RATE_LIMITED"
    assert "captcha" in rejected.text
    trader.flatten()
    (unsent,) = trader.client.wait(NotSent)
    assert "penalty" in unsent.reason
    assert trader.entries() == 0


def test_f39_a_token_that_expires_under_orders_places_each_once(trader: Trader) -> None:
    """H1"""
    trader.enter()
    trader.client.wait(Accepted)
    trader.fault("token_expiry", drop_sockets=True)
    trader.enter()
    trader.enter()
    until(lambda: len(outcomes(trader)) == 3)
    trader.client.wait_state(ConnectionState.LIVE)
    placed = [entry["uuid"] for entry in trader.sandbox.account_state(trader.id)["entries"]]
    assert len(placed) == len(set(placed))
    assert {outcome.client_order_id for outcome in trader.client.heard(Accepted)} <= set(placed)
    assert not trader.client.heard((Rejected, NotSent))  # type: ignore[arg-type]


def test_f39_over_rest_one_401_costs_one_renewal(new_trader: Callable[[], Trader]) -> None:
    """H1"""
    trader = new_trader()
    trader.submit()
    trader.client.wait(Accepted)
    trader.fault("token_expiry")
    trader.submit()
    trader.client.wait(Accepted, 2)
    assert trader.entries() == 2


def test_f40_a_changed_password_fails_the_login(trader: Trader) -> None:
    """H4"""
    trader.fault("bad_login")
    trader.fault("token_expiry", drop_sockets=True)
    trader.client.wait_state(ConnectionState.FAILED)
    trader.enter()
    trader.client.wait(NotSent)


def test_f41_a_silent_socket_is_stale_and_its_orders_are_found_by_the_next_sync(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I2"""
    monkeypatch.setattr(session, "SILENCE_SECONDS", 1.0)
    monkeypatch.setattr(session, "HEARTBEAT_SECONDS", 0.2)
    trader.fault("silent_socket")
    entry_id = trader.enter()
    until(lambda: ConnectionState.STALE in trader.client.states())
    monkeypatch.setattr(session, "SILENCE_SECONDS", 10.0)
    trader.client.wait(Unknown)
    synced = trader.client.wait(SyncReport, 2)[-1]
    assert [o.status for o in synced.orders if o.client_order_id == entry_id] == [OrderStatus.FILLED]
    assert trader.entries() == 1


def test_f42_a_replay_after_a_reconnect_tells_no_fill_twice(trader: Trader) -> None:
    """G6, I4"""
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.fault("replay")
    trader.fault("shutdown")
    trader.client.wait(SyncReport, 2)
    trader.client.wait_state(ConnectionState.LIVE)
    trader.fault("replay")
    trader.flatten()
    trader.order(OrderRole.EXIT, OrderStatus.FILLED)
    trader.wait_flat()
    told = [fill.broker_fill_id for fill in trader.client.heard(FillReport)]
    assert len(told) == len(set(told)) == 2


def test_f43_events_before_the_answer_are_applied_once(trader: Trader) -> None:
    """G7"""
    trader.fault("events_before_reply")
    trader.enter()
    trader.client.wait(Accepted)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert len(trader.client.wait(FillReport)) == 1
    assert [o.status for o in trader.client.heard(OrderReport) if o.role is OrderRole.ENTRY] == [OrderStatus.FILLED]
