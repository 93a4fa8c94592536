"""A master with its exits, exits of what is held, and options (wire facts, 6.1)."""

import pytest

from tests.brokers.sandbox.webull.client import new_id, option, stock, until


def refused(response):
    assert response.status_code == 417, response.text
    return response.json()["error_code"]


def bracket(qty=10, master="MARKET", **fields):
    return [
        stock("AAPL", "BUY", master, qty, combo_type="MASTER", **fields),
        stock("AAPL", "SELL", "LIMIT", qty, combo_type="STOP_PROFIT", limit_price="310"),
        stock("AAPL", "SELL", "STOP_LOSS", qty, combo_type="STOP_LOSS", stop_price="290"),
    ]


def placed(client, orders):
    name = new_id()
    response = client.place(*orders, client_combo_order_id=name)
    assert response.status_code == 200, response.text
    assert response.json()["client_combo_order_id"] == name
    return [order["client_order_id"] for order in orders]


def statuses(client, names):
    return [client.status(name, client.margin) for name in names]


def test_exits_wait_for_the_master_and_the_first_cancels_the_other(client, sandbox):
    names = placed(client, bracket(master="LIMIT", limit_price="299"))
    until(lambda: statuses(client, names) == ["SUBMITTED", "PENDING", "PENDING"], "the master at work")
    suspended = client.state("INDIVIDUAL_MARGIN")["suspendedOrders"]
    assert {row["parentId"] is None for row in suspended} == {False}
    sandbox.price("AAPL", 299)
    until(lambda: statuses(client, names) == ["FILLED", "SUBMITTED", "SUBMITTED"], "the exits at work")
    sandbox.price("AAPL", 310)
    until(lambda: statuses(client, names) == ["FILLED", "FILLED", "CANCELLED"], "the target")
    assert client.net_position("INDIVIDUAL_MARGIN") == 0
    assert [row["clOrdId"] for row in client.state("INDIVIDUAL_MARGIN")["entries"]] == names


def test_the_detail_of_one_shows_the_whole_combo(client):
    names = placed(client, bracket())
    group = client.read("/trading/orders/get", account_id=client.margin, client_order_id=names[2])
    assert (group["client_order_id"], group["combo_type"]) == (names[0], "MASTER")
    assert [order["client_order_id"] for order in group["orders"]] == names


def test_a_stop_that_gaps_fills_and_cancels_the_target(client, sandbox):
    names = placed(client, bracket())
    until(lambda: statuses(client, names)[1:] == ["SUBMITTED", "SUBMITTED"], "the exits at work")
    sandbox.price("AAPL", 285)
    assert client.becomes(names[2], "FILLED", client.margin)["filled_price"] == "285"
    assert client.status(names[1], client.margin) == "CANCELLED"


def test_canceling_an_unfilled_master_makes_the_exits_unknown(client):
    names = placed(client, bracket(master="LIMIT", limit_price="200"))
    assert client.cancel(names[0], client.margin).status_code == 200
    client.becomes(names[0], "CANCELLED", client.margin)
    assert refused(client.cancel(names[1], client.margin)) == "OPENAPI_ORDER_NOT_FOUND"
    assert client.state("INDIVIDUAL_MARGIN")["suspendedOrders"] == []


def test_exits_of_a_filled_master_are_canceled_one_by_one(client):
    names = placed(client, bracket())
    until(lambda: statuses(client, names)[1:] == ["SUBMITTED", "SUBMITTED"], "the exits at work")
    assert client.cancel(names[1], client.margin).status_code == 200
    client.becomes(names[1], "CANCELLED", client.margin)
    assert client.status(names[2], client.margin) == "SUBMITTED"


def test_exits_alone_protect_what_is_held(client, sandbox):
    exits = bracket()[1:]
    assert refused(client.place(*exits, client_combo_order_id=new_id())) == "OPENAPI_SELL_QTY_EXCEED_AVAILABLE_QTY"
    client.becomes(client.placed(stock("AAPL", qty=10)), "FILLED", client.margin)
    names = placed(client, exits)
    until(lambda: statuses(client, names) == ["SUBMITTED", "SUBMITTED"], "both at work")
    sandbox.price("AAPL", 290)
    until(lambda: statuses(client, names) == ["CANCELLED", "FILLED"], "the stop")


def test_a_part_of_one_exit_shrinks_the_other(client, sandbox):
    sandbox.fault(client.account.username, "partial_fill", parts=[4, 6], leg="target", interval=0.01)
    names = placed(client, bracket())
    until(lambda: statuses(client, names)[1:] == ["SUBMITTED", "SUBMITTED"], "the exits at work")
    sandbox.price("AAPL", 310)
    until(lambda: statuses(client, names)[1:] == ["FILLED", "CANCELLED"], "the target")
    assert client.detail(names[2], client.margin)["total_quantity"] == "6"
    assert client.net_position("INDIVIDUAL_MARGIN") == 0


def test_exits_get_what_a_canceled_master_has_filled(client, sandbox):
    sandbox.fault(client.account.username, "partial_fill", parts=[4])
    names = placed(client, bracket())
    until(lambda: statuses(client, names) == ["PARTIAL_FILLED", "PENDING", "PENDING"], "a part of the master")
    client.cancel(names[0], client.margin)
    until(lambda: statuses(client, names) == ["CANCELLED", "SUBMITTED", "SUBMITTED"], "the exits at work")
    assert {client.detail(name, client.margin)["total_quantity"] for name in names[1:]} == {"4"}


