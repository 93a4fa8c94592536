from __future__ import annotations

import time

import pytest

from brokers.sandbox.testing import SandboxAccount
from tests.brokers.sandbox.client import PATIENCE_SECONDS, VenueClient


def contract_id(client) -> int:
    return client.read("contract/find", name=client.symbol)["id"]


def poll(happened) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_market_order_fills_at_exactly_the_pinned_price(client, sandbox):
    sandbox.price("MNQ1!", 25011.75)
    reply = client.rest("order/placeOrder", client.order("Buy", 2, clOrdId="wish-1")).json()
    fill = client.until("fill", orderId=reply["orderId"])
    assert (fill["qty"], fill["price"]) == (2, 25011.75)
    position = client.until("position", netPos=2)
    assert position["netPrice"] == 25011.75
    assert client.until("order", id=reply["orderId"], ordStatus="Filled")
    commands = client.read("command/deps", masterid=reply["orderId"])
    assert [command["clOrdId"] for command in commands] == ["wish-1"]


def test_every_method_and_case_reaches_the_same_endpoint(client):
    body = {"accountId": client.account.id}
    for path in ("cashBalance/getCashBalanceSnapshot", "CASHBALANCE/getcashbalancesnapshot"):
        assert client.rest(path, body).json()["netLiq"] == 50_000
    assert client.read("cashBalance/getcashbalancesnapshot", **body)["netLiq"] == 50_000


def test_profit_and_fees_reach_cash_and_snapshot(client, sandbox):
    client.rest("order/placeorder", client.order("Buy", 3)).json()
    sandbox.price("MNQ", 25010.0)
    snapshot = client.rest("cashBalance/getcashbalancesnapshot", {"accountId": client.account.id}).json()
    assert snapshot["openPnL"] == 3 * 10 * 2
    client.rest("order/placeorder", client.order("Sell", 3)).json()
    state = client.state()
    fees = sum(
        row["commission"] + row["clearingFee"] + row["exchangeFee"] + row["nfaFee"]
        for row in client.read("fillFee/list")
    )
    assert state["realizedPnL"] == 60
    assert state["balance"] == pytest.approx(50_000 + 60 - fees)
    pairs = client.read("fillPair/list")
    assert [(pair["qty"], pair["buyPrice"], pair["sellPrice"]) for pair in pairs] == [(3, 25_000, 25_010)]


def test_reversal_nets_through_zero(client, sandbox):
    client.rest("order/placeorder", client.order("Buy", 2))
    sandbox.price("MNQ", 25020.0)
    client.rest("order/placeorder", client.order("Sell", 5))
    assert client.state()["positions"] == [{"symbol": client.symbol, "netPos": -3, "netPrice": 25020.0}]
    assert client.state()["realizedPnL"] == 2 * 20 * 2


def test_limit_rests_then_fills_at_its_own_price(client, sandbox):
    order_id = client.rest("order/placeorder", client.order("Buy", order_type="Limit", price=24_990.0)).json()[
        "orderId"
    ]
    assert client.working() == [("Buy", "Limit", 24_990.0)]
    sandbox.price("MNQ", 24_980.0)
    assert client.read("fill/deps", masterid=order_id)[0]["price"] == 24_990.0


def test_marketable_limit_takes_the_better_price(client):
    order_id = client.rest("order/placeorder", client.order("Buy", order_type="Limit", price=25_050.0)).json()[
        "orderId"
    ]
    assert client.read("fill/deps", masterid=order_id)[0]["price"] == 25_000.0


def test_stop_fills_where_the_market_is_when_it_gaps(client, sandbox):
    client.rest("order/placeorder", client.order("Sell", order_type="Stop", stopPrice=24_990.0))
    sandbox.price("MNQ", 24_995.0)
    assert client.net_position() == 0
    sandbox.price("MNQ", 24_970.0)
    assert client.state()["positions"][0]["netPrice"] == 24_970.0


def test_stop_limit_does_not_fill_past_its_limit(client, sandbox):
    fields = {"stopPrice": 25_010.0, "price": 25_012.0}
    client.rest("order/placeorder", client.order("Buy", order_type="StopLimit", **fields))
    sandbox.price("MNQ", 25_020.0)
    assert client.net_position() == 0
    sandbox.price("MNQ", 25_011.0)
    assert client.state()["positions"][0]["netPrice"] == 25_011.0


def test_trailing_stop_follows_and_never_retreats(client, sandbox):
    client.rest("order/placeorder", client.order("Buy"))
    client.rest("order/placeorder", client.order("Sell", order_type="TrailingStop", stopPrice=24_980.0))
    sandbox.price("MNQ", 25_030.0)
    assert client.working() == [("Sell", "TrailingStop", 25_010.0)]
    sandbox.price("MNQ", 25_015.0)
    assert client.working() == [("Sell", "TrailingStop", 25_010.0)]
    sandbox.price("MNQ", 25_010.0)
    assert client.net_position() == 0


