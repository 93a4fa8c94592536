from __future__ import annotations

import json
import time

import pytest
import requests
import websocket

from tests.brokers.sandbox.client import VenueClient
from tests.brokers.sandbox.test_trading import poll

MARKET = {"orderQty": 2, "orderType": "Market"}
BRACKET = {"qty": 2, "profitTarget": 10, "stopLoss": -10}


def test_delay_holds_the_order_back_but_not_its_arrival(client, sandbox):
    sandbox.fault(client.account.id, "delay", seconds=0.5)
    since = time.time()
    number = client.send("order/placeorder", client.order("Buy"))
    poll(lambda: sandbox.arrivals(since))
    assert client.state()["orders"] == 0
    client.wait(lambda: number in client.replies, "delayed reply")
    assert time.time() - since >= 0.5
    assert sandbox.arrivals(since)[0]["time"] - since < 0.5
    assert client.request("account/list")["s"] == 200


def test_default_broker_delay_concerns_every_request(client, sandbox):
    sandbox.switches(delay_ms=120)
    started = time.monotonic()
    client.request("account/list")
    assert time.monotonic() - started >= 0.12


def test_drop_after_accept_executes_and_never_answers(client, sandbox):
    sandbox.fault(client.account.id, "drop_after_accept")
    client.send("order/placeorder", client.order("Buy", clOrdId="lost"))
    with pytest.raises((websocket.WebSocketConnectionClosedException, OSError)):
        client.wait(lambda: client.replies, "nothing")
    poll(lambda: client.net_position() == 1)
    assert client.state()["entries"][0]["clOrdId"] == "lost"
    assert sandbox.faults() == []


def test_drop_before_accept_leaves_nothing_over_rest_too(client, sandbox):
    sandbox.fault(client.account.name, "drop_before_accept", endpoint="order/placeorder")
    with pytest.raises(requests.ConnectionError):
        client.rest("order/placeorder", client.order("Buy"))
    assert client.state()["orders"] == 0


def test_hang_never_answers(client, sandbox):
    sandbox.fault(client.account.id, "hang")
    number = client.send("order/placeorder", client.order("Buy"))
    assert client.request("account/list")["s"] == 200
    assert number not in client.replies
    assert client.state()["orders"] == 0


def test_sync_reject_names_reason_and_text(client, sandbox):
    sandbox.fault(client.account.id, "reject", reason="TradingLocked", text="locked", count=2)
    refused = client.request("order/placeorder", client.order("Buy"))["d"]
    assert refused == {"failureReason": "TradingLocked", "failureText": "locked"}
    strategy = client.request("orderstrategy/startorderstrategy", client.strategy("Buy", MARKET, [BRACKET]))["d"]
    assert strategy == {"errorText": "locked", "failureReason": "TradingLocked"}
    assert client.state()["orders"] == 0
    assert client.request("order/placeorder", client.order("Buy"))["d"]["orderId"]


def test_async_reject_comes_on_the_stream_without_execution_report(client, sandbox):
    sandbox.fault(client.account.id, "reject", reason="LiquidationOnly", text="only out", mode="async")
    strategy_id = client.start("Buy", MARKET, [BRACKET])
    client.until("orderStrategy", id=strategy_id, status="ExecutionFailed")
    client.until("order", ordStatus="Rejected")
    report = client.until("commandReport", commandStatus="RiskRejected")
    assert (report["rejectReason"], report["text"]) == ("LiquidationOnly", "only out")
    assert client.rows("executionReport") == []


def test_exchange_reject_has_an_execution_report(client, sandbox):
    sandbox.fault(client.account.id, "reject", reason="SessionClosed", mode="exchange")
    client.request("order/placeorder", client.order("Buy"))
    assert client.until("executionReport", execType="Rejected")["rejectReason"] == "SessionClosed"
    client.until("command", commandStatus="ExecutionRejected")


@pytest.mark.parametrize(("leg", "left"), [("stop", "Limit"), ("target", "Stop")])
def test_rejected_leg_leaves_the_entry_with_the_other(client, sandbox, leg, left):
    sandbox.fault(client.account.id, "reject", reason="InvalidPrice", mode="async", leg=leg)
    client.start("Buy", MARKET, [BRACKET])
    client.until("commandReport", rejectReason="InvalidPrice")
    poll(lambda: [order[1] for order in client.working()] == [left])
    assert client.net_position() == 2