@pytest.mark.parametrize(
    "change",
    [
        lambda orders: orders[:1],
        lambda orders: orders[1:2],
        lambda orders: [orders[0], orders[0] | {"client_order_id": new_id()}, orders[1]],
        lambda orders: [orders[0] | {"combo_type": "NORMAL"}, *orders[1:]],
        lambda orders: [orders[0] | {"order_type": "STOP_LOSS", "stop_price": "310"}, *orders[1:]],
        lambda orders: [orders[0], orders[1] | {"order_type": "MARKET"}, orders[2]],
        lambda orders: [orders[0], orders[1] | {"quantity": "9"}, orders[2]],
        lambda orders: [orders[0], orders[1] | {"side": "BUY"}, orders[2]],
        lambda orders: [orders[0], orders[1] | {"combo_type": "OTO"}, orders[2]],
        lambda orders: [orders[0], orders[1] | {"client_order_id": orders[0]["client_order_id"]}, orders[2]],
    ],
)
def test_what_makes_no_combo_is_refused_whole(client, change):
    orders = change(bracket())
    assert client.place(*orders, client_combo_order_id=new_id()).status_code == 417
    assert client.state("INDIVIDUAL_MARGIN")["orders"] == 0


def test_a_combo_needs_a_name(client):
    assert refused(client.place(*bracket())) == "OPENAPI_PARAM_ERR"


def chain(client):
    listed = client.read("/trading/instruments/options/contracts/list", underlying_symbols="AAPL")
    return [row for row in listed["data"] if row["option_type"] == "CALL"]


def test_a_single_option_is_bought_and_sold(client, sandbox):
    contract = chain(client)[-1]
    sandbox.price(contract["symbol"], 11.25)
    bought = option(contract, limit_price="11.25", position_intent="BUY_TO_OPEN")
    order = client.becomes(client.placed(bought), "FILLED", client.margin)
    assert (order["symbol"], order["filled_price"]) == ("AAPL", "11.25")
    assert order["legs"][0]["strike_price"] == contract["strike_price"]
    (held,) = client.read("/trading/assets/positions/list", account_id=client.margin)
    assert (held["symbol"], held["option_strategy"], held["quantity"]) == ("AAPL", "SINGLE", "1")
    assert held["legs"][0]["option_expire_date"] == contract["expiration_date"]
    sandbox.price(contract["symbol"], 12)
    balance = client.read("/trading/assets/balances/get", account_id=client.margin)
    assert balance["total_unrealized_profit_loss"] == "75.00"
    sold = option(contract, "SELL", limit_price="12", position_intent="SELL_TO_CLOSE")
    client.becomes(client.placed(sold), "FILLED", client.margin)
    again = option(contract, "SELL", limit_price="12", position_intent="SELL_TO_CLOSE")
    assert refused(client.place(again)) == "OPENAPI_SELL_QTY_EXCEED_AVAILABLE_QTY"


def test_an_option_has_its_bracket_too(client, sandbox):
    contract = chain(client)[-1]
    sandbox.price(contract["symbol"], 11.25)
    orders = [
        option(contract, limit_price="11.25", combo_type="MASTER"),
        option(contract, "SELL", limit_price="15", combo_type="STOP_PROFIT"),
        option(contract, "SELL", "STOP_LOSS", stop_price="8", combo_type="STOP_LOSS"),
    ]
    names = placed(client, orders)
    until(lambda: statuses(client, names) == ["FILLED", "SUBMITTED", "SUBMITTED"], "the exits at work")
    sandbox.price(contract["symbol"], 8)
    until(lambda: statuses(client, names)[1:] == ["CANCELLED", "FILLED"], "the stop")


def test_an_option_is_changed_with_its_legs(client, sandbox):
    contract = chain(client)[-1]
    name = client.placed(option(contract, limit_price="0.50"))
    leg = client.becomes(name, "SUBMITTED", client.margin)["legs"][0]
    changes = [{"client_order_id": name, "quantity": "2", "legs": [{"id": leg["id"], "quantity": "2"}]}]
    for wrong in (changes[0] | {"legs": None}, changes[0] | {"legs": [{"id": "another", "quantity": "2"}]}):
        sent = client.post("/trading/orders/replace", account_id=client.margin, modify_orders=[wrong])
        assert refused(sent) == "OPENAPI_PARAM_ERR"
    assert client.post("/trading/orders/replace", account_id=client.margin, modify_orders=changes).status_code == 200
    until(lambda: client.detail(name, client.margin)["total_quantity"] == "2", "the new quantity")


@pytest.mark.parametrize(
    "fields",
    [
        {"option_strategy": "VERTICAL"},
        {"legs": []},
        {"legs": [{"side": "BUY"}]},
        {"symbol": "MSFT"},
        {"position_intent": "SELL_TO_OPEN"},
        {"order_type": "TRAILING_STOP_LOSS"},
        {"quantity": "2"},
    ],
)
def test_options_that_do_not_fit_are_refused(client, fields):
    order = option(chain(client)[-1], limit_price="1.00") | fields
    assert client.place(order).status_code == 417


def test_options_at_the_market_are_taken_or_not(client, sandbox):
    contract = chain(client)[-1]
    sandbox.switches(option_market_orders=False)
    assert refused(client.place(option(contract, order_type="MARKET"))) == "OPENAPI_PARAM_ERR"
    sandbox.switches(option_market_orders=True)
    client.becomes(client.placed(option(contract, order_type="MARKET")), "FILLED", client.margin)