def test_immediate_or_cancel_does_not_rest(client):
    body = client.order("Buy", order_type="Limit", price=24_000.0, timeInForce="IOC")
    order_id = client.rest("order/placeorder", body).json()["orderId"]
    assert client.read("order/item", id=order_id)["ordStatus"] == "Canceled"


def test_modify_replaces_all_terms(client):
    order_id = client.rest("order/placeorder", client.order("Buy", order_type="Limit", price=24_990.0)).json()[
        "orderId"
    ]
    body = {"orderId": order_id, "orderQty": 2, "orderType": "Limit", "price": 24_985.5, "clOrdId": "change-1"}
    reply = client.request("order/modifyorder", body)
    client.until("executionReport", execType="Replaced", commandId=reply["d"]["commandId"])
    versions = client.read("orderVersion/deps", masterid=order_id)
    newest = max(versions, key=lambda version: version["id"])
    assert (newest["id"], newest["orderQty"], newest["price"]) == (reply["d"]["commandId"], 2, 24_985.5)
    assert client.working() == [("Buy", "Limit", 24_985.5)]


def test_modify_into_the_market_fills(client):
    order_id = client.rest("order/placeorder", client.order("Buy", order_type="Limit", price=24_990.0)).json()[
        "orderId"
    ]
    client.request("order/modifyorder", {"orderId": order_id, "orderQty": 1, "orderType": "Limit", "price": 25_001.0})
    client.until("order", id=order_id, ordStatus="Filled")


def test_modify_without_order_type_is_http_400(client):
    order_id = client.rest("order/placeorder", client.order("Buy", order_type="Limit", price=24_990.0)).json()[
        "orderId"
    ]
    reply = client.rest("order/modifyorder", {"orderId": order_id, "orderQty": 1, "price": 24_980.0})
    assert (reply.status_code, reply.text) == (400, "missing required field orderType")


def test_trailing_stop_accepts_only_a_new_quantity(client):
    body = client.order("Sell", order_type="TrailingStop", stopPrice=24_980.0)
    order_id = client.rest("order/placeorder", body).json()["orderId"]
    change = {"orderId": order_id, "orderQty": 1, "orderType": "TrailingStop", "stopPrice": 24_990.0}
    assert client.rest("order/modifyorder", change).json()["failureReason"] == "TrailingStopNonOrderQtyModify"
    change |= {"orderQty": 2, "stopPrice": 24_980.0}
    assert client.rest("order/modifyorder", change).json()["commandId"]


def test_cancel_and_cancel_again(client):
    order_id = client.rest("order/placeorder", client.order("Buy", order_type="Limit", price=24_990.0)).json()[
        "orderId"
    ]
    assert client.request("order/cancelorder", {"orderId": order_id})["d"]["commandId"]
    client.until("order", id=order_id, ordStatus="Canceled")
    assert client.request("order/cancelorder", {"orderId": order_id})["d"]["failureReason"] == "TooLate"
    assert client.working() == []


def test_liquidate_cancels_and_closes(client):
    client.rest("order/placeorder", client.order("Sell", 3))
    client.rest("order/placeorder", client.order("Buy", 3, "Stop", stopPrice=25_100.0))
    body = {"accountId": client.account.id, "contractId": contract_id(client), "admin": False}
    reply = client.request("order/liquidatePosition", body)
    client.until("order", id=reply["d"]["orderId"], ordStatus="Filled")
    assert (client.net_position(), client.working()) == (0, [])
    assert "orderId" not in client.request("order/liquidatePosition", body)["d"]


def test_liquidate_positions_by_position_id(client):
    client.rest("order/placeorder", client.order("Buy"))
    positions = [position["id"] for position in client.read("position/list")]
    assert client.rest("order/liquidatepositions", {"positions": positions, "admin": False}).json() == {"ok": True}
    assert client.net_position() == 0


def test_duplicate_client_order_id_is_a_second_order(client):
    for _ in range(2):
        client.rest("order/placeorder", client.order("Buy", clOrdId="same"))
    assert client.net_position() == 2
    assert [entry["clOrdId"] for entry in client.state()["entries"]] == ["same", "same"]


def test_oso_children_wait_then_cancel_each_other(client, sandbox):
    body = client.order("Buy", order_type="Limit", price=24_990.0)
    body["bracket1"] = {"action": "Sell", "orderType": "Limit", "price": 25_040.0, "timeInForce": "GTC"}
    body["bracket2"] = {"action": "Sell", "orderType": "Stop", "stopPrice": 24_970.0, "timeInForce": "GTC"}
    ids = client.request("order/placeOSO", body)["d"]
    client.until("order", id=ids["oso1Id"], ordStatus="Suspended", parentId=ids["orderId"], ocoId=ids["oso2Id"])
    assert client.working() == [("Buy", "Limit", 24_990.0)]
    sandbox.price("MNQ", 24_990.0)
    assert client.working() == [("Sell", "Limit", 25_040.0), ("Sell", "Stop", 24_970.0)]
    sandbox.price("MNQ", 24_970.0)
    assert (client.net_position(), client.working()) == (0, [])
    client.until("order", id=ids["oso1Id"], ordStatus="Canceled")


