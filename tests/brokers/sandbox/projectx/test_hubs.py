from __future__ import annotations

import json
from itertools import chain

import pytest
import requests
import websocket

from tests.brokers.sandbox.projectx.client import BUY, END, PATIENCE_SECONDS, Hub, conforms, poll

CLOSED = {"type": 7, "error": "Connection closed with an error.", "allowReconnect": True}


def negotiate(client, hub="user", token=None, **query):
    query = {"access_token": client.token if token is None else token} | query
    url = f"{client.sandbox.rest_url}/hubs/{hub}/negotiate"
    return requests.post(url, params=query, timeout=PATIENCE_SECONDS)


def test_negotiation_names_the_connection_by_version(client):
    old, new = negotiate(client).json(), negotiate(client, negotiateVersion=1).json()
    assert (old["negotiateVersion"], new["negotiateVersion"]) == (0, 1)
    assert "connectionToken" not in old
    assert new["connectionToken"] != new["connectionId"]
    assert new["availableTransports"] == [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}]
    for number in (old["connectionId"], new["connectionToken"]):
        hub = Hub(f"{client.sandbox.ws_url}?id={number}", client.token)
        assert hub.greeting == {}
        hub.close()


def test_an_id_is_good_once_and_for_its_hub_only(client):
    number = negotiate(client).json()["connectionId"]
    new = negotiate(client, negotiateVersion=1).json()["connectionId"]
    market = negotiate(client, hub="market").json()["connectionId"]
    Hub(f"{client.sandbox.ws_url}?id={number}", client.token).close()
    for wrong in (number, new, market, "unknown"):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            Hub(f"{client.sandbox.ws_url}?id={wrong}", client.token)
        assert refused.value.status_code == 404


def test_the_token_may_come_in_a_header(client):
    header = {"Authorization": f"Bearer {client.token}"}
    url = f"{client.sandbox.rest_url}/hubs/user/negotiate"
    number = requests.post(url, headers=header, timeout=PATIENCE_SECONDS).json()["connectionId"]
    socket = websocket.create_connection(
        f"{client.sandbox.ws_url}?id={number}", header=header, timeout=PATIENCE_SECONDS
    )
    socket.send('{"protocol":"json","version":0}' + END)
    assert socket.recv() == "{}" + END
    socket.close()


@pytest.mark.parametrize("token", ["", "wrong", "a.b.c"])
def test_a_bad_token_is_401_at_negotiation_and_upgrade(client, token):
    assert negotiate(client, token=token).status_code == 401
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Hub(client.sandbox.ws_url, token)
    assert refused.value.status_code == 401


def test_a_bad_token_may_be_told_in_the_handshake(client, sandbox):
    sandbox.switches(hub_refusal="handshake")
    assert negotiate(client, token="wrong").status_code == 200
    hub = Hub(client.sandbox.ws_url, "wrong")
    assert hub.greeting == {"error": "Unauthorized"}
    assert hub.socket.recv() == ""


@pytest.mark.parametrize(
    ("handshake", "error"),
    [
        ('{"protocol":"messagepack","version":1}', "The protocol 'messagepack' is not supported."),
        ('{"protocol":"json","version":2}', "The server does not support version 2 of the 'json' protocol."),
        ("nonsense", "Handshake was canceled."),
    ],
)
def test_a_wrong_handshake_is_an_error_and_the_end(client, handshake, error):
    hub = Hub(client.sandbox.ws_url, client.token, handshake=handshake)
    assert hub.greeting == {"error": error}
    assert hub.socket.recv() == ""


