"""How a session of the user hub fails, falls silent, is ended, and comes back."""

from __future__ import annotations

import time
from typing import Any

import pytest

from brokers.base import ConnectionState
from brokers.projectx import hub, stream
from brokers.reports import ConnectionReport, SyncReport
from tests.brokers.projectx import frames
from tests.brokers.projectx.trader import Trader
from tests.brokers.projectx.venue import Gate, Line, Venue, live, opened
from tests.brokers.scripted import Answer, until


@pytest.mark.parametrize("garbage", [b"{not json\x1e", b"[]\x1e"])
def test_a_record_that_cannot_be_read_costs_a_reconnect(venue: Venue, scripted: Trader, garbage: bytes) -> None:
    """I1 stream lost: what was not understood is read from the books."""
    line = live(venue, scripted)
    line.peer.send(garbage)
    again = Line(venue.socket.accepted())
    again.shake_hands()
    again.subscribe()
    scripted.client.wait(SyncReport, 2)
    scripted.client.wait_state(ConnectionState.LIVE)


def test_a_refused_subscription_is_never_called_live(venue: Venue, scripted: Trader) -> None:
    """I1 login of the stream fails: without its reports there is no LIVE."""
    line = opened(venue, scripted)
    line.shake_hands()
    record = line.receive()
    line.say({"type": 3, "invocationId": record["invocationId"], "error": "Method does not exist."})
    venue.socket.accepted()
    assert ConnectionState.LIVE not in scripted.client.states()
    assert scripted.client.heard(SyncReport) == []


def test_books_that_cannot_be_read_are_not_called_live(venue: Venue, scripted: Trader) -> None:
    """I1 a half truth is no truth."""
    venue.rest["Trade/search"] = (500, b"")
    line = opened(venue, scripted)
    line.shake_hands()
    line.subscribe()
    again = Line(venue.socket.accepted())
    del venue.rest["Trade/search"]
    assert scripted.client.heard(SyncReport) == []
    again.shake_hands()
    again.subscribe()
    scripted.client.wait(SyncReport)


def test_a_row_that_cannot_be_read_is_not_called_absent(venue: Venue, scripted: Trader) -> None:
    """G1 absence is evidence, so nothing may be left out."""
    venue.orders = [{"id": 7}]
    line = opened(venue, scripted)
    line.shake_hands()
    line.subscribe()
    venue.socket.accepted()
    assert scripted.client.heard(SyncReport) == []


def test_books_that_take_too_long_cost_a_reconnect(
    venue: Venue, scripted: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I2 a look that never ends is given up."""
    monkeypatch.setattr(stream, "SYNC_SECONDS", 0.0)
    gate = Gate(venue, "Trade/search")
    line = opened(venue, scripted)
    line.shake_hands()
    line.subscribe()
    assert gate.reached.wait(5)
    monkeypatch.setattr(stream, "SYNC_SECONDS", 120.0)
    again = Line(venue.socket.accepted())
    gate.open.set()
    again.shake_hands()
    again.subscribe()
    scripted.client.wait_state(ConnectionState.LIVE)
    assert len(scripted.client.heard(SyncReport)) == 1


def test_a_key_that_is_withdrawn_is_told_while_the_hub_goes_on(
    venue: Venue, scripted: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H2 renewal refused: the owner hears of it before an order does."""
    live(venue, scripted)
    venue.rest["Account/search"] = venue.rest["Order/place"] = (401, b"")
    venue.rest["Auth/loginKey"] = (200, frames.failure(9))
    scripted.client.connection._session._next_warming = 0.0
    until(lambda: "no API subscription" in scripted.client.heard(ConnectionReport)[-1].detail)
    assert scripted.client.connection.state is ConnectionState.LIVE
    assert scripted.rejected(scripted.submit()).code == "ApiSubscriptionNotFound"
    assert len(venue.calls("Auth/loginKey")) == 2


def test_pings_go_out_and_silence_is_noticed(venue: Venue, scripted: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    """I2 silent stream."""
    monkeypatch.setattr(hub, "PING_SECONDS", 0.1)
    line = live(venue, scripted)
    until(lambda: line.peer.receive() == '{"type":6}\x1e')
    monkeypatch.setattr(hub, "SILENCE_SECONDS", 0.3)
    until(lambda: ConnectionState.STALE in scripted.client.states())
    venue.socket.accepted()


def test_log_outs_in_a_row_are_answered_later_each_time(venue: Venue, scripted: Trader) -> None:
    """H7 two sessions that throw each other out do not do it for ever."""
    line = live(venue, scripted)
    line.say({"type": 1, "target": "gatewaylogout", "arguments": []})
    again = Line(venue.socket.accepted())
    assert len(venue.calls("Auth/loginKey")) == 2
    again.shake_hands()
    again.say({"type": 1, "target": "GatewayLogout", "arguments": []})
    stream = scripted.client.connection._session.stream
    until(lambda: stream.link is None)
    held = scripted.client.connection._session.stream.due
    assert held - scripted.client.connection._session._logged_out_at > 3.9


def test_a_login_without_requests_waits_alone(venue: Venue, scripted: Trader) -> None:
    """H3 rate limit on the way in: the others of the lane go on connecting."""
    venue.rest["Account/search"] = (429, b"")
    scripted.client.connection.start()
    until(lambda: ConnectionState.DOWN in scripted.client.states())
    stream = scripted.client.connection._session.stream
    assert stream.due - time.monotonic() > 4
    assert scripted.client.loop._connector._cool_until == 0


def test_a_direct_socket_that_is_refused_is_negotiated(venue: Venue, scripted: Trader) -> None:
    """I1 the second way in."""
    venue.socket.refuse_with = "404 Not Found"
    scripted.client.connection.start()
    until(lambda: venue.socket.upgrades == 1)
    until(lambda: ConnectionState.DOWN in scripted.client.states())
    session = scripted.client.connection._session
    until(lambda: session._negotiates)
    session._url = f"{venue.endpoints().rest_url.replace('http', 'ws')}/hubs/user"
    asked: list[str] = []

    def negotiate(_fields: dict[str, Any], headers: dict[str, str]) -> Answer:
        asked.append(headers["Authorization"])
        session._url = venue.endpoints().ws_url
        venue.socket.refuse_with = None
        return 200, b'{"connectionId":"c","connectionToken":"t","negotiateVersion":1}'

    venue.rest["/hubs/user/negotiate?negotiateVersion=1"] = negotiate
    line = Line(venue.socket.accepted())
    line.shake_hands()
    assert asked[0].startswith("Bearer ey")