def test_rejected_oso_parent_rejects_its_children(client, sandbox):
    sandbox.fault(client.account.id, "reject", mode="async")
    body = client.order("Buy", order_type="Limit", price=24_990.0)
    body["bracket1"] = {"action": "Sell", "orderType": "Stop", "stopPrice": 24_900.0}
    ids = client.request("order/placeoso", body)["d"]
    client.until("order", id=ids["oso1Id"], ordStatus="Rejected")
    assert client.until("commandReport", commandId=ids["oso1Id"], rejectReason="ParentRejected")


def test_partial_fill_grows_the_exits_with_the_position(client, sandbox):
    sandbox.fault(client.account.id, "partial_fill", parts=[1, 2], interval=0.2)
    client.start("Buy", {"orderQty": 4, "orderType": "Market"}, [{"qty": 4, "stopLoss": -10}])
    client.until("position", netPos=1)
    poll(lambda: [order["qty"] for order in client.state()["workingOrders"] if order["orderType"] == "Stop"] == [1])
    client.until("position", netPos=3)
    poll(lambda: [order["qty"] for order in client.state()["workingOrders"] if order["orderType"] == "Stop"] == [3])
    entry = next(order for order in client.state()["workingOrders"] if order["orderType"] == "Market")
    assert entry["qty"] == 1
    client.request("order/cancelorder", {"orderId": entry["id"]})
    client.until("order", id=entry["id"], ordStatus="Canceled")
    assert client.working() == [("Sell", "Stop", 24_990.0)]


def test_exits_may_wait_for_the_whole_entry(client, sandbox):
    sandbox.switches(bracket_partial="wait")
    sandbox.fault(client.account.id, "partial_fill", parts=[1])
    client.start("Buy", MARKET, [BRACKET])
    client.until("position", netPos=1)
    entry = client.state()["workingOrders"]
    assert [order["orderType"] for order in entry] == ["Market"]
    client.request("order/cancelorder", {"orderId": entry[0]["id"]})
    client.until("order", id=entry[0]["id"], ordStatus="Canceled")
    assert {(order["orderType"], order["qty"]) for order in client.state()["workingOrders"]} == {
        ("Limit", 1),
        ("Stop", 1),
    }


def test_late_average_hides_price_and_position_for_a_while(client, sandbox):
    sandbox.fault(client.account.id, "late_average", seconds=0.4)
    order_id = client.request("order/placeorder", client.order("Buy"))["d"]["orderId"]
    assert client.until("fill", orderId=order_id)["price"] == 0.0
    assert "avgPx" not in client.until("executionReport", execType="Trade")
    assert client.read("position/list") == []
    assert client.net_position() == 1
    assert client.until("position", netPos=1)["netPrice"] == 25_000.0
    assert client.read("fill/deps", masterid=order_id)[0]["price"] == 25_000.0


def test_rate_limit_is_429_without_text(client, sandbox):
    sandbox.fault(client.account.id, "rate_limit", count=2)
    reply = client.request("order/placeorder", client.order("Buy"))
    assert (reply["s"], "d" in reply) == (429, False)
    answered = client.rest("order/placeorder", client.order("Buy"))
    assert (answered.status_code, answered.content) == (429, b"")
    assert client.state()["orders"] == 0


def test_a_status_ends_the_request_with_a_text_or_without(client, sandbox):
    sandbox.fault(client.account.id, "status", status=401, endpoint="order/list")
    sandbox.fault(client.account.id, "status", status=500, text="oops")
    answer = client.rest("order/list")
    assert (answer.status_code, answer.text) == (401, "")
    answered = client.request("order/placeorder", client.order("Buy"))
    assert (answered["s"], answered["d"]) == (500, "oops")
    assert client.state()["orders"] == 0


def test_penalty_ticket_is_resolved_by_the_identical_request_after_its_time(client, sandbox):
    sandbox.fault(client.account.id, "penalty_ticket", seconds=0.3)
    body = client.order("Buy")
    ticket = client.rest("order/placeorder", body).json()
    assert (ticket["p-time"], ticket["p-captcha"]) == (1, False)
    early = client.rest("order/placeorder", body | {"p-ticket": ticket["p-ticket"]}).json()
    assert "p-ticket" in early
    assert client.state()["orders"] == 0
    time.sleep(0.35)
    assert client.rest("order/placeorder", body | {"p-ticket": early["p-ticket"]}).json()["orderId"]
    assert client.state()["orders"] == 1


