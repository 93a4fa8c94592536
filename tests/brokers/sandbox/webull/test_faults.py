"""Scripted misbehaviour over HTTP, and what the control interface does (faults.KINDS)."""

import pytest
import requests

from tests.brokers.sandbox.webull.client import PATIENCE_SECONDS, future, new_id, until

PLACE = "trading/orders/place"


def entry_ids(client):
    return [row["clOrdId"] for row in client.state()["entries"]]


def test_an_order_may_be_dropped_after_it_was_accepted(client, sandbox, symbol):
    sandbox.fault(client.account.id, "drop_after_accept")
    order = future(symbol)
    with pytest.raises(requests.ConnectionError):
        client.place(order)
    assert client.becomes(order["client_order_id"], "FILLED")["filled_quantity"] == "1"


def test_an_order_may_be_dropped_before_it_was_accepted(client, sandbox, symbol):
    sandbox.fault(client.account.id, "drop_before_accept")
    order = future(symbol)
    with pytest.raises(requests.ConnectionError):
        client.place(order)
    assert entry_ids(client) == []
    assert client.placed(order)


def test_an_order_may_hang(client, sandbox, symbol):
    sandbox.fault(client.account.id, "hang")
    client.patience = 0.1
    with pytest.raises(requests.Timeout):
        client.place(future(symbol))
    assert entry_ids(client) == []


def test_a_reply_may_be_garbled(client, sandbox, symbol):
    sandbox.fault(client.account.id, "garbled")
    order = future(symbol)
    with pytest.raises(requests.JSONDecodeError):
        client.place(order).json()
    assert entry_ids(client) == [order["client_order_id"]]


def test_a_delay_is_waited_for(client, sandbox, symbol):
    sandbox.fault(client.account.id, "delay", seconds=0.05)
    name = client.placed(future(symbol))
    (arrived,) = (a for a in sandbox.arrivals() if a["endpoint"] == PLACE and a["account"] == client.account.id)
    placed = int(client.detail(name)["place_time"]) / 1000
    assert placed - arrived["time"] > 0.045
    sandbox.clear_faults()


def test_a_refusal_may_come_with_the_reply(client, sandbox, symbol):
    sandbox.fault(client.account.id, "reject", reason="OPENAPI_SOMETHING", text="No")
    order = future(symbol)
    refused = client.place(order)
    assert (refused.status_code, refused.json()) == (417, {"error_code": "OPENAPI_SOMETHING", "message": "No"})
    assert client.placed(order) == order["client_order_id"]


@pytest.mark.parametrize("mode", ["async", "exchange"])
def test_a_refusal_may_come_after_the_reply(client, sandbox, symbol, mode):
    sandbox.fault(client.account.id, "reject", mode=mode)
    name = client.placed(future(symbol))
    assert client.becomes(name, "FAILED")["filled_quantity"] == "0"
    assert client.place(future(symbol, client_order_id=name)).status_code == 417


def test_an_order_may_be_filled_in_parts(client, sandbox, symbol):
    sandbox.fault(client.account.id, "partial_fill", parts=[1, 2], interval=0.02)
    name = client.placed(future(symbol, qty=3))
    order = client.becomes(name, "PARTIAL_FILLED")
    assert order["filled_quantity"] == "1"
    client.becomes(name, "FILLED")
    assert client.state()["fills"] == 2


def test_a_part_may_be_all_there_is(client, sandbox, symbol):
    sandbox.fault(client.account.id, "partial_fill", parts=[1])
    name = client.placed(future(symbol, "BUY", "LIMIT", 3, limit_price="6890"))
    client.becomes(name, "SUBMITTED")
    sandbox.price("MES", 6_880)
    assert client.becomes(name, "PARTIAL_FILLED")["filled_price"] == "6890"
    sandbox.price("MES", 6_870)
    assert client.status(name) == "PARTIAL_FILLED"
    client.cancel(name)
    assert client.becomes(name, "CANCELLED")["filled_quantity"] == "1"


def test_a_limit_of_requests_may_be_scripted(client, sandbox, symbol):
    sandbox.fault(client.account.id, "rate_limit")
    order = future(symbol)
    assert client.place(order).status_code == 429
    assert client.place(order).status_code == 200
    sandbox.fault(client.account.id, "rate_limit", endpoint="trading/assets/balances/get")
    assert client.get("/trading/assets/balances/get", account_id=client.futures).status_code == 429


def test_a_fault_concerns_commands_of_its_account_only(new_client, sandbox, symbol):
    mine, other = new_client(), new_client()
    sandbox.fault(mine.account.id, "rate_limit", count=5)
    assert mine.get("/trading/orders/open-orders/list", account_id=mine.futures).status_code == 200
    assert other.place(future(symbol)).status_code == 200
    assert mine.place(future(symbol)).status_code == 429


