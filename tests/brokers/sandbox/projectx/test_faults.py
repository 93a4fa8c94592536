"""What the control interface can make the venue do, each told by what a client sees."""

from __future__ import annotations

import json
import time

import pytest
import requests
import websocket

from tests.brokers.sandbox.projectx.client import BUY, FILLED, LIMIT, OPEN, PENDING, REJECTED, SELL, Hub, poll

CLOSED = {"type": 7, "error": "Connection closed with an error.", "allowReconnect": True}


def test_a_request_dropped_before_it_is_accepted_places_nothing(client, sandbox):
    sandbox.fault(client.account.id, "drop_before_accept")
    assert client.open_orders() == []
    with pytest.raises(requests.ConnectionError):
        client.place(BUY, customTag="lost")
    assert client.orders() == []
    assert client.placed(BUY, customTag="lost")


def test_an_order_dropped_after_it_was_accepted_is_there(client, sandbox):
    sandbox.fault(client.account.id, "drop_after_accept")
    with pytest.raises(requests.ConnectionError):
        client.place(BUY, customTag="lost")
    poll(lambda: client.net() == 1)
    assert client.place(BUY, customTag="lost")["errorMessage"] == "custom tag already in use"
    assert [row["customTag"] for row in client.orders() if row["status"] == FILLED] == ["lost"]


def test_a_scripted_rejection_has_its_text_or_another_code(client, sandbox):
    sandbox.fault(client.account.id, "reject", text="Max position exceeded")
    refused = client.place(BUY)
    assert (refused["errorCode"], refused["errorMessage"]) == (2, "Max position exceeded")
    sandbox.fault(client.account.id, "reject", reason="AccountViolation", text="locked out")
    assert client.place(BUY)["errorCode"] == 4
    sandbox.fault(client.account.id, "reject", endpoint="order/cancel")
    order_id = client.placed(BUY, 1, LIMIT, limitPrice=24_000.0)
    assert client.mine("Order/cancel", orderId=order_id)["errorCode"] == 3
    assert client.mine("Order/cancel", orderId=order_id)["success"]


def test_a_later_rejection_comes_on_the_hub_without_a_text(client, sandbox):
    hub = client.user_hub()
    sandbox.fault(client.account.id, "reject", mode="exchange", text="never seen")
    order_id = client.placed(BUY)
    row = hub.until("GatewayUserOrder", id=order_id, status=REJECTED)
    assert "never seen" not in str(row)


def test_a_partial_fill_counts_up_at_status_open(client, sandbox):
    hub = client.user_hub()
    sandbox.fault(client.account.id, "partial_fill", parts=[1, 1], interval=0.02)
    order_id = client.placed(BUY, 3)
    for filled in (1, 2):
        row = hub.until("GatewayUserOrder", id=order_id, fillVolume=filled)
        assert (row["status"], row["size"]) == (OPEN, 3)
    assert [row["id"] for row in client.open_orders()] == [order_id]
    assert client.mine("Order/cancel", orderId=order_id)["success"]
    assert client.net() == 2


def test_a_resting_order_fills_in_parts_once_it_is_reached(client, sandbox):
    sandbox.fault(client.account.id, "partial_fill", parts=[1, 1])
    order_id = client.placed(SELL, 2, LIMIT, limitPrice=25_005.0)
    assert client.order(order_id)["fillVolume"] == 0
    sandbox.price("MNQ", 25_006.0)
    row = client.order(order_id)
    assert (row["status"], row["filledPrice"], len(client.trades())) == (FILLED, 25_005.0, 2)


def test_events_may_be_late_or_early(client, sandbox):
    hub = client.user_hub()
    sandbox.fault(client.account.id, "late_events", seconds=0.1)
    order_id = client.placed(BUY)
    assert client.order(order_id)["status"] == FILLED
    assert hub.invoke("SubscribeAccounts")["result"] is None
    assert hub.events == []
    hub.until("GatewayUserOrder", id=order_id, status=PENDING)
    hub.until("GatewayUserOrder", id=order_id, status=FILLED)
    sandbox.fault(client.account.id, "events_before_reply")
    order_id = client.placed(BUY, 2)
    hub.until("GatewayUserOrder", id=order_id, status=FILLED)


def test_delay_hang_and_rate_limit(client, sandbox):
    sandbox.fault(client.account.id, "delay", seconds=0.05, count=1)
    started = time.monotonic()
    assert client.placed(BUY)
    assert time.monotonic() - started >= 0.05
    sandbox.fault(client.account.id, "rate_limit", endpoint="*")
    limited = client.post("Account/search", {})
    assert (limited.status_code, limited.content) == (429, b"")
    sandbox.fault(client.account.id, "hang")
    url = f"{sandbox.rest_url}/api/Order/place"
    with pytest.raises(requests.ReadTimeout):
        client.http.post(url, json={"accountId": client.account.id}, timeout=0.1)
    assert client.net() == 1