def test_silent_socket_keeps_tcp_open_and_says_nothing(client, sandbox):
    assert sandbox.fault(client.account.username, "silent_socket")["affected"] == 1
    client.socket.settimeout(3)
    client.send("order/placeorder", client.order("Buy"))
    with pytest.raises(websocket.WebSocketTimeoutException):
        client.socket.recv()
    assert client.net_position() == 1
    assert VenueClient(sandbox, client.account).connect().request("account/list")["s"] == 200


def test_replay_sends_known_events_again(client, sandbox):
    client.request("order/placeorder", client.order("Buy"))
    client.until("position", netPos=1)
    fills = client.rows("fill")
    client.events.clear()
    assert sandbox.fault(client.account.id, "replay")["affected"] == 4
    client.until("fill")
    assert client.rows("fill") == fills
    assert client.net_position() == 1


def test_garbled_reply_is_not_json_and_the_order_stands(client, sandbox):
    sandbox.fault(client.account.id, "garbled", count=2)
    with pytest.raises(requests.JSONDecodeError):
        client.rest("order/placeorder", client.order("Buy")).json()
    client.send("order/placeorder", client.order("Buy"))
    with pytest.raises(json.JSONDecodeError):
        client.wait(lambda: client.replies, "nothing")
    poll(lambda: client.net_position() == 2)


def test_events_before_reply(client, sandbox):
    sandbox.fault(client.account.id, "events_before_reply")
    number = client.send("order/placeorder", client.order("Buy"))
    client.wait(lambda: number in client.replies, "reply")
    assert client.rows("fill")


def test_shutdown_announces_and_closes(client, sandbox):
    sandbox.fault(client.account.id, "shutdown", reasonCode="IPQuotaReached")
    client.receive()
    assert client.events == [{"e": "shutdown", "d": {"reasonCode": "IPQuotaReached"}}]
    assert client.socket.recv() == 'c[3000,"Go away!"]'


def test_bad_login_and_refused_connections(sandbox, new_client):
    client = new_client()
    credentials = {"name": client.account.username, "password": client.account.password}
    sandbox.fault(client.account.username, "bad_login")
    assert "errorText" in client.rest("auth/accesstokenrequest", credentials).json()
    sandbox.fault(client.account.username, "refuse_connections")
    with pytest.raises((websocket.WebSocketException, OSError, AssertionError)):
        client.connect()
    with pytest.raises(requests.ConnectionError):
        client.rest("account/list")
    sandbox.clear_faults()
    client.socket.close()
    assert client.connect().request("account/list")["s"] == 200


def test_refuse_connections_of_everybody(sandbox, new_client):
    client = new_client()
    sandbox.fault("*", "refuse_connections")
    with pytest.raises((websocket.WebSocketException, OSError)):
        websocket.create_connection(sandbox.ws_url, timeout=5)
    sandbox.clear_faults()
    assert client.read("account/list")


def test_faults_touch_their_account_only(sandbox, new_client):
    faulty, healthy = new_client(), new_client()
    sandbox.fault(faulty.account.id, "reject", count=None)
    assert healthy.rest("order/placeorder", healthy.order("Buy")).json()["orderId"]
    assert faulty.rest("order/placeorder", faulty.order("Buy")).json()["failureReason"]
    assert [fault["account"] for fault in sandbox.faults()] == [faulty.account.id]


def test_same_device_starves_the_earlier_socket(sandbox, new_client):
    sandbox.switches(same_device_starves=True)
    first = new_client()
    login = {"name": first.account.username, "password": first.account.password, "deviceId": "same"}

    def connected() -> VenueClient:
        other = VenueClient(sandbox, first.account)
        other.session = other.rest("auth/accesstokenrequest", login).json()
        return other.connect()

    starved = connected()
    sandbox.switches(max_sessions=9)
    connected()
    starved.socket.settimeout(0.3)
    starved.send("account/list")
    with pytest.raises(websocket.WebSocketTimeoutException):
        starved.socket.recv()
