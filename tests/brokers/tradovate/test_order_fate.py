"""What becomes of an order request on a socket that answers, lies, stays silent or dies."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from brokers.base import (
    AccountRef,
    BracketLeg,
    CancelOrder,
    ConnectionState,
    FlattenPosition,
    OrderRole,
    OrderStatus,
    Side,
    SubmitOrder,
)
from brokers.reports import Accepted, FillReport, NotSent, OrderReport, Outcome, Rejected, Sent, SyncReport, Unknown
from brokers.tradovate import desk
from tests.brokers.scripted import frame
from tests.brokers.tradovate.venue import ACCOUNT, SNAPSHOT, Client, Line, Venue, live, props

ID = "in_0123456789abcdef0123456789"
ENTRY = SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.BUY, 1)
STAMP = "2026-10-01T14:00:00.045Z"
WORKING = {"id": 900100, "accountId": 5001, "contractId": 43, "action": "Buy", "ordStatus": "Working"}
COMMAND = {"id": 900100, "orderId": 900100, "clOrdId": ID, "commandType": "New", "commandStatus": "AtExecution"}
VERSION = {"id": 900100, "orderId": 900100, "orderQty": 1, "orderType": "Market"}
FILL = {"id": 77, "orderId": 900100, "contractId": 43, "timestamp": STAMP, "action": "Buy", "qty": 1, "price": 25000.0}


def outcome(client: Client) -> Outcome:
    return client.wait(Outcome)[0]  # type: ignore[arg-type]


def test_an_order_goes_out_on_the_socket_and_is_answered(venue: Venue, client: Client) -> None:
    """A1"""
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


def test_accounts_of_one_login_share_its_socket(venue: Venue, client: Client) -> None:
    second = AccountRef("5002", "DEMO70002")
    accounts = [*SNAPSHOT["accounts"], {"id": 5002, "name": "DEMO70002", "userId": 70001, "active": True}]
    line = live(venue, client, {**SNAPSHOT, "accounts": accounts})
    client.connection.submit([ENTRY, SubmitOrder("b" * 26, second, "MNQZ6", Side.SELL, 2)])
    bodies = []
    for order_id in (1, 2):
        request_id, _, body = line.expect("order/placeorder")
        bodies.append(orjson.loads(body))
        line.reply(request_id, {"orderId": order_id})
    assert [(body["accountId"], body["accountSpec"]) for body in bodies] == [(5001, "DEMO70001"), (5002, "DEMO70002")]
    line.say(props("order", {**WORKING, "id": 2, "accountId": 5002}), props("command", {**COMMAND, "orderId": 2}))
    assert [report.account for report in client.wait(OrderReport)] == [second]
    assert venue.socket.upgrades == 1


def test_a_fill_before_the_answer_is_told_once(venue: Venue, client: Client) -> None:
    """G7"""
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
    """F1, F3"""
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
    """F1"""
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
    """F3"""
    line = live(venue, client)
    client.connection.submit([ENTRY])
    line.reply(line.expect("order/placeorder")[0], payload)
    assert isinstance(outcome(client), Unknown)


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_server_error_is_unknown(venue: Venue, client: Client, status: int) -> None:
    """F1"""
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


def test_a_429_rejects_with_proof_and_silences_the_login(venue: Venue, client: Client) -> None:
    """H3"""
    line = live(venue, client)
    client.connection.submit([ENTRY])
    line.reply(line.expect("order/placeorder")[0], status=429)
    rejected = outcome(client)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "RATE_LIMITED"
    client.connection.submit([ENTRY, CancelOrder("c" * 26, ACCOUNT, "1")])
    waiting = client.wait(NotSent, 2)
    assert all("penalty" in refused.reason for refused in waiting)
    assert len(client.heard(Sent)) == 1


def test_a_penalty_for_one_order_does_not_belie_the_acceptance_of_another(venue: Venue, client: Client) -> None:
    """H3"""
    line = live(venue, client)
    client.connection.submit([ENTRY, SubmitOrder("b" * 26, ACCOUNT, "MNQZ6", Side.BUY, 1)])
    first, second = line.expect("order/placeorder")[0], line.expect("order/placeorder")[0]
    line.reply(first, status=429)
    line.reply(second, {"orderId": 2})
    assert [o.client_order_id for o in client.wait(Rejected)] == [ID]
    assert [o.client_order_id for o in client.wait(Accepted)] == ["b" * 26]


def test_a_stopped_connection_can_be_started_again(venue: Venue, client: Client) -> None:
    live(venue, client)
    client.connection.stop()
    client.wait_state(ConnectionState.DOWN)
    live(venue, client)
    assert len(client.heard(SyncReport)) == 2


def test_a_401_is_renewed_once_and_placed_once(venue: Venue, client: Client) -> None:
    """H1"""
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
    """H2"""
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
    """F2"""
    live(venue, client)
    venue.rest_server.close()
    client.connection.stop()
    client.wait_state(ConnectionState.DOWN)
    client.connection.submit([ENTRY])
    assert isinstance(outcome(client), NotSent)


def test_a_rest_order_without_an_answer_is_unknown(venue: Venue, client: Client) -> None:
    """F1"""
    venue.rest["order/placeorder"] = lambda _body, _headers: None
    client.connection.submit([ENTRY])
    assert isinstance(outcome(client), Unknown)
    assert venue.paths().count("order/placeorder") == 1


def test_a_refused_sign_in_sends_no_order(venue: Venue, client: Client) -> None:
    """H4"""
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
    """J1"""
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
    """E5"""
    live(venue, client)
    client.connection.submit([FlattenPosition(ID, ACCOUNT, "XXZ6")])
    rejected = outcome(client)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "UnknownContract"