def test_records_are_read_however_they_are_spread_over_frames(client):
    socket = websocket.create_connection(
        f"{client.sandbox.ws_url}?access_token={client.token}", timeout=PATIENCE_SECONDS
    )
    records = [
        {"protocol": "json", "version": 1},
        {"type": 1, "invocationId": "1", "target": "SubscribeAccounts", "arguments": [], "headers": {}},
        {"type": 6},
        {"type": 1, "invocationId": "2", "target": "SUBSCRIBEORDERS", "arguments": [client.account.id]},
    ]
    text = "".join(json.dumps(record) + END for record in records)
    for part in (text[:70], text[70:75], text[75:]):
        socket.send(part)
    answers = ""
    while answers.count(END) < 3:
        answers += socket.recv()
    assert [json.loads(answer) for answer in answers.split(END)[:-1]] == [
        {},
        {"type": 3, "invocationId": "1", "result": None},
        {"type": 3, "invocationId": "2", "result": None},
    ]
    socket.close()


def test_what_nobody_knows_is_ignored_or_answered_as_asked(client):
    hub = client.hub()
    hub.send({"type": 1, "target": "Heartbeat", "arguments": [{"timestamp": "now"}]})
    hub.send({"type": 99})
    assert hub.invoke("SubscribeContractDepth", "x")["error"] == "Method does not exist."
    assert hub.invoke("SubscribeContractQuotes", client.contract_id)["error"] == "Method does not exist."
    assert "error" in hub.invoke("SubscribeOrders")
    assert "error" in hub.invoke("SubscribeOrders", 1)
    assert "error" in client.hub("market").invoke("SubscribeContractQuotes", "MNQZ6")
    assert "error" not in hub.invoke("subscribeorders", client.account.id)


def test_only_what_was_subscribed_is_told_until_it_is_unsubscribed(client):
    hub = client.hub()
    hub.invoke("SubscribeTrades", client.account.id)
    client.placed(BUY)
    hub.until("GatewayUserTrade", size=1)
    hub.invoke("UnsubscribeTrades", client.account.id)
    client.placed(BUY)
    hub.invoke("SubscribeAccounts")
    assert [name for name, _ in hub.events] == ["GatewayUserTrade"]


def test_user_events_are_wrapped_or_bare(client, sandbox):
    hub = client.user_hub()
    client.placed(BUY)
    hub.until("GatewayUserAccount")
    assert all(set(arguments[0]) == {"action", "data"} for _, arguments in hub.events)
    sandbox.switches(wrapped_events=False)
    hub.events.clear()
    client.placed(BUY, 2)
    assert hub.until("GatewayUserTrade", size=2)["accountId"] == client.account.id
    assert all("action" not in arguments[0] for _, arguments in hub.events)


def test_nothing_is_told_again_to_a_new_connection(client):
    first = client.user_hub()
    client.placed(BUY)
    first.until("GatewayUserTrade")
    second = client.user_hub()
    client.placed(BUY, 2)
    second.until("GatewayUserTrade", size=2)
    assert all(row["size"] == 2 for row in second.rows("GatewayUserTrade"))


@pytest.mark.parametrize("framing", ["batched", "single", "split"])
def test_records_share_frames_have_their_own_or_are_cut(client, sandbox, framing):
    sandbox.switches(framing=framing)
    hub = client.user_hub()
    hub.frames.clear()
    client.placed(BUY)
    for target in ("GatewayUserTrade", "GatewayUserAccount", "GatewayUserPosition"):
        hub.until(target)
    hub.wait(lambda: len(hub.rows("GatewayUserOrder")) == 2, "two order events")
    ends = [frame.count(END) for frame in hub.frames]
    assert {"batched": max(ends) == 4, "single": set(ends) == {1}, "split": set(ends) == {0, 1}}[framing]


def test_the_server_pings_a_quiet_connection_and_drops_a_silent_client(client, sandbox):
    sandbox.switches(ping_seconds=0)
    hub = client.hub()
    hub.wait(lambda: hub.messages, "ping")
    assert hub.messages[0] == {"type": 6}
    sandbox.switches(ping_seconds=15, client_timeout=0)
    hub.wait(lambda: hub.messages[-1] != {"type": 6}, "close")
    assert hub.messages[-1] == CLOSED
    assert hub.socket.recv() == ""


