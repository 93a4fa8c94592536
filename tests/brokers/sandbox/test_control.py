from __future__ import annotations

import time

import pytest
import requests

from tests.brokers.sandbox.test_trading import poll


def refusal(sandbox, path: str, **fields: object) -> str:
    reply = requests.post(sandbox.control_url + path, json=fields, timeout=5)
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]
    field: str = reply.json()["field"]
    return field


@pytest.mark.parametrize(
    ("path", "fields", "named"),
    [
        ("/price", {"symbol": "NOPE", "price": 1}, "symbol"),
        ("/price", {"price": 1}, "symbol"),
        ("/price", {"symbol": "MNQ", "price": "1"}, "price"),
        ("/price", {"symbol": "MNQ", "price": 25_000.1}, "price"),
        ("/price", {"symbol": "MNQ", "price": -0.25}, "price"),
        ("/price", {"symbol": "MNQ", "feed": "live"}, "feed"),
        ("/price-script", {"symbol": "MNQ", "steps": []}, "steps"),
        ("/price-script", {"symbol": "MNQ", "steps": [{"after": -1, "price": 25_000}]}, "after"),
        ("/faults", {"account": "*", "kind": "nonsense"}, "kind"),
        ("/faults", {"account": "*"}, "kind"),
        ("/faults", {"account": "nobody", "kind": "hang"}, "account"),
        ("/faults", {"kind": "hang"}, "account"),
        ("/faults", {"account": "*", "kind": "delay"}, "seconds"),
        ("/faults", {"account": "*", "kind": "delay", "seconds": "1"}, "seconds"),
        ("/faults", {"account": "*", "kind": "hang", "secs": 1}, "secs"),
        ("/faults", {"account": "*", "kind": "hang", "count": 0}, "count"),
        ("/faults", {"account": "*", "kind": "reject", "mode": "maybe"}, "mode"),
        ("/faults", {"account": "*", "kind": "partial_fill", "parts": [0]}, "parts"),
        ("/switches", {"open_frame": "never"}, "open_frame"),
        ("/switches", {"no_such": 1}, "no_such"),
        ("/switches", {"fees": 1}, "fees"),
        ("/switches", {"max_sessions": 0}, "max_sessions"),
        ("/accounts", {"count": 0}, "count"),
        ("/accounts", {"logins": [{"username": "u"}]}, "password"),
        ("/accounts", {"logins": [{"username": "u", "password": "p", "accounts": []}]}, "accounts"),
        ("/accounts", {}, "logins"),
        ("/manual", {"account": "*", "symbol": "MNQ", "action": "Buy", "qty": 1}, "account"),
    ],
)
def test_bad_input_is_refused_naming_the_field(sandbox, path, fields, named):
    assert refusal(sandbox, path, **fields) == named
    assert sandbox.faults() == []


def test_bodies_that_are_no_json_objects(sandbox):
    for body in (b"{", b"[]", b"\xff"):
        reply = requests.post(sandbox.control_url + "/price", data=body, timeout=5)
        assert (reply.status_code, reply.json()["field"]) == (400, "body")
    assert requests.get(sandbox.control_url + "/arrivals?since=yesterday", timeout=5).json()["field"] == "since"


def test_price_takes_contract_root_and_continuous_names(sandbox):
    front = sandbox.post("/price", symbol="MNQ", price=25_001.0)["symbol"]
    for name in (front, "MNQ1!", "CME_MINI:MNQ1!", "mnq"):
        assert sandbox.post("/price", symbol=name, price=25_002.5) == {
            "symbol": front,
            "pinned": True,
            "last": 25_002.5,
            "bid": 25_002.5,
            "ask": 25_002.5,
        }
    assert sandbox.post("/price", symbol="MNQ2!", price=25_200.0)["symbol"] != front
    assert sandbox.post("/price", symbol="MNQ2!", feed="seeded")["pinned"] is False


def test_released_price_moves_again_by_itself(client, sandbox):
    client.rest("order/placeorder", client.order("Buy"))
    sandbox.seeded_price("MNQ")
    poll(lambda: client.state()["openPnL"] not in (0.0, 0.5))


def test_price_script_plays_and_reset_ends_it(client, sandbox):
    client.rest("order/placeorder", client.order("Sell", order_type="Limit", price=25_040.0))
    steps = [{"after": 0.05, "price": 25_020.0}, {"after": 0.05, "price": 25_040.0}]
    assert sandbox.post("/price-script", symbol="MNQ", steps=steps)["seconds"] == pytest.approx(0.1)
    client.until("position", netPos=-1)
    sandbox.post("/price-script", symbol="MNQ", steps=[{"after": 0.1, "price": 25_100.0}])
    sandbox.reset()
    sandbox.price("MNQ", 25_000.0)
    time.sleep(0.2)
    assert client.rest("order/placeorder", client.order("Buy")).json()["orderId"]
    assert client.state()["positions"][0]["netPrice"] == 25_000.0


def test_logins_are_added_once_and_may_have_several_accounts(sandbox):
    login = {"username": "prop-trader", "password": "pw", "accounts": ["PROP1", "PROP2"], "balance": 150_000}
    first = sandbox.post("/accounts", logins=[login])
    assert [row["name"] for row in first] == ["PROP1", "PROP2"]
    assert sandbox.post("/accounts", logins=[login | {"password": "other"}]) == first
    assert sandbox.account_state(first[0]["id"])["balance"] == 150_000


def test_manual_trade_is_a_fill_nobody_ordered(client, sandbox):
    sandbox.manual(client.account.name, "MNQ", "Sell", 2)
    fill = client.until("fill", qty=2, action="Sell")
    assert client.read("command/deps", masterid=fill["orderId"])[0]["senderId"] != client.session["userId"]
    assert client.state()["entries"] == []
    assert client.net_position() == -2


def test_arrivals_tell_who_asked_for_what_and_when(client, sandbox):
    since = time.time()
    client.request("order/placeOrder", client.order("Buy"))
    client.rest("order/list")
    arrivals = sandbox.arrivals(since)
    assert [(a["endpoint"], a["transport"], a["account"]) for a in arrivals] == [
        ("order/placeorder", "ws", client.account.id),
        ("order/list", "rest", client.account.id),
    ]
    assert since <= arrivals[0]["time"] <= arrivals[1]["time"] <= time.time()
    assert sandbox.arrivals(time.time()) == []


def test_stats_count_work_and_reset_empties_the_venue(client, sandbox):
    assert sandbox.stats()["processed"] > 0
    client.start("Buy", {"orderQty": 1, "orderType": "Market"}, [{"qty": 1, "profitTarget": 10, "stopLoss": -10}])
    client.until("position", netPos=1)
    working = {order["id"] for order in client.state()["workingOrders"]}
    sandbox.fault("*", "hang", endpoint="nothing")
    sandbox.reset()
    for order_id in working:
        client.until("order", id=order_id, ordStatus="Canceled")
    client.until("position", netPos=0)
    state = client.state()
    assert (state["positions"], state["workingOrders"], state["orders"], state["entries"]) == ([], [], 0, [])
    assert state["balance"] == 50_000
    assert (sandbox.faults(), sandbox.arrivals()) == ([], [])
    assert client.request("order/list")["d"] == []
    assert client.read("account/list")[0]["id"] == client.account.id
