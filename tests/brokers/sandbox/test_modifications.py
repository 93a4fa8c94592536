"""Working exits whose terms are replaced, and changes that the venue refuses after it has answered."""

from __future__ import annotations

import pytest

from tests.brokers.sandbox.test_event_sequences import told

MARKET = {"orderQty": 2, "orderType": "Market"}
BRACKET = {"qty": 2, "profitTarget": 10, "stopLoss": -12.5}


def exits(client) -> dict[str, int]:
    """Ids of the working exits of a filled strategy by order type."""
    client.start("Buy", MARKET, [BRACKET])
    client.until("position", netPos=2)
    client.wait(lambda: len(client.state()["workingOrders"]) == 2, "two exits")
    return {order["orderType"]: order["id"] for order in client.state()["workingOrders"]}


def modify(client, order_id: int, qty: int, order_type: str, **prices: float) -> int:
    body = {"orderId": order_id, "orderQty": qty, "orderType": order_type, "timeInForce": "GTC", "isAutomated": True}
    command_id = client.request("order/modifyorder", {**body, **prices})["d"]["commandId"]
    client.until("executionReport", execType="Replaced", commandId=command_id)
    return command_id


def test_a_stop_that_moved_still_cancels_its_target(client, sandbox):
    ids = exits(client)
    modify(client, ids["Stop"], 2, "Stop", stopPrice=24_995.0)
    assert client.working() == [("Sell", "Limit", 25_010.0), ("Sell", "Stop", 24_995.0)]
    sandbox.price("MNQ", 24_995.0)
    client.until("order", id=ids["Limit"], ordStatus="Canceled")
    assert (client.net_position(), client.working()) == (0, [])


def test_a_smaller_pair_still_cancels_itself(client, sandbox):
    ids = exits(client)
    modify(client, ids["Limit"], 1, "Limit", price=25_010.0)
    modify(client, ids["Stop"], 1, "Stop", stopPrice=24_987.5)
    assert [order["orderQty"] for order in client.state()["workingOrders"]] == [1, 1]
    sandbox.price("MNQ", 25_010.0)
    client.until("order", id=ids["Stop"], ordStatus="Canceled")
    assert (client.net_position(), client.working()) == (1, [])


def test_strategies_of_one_contract_do_not_touch_each_other(client, sandbox):
    first = exits(client)
    client.start("Buy", {"orderQty": 1, "orderType": "Market"}, [{"qty": 1, "profitTarget": 20, "stopLoss": -5}])
    client.until("position", netPos=3)
    sandbox.price("MNQ", 24_995.0)
    assert {order["id"] for order in client.state()["workingOrders"]} == set(first.values())
    assert client.net_position() == 2


def test_a_trailing_stop_needs_no_price_to_change_its_quantity(client, sandbox):
    client.start("Buy", MARKET, [{"qty": 2, "stopLoss": -10, "trailingStop": True}])
    client.until("position", netPos=2)
    sandbox.price("MNQ", 25_020.0)
    (stop,) = client.state()["workingOrders"]
    modify(client, stop["id"], 1, "TrailingStop")
    (stop,) = client.state()["workingOrders"]
    assert (stop["orderQty"], stop["stopPrice"]) == (1, 25_010.0)
    sandbox.price("MNQ", 25_030.0)
    assert client.working() == [("Sell", "TrailingStop", 25_020.0)]


def test_a_refused_change_is_announced_and_changes_nothing(client, sandbox):
    ids = exits(client)
    fault = {"endpoint": "order/modifyorder", "mode": "async", "reason": "InvalidPrice", "text": "no"}
    sandbox.fault(client.account.id, "reject", **fault)
    body = {"orderId": ids["Stop"], "orderQty": 2, "orderType": "Stop", "stopPrice": 24_995.0}
    command_id = client.request("order/modifyorder", body)["d"]["commandId"]
    report = client.until("commandReport", commandId=command_id)
    assert (report["commandStatus"], report["rejectReason"], report["ordStatus"]) == (
        "RiskRejected",
        "InvalidPrice",
        "Working",
    )
    client.until("command", id=command_id, commandStatus="RiskRejected")
    assert told(client)[-4:] == [
        ("command", "Pending"),
        ("orderVersion", None),
        ("commandReport", "RiskRejected"),
        ("command", "RiskRejected"),
    ]
    assert client.working() == [("Sell", "Limit", 25_010.0), ("Sell", "Stop", 24_987.5)]


def test_state_tells_the_bracket_of_each_exit(client):
    client.start("Buy", MARKET, [BRACKET | {"qty": 1}, BRACKET | {"qty": 1, "profitTarget": 20}])
    client.until("position", netPos=2)
    client.rest("order/placeorder", client.order("Sell", order_type="Stop", stopPrice=24_900.0))
    labels = {(o["label"], o["price"] or o["stopPrice"]) for o in client.state()["workingOrders"]}
    assert labels == {("0", 25_010.0), ("0", 24_987.5), ("1", 25_020.0), ("1", 24_987.5), (None, 24_900.0)}


@pytest.mark.parametrize("root", ["MNQ", "CL"])
def test_the_front_month_is_found_by_three_reads(client, root):
    product = client.read("product/find", name=root)
    maturities = client.read("contractMaturity/deps", masterid=product["id"])
    (front,) = [maturity for maturity in maturities if maturity["isFront"]]
    (contract,) = client.read("contract/deps", masterid=front["id"])
    assert contract["name"].startswith(root)