def test_a_client_may_say_goodbye(client):
    hub = client.hub()
    hub.send({"type": 7})
    assert hub.socket.recv() == ""


def test_other_hubs_and_transports_are_not_offered(client):
    base = client.sandbox.rest_url
    assert client.http.post(f"{base}/hubs/else/negotiate", timeout=5).status_code == 404
    assert client.http.get(f"{base}/hubs/user", timeout=5).status_code == 400
    assert client.http.get(f"{base}/hubs/user/negotiate", timeout=5).status_code == 405


def test_quotes_start_whole_and_go_on_in_part(client, sandbox):
    hub = client.hub("market")
    hub.invoke("SubscribeContractQuotes", client.contract_id)
    hub.wait(lambda: hub.events, "first quote")
    sandbox.price("MNQ", 25_001.25)
    hub.wait(lambda: len(hub.events) == 2, "second quote")
    first, second = hub.market_rows("GatewayQuote")
    for row in (first, second):
        conforms(row, "Quote")
    assert (first["symbol"], first["lastPrice"], first["bestBid"], first["bestAsk"]) == (
        "F.US.MNQ",
        25_000.0,
        25_000.0,
        25_000.0,
    )
    assert second["lastPrice"] == second["bestBid"] == 25_001.25
    assert {"symbol", "lastUpdated", "timestamp"} <= second.keys()
    assert {"symbolName", "open", "volume"}.isdisjoint(second)
    assert {arguments[0] for _, arguments in hub.events} == {client.contract_id}
    hub.invoke("UnsubscribeContractQuotes", client.contract_id)
    sandbox.price("MNQ", 25_002.0)
    hub.invoke("SubscribeContractTrades", client.contract_id)
    assert len(hub.events) == 2


def test_quotes_may_be_whole_every_time(client, sandbox):
    sandbox.switches(partial_quotes=False)
    hub = client.hub("market")
    hub.invoke("SubscribeContractQuotes", client.contract_id)
    sandbox.price("MNQ", 25_003.0)
    hub.wait(lambda: len(hub.events) == 2, "second quote")
    first, second = hub.market_rows("GatewayQuote")
    assert first.keys() == second.keys()


@pytest.mark.parametrize("shape", ["list", "object"])
def test_trades_and_depth_are_lists_or_objects(client, sandbox, shape):
    sandbox.switches(market_data=shape)
    hub = client.hub("market")
    hub.invoke("SubscribeContractTrades", client.contract_id)
    hub.invoke("SubscribeContractMarketDepth", client.contract_id)
    sandbox.price("MNQ", 25_004.0)
    hub.wait(lambda: hub.market_rows("GatewayTrade") and hub.market_rows("GatewayDepth"), "trade and depth")
    trades, depths = hub.market_rows("GatewayTrade"), hub.market_rows("GatewayDepth")
    if shape == "list":
        assert all(isinstance(row, list) for row in (*trades, *depths))
        trades, depths = list(chain(*trades)), list(chain(*depths))
    assert trades[0]["price"] == 25_004.0
    assert depths[0]["type"] == 6
    for row in trades:
        conforms(row, "MarketTrade")
    for row in depths:
        conforms(row, "Depth")


def test_the_seeded_feed_moves_what_is_watched(client, sandbox):
    hub = client.hub("market")
    hub.invoke("SubscribeContractQuotes", client.contract("MES")["id"])
    hub.wait(lambda: len(hub.market_rows("GatewayQuote")) >= 3, "quotes")
    prices = [row["lastPrice"] for row in hub.market_rows("GatewayQuote") if "lastPrice" in row]
    assert len(set(prices)) > 1


def test_a_restart_of_the_market_hub_leaves_the_user_hub_alone(client, sandbox):
    hub, market = client.user_hub(), client.hub("market")
    market.close()
    poll(lambda: client.placed(BUY))
    hub.until("GatewayUserTrade", size=1)
