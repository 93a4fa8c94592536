"""The user socket, frame by frame: sign-in, sync, events, silence, shutdowns and renewal."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from brokers.base import ConnectionState, OrderStatus, Side, SubmitOrder
from brokers.connector import Connector
from brokers.reports import ConnectionReport, SyncReport
from brokers.tradovate import session
from tests.brokers.scripted import until
from tests.brokers.tradovate.venue import ACCOUNT, SNAPSHOT, Client, Line, Venue, live, opened, props

ID = "in_0123456789abcdef0123456789"
ENTRY = SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.BUY, 1)
STAMP = "2026-10-01T14:00:00.045Z"
WORKING = {"id": 900100, "accountId": 5001, "contractId": 43, "action": "Buy", "ordStatus": "Working"}
COMMAND = {"id": 900100, "orderId": 900100, "clOrdId": ID, "commandType": "New", "commandStatus": "AtExecution"}
VERSION = {"id": 900100, "orderId": 900100, "orderQty": 1, "orderType": "Market"}
FILL = {"id": 77, "orderId": 900100, "contractId": 43, "timestamp": STAMP, "action": "Buy", "qty": 1, "price": 25000.0}


def test_a_session_signs_in_syncs_and_is_live(venue: Venue, client: Client) -> None:
    line = opened(venue, client)
    line.peer.send("o")
    request_id, _, token = line.expect("authorize")
    assert token == "token-1"
    line.reply(request_id)
    request_id, _, body = line.expect("user/syncrequest")
    assert orjson.loads(body) == {"users": [70001]}
    line.reply(request_id, SNAPSHOT)
    client.wait_state(ConnectionState.LIVE)
    until(lambda: len(client.events) == 3)
    connecting, synced, alive = client.events
    assert isinstance(connecting, ConnectionReport)
    assert isinstance(synced, SyncReport)
    assert isinstance(alive, ConnectionReport)
    assert (connecting.state, alive.state) == (ConnectionState.CONNECTING, ConnectionState.LIVE)
    assert (synced.accounts, synced.orders, synced.fills, synced.positions) == ((ACCOUNT,), (), (), ())


def test_a_venue_that_opens_lazily_is_spoken_to_first(venue: Venue, client: Client) -> None:
    line = opened(venue, client)
    request_id, _, _ = line.expect("authorize")
    line.peer.send("o")
    line.reply(request_id)
    line.reply(line.expect("user/syncrequest")[0], SNAPSHOT)
    client.wait_state(ConnectionState.LIVE)


def test_a_login_without_a_user_id_asks_for_it(venue: Venue, client: Client) -> None:
    venue.user_id = None
    line = opened(venue, client)
    line.reply(line.expect("authorize")[0])
    line.reply(line.expect("user/list")[0], [{"id": 70001, "name": "trader1"}])
    assert orjson.loads(line.expect("user/syncrequest")[2]) == {"users": [70001]}


def test_events_before_the_snapshot_are_applied_on_top_of_it(venue: Venue, client: Client) -> None:
    """I1"""
    line = opened(venue, client)
    line.reply(line.expect("authorize")[0])
    request_id, _, _ = line.expect("user/syncrequest")
    line.event("order", {**WORKING, "ordStatus": "Filled"}, "Updated")
    snapshot = {**SNAPSHOT, "orders": [WORKING], "commands": [COMMAND], "orderVersions": [VERSION]}
    line.say(props("fill", FILL), {"s": 200, "i": request_id, "d": snapshot})
    (synced,) = client.wait(SyncReport)
    assert [(o.client_order_id, o.status) for o in synced.orders] == [(ID, OrderStatus.FILLED)]
    assert [f.broker_fill_id for f in synced.fills] == ["77"]


def test_a_snapshot_of_megabytes_is_read(venue: Venue, client: Client) -> None:
    orders = [{**WORKING, "id": n, "ordStatus": "Canceled"} for n in range(1, 20_001)]
    live(venue, client, {**SNAPSHOT, "orders": orders})
    assert len(client.heard(SyncReport)[0].orders) == 20_000


def test_a_snapshot_waits_for_the_names_of_its_contracts(venue: Venue, client: Client) -> None:
    line = opened(venue, client)
    line.sign_in({**SNAPSHOT, "orders": [{**WORKING, "contractId": 44}]})
    request_id, query, _ = line.expect("contract/item")
    assert query == "id=44"
    assert client.heard(SyncReport) == []
    line.reply(request_id, {"id": 44, "name": "ESZ6"})
    (synced,) = client.wait(SyncReport)
    assert [o.symbol for o in synced.orders] == ["ESZ6"]


def test_a_contract_that_the_venue_does_not_know_hides_no_order(venue: Venue, client: Client) -> None:
    line = opened(venue, client)
    line.sign_in({**SNAPSHOT, "orders": [{**WORKING, "contractId": 44}]})
    line.reply(line.expect("contract/item")[0], status=404)
    (synced,) = client.wait(SyncReport)
    assert [o.symbol for o in synced.orders] == ["#44"]


def test_a_heartbeat_goes_out_while_nothing_else_does(
    venue: Venue, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "HEARTBEAT_SECONDS", 0.1)
    line = live(venue, client)
    assert line.peer.receive_frame() == (1, b"[]")
    assert line.peer.receive_frame() == (1, b"[]")


def test_silence_is_stale_then_a_reconnect_and_a_new_snapshot(
    venue: Venue, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I2"""
    monkeypatch.setattr(session, "SILENCE_SECONDS", 0.4)
    live(venue, client)
    until(lambda: ConnectionState.STALE in client.states())
    monkeypatch.setattr(session, "SILENCE_SECONDS", 60.0)
    Line(venue.socket.accepted()).sign_in()
    client.wait(SyncReport, 2)
    client.wait_state(ConnectionState.LIVE)
    names = [ConnectionState.CONNECTING, ConnectionState.LIVE]
    assert client.states() == [*names, ConnectionState.STALE, ConnectionState.DOWN, *names]


