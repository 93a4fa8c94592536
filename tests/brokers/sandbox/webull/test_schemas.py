"""Every reply and event holds what documents and recorded answers say, and nothing else (schemas.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.brokers.sandbox.webull.client import future, new_id, option, stock
from tests.brokers.sandbox.webull.test_events import ORDER, SUCCESS, Listener

SCHEMAS = json.loads(Path(__file__).with_name("schemas.json").read_text())
ORDERS = "/trading/orders"
INSTRUMENTS = "/trading/instruments"


def conforms(document: Any, name: str) -> None:
    schema = {"$ref": f"#/$defs/{name}", "$defs": SCHEMAS["$defs"]}
    Draft202012Validator(schema).validate(document)


@pytest.fixture
def busy(client, sandbox, symbol):
    """A client with a bit of everything in its books: futures, stocks, options, all kinds and states of orders."""
    client.becomes(client.placed(future(symbol, "SELL", qty=2)), "FILLED")
    resting = [
        future(symbol, "BUY", "LIMIT", limit_price="6800"),
        future(symbol, "BUY", "STOP_LOSS", stop_price="6950"),
        future(symbol, "BUY", "STOP_LOSS_LIMIT", stop_price="6950", limit_price="6960", time_in_force="GTC"),
        future(symbol, "SELL", "TRAILING_STOP_LOSS", trailing_type="PERCENTAGE", trailing_stop_step="0.01"),
    ]
    for order in resting:
        client.becomes(client.placed(order), "SUBMITTED")
    client.cancel(resting[0]["client_order_id"])
    sandbox.fault(client.account.id, "reject", mode="async")
    client.becomes(client.placed(future(symbol)), "FAILED")
    sandbox.fault(client.account.id, "partial_fill", parts=[1])
    client.becomes(client.placed(future(symbol, qty=2)), "PARTIAL_FILLED")
    combo = [
        stock("AAPL", combo_type="MASTER"),
        stock("AAPL", "SELL", "LIMIT", combo_type="STOP_PROFIT", limit_price="310"),
        stock("AAPL", "SELL", "STOP_LOSS", combo_type="STOP_LOSS", stop_price="290"),
    ]
    placed = client.place(*combo, client_combo_order_id=new_id())
    conforms(placed.json(), "ComboPlaced")
    client.becomes(combo[1]["client_order_id"], "SUBMITTED", client.margin)
    chain = client.read(f"{INSTRUMENTS}/options/contracts/list", underlying_symbols="AAPL")["data"]
    bought = option(chain[0], order_type="MARKET", position_intent="BUY_TO_OPEN")
    client.becomes(client.placed(bought), "FILLED", client.margin)
    return client


def test_accounts_money_and_positions(busy):
    conforms(busy.read("/openapi/config"), "Config")
    conforms(busy.post("/auth/tokens/create").json(), "Token")
    conforms(busy.read("/trading/accounts/list"), "Accounts")
    for account in (busy.futures, busy.margin):
        conforms(busy.read("/trading/assets/balances/get", account_id=account), "Balance")
        positions = busy.read("/trading/assets/positions/list", account_id=account)
        assert positions
        conforms(positions, "Positions")


def test_orders_in_every_list_and_state(busy):
    seen = set()
    for account in (busy.futures, busy.margin):
        for path in (f"{ORDERS}/open-orders/list", f"{ORDERS}/historical-orders/list"):
            page = busy.read(path, account_id=account)
            conforms(page, "GroupPage")
            orders = [order for group in page["data"] for order in group["orders"]]
            seen |= {order["status"] for order in orders} | {order["order_type"] for order in orders}
            for order in orders:
                query = {"account_id": account, "client_order_id": order["client_order_id"]}
                conforms(busy.read(f"{ORDERS}/get", **query), "Group")
    assert {"SUBMITTED", "PARTIAL_FILLED", "FILLED", "CANCELLED", "FAILED"} <= seen
    assert {"MARKET", "LIMIT", "STOP_LOSS", "STOP_LOSS_LIMIT", "TRAILING_STOP_LOSS"} <= seen
    busy.version = "v2"
    conforms(busy.read(f"{ORDERS}/open-orders/list", account_id=busy.futures), "GroupList")


def test_answers_to_commands(client, symbol):
    order = future(symbol, "BUY", "LIMIT", limit_price="6800")
    body = {"account_id": client.futures, "new_orders": [order]}
    conforms(client.post(f"{ORDERS}/preview", **body).json(), "Preview")
    conforms(client.post(f"{ORDERS}/place", **body).json(), "Placed")
    name = order["client_order_id"]
    changes = [{"client_order_id": name, "limit_price": "6810"}]
    changed = client.post(f"{ORDERS}/replace", account_id=client.futures, modify_orders=changes)
    conforms(changed.json(), "Placed")
    conforms(client.cancel(name).json(), "Placed")
    batch = {"account_id": client.margin, "batch_orders": [stock("AAPL"), stock("AAPL", "SELL", qty=99)]}
    conforms(client.post(f"{ORDERS}/batch-place", **batch).json(), "BatchPlaced")


def test_refusals(client, symbol):
    conforms(client.place(future(symbol, side="HOLD")).json(), "Error")
    conforms(client.get("/nowhere").json(), "GatewayError")
    conforms(client.get("/market-data/futures/snapshots/list", symbols="X").json(), "MarketDataError")


def test_market_data(client, symbol):
    data = "/market-data"
    for kind, name, category in (("stocks", "AAPL", "US_STOCK"), ("futures", symbol, "US_FUTURES")):
        snapshots = client.read(f"{data}/{kind}/snapshots/list", symbols=name, category=category)
        conforms(snapshots, "StockSnapshots" if kind == "stocks" else "FuturesSnapshots")
        conforms(client.read(f"{data}/{kind}/depths/list", symbol=name, category=category, depth=2), "Depth")
        conforms(client.read(f"{data}/{kind}/ticks/list", symbol=name, category=category), "Ticks")
    body = {"symbols": ["AAPL"], "category": "US_STOCK", "timespan": "D", "count": "3"}
    conforms(client.post(f"{data}/stocks/bars/list", **body).json(), "StockBars")
    option_name = client.read(f"{INSTRUMENTS}/options/contracts/list")["data"][0]["symbol"]
    query = {"symbols": option_name, "category": "US_OPTION"}
    conforms(client.read(f"{data}/options/snapshots/list", **query), "OptionSnapshots")
    conforms(client.read(f"{data}/options/bars/list", **query, timespan="M1", count="2"), "Bars")


def test_reference_data(client):
    conforms(client.read(f"{INSTRUMENTS}/stocks/profiles/list"), "Stocks")
    conforms(client.read(f"{INSTRUMENTS}/options/contracts/list", underlying_symbols="SPY"), "Options")
    futures = {"category": "US_FUTURES"}
    for code in ("ES", "CL", "ZB", "GC"):
        conforms(client.read(f"{INSTRUMENTS}/futures/contracts/list", code=code, **futures), "Futures")
    conforms(client.read(f"{INSTRUMENTS}/futures/product-codes/list", **futures), "FuturesProducts")
    conforms(client.read(f"{INSTRUMENTS}/futures/product-classes/list", **futures), "FuturesClasses")


def test_events(busy, symbol):
    listener = Listener(busy)
    try:
        assert listener.next() == (SUCCESS, None)
        count = busy.sandbox.fault(busy.account.username, "replay")["affected"]
        assert count >= 6
        for _ in range(count):
            kind, event = listener.next()
            assert kind == ORDER
            conforms(event, "Event")
    finally:
        listener.close()
