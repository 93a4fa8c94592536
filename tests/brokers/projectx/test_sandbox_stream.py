"""The user hub of the sandbox venue: lost, silent, cut up, repeated, and away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from brokers.base import ConnectionState, OrderRole, OrderStatus
from brokers.projectx import adapter, hub
from brokers.reports import FillReport, OrderReport, SyncReport
from brokers.sandbox.testing import RunningSandbox
from tests.brokers.projectx.trader import SandboxTrader, logins
from tests.brokers.scripted import until


def settled(trader: SandboxTrader) -> None:
    """All of a bracketed entry of one contract has been told."""
    for role, status in [
        (OrderRole.ENTRY, OrderStatus.FILLED),
        (OrderRole.STOP, OrderStatus.WORKING),
        (OrderRole.TARGET, OrderStatus.WORKING),
    ]:
        trader.order(role, status)
    until(lambda: (trader.filled(), trader.net_told()) == (1, 1))


def test_a_lost_hub_is_reconnected_and_resynced(trader: SandboxTrader) -> None:
    """I1 stream lost and resynced: everything is told again, and nothing twice."""
    name = trader.enter()
    settled(trader)
    trader.sandbox.fault(trader.username, "shutdown", reasonCode="ConnectionQuotaReached")
    synced = trader.client.wait(SyncReport, 2)[-1]
    trader.client.wait_state(ConnectionState.LIVE)
    assert {(o.role, o.status, o.client_order_id or o.parent_client_order_id) for o in synced.orders} == {
        (OrderRole.ENTRY, OrderStatus.FILLED, name),
        (OrderRole.TARGET, OrderStatus.WORKING, name),
        (OrderRole.STOP, OrderStatus.WORKING, name),
    }
    assert [fill.broker_fill_id for fill in synced.fills] == [f.broker_fill_id for f in trader.client.heard(FillReport)]
    assert [position.net_qty for position in synced.positions] == [1]
    assert trader.client.states()[1:3] == [ConnectionState.LIVE, ConnectionState.DOWN]


def test_a_log_out_by_the_venue_signs_in_again(trader: SandboxTrader) -> None:
    """H7 GatewayLogout: another session took over."""
    since = datetime.now(UTC).timestamp()
    trader.sandbox.fault(trader.username, "logout")
    trader.client.wait(SyncReport, 2)
    trader.client.wait_state(ConnectionState.LIVE)
    assert logins(trader, since) == 1
    trader.submit()
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)


def test_a_silent_hub_is_stale_and_its_orders_are_found_by_the_next_sync(
    trader: SandboxTrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I2 silent stream."""
    monkeypatch.setattr(hub, "SILENCE_SECONDS", 0.5)
    trader.sandbox.fault(trader.username, "silent_socket")
    name = trader.enter()
    until(lambda: ConnectionState.STALE in trader.client.states())
    monkeypatch.setattr(hub, "SILENCE_SECONDS", 30.0)
    synced = trader.client.wait(SyncReport, 2)[-1]
    assert [o.status for o in synced.orders if o.client_order_id == name] == [OrderStatus.FILLED]
    assert trader.entries() == 1


@pytest.mark.parametrize("framing", ["batched", "single", "split"])
@pytest.mark.parametrize("envelope", ["wrapped", "bare"])
def test_every_framing_tells_the_same(
    sandbox: RunningSandbox, new_trader: Callable[[], SandboxTrader], framing: str, envelope: str
) -> None:
    """I3 split and merged frames, wrapped and bare events."""
    sandbox.switches(framing=framing, wrapped_events=envelope == "wrapped")
    trader = new_trader().live()
    trader.enter(qty=2)
    trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    until(lambda: (trader.filled(), trader.net_told()) == (2, 2))


def test_rows_without_the_newer_members_tell_the_same(
    sandbox: RunningSandbox, new_trader: Callable[[], SandboxTrader]
) -> None:
    """L1 the older models name no parent order: the tag alone tells whose leg it is."""
    sandbox.switches(models="old")
    trader = new_trader().live()
    name = trader.enter()
    stop = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    target = trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    assert {stop.parent_client_order_id, target.parent_client_order_id} == {name}


def test_a_replay_tells_nothing_twice(trader: SandboxTrader) -> None:
    """G6, I4 old reports again, each known already."""
    trader.enter()
    settled(trader)
    told = len(trader.client.heard(OrderReport)) + len(trader.client.heard(FillReport))
    trader.sandbox.fault(trader.id, "replay")
    trader.rest(24_000)
    trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    until(lambda: len(trader.client.outcomes()) == 2)
    assert len(trader.client.heard(OrderReport)) + len(trader.client.heard(FillReport)) == told + 1


@pytest.mark.parametrize(("kind", "params"), [("events_before_reply", {}), ("late_events", {"seconds": 0.3})])
def test_events_before_and_long_after_the_answer_are_applied_once(
    trader: SandboxTrader, kind: str, params: dict[str, float]
) -> None:
    """G7 report before the reply, and long after it."""
    trader.fault(kind, endpoint="order/place", **params)
    trader.accepted(trader.enter())
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    until(lambda: trader.filled() == 1)
    assert len(trader.client.heard(FillReport)) == 1


def test_a_direct_socket_that_is_refused_is_negotiated(
    new_trader: Callable[[], SandboxTrader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """I1 a hub that wants a negotiation first."""
    trader = new_trader()
    trader.client.connection._session._negotiates = True
    trader.client.live()
    trader.submit()
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)


@pytest.mark.parametrize("refusal", ["http_401", "handshake"])
def test_a_hub_that_refuses_the_stored_token_is_signed_in_to_anew(
    sandbox: RunningSandbox, new_trader: Callable[[], SandboxTrader], refusal: str
) -> None:
    """I1 login of the stream fails once: the token is renewed."""
    sandbox.switches(hub_refusal=refusal)
    trader = new_trader().live()
    sandbox.fault(trader.username, "token_expiry", drop_sockets=True)
    trader.client.wait(SyncReport, 2)
    trader.client.wait_state(ConnectionState.LIVE)


def test_while_the_hub_is_away_the_books_are_read_instead(
    trader: SandboxTrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I1 stream lost: the same reports come over REST."""
    monkeypatch.setattr(adapter, "FOLLOW_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(adapter, "FOLLOW_SECONDS", 0.05)
    monkeypatch.setattr(adapter, "FOLLOW_REQUESTS_PER_SECOND", 1000)
    url = trader.client.connection._session._url
    trader.client.connection._session._url = "ws://127.0.0.1:9/hubs/user"
    trader.sandbox.fault(trader.username, "shutdown", reasonCode="ConnectionQuotaReached")
    until(lambda: ConnectionState.DOWN in trader.client.states())
    trader.enter(qty=2)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    until(lambda: (trader.filled(), trader.net_told()) == (2, 2))
    assert trader.client.connection.state is not ConnectionState.LIVE
    trader.flatten()
    until(lambda: (trader.filled(), trader.net_told()) == (0, 0))
    trader.client.connection._session._url = url
    trader.client.wait_state(ConnectionState.LIVE)
    fills = [fill.broker_fill_id for fill in trader.client.heard(FillReport)]
    assert len(fills) == len(set(fills)) == 2