def test_cancelling_the_oso_parent_cancels_its_children(client):
    body = client.order("Buy", order_type="Limit", price=24_990.0)
    body["bracket1"] = {"action": "Sell", "orderType": "Stop", "stopPrice": 24_970.0}
    ids = client.request("order/placeoso", body)["d"]
    client.request("order/cancelorder", {"orderId": ids["orderId"]})
    client.until("order", id=ids["oso1Id"], ordStatus="Canceled")
    assert client.state()["suspendedOrders"] == []


def test_oco_fill_or_cancel_of_one_cancels_the_other(client, sandbox):
    other = {"action": "Buy", "orderType": "Stop", "stopPrice": 25_050.0}
    body = client.order("Buy", order_type="Limit", price=24_950.0, other=other)
    first = client.request("order/placeOCO", body)["d"]
    client.request("order/cancelorder", {"orderId": first["ocoId"]})
    client.until("order", id=first["orderId"], ordStatus="Canceled")
    second = client.request("order/placeOCO", body)["d"]
    sandbox.price("MNQ", 25_050.0)
    client.until("order", id=second["orderId"], ordStatus="Canceled")
    assert client.net_position() == 1


def test_partly_filled_oco_shrinks_its_partner(client, sandbox):
    sandbox.fault(client.account.id, "partial_fill", parts=[1])
    other = {"action": "Sell", "orderType": "Stop", "stopPrice": 24_900.0}
    client.request("order/placeoco", client.order("Sell", 3, "Limit", price=25_010.0, other=other))
    sandbox.price("MNQ", 25_010.0)
    assert {(order["orderType"], order["qty"]) for order in client.state()["workingOrders"]} == {
        ("Limit", 2),
        ("Stop", 2),
    }


def test_dry_run_tells_margin_and_refuses_what_cannot_be(client):
    order = {"contractId": contract_id(client), "action": "Buy", "orderQty": 1, "orderType": "Market"}
    fine = client.rest("order/dryrun", {"accountId": client.account.id, "orders": [order]}).json()
    assert (fine["rejectReason"], fine["details"]["initialMarginReq"]) == ("Success", 100.0)
    bad = order | {"orderType": "Limit", "price": 25_000.1}
    refused = client.rest("order/dryrun", {"accountId": client.account.id, "orders": [bad]}).json()
    assert refused["rejectReason"] == "InvalidPrice"
    assert client.rest("order/dryrun", {"accountId": 1, "orders": [order]}).status_code == 404


def test_session_roll_forgets_finished_orders_and_carries_positions(client, sandbox):
    client.rest("order/placeorder", client.order("Buy", 2))
    day = client.rest("order/placeorder", client.order("Buy", order_type="Limit", price=24_900.0)).json()["orderId"]
    good_till = client.order("Buy", order_type="Limit", price=24_800.0, timeInForce="GTC")
    client.rest("order/placeorder", good_till)
    sandbox.post("/session-roll")
    client.until("order", id=day, ordStatus="Expired")
    assert client.working() == [("Buy", "Limit", 24_800.0)]
    assert client.read("fill/list") == []
    assert client.rest("order/item", id=day).status_code == 404
    position = client.read("position/list")[0]
    assert (position["netPos"], position["prevPos"], position["bought"]) == (2, 2, 0)
    assert client.state()["orders"] == 3
    assert [row["cashChangeType"] for row in client.read("cashBalanceLog/deps", masterid=client.account.id)] == [
        "NewSession"
    ]


def test_accounts_of_one_login_share_a_socket_and_keep_separate_books(sandbox):
    rows = sandbox.post(
        "/accounts", logins=[{"username": f"prop-{time.time()}", "password": "pw", "accounts": ["EVAL1", "EVAL2"]}]
    )
    first, second = (SandboxAccount(**row) for row in rows)
    client = VenueClient(sandbox, first).connect()
    since = time.time()
    client.request("order/placeorder", client.order("Buy", 1))
    client.request("order/placeorder", client.order("Sell", 2, accountId=second.id, accountSpec=second.name))
    client.until("position", accountId=second.id, netPos=-2)
    assert sandbox.account_state(first.id)["positions"][0]["netPos"] == 1
    assert [arrival["account"] for arrival in sandbox.arrivals(since)] == [first.id, second.id]
    sandbox.fault(second.id, "reject")
    assert client.request("order/placeorder", client.order("Buy"))["d"]["orderId"]
    refused = client.order("Buy", accountId=second.id, accountSpec=second.name)
    assert client.request("order/placeorder", refused)["d"]["failureReason"] == "UnknownReason"
    client.close()
