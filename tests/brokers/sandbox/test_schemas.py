"""Every reply and event is checked against the official schema's facts (schemas.json: names, types, enums)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SCHEMAS = json.loads(Path(__file__).with_name("schemas.json").read_text())
LISTED = {
    "account": "Account",
    "cashBalance": "CashBalance",
    "command": "Command",
    "commandReport": "CommandReport",
    "contractGroup": "ContractGroup",
    "currency": "Currency",
    "exchange": "Exchange",
    "executionReport": "ExecutionReport",
    "fill": "Fill",
    "fillFee": "FillFee",
    "fillPair": "FillPair",
    "marginSnapshot": "MarginSnapshot",
    "order": "Order",
    "orderStrategy": "OrderStrategy",
    "orderStrategyLink": "OrderStrategyLink",
    "orderStrategyType": "OrderStrategyType",
    "orderVersion": "OrderVersion",
    "position": "Position",
    "product": "Product",
    "user": "User",
    "userAccountAutoLiq": "UserAccountAutoLiq",
}


def conforms(document: Any, name: str) -> None:
    schema = {"$ref": f"#/$defs/{name}", "$defs": SCHEMAS["$defs"]}
    Draft202012Validator(schema).validate(document)


@pytest.fixture
def busy_client(client, sandbox):
    """A client whose account has a bit of everything in its books."""
    client.start("Buy", {"orderQty": 2, "orderType": "Market"}, [{"qty": 2, "profitTarget": 10, "stopLoss": -10}])
    client.until("position", netPos=2)
    sandbox.price("MNQ", 25_010.0)
    order_id = client.rest("order/placeorder", client.order("Buy", order_type="Limit", price=24_990.0)).json()[
        "orderId"
    ]
    change = {"orderId": order_id, "orderQty": 1, "orderType": "Limit", "price": 24_980.0}
    client.rest("order/modifyorder", change)
    sandbox.fault(client.account.id, "reject", mode="async", reason="MaxPosLimitReached")
    client.rest("order/placeorder", client.order("Buy"))
    client.request("order/cancelorder", {"orderId": order_id})
    client.until("order", id=order_id, ordStatus="Canceled")
    return client


def test_every_list_and_item(busy_client):
    for entity, schema in LISTED.items():
        rows = busy_client.read(f"{entity}/list")
        assert rows, entity
        for row in rows:
            conforms(row, schema)
        assert busy_client.read(f"{entity}/item", id=rows[0]["id"]) == rows[0]
        assert rows[-1] in busy_client.read(f"{entity}/items", ids=f"{rows[-1]['id']},1")


def test_every_event(busy_client):
    kinds = set()
    for event in busy_client.events:
        record = event["d"]
        assert record["eventType"] in {"Created", "Updated", "Deleted"}
        conforms(record["entity"], record["entityType"][0].upper() + record["entityType"][1:])
        kinds.add(record["entityType"])
    assert kinds >= {"order", "command", "commandReport", "executionReport", "fill", "fillPair", "orderStrategyLink"}


def test_created_once_and_ids_from_one_sequence(busy_client):
    created = [
        (event["d"]["entityType"], event["d"]["entity"]["id"])
        for event in busy_client.events
        if event["d"]["eventType"] == "Created"
    ]
    assert len(created) == len(set(created))
    orders = [key for kind, key in created if kind == "order"]
    assert orders == sorted(orders)
    assert all(key > 516_000_000_000 for _, key in created)


def test_sync_message(busy_client):
    fresh = type(busy_client)(busy_client.sandbox, busy_client.account)
    fresh.connect()
    fresh.send("account/list")
    message = fresh.rest("user/syncrequest", {"users": [fresh.session["userId"]]}).json()
    conforms(message, "SyncMessage")
    assert [contract["name"] for contract in message["contracts"]] == [fresh.symbol]
    assert len(message["orders"]) == len(fresh.read("order/list"))
    fresh.close()


def test_dependants_follow_their_masters(busy_client):
    fill = busy_client.read("fill/list")[0]
    commands = busy_client.read("command/deps", masterid=fill["orderId"])
    reports = busy_client.read("executionReport/deps", masterid=commands[0]["id"])
    assert {report["orderId"] for report in reports} == {fill["orderId"]}
    orders = [row["id"] for row in busy_client.read("order/list")]
    both = busy_client.read("fill/ldeps", masterids=",".join(map(str, orders)))
    assert both == busy_client.read("fill/ldeps", masterids=orders) == busy_client.read("fill/list")


def test_results_of_commands(client):
    limit = client.order("Buy", order_type="Limit", price=24_000.0)
    other = {"action": "Sell", "orderType": "Limit", "price": 26_000.0}
    placed = client.rest("order/placeorder", limit).json()
    conforms(placed, "PlaceOrderResult")
    conforms(client.rest("order/placeoso", limit | {"bracket1": other}).json(), "PlaceOsoResult")
    conforms(client.rest("order/placeoco", limit | {"other": other}).json(), "PlaceOcoResult")
    conforms(client.rest("order/cancelorder", {"orderId": placed["orderId"]}).json(), "CommandResult")
    bracket = [{"qty": 1, "stopLoss": -10}]
    started = client.strategy("Buy", {"orderQty": 1, "orderType": "Market"}, bracket, uuid="abc")
    for body in (started, started | {"params": "{"}):
        conforms(client.rest("orderStrategy/startOrderStrategy", body).json(), "OrderStrategyStatusResponse")
    refused = client.rest("order/placeorder", limit | {"price": 24_000.1}).json()
    conforms(refused, "PlaceOrderResult")


def test_session_and_money_replies(client):
    conforms(client.session, "AccessTokenResponse")
    conforms(client.read("auth/me"), "OAuthMeResponse")
    account = {"accountId": client.account.id}
    conforms(client.rest("cashBalance/getcashbalancesnapshot", account).json(), "CashBalanceSnapshot")


def test_contract_library(client):
    contract = client.read("contract/find", name=client.symbol)
    conforms(contract, "Contract")
    product = client.read("product/find", name="MNQ")
    conforms(product, "Product")
    assert (product["tickSize"], product["valuePerPoint"]) == (0.25, 2.0)
    maturities = client.read("contractMaturity/deps", masterid=product["id"])
    for maturity in maturities:
        conforms(maturity, "ContractMaturity")
    front = [maturity for maturity in maturities if maturity["isFront"]]
    assert [row["id"] for row in client.read("contract/deps", masterid=front[0]["id"])] == [contract["id"]]
    for name, schema in (("productMargin", "ProductMargin"), ("productSession", "ProductSession")):
        conforms(client.read(f"{name}/item", id=product["id"]), schema)
    rolled = client.rest("contract/rollcontract", {"name": client.symbol, "forward": True}).json()
    conforms(rolled, "RollContractResponse")
    assert rolled["contract"]["name"] != client.symbol
    kept = client.rest("contract/rollcontract", {"name": client.symbol, "forward": True, "ifExpired": True}).json()
    assert kept["contract"]["name"] == client.symbol
    fees = client.rest("contract/getproductfeeparams", {"productIds": [product["id"]]}).json()
    conforms(fees, "ProductFeeParamsResponse")
    assert client.rest("contract/find", name="MNQZ1").status_code == 404


def test_broker_side_limits_are_written_whole(client):
    limits = {"id": client.account.id, "dailyLossAutoLiq": 500.0}
    conforms(client.rest("userAccountAutoLiq/update", limits).json(), "UserAccountAutoLiq")
    assert client.read("userAccountAutoLiq/deps", masterid=client.account.id) == [limits]
    client.until("userAccountAutoLiq", dailyLossAutoLiq=500.0)
