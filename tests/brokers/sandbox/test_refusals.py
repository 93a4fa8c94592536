from __future__ import annotations

import pytest


def test_unknown_symbol_and_foreign_account_look_the_same(client, new_client):
    stranger = new_client()
    denied = {"failureReason": "UnknownReason", "failureText": "Access is denied"}
    assert client.rest("order/placeorder", client.order("Buy", symbol="NOPE9")).json() == denied
    assert client.rest("order/placeorder", client.order("Buy", accountId=stranger.account.id)).json() == denied
    assert client.state()["orders"] == stranger.state()["orders"] == 0


def test_missing_account_id_is_a_violation(client):
    body = client.order("Buy")
    del body["accountId"]
    reply = client.rest("order/placeorder", body)
    assert reply.status_code == 200
    assert reply.json()["violations"][0]["constraint"] == "accountId"


@pytest.mark.parametrize("qty", [0, -1])
def test_quantity_below_one_is_a_violation(client, qty):
    assert client.rest("order/placeorder", client.order("Buy", qty)).json()["violations"][0]["constraint"] == "orderQty"


@pytest.mark.parametrize(
    "fields",
    [
        {"orderQty": 1.5},
        {"orderQty": "1"},
        {"orderQty": True},
        {"action": "Hold"},
        {"orderType": "Market Order"},
        {"timeInForce": "Forever"},
        {"isAutomated": "true"},
        {"clOrdId": 5},
        {"orderType": "Limit", "price": "25000"},
    ],
)
def test_wrong_types_are_http_400_naming_the_field(client, fields):
    reply = client.rest("order/placeorder", client.order("Buy") | fields)
    assert reply.status_code == 400
    assert list(fields)[-1] in reply.text


@pytest.mark.parametrize("missing", ["action", "symbol", "orderQty", "orderType"])
def test_missing_field_is_http_400_naming_it(client, missing):
    body = client.order("Buy")
    del body[missing]
    reply = client.rest("order/placeorder", body)
    assert (reply.status_code, reply.text) == (400, f"missing required field {missing}")


@pytest.mark.parametrize(
    ("order_type", "fields", "reason"),
    [
        ("Limit", {"price": 25_000.1}, "InvalidPrice"),
        ("Limit", {}, "InvalidPrice"),
        ("Limit", {"price": 1_000.0}, "InvalidPrice"),
        ("Stop", {"price": 24_990.0}, "InvalidPrice"),
        ("Stop", {"stopPrice": 24_990.13}, "InvalidPrice"),
        ("QTS", {"price": 24_990.0}, "Unsupported"),
        ("Market", {"customTag50": "x"}, "UnknownReason"),
    ],
)
def test_unusable_terms_are_refused_at_once(client, order_type, fields, reason):
    reply = client.rest("order/placeorder", client.order("Buy", order_type=order_type, **fields)).json()
    assert reply["failureReason"] == reason
    assert client.state()["orders"] == 0


def test_too_long_client_order_id_is_a_violation(client):
    reply = client.rest("order/placeorder", client.order("Buy", clOrdId="x" * 65)).json()
    assert reply["violations"][0]["constraint"] == "clOrdId"


def test_quantity_limit_is_refused_later_by_risk(client, sandbox):
    sandbox.switches(max_order_qty=2)
    order_id = client.request("order/placeorder", client.order("Buy", 3))["d"]["orderId"]
    client.until("order", id=order_id, ordStatus="Rejected")
    report = client.until("commandReport", commandId=order_id, commandStatus="RiskRejected")
    assert report["rejectReason"] == "MaxOrderQtyLimitReached"
    assert "Limit: 2" in report["text"]
    assert client.rows("executionReport") == []


def test_margin_beyond_equity_is_refused_later_by_risk(client):
    order_id = client.request("order/placeorder", client.order("Buy", 500))["d"]["orderId"]
    client.until("order", id=order_id, ordStatus="Filled")
    order_id = client.request("order/placeorder", client.order("Buy", 1))["d"]["orderId"]
    assert "margin" in client.until("commandReport", commandId=order_id, commandStatus="RiskRejected")["text"]
    order_id = client.request("order/placeorder", client.order("Sell", 500))["d"]["orderId"]
    client.until("order", id=order_id, ordStatus="Filled")


def test_closed_session_has_no_quote_and_no_resting_orders(client, sandbox):
    sandbox.switches(session="closed")
    reply = client.rest("order/placeorder", client.order("Buy")).json()
    assert (reply["failureReason"], reply["failureText"]) == ("NoQuote", "No quote available")
    limit = client.order("Buy", order_type="Limit", price=24_990.0)
    assert client.rest("order/placeorder", limit).json()["failureReason"] == "SessionClosed"


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("order/placeorder", {"price": 1e300, "orderType": "Limit"}),
        ("order/placeorder", {"symbol": ["MNQ"]}),
        ("order/placeorder", {"accountId": {}}),
        ("order/placeoso", {"bracket1": []}),
        ("order/dryrun", {"orders": [1]}),
        ("order/liquidatepositions", {"positions": "all"}),
        ("contract/rollcontracts", {"rollContracts": [1]}),
        ("contract/getproductfeeparams", {"productIds": 5}),
        ("fill/ldeps", {"masterids": [{}]}),
        ("user/syncrequest", {"accounts": 7}),
        ("user/syncrequest", {"entityTypes": [1]}),
    ],
)
def test_nonsense_is_refused_and_never_a_server_error(client, endpoint, body):
    reply = client.rest(endpoint, client.order("Buy") | body)
    assert reply.status_code < 500
    refused = reply.json() if reply.status_code == 200 else {}
    assert reply.status_code == 400 or refused.get("failureReason"), reply.text
    assert client.state()["orders"] == 0


def test_very_deep_json_is_refused(client):
    deep = "[" * 10_000 + "]" * 10_000
    assert client.request("order/placeorder", deep)["s"] == 400


def test_other_logins_see_none_of_it(client, new_client):
    stranger = new_client()
    order_id = client.rest("order/placeorder", client.order("Buy", order_type="Limit", price=24_990.0)).json()[
        "orderId"
    ]
    assert stranger.rest("order/item", id=order_id).status_code == 404
    assert stranger.read("order/deps", masterid=client.account.id) == []
    assert stranger.read("account/list") != client.read("account/list")
    for endpoint, body in (
        ("order/cancelorder", {"orderId": order_id}),
        ("order/modifyorder", {"orderId": order_id, "orderQty": 1, "orderType": "Limit", "price": 24_000.0}),
    ):
        assert stranger.rest(endpoint, body).json()["failureText"] == "Access is denied"
    snapshot = stranger.rest("cashBalance/getcashbalancesnapshot", {"accountId": client.account.id})
    assert snapshot.status_code == 404
    assert client.working() == [("Buy", "Limit", 24_990.0)]
