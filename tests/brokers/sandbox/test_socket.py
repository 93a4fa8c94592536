from __future__ import annotations

import json
import time

import pytest
import websocket

SYNC_KEYS = [
    "users",
    "userProperties",
    "properties",
    "accounts",
    "accountRiskStatuses",
    "marginSnapshots",
    "userAccountAutoLiqs",
    "cashBalances",
    "currencies",
    "positions",
    "fillPairs",
    "orders",
    "contracts",
    "contractMaturities",
    "products",
    "exchanges",
    "spreadDefinitions",
    "commands",
    "commandReports",
    "executionReports",
    "orderVersions",
    "fills",
    "fillFees",
    "orderStrategies",
    "orderStrategyLinks",
    "userPlugins",
    "annualReviews",
    "userReadStatuses",
    "userPromoCodes",
    "contractGroups",
    "orderStrategyTypes",
]


def opened(sandbox, token: str) -> websocket.WebSocket:
    socket = websocket.create_connection(sandbox.ws_url, timeout=5)
    assert socket.recv() == "o"
    socket.send(f"authorize\n1\n\n{token}")
    assert json.loads(socket.recv()[1:]) == [{"s": 200, "i": 1}]
    return socket


def test_lazy_open_frame_comes_with_the_first_reply(sandbox, client):
    sandbox.switches(open_frame="lazy")
    socket = websocket.create_connection(sandbox.ws_url, timeout=5)
    socket.settimeout(0.2)
    with pytest.raises(websocket.WebSocketTimeoutException):
        socket.recv()
    socket.settimeout(5)
    socket.send(f"authorize\n1\n\n{client.session['accessToken']}")
    assert socket.recv() == "o"
    assert json.loads(socket.recv()[1:]) == [{"s": 200, "i": 1}]
    socket.close()


def test_request_before_authorize_is_denied(sandbox):
    socket = websocket.create_connection(sandbox.ws_url, timeout=5)
    socket.recv()
    socket.send("account/list\n4\n\n")
    assert json.loads(socket.recv()[1:]) == [{"s": 401, "i": 4, "d": "Access is denied"}]
    socket.close()


@pytest.mark.parametrize(
    "frame",
    [
        "contract/find\n7\nname={symbol}\n",
        "contract/find\n7\nname={symbol}",
        "Contract/Find\n7\nname={symbol}\nundefined",
        'contract/find\n7\n\n{{"name":"{symbol}"}}\n',
        'contract/find\n7\n\n{{\n"name":\n"{symbol}"}}',
    ],
)
def test_tolerated_frame_forms(sandbox, client, frame):
    socket = opened(sandbox, client.session["accessToken"])
    socket.send(frame.format(symbol=client.symbol))
    reply = json.loads(socket.recv()[1:])[0]
    assert (reply["s"], reply["i"], reply["d"]["name"]) == (200, 7, client.symbol)
    socket.close()


@pytest.mark.parametrize(
    ("endpoint", "body", "status"),
    [("no/such", "", 404), ("order/item", '{"id": 1}', 404), ("order/placeorder", "{broken", 400)],
)
def test_refusals_mirror_http_status_with_a_text(client, endpoint, body, status):
    reply = client.request(endpoint, body)
    assert reply["s"] == status
    assert isinstance(reply["d"], str)


def test_server_heartbeat_when_nothing_flows(client):
    assert client.socket.recv() == "h"


def test_silent_client_is_dropped_and_heartbeats_are_no_arrivals(sandbox, client):
    sandbox.switches(heartbeat_timeout=1.5)
    since = time.time()
    for _ in range(5):
        client.socket.send("[]")
        time.sleep(0.4)
    assert client.request("account/list")["s"] == 200
    assert [a["endpoint"] for a in sandbox.arrivals(since) if a["account"] == client.account.id] == ["account/list"]
    client.wait(lambda: client.socket.recv() == 'c[3000,"Go away!"]', "close frame")


def test_sync_has_all_keys_in_order_and_only_own_accounts(sandbox, new_client):
    client = new_client().connect()
    new_client()
    socket = opened(sandbox, client.session["accessToken"])
    socket.send(f'user/syncrequest\n2\n\n{{"users":[{client.session["userId"]}]}}')
    message = json.loads(socket.recv()[1:])[0]["d"]
    assert list(message) == SYNC_KEYS
    assert [account["id"] for account in message["accounts"]] == [client.account.id]
    socket.close()


def test_sync_of_chosen_types_filters_snapshot_and_events(sandbox, client):
    socket = opened(sandbox, client.session["accessToken"])
    socket.send('user/syncrequest\n2\n\n{"splitResponses":true,"entityTypes":["position","fill"]}')
    message = json.loads(socket.recv()[1:])[0]["d"]
    assert message["cashBalances"] == []
    client.request("order/placeorder", client.order("Buy"))
    events = json.loads(socket.recv()[1:])
    assert {event["d"]["entityType"] for event in events} == {"position", "fill"}
    socket.close()


def test_bare_sync_gets_no_data(sandbox, client):
    socket = opened(sandbox, client.session["accessToken"])
    socket.send("user/syncrequest\n2\n\n{}")
    message = json.loads(socket.recv()[1:])[0]["d"]
    assert message["accounts"] == []
    socket.close()


def test_sync_cannot_combine_users_with_entity_types(sandbox, client):
    socket = opened(sandbox, client.session["accessToken"])
    socket.send(f'user/syncrequest\n2\n\n{{"users":[{client.session["userId"]}],"entityTypes":["order"]}}')
    assert json.loads(socket.recv()[1:])[0]["s"] == 400
    socket.close()


def test_market_data_token_gives_quotes_and_nothing_else(sandbox, client):
    socket = websocket.create_connection(sandbox.md_url, timeout=5)
    assert socket.recv() == "o"
    socket.send(f"authorize\n1\n\n{client.session['mdAccessToken']}")
    assert json.loads(socket.recv()[1:])[0]["s"] == 200
    socket.send(f'md/subscribeQuote\n2\n\n{{"symbol":"{client.symbol}"}}')
    assert json.loads(socket.recv()[1:])[0] == {"s": 200, "i": 2, "d": {}}
    json.loads(socket.recv()[1:])
    sandbox.price("MNQ", 25123.25)
    quote = json.loads(socket.recv()[1:])[0]["d"]["quotes"][0]
    assert {name: entry["price"] for name, entry in quote["entries"].items()} == {
        "Bid": 25123.25,
        "Offer": 25123.25,
        "Trade": 25123.25,
    }
    socket.send("account/list\n3\n\n")
    assert json.loads(socket.recv()[1:])[0]["s"] == 401
    socket.close()


def test_quotes_without_entitlement_are_denied(sandbox, client):
    sandbox.switches(md_entitlement=False)
    reply = client.request("md/subscribeQuote", {"symbol": client.symbol})
    assert (reply["s"], reply["d"]) == (401, "Access is denied")