def test_connections_may_be_refused(client, sandbox):
    sandbox.fault(client.account.username, "refuse_connections")
    with pytest.raises(requests.ConnectionError):
        client.get("/openapi/config")
    sandbox.clear_faults()
    sandbox.fault("*", "refuse_connections")
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.rest_url, timeout=PATIENCE_SECONDS)


def test_lists_may_be_empty_though_something_is_there(client, sandbox, symbol):
    client.becomes(client.placed(future(symbol)), "FILLED")
    sandbox.fault(client.account.id, "empty_lists", count=2)
    assert client.read("/trading/assets/positions/list", account_id=client.futures) == []
    assert client.read("/trading/orders/historical-orders/list", account_id=client.futures) == {"data": []}
    assert len(client.read("/trading/assets/positions/list", account_id=client.futures)) == 1


def test_faults_of_other_venues_are_not_known(client, sandbox):
    with pytest.raises(requests.HTTPError):
        sandbox.fault(client.account.id, "penalty_ticket")


def test_a_manual_trade_is_seen_by_queries_but_is_no_entry(client, sandbox, symbol):
    sandbox.manual(client.account.id, symbol, "Sell", 2)
    assert client.net_position() == -2
    assert entry_ids(client) == []
    (group,) = client.read("/trading/orders/historical-orders/list", account_id=client.futures)["data"]
    assert group["orders"][0]["status"] == "FILLED"
    with pytest.raises(requests.HTTPError):
        sandbox.manual(client.account.id, "AAPL", "Buy", 1)


def test_accounts_are_found_by_any_of_their_names(client, sandbox, symbol):
    row = client.state()
    for name in (row["id"], str(row["id"]), row["name"], client.futures):
        sandbox.manual(name, symbol, "Buy", 1)
    assert client.net_position() == 4
    with pytest.raises(requests.HTTPError):
        sandbox.manual("nobody", symbol, "Buy", 1)


def test_a_login_of_ones_own_is_added_once(sandbox):
    wanted = {"username": new_id(), "password": "secret", "balance": 25_000}
    (row,) = sandbox.post("/accounts", logins=[wanted])
    assert (row["username"], row["password"]) == (wanted["username"], "secret")
    assert sandbox.post("/accounts", logins=[wanted | {"password": "other"}]) == [row]
    mine = [account for account in sandbox.state() if account["username"] == wanted["username"]]
    assert [(account["name"].rpartition("-")[0], account["balance"]) for account in mine] == [
        ("FUTURES", 25_000.0),
        ("INDIVIDUAL_MARGIN", 25_000.0),
    ]


def test_the_end_of_a_session_ends_day_orders_and_the_days_profit(client, sandbox, symbol):
    client.becomes(client.placed(future(symbol)), "FILLED")
    day, good = (
        client.placed(future(symbol, "BUY", "LIMIT", limit_price="6800", time_in_force=tif)) for tif in ("DAY", "GTC")
    )
    sandbox.post("/session-roll")
    assert (client.status(day), client.status(good)) == ("CANCELLED", "SUBMITTED")
    balance = client.read("/trading/assets/balances/get", account_id=client.futures)
    assert balance["total_day_profit_loss"] == "0.00"


def test_a_reset_flattens_and_frees_the_ids(client, sandbox, symbol):
    name = client.placed(future(symbol))
    client.becomes(name, "FILLED")
    client.placed(future(symbol, "BUY", "LIMIT", limit_price="6800"))
    sandbox.reset()
    row = client.state()
    assert (row["positions"], row["workingOrders"], row["entries"], row["balance"]) == ([], [], [], 1_000_000.0)
    sandbox.price("MES", 6_900)
    client.placed(future(symbol, client_order_id=name))


def test_every_request_is_noted_as_it_arrives(client, sandbox, symbol):
    client.placed(future(symbol))
    seen = [a for a in sandbox.arrivals() if a["username"] == client.account.username]
    assert seen[0]["endpoint"] == "trading/accounts/list"
    assert (seen[-1]["endpoint"], seen[-1]["transport"], seen[-1]["account"]) == (PLACE, "rest", client.account.id)


def test_prices_may_follow_a_script(client, sandbox, symbol):
    name = client.placed(future(symbol, "SELL", "LIMIT", limit_price="6950"))
    sandbox.post("/price-script", symbol="MES", steps=[{"after": 0.01, "price": 6940}, {"after": 0.01, "price": 6950}])
    client.becomes(name, "FILLED")
    sandbox.seeded_price("MES")
    until(lambda: client.read("/market-data/futures/snapshots/list", symbols=symbol, category="US_FUTURES"), "prices")
