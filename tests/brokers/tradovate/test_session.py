"""The user socket, frame by frame: sign-in, sync, events, silence, and what becomes of orders on a dying socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from brokers.base import (
    Accepted,
    BracketLeg,
    CancelOrder,
    ConnectionReport,
    ConnectionState,
    FillReport,
    FlattenPosition,
    NotSent,
    OrderReport,
    OrderRole,
    OrderStatus,
    Outcome,
    Rejected,
    Sent,
    Side,
    SubmitOrder,
    SyncReport,
    Unknown,
)
from brokers.tradovate import desk, session
from tests.brokers.scripted import frame, until
from tests.brokers.tradovate.venue import ACCOUNT, SNAPSHOT, Client, Line, Venue, props

ID = "in_0123456789abcdef0123456789"
ENTRY = SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.BUY, 1)
STAMP = "2026-10-01T14:00:00.045Z"
WORKING = {"id": 900100, "accountId": 5001, "contractId": 43, "action": "Buy", "ordStatus": "Working"}
COMMAND = {"id": 900100, "orderId": 900100, "clOrdId": ID, "commandType": "New", "commandStatus": "AtExecution"}
VERSION = {"id": 900100, "orderId": 900100, "orderQty": 1, "orderType": "Market"}
FILL = {"id": 77, "orderId": 900100, "contractId": 43, "timestamp": STAMP, "action": "Buy", "qty": 1, "price": 25000.0}


@pytest.fixture
def venue() -> Iterator[Venue]:
    venue = Venue()
    yield venue
    venue.close()


@pytest.fixture
def client(venue: Venue) -> Iterator[Client]:
    client = Client(venue.rest_server.url, venue.socket.url)
    yield client
    client.close()


def opened(venue: Venue, client: Client) -> Line:
    client.connection.start()
    return Line(venue.socket.accepted())


def live(venue: Venue, client: Client, snapshot: dict[str, Any] | None = None) -> Line:
    line = opened(venue, client)
    line.sign_in(snapshot)
    client.wait_state(ConnectionState.LIVE)
    return line


def outcome(client: Client) -> Outcome:
    return client.wait(Outcome)[0]  # type: ignore[arg-type]


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
    line = opened(venue, client)
    line.reply(line.expect("authorize")[0], "Access is denied", status=401)
    again = Line(venue.socket.accepted())
    assert again.expect("authorize")[2] == "token-2"


def test_a_login_whose_every_token_is_refused_has_failed(venue: Venue, client: Client) -> None:
    client.connection.start()
    for _ in range(session.MOST_REFUSED_TOKENS):
        line = Line(venue.socket.accepted())
        line.reply(line.expect("authorize")[0], "Access is denied", status=401)
    client.wait_state(ConnectionState.FAILED)


def test_a_refused_password_fails_the_connection(venue: Venue, client: Client) -> None:
    venue.rest["auth/accesstokenrequest"] = (200, b'{"errorText":"Incorrect username or password."}')
    client.connection.start()
    client.wait_state(ConnectionState.FAILED)
    assert "Incorrect username" in client.heard(ConnectionReport)[-1].detail
    assert venue.paths() == ["auth/accesstokenrequest"]


@pytest.mark.parametrize("farewell", ['c[3000,"Go away!"]', "c"])
def test_a_close_frame_means_reconnect(venue: Venue, client: Client, farewell: str) -> None:
    live(venue, client).peer.send(farewell)
    Line(venue.socket.accepted()).sign_in()
    client.wait(SyncReport, 2)


def test_a_quota_shutdown_is_waited_out(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    line.say({"e": "shutdown", "d": {"reasonCode": "ConnectionQuotaReached"}})
    client.wait_state(ConnectionState.DOWN)
    assert "ConnectionQuotaReached" in client.heard(ConnectionReport)[-1].detail
    stream = client.connection._session.stream
    until(lambda: stream.due > time.monotonic() + session.QUOTA_HOLD_SECONDS - 10)


def test_a_maintenance_shutdown_reconnects_soon(venue: Venue, client: Client) -> None:
    live(venue, client).say({"e": "shutdown", "d": {"reasonCode": "Maintenance"}})
    Line(venue.socket.accepted()).sign_in()
    client.wait(SyncReport, 2)


def test_an_order_goes_out_on_the_socket_and_is_answered(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    client.connection.submit([ENTRY])
    request_id, _, body = line.expect("order/placeorder")
    assert orjson.loads(body)["clOrdId"] == ID
    line.reply(request_id, {"orderId": 900100})
    accepted = outcome(client)
    assert isinstance(accepted, Accepted)
    assert accepted.broker_order_id == "900100"
    (sent,) = client.heard(Sent)
    assert sent.at <= accepted.at


def test_a_fill_before_the_answer_is_told_once(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    client.connection.submit([ENTRY])
    request_id, _, _ = line.expect("order/placeorder")
    line.say(props("fill", FILL), props("order", {**WORKING, "ordStatus": "Filled"}))
    line.say(props("command", COMMAND), props("orderVersion", VERSION), props("fill", FILL))
    line.reply(request_id, {"orderId": 900100})
    client.wait(Accepted)
    assert [f.broker_fill_id for f in client.wait(FillReport)] == ["77"]
    assert [(o.client_order_id, o.status) for o in client.heard(OrderReport)] == [(ID, OrderStatus.FILLED)]


def test_changes_may_come_as_lists(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    change = {"entityType": "order", "eventType": "Created", "entity": [WORKING]}
    line.say({"e": "props", "d": [change, {"entityType": "command", "eventType": "Created", "entity": COMMAND}]})
    assert [o.client_order_id for o in client.wait(OrderReport)] == [ID]


def test_unknown_events_are_ignored(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    line.say({"e": "clock", "d": "{}"}, {"e": "props", "d": {"entityType": "userSessionStats", "entity": {}}}, {"e": 1})
    line.say(props("order", WORKING, "Deleted"), {"e": "props"}, {"i": 99999, "s": 200})
    line.say(props("order", WORKING), props("command", COMMAND))
    assert len(client.wait(OrderReport)) == 1
    assert client.connection.state is ConnectionState.LIVE


@pytest.mark.parametrize("ending", ["close", "reset", "garbled", "truncated"])
def test_a_socket_that_dies_before_the_answer_leaves_it_unknown(venue: Venue, client: Client, ending: str) -> None:
    line = live(venue, client)
    client.connection.submit([ENTRY])
    request_id, _, _ = line.expect("order/placeorder")
    match ending:
        case "close":
            line.peer.close()
        case "reset":
            line.peer.reset()
        case "garbled":
            line.peer.send(f'a[{{"s":200,"i":{request_id},"d":{{"ord')
        case "truncated":
            line.peer.send_raw(frame('a[{"s":200}]' * 50)[:100])
            line.peer.close()
    assert isinstance(outcome(client), Unknown)
    Line(venue.socket.accepted()).sign_in()
    client.wait(SyncReport, 2)
    assert len(client.heard(Outcome)) == 1  # type: ignore[arg-type]
    assert "order/placeorder" not in venue.paths()


def test_no_answer_in_time_is_unknown_and_a_late_one_changes_nothing(
    venue: Venue, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "ANSWER_SECONDS", 0.2)
    line = live(venue, client)
    client.connection.submit([ENTRY])
    request_id, _, _ = line.expect("order/placeorder")
    assert isinstance(outcome(client), Unknown)
    line.reply(request_id, {"orderId": 900100})
    line.say(props("order", WORKING), props("command", COMMAND))
    client.wait(OrderReport)
    assert len(client.heard(Outcome)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("payload", [None, "what", [], {"unexpected": 1}])
def test_an_answer_that_names_no_order_is_unknown(venue: Venue, client: Client, payload: Any) -> None:
    line = live(venue, client)
    client.connection.submit([ENTRY])
    line.reply(line.expect("order/placeorder")[0], payload)
    assert isinstance(outcome(client), Unknown)


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_server_error_is_unknown(venue: Venue, client: Client, status: int) -> None:
    line = live(venue, client)
    client.connection.submit([ENTRY])
    line.reply(line.expect("order/placeorder")[0], "oops", status=status)
    assert isinstance(outcome(client), Unknown)


@pytest.mark.parametrize(("status", "code"), [(400, "HTTP_400"), (403, "HTTP_403"), (404, "HTTP_404")])
def test_a_client_error_is_a_rejection(venue: Venue, client: Client, status: int, code: str) -> None:
    line = live(venue, client)
    client.connection.submit([ENTRY])
    line.reply(line.expect("order/placeorder")[0], "no", status=status)
    rejected = outcome(client)
    assert isinstance(rejected, Rejected)
    assert rejected.code == code


@pytest.mark.parametrize(
    ("status", "payload"),
    [(429, None), (200, {"p-ticket": "x", "p-time": 30, "p-captcha": False})],
)
def test_a_penalty_rejects_with_proof_and_silences_the_login(
    venue: Venue, client: Client, status: int, payload: Any
) -> None:
    line = live(venue, client)
    client.connection.submit([ENTRY])
    line.reply(line.expect("order/placeorder")[0], payload, status=status)
    rejected = outcome(client)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "RATE_LIMITED"
    client.connection.submit([ENTRY, CancelOrder("c" * 26, ACCOUNT, "1")])
    waiting = client.wait(NotSent, 2)
    assert all("penalty" in refused.reason for refused in waiting)
    assert len(client.heard(Sent)) == 1


def test_a_401_is_renewed_once_and_placed_once(venue: Venue, client: Client) -> None:
    bearers: list[str | None] = []

    def place(body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        bearers.append(headers.get("Authorization"))
        assert orjson.loads(body)["clOrdId"] == ID
        return 200, b'{"orderId":900100}'

    venue.rest["order/placeorder"] = place
    line = live(venue, client)
    client.connection.submit([ENTRY])
    line.reply(line.expect("order/placeorder")[0], "Expired Access Token", status=401)
    assert isinstance(outcome(client), Accepted)
    assert bearers == ["Bearer token-2"]
    assert venue.paths().count("auth/renewaccesstoken") == 1
    again = Line(venue.socket.accepted())
    assert again.expect("authorize")[2] == "token-2"


def test_a_second_401_is_a_rejection(venue: Venue, client: Client) -> None:
    venue.rest["order/placeorder"] = (401, b"Access is denied")
    line = live(venue, client)
    client.connection.submit([ENTRY])
    line.reply(line.expect("order/placeorder")[0], "Access is denied", status=401)
    rejected = outcome(client)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "UNAUTHORIZED"
    assert venue.paths().count("order/placeorder") == 1


def test_an_order_while_the_socket_is_down_goes_over_rest(venue: Venue, client: Client) -> None:
    venue.rest["order/placeorder"] = (200, b'{"orderId":900100}')
    client.connection.submit([ENTRY])
    accepted = outcome(client)
    assert isinstance(accepted, Accepted)
    assert accepted.broker_order_id == "900100"


def test_an_order_that_reached_neither_socket_nor_rest_is_not_sent(venue: Venue, client: Client) -> None:
    live(venue, client)
    venue.rest_server.close()
    client.connection.stop()
    client.wait_state(ConnectionState.DOWN)
    client.connection.submit([ENTRY])
    assert isinstance(outcome(client), NotSent)


def test_a_rest_order_without_an_answer_is_unknown(venue: Venue, client: Client) -> None:
    venue.rest["order/placeorder"] = lambda _body, _headers: None
    client.connection.submit([ENTRY])
    assert isinstance(outcome(client), Unknown)
    assert venue.paths().count("order/placeorder") == 1


def test_a_refused_sign_in_sends_no_order(venue: Venue, client: Client) -> None:
    venue.rest["auth/accesstokenrequest"] = (200, b'{"errorText":"no"}')
    client.connection.submit([ENTRY])
    assert isinstance(outcome(client), NotSent)
    assert venue.paths() == ["auth/accesstokenrequest"]


def test_an_order_that_cannot_be_said_is_not_sent_and_others_are(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    leg = BracketLeg(5, None, None)
    client.connection.submit([SubmitOrder("x" * 26, ACCOUNT, "MNQZ6", Side.BUY, 1, bracket=(leg,)), ENTRY])
    line.reply(line.expect("order/placeorder")[0], {"orderId": 1})
    client.wait(Accepted)
    assert [o.client_order_id for o in client.heard(NotSent)] == ["x" * 26]


def test_a_flatten_finds_its_contract_first(venue: Venue, client: Client) -> None:
    venue.rest["contract/find?name=ESZ6"] = (200, b'{"id":44,"name":"ESZ6"}')
    line = live(venue, client)
    client.connection.submit([FlattenPosition(ID, ACCOUNT, "ESZ6")])
    request_id, _, body = line.expect("order/liquidateposition")
    assert orjson.loads(body)["contractId"] == 44
    line.reply(request_id, {"orderId": 9})
    exit_order = {**WORKING, "id": 9, "contractId": 44, "action": "Sell", "ordStatus": "Filled"}
    line.event("order", exit_order)
    (report,) = client.wait(OrderReport)
    assert (report.role, report.client_order_id) == (OrderRole.EXIT, ID)


def test_a_flatten_of_an_unknown_contract_is_rejected(venue: Venue, client: Client) -> None:
    live(venue, client)
    client.connection.submit([FlattenPosition(ID, ACCOUNT, "XXZ6")])
    rejected = outcome(client)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "UnknownContract"


def test_a_fill_without_a_price_is_read_again(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    line.say(props("order", WORKING), props("command", COMMAND), props("fill", {**FILL, "price": 0}))
    assert [f.price for f in client.wait(FillReport)] == [None]
    request_id, query, _ = line.expect("fill/item")
    assert query == "id=77"
    line.reply(request_id, FILL)
    assert [f.price for f in client.wait(FillReport, 2)][1] == 25000


def test_a_fill_whose_order_never_came_asks_for_it(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    line.event("fill", FILL)
    request_id, query, _ = line.expect("order/item")
    assert query == "id=900100"
    line.reply(request_id, WORKING)
    assert [f.broker_fill_id for f in client.wait(FillReport)] == ["77"]


def test_an_ageing_token_is_renewed_while_the_socket_goes_on(venue: Venue, client: Client) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=10)).isoformat().replace("+00:00", "Z")
    answer = orjson.dumps({"accessToken": "short", "userId": 70001, "expirationTime": soon})
    venue.rest["auth/accesstokenrequest"] = (200, answer)
    live(venue, client)
    until(lambda: client.store.token is not None and client.store.token.access != "short")
    assert venue.paths() == ["auth/accesstokenrequest", "auth/renewaccesstoken"]
    assert client.connection.state is ConnectionState.LIVE


def test_a_renewal_that_fails_is_told_while_the_socket_goes_on(venue: Venue, client: Client) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=10)).isoformat().replace("+00:00", "Z")
    answer = orjson.dumps({"accessToken": "short", "userId": 70001, "expirationTime": soon})
    venue.rest["auth/accesstokenrequest"] = (200, answer)
    venue.rest["auth/renewaccesstoken"] = (500, b"")
    live(venue, client)
    until(lambda: any("could not be renewed" in report.detail for report in client.heard(ConnectionReport)))
    assert client.connection.state is ConnectionState.LIVE