def test_garbled_replies_and_events_are_no_json(client, sandbox):
    sandbox.fault(client.account.id, "garbled")
    response = client.post("Order/place", {"accountId": client.account.id, "contractId": client.contract_id})
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    hub = client.user_hub()
    sandbox.fault(client.account.id, "garbled", endpoint="hubs/user")
    client.placed(BUY)
    with pytest.raises(json.JSONDecodeError):
        hub.until("GatewayUserTrade")


def test_empty_lists_are_a_success_with_nothing_in_it(client, sandbox):
    client.placed(BUY)
    sandbox.fault(client.account.id, "empty_lists", count=3)
    assert client.positions() == client.orders() == client.trades() == []
    assert client.positions() == [(1, 1, 25_000.0)]
    sandbox.fault(client.account.id, "empty_lists", endpoint="account/search")
    assert client.call("Account/search", onlyActiveAccounts=True)["accounts"] == []


def test_a_silent_hub_stays_connected_and_says_nothing(client, sandbox):
    hub = client.user_hub()
    sandbox.fault(client.account.id, "silent_socket")
    client.placed(BUY)
    hub.socket.settimeout(0.1)
    with pytest.raises(websocket.WebSocketTimeoutException):
        hub.receive()


def test_shutdown_closes_hubs_with_a_record(client, new_client, sandbox):
    hub, market, bystander = client.user_hub(), client.hub("market"), new_client().user_hub()
    sandbox.fault(client.account.id, "shutdown", reasonCode="ConnectionQuotaReached")
    for each in (hub, market):
        each.wait(lambda each=each: each.messages, "close record")
        assert (each.events, each.messages) == ([], [CLOSED])
        assert each.socket.recv() == ""
    assert "error" not in bystander.invoke("SubscribeAccounts")
    again = client.user_hub()
    sandbox.fault(client.account.id, "shutdown")
    again.wait(lambda: again.messages, "close record")
    assert again.events == [("GatewayLogout", [])]


def test_logout_reaches_both_hubs_with_or_without_the_end(client, sandbox):
    hubs = [client.hub(), client.hub("market")]
    sandbox.fault(client.account.id, "logout", close=False)
    for hub in hubs:
        hub.wait(lambda hub=hub: hub.events, "logout")
        assert hub.events == [("GatewayLogout", [])]
        assert hub.invoke("Nothing")["error"]
    sandbox.fault(client.account.username, "logout")
    for hub in hubs:
        hub.wait(lambda hub=hub: hub.messages, "close record")
        assert hub.messages == [{"type": 7}]
    assert sandbox.faults() == []


def test_expiry_may_take_the_hubs_along(client, sandbox):
    hub = client.user_hub()
    sandbox.fault(client.account.id, "token_expiry", drop_sockets=True)
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        while True:
            hub.receive()
    with pytest.raises(websocket.WebSocketBadStatusException):
        Hub(sandbox.ws_url, client.token)


def test_refused_connections(client, sandbox):
    sandbox.fault(client.account.username, "refuse_connections")
    with pytest.raises(requests.ConnectionError):
        client.post("Account/search", {})
    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        Hub(sandbox.ws_url, client.token)
    sandbox.clear_faults()
    assert client.post("Account/search", {}).status_code == 200


def test_a_replay_tells_every_order_and_trade_again(client, sandbox):
    hub = client.user_hub()
    client.placed(BUY)
    hub.until("GatewayUserOrder", status=FILLED)
    [first] = [row for row in hub.rows("GatewayUserTrade") or [hub.until("GatewayUserTrade")]]
    hub.until("GatewayUserPosition")
    hub.events.clear()
    sandbox.fault(client.account.id, "replay")
    assert hub.until("GatewayUserTrade") == first
    hub.until("GatewayUserPosition", size=1)
    assert [name for name, _ in hub.events if name == "GatewayUserOrder"] == ["GatewayUserOrder"]


def test_faults_are_this_venues_and_well_formed(client, sandbox):
    for body in (
        {"kind": "penalty_ticket"},
        {"kind": "late_events", "seconds": -1},
        {"kind": "logout", "close": "no"},
        {"kind": "inactive", "code": 7},
        {"kind": "inactive", "code": True},
        {"kind": "bad_login", "code": 11},
    ):
        with pytest.raises(requests.HTTPError):
            sandbox.fault(client.account.id, **body)
    assert sandbox.faults() == []


def test_an_unknown_switch_or_choice_is_refused(sandbox):
    for wrong in ({"framing": "torn"}, {"unknown": 1}, {"requests_per_minute": 0}):
        with pytest.raises(requests.HTTPError):
            sandbox.switches(**wrong)