def test_any_word_from_the_venue_ends_the_silence(
    venue: Venue, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SILENCE_SECONDS", 0.8)
    line = live(venue, client)
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline:
        line.peer.send("h")
        time.sleep(0.05)
    assert ConnectionState.STALE not in client.states()


def test_a_token_that_the_socket_refuses_is_replaced(venue: Venue, client: Client) -> None:
    """H7"""
    line = opened(venue, client)
    line.reply(line.expect("authorize")[0], "Access is denied", status=401)
    again = Line(venue.socket.accepted())
    assert again.expect("authorize")[2] == "token-2"


def test_a_login_whose_every_token_is_refused_has_failed(venue: Venue, client: Client) -> None:
    """H2"""
    client.connection.start()
    for _ in range(session.MOST_REFUSED_TOKENS):
        line = Line(venue.socket.accepted())
        line.reply(line.expect("authorize")[0], "Access is denied", status=401)
    client.wait_state(ConnectionState.FAILED)


def test_a_refused_password_fails_the_connection(venue: Venue, client: Client) -> None:
    """H4"""
    venue.rest["auth/accesstokenrequest"] = (200, b'{"errorText":"Incorrect username or password."}')
    client.connection.start()
    client.wait_state(ConnectionState.FAILED)
    assert "Incorrect username" in client.heard(ConnectionReport)[-1].detail
    assert venue.paths() == ["auth/accesstokenrequest"]


@pytest.mark.parametrize("farewell", ['c[3000,"Go away!"]', "c"])
def test_a_close_frame_means_reconnect(venue: Venue, client: Client, farewell: str) -> None:
    """I1"""
    live(venue, client).peer.send(farewell)
    Line(venue.socket.accepted()).sign_in()
    client.wait(SyncReport, 2)


@pytest.mark.parametrize(("reason", "concerns_all"), [("ConnectionQuotaReached", False), ("IPQuotaReached", True)])
def test_a_quota_shutdown_is_waited_out(
    venue: Venue, client: Client, monkeypatch: pytest.MonkeyPatch, reason: str, *, concerns_all: bool
) -> None:
    """H7"""
    cooled: list[float] = []
    monkeypatch.setattr(Connector, "cool_down", lambda _, seconds: cooled.append(seconds))
    line = live(venue, client)
    line.say({"e": "shutdown", "d": {"reasonCode": reason}})
    client.wait_state(ConnectionState.DOWN)
    assert reason in client.heard(ConnectionReport)[-1].detail
    stream = client.connection._session.stream
    until(lambda: stream.due > time.monotonic() + session.QUOTA_HOLD_SECONDS - 10)
    assert cooled == [session.QUOTA_HOLD_SECONDS] * concerns_all


def test_a_maintenance_shutdown_reconnects_soon(venue: Venue, client: Client) -> None:
    live(venue, client).say({"e": "shutdown", "d": {"reasonCode": "Maintenance"}})
    Line(venue.socket.accepted()).sign_in()
    client.wait(SyncReport, 2)


def test_an_ageing_token_is_renewed_while_the_socket_goes_on(venue: Venue, client: Client) -> None:
    """H1"""
    soon = (datetime.now(UTC) + timedelta(minutes=10)).isoformat().replace("+00:00", "Z")
    answer = orjson.dumps({"accessToken": "short", "userId": 70001, "expirationTime": soon})
    venue.rest["auth/accesstokenrequest"] = (200, answer)
    live(venue, client)
    until(lambda: client.store.token is not None and client.store.token.access != "short")
    assert venue.paths() == ["auth/accesstokenrequest", "auth/renewaccesstoken"]
    assert client.connection.state is ConnectionState.LIVE


def test_a_renewal_that_fails_is_told_while_the_socket_goes_on(venue: Venue, client: Client) -> None:
    """H2"""
    soon = (datetime.now(UTC) + timedelta(minutes=10)).isoformat().replace("+00:00", "Z")
    answer = orjson.dumps({"accessToken": "short", "userId": 70001, "expirationTime": soon})
    venue.rest["auth/accesstokenrequest"] = (200, answer)
    venue.rest["auth/renewaccesstoken"] = (500, b"")
    live(venue, client)
    until(lambda: any("could not be renewed" in report.detail for report in client.heard(ConnectionReport)))
    assert client.connection.state is ConnectionState.LIVE
