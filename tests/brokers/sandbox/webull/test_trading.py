"""Placing, replacing and canceling futures and stock orders, and what is refused (wire facts, 5, 6 and 7)."""

import pytest

from tests.brokers.sandbox.webull.client import future, new_id, stock, until


def refused(response):
    assert response.status_code == 417, response.text
    return response.json()["error_code"]


def test_a_market_order_is_filled_and_moves_the_account(client, sandbox, symbol):
    name = client.placed(future(symbol, qty=2))
    order = client.becomes(name, "FILLED")
    assert (order["filled_quantity"], order["filled_price"]) == ("2", "6900")
    assert [fee["type"] for fee in order["fees"]] == ["FUT_CLEARING", "FUT_EXCHANGE", "FUT_NFA"]
    sandbox.price("MES", 6_910)
    (held,) = client.read("/trading/assets/positions/list", account_id=client.futures)
    assert (held["symbol"], held["quantity"], held["cost_price"]) == (symbol, "2", "6900")
    assert held["unrealized_profit_loss"] == "100.00"
    balance = client.read("/trading/assets/balances/get", account_id=client.futures)
    assert balance["total_day_profit_loss"] == "99.08"
    assert balance["total_net_liquidation_value"] == "1000099.08"


def test_fees_can_be_switched_off(client, sandbox, symbol):
    sandbox.switches(fees=False)
    client.becomes(client.placed(future(symbol)), "FILLED")
    balance = client.read("/trading/assets/balances/get", account_id=client.futures)
    assert balance["total_cash_balance"] == "1000000.00"


def test_a_limit_rests_until_its_price_comes(client, sandbox, symbol):
    name = client.placed(future(symbol, "BUY", "LIMIT", limit_price="6890.25", time_in_force="GTC"))
    order = client.becomes(name, "SUBMITTED")
    assert (order["limit_price"], order["time_in_force"]) == ("6890.25", "GTC")
    sandbox.price("MES", 6_890)
    assert client.becomes(name, "FILLED")["filled_price"] == "6890.25"


@pytest.mark.parametrize(
    ("order_type", "fields", "price", "filled"),
    [
        ("STOP_LOSS", {"stop_price": "6890"}, 6_889, "6889"),
        ("STOP_LOSS_LIMIT", {"stop_price": "6890", "limit_price": "6880"}, 6_885, "6885"),
        ("TRAILING_STOP_LOSS", {"trailing_type": "AMOUNT", "trailing_stop_step": "5"}, 6_895, "6895"),
        ("TRAILING_STOP_LOSS", {"trailing_type": "PERCENTAGE", "trailing_stop_step": "0.01"}, 6_831, "6831"),
    ],
)
def test_stops_fill_when_the_market_falls(client, sandbox, symbol, order_type, fields, price, filled):
    name = client.placed(future(symbol, "SELL", order_type, **fields))
    order = client.becomes(name, "SUBMITTED")
    assert order["order_type"] == order_type
    assert {key: order[key] for key in fields} == fields
    sandbox.price("MES", price)
    assert client.becomes(name, "FILLED")["filled_price"] == filled


def test_a_short_position_is_negative_or_not(client, sandbox, symbol):
    client.becomes(client.placed(future(symbol, "SELL")), "FILLED")
    path = "/trading/assets/positions/list"
    assert client.read(path, account_id=client.futures)[0]["quantity"] == "-1"
    sandbox.switches(short_sign="positive")
    assert client.read(path, account_id=client.futures)[0]["quantity"] == "1"


def test_an_order_is_canceled_once(client, symbol):
    name = client.placed(future(symbol, "BUY", "LIMIT", limit_price="6800"))
    canceled = client.cancel(name)
    assert canceled.json() == {"client_order_id": name, "order_id": client.detail(name)["order_id"]}
    client.becomes(name, "CANCELLED")
    assert refused(client.cancel(name)) == "OPENAPI_ORDER_CAN_NOT_BE_CANCEL"
    assert refused(client.cancel(new_id())) == "OPENAPI_ORDER_NOT_FOUND"
    missing = client.get("/trading/orders/get", account_id=client.futures, client_order_id=new_id())
    assert refused(missing) == "OPENAPI_ORDER_NOT_FOUND"


def test_a_client_order_id_is_used_up_by_acceptance_only(client, symbol):
    order = future(symbol, "BUY", "LIMIT", limit_price="6800.10")
    assert refused(client.place(order)) == "OPENAPI_PARAM_ERR"
    order["limit_price"] = "6800.25"
    client.placed(order)
    again = client.place(order)
    assert refused(again) == "OPENAPI_TRADE_PLACE_ORDER_REPEAT"
    assert len(client.state()["entries"]) == 1


@pytest.mark.parametrize("name", ["short", "a" * 41, "has a blank in it", "ümlauts-are-out", 1234567890])
def test_a_client_order_id_has_ten_to_forty_plain_characters(client, symbol, name):
    assert refused(client.place(future(symbol, client_order_id=name))) == "OPENAPI_PARAM_ERR"


@pytest.mark.parametrize("name", ["a" * 10, "A-z_0" * 8])
def test_the_shortest_and_longest_client_order_ids_are_taken(client, symbol, name):
    assert client.placed(future(symbol, client_order_id=name)) == name


@pytest.mark.parametrize("prefix", ["OPENAPI_", "OAUTH_OPENAPI_"])
def test_business_codes_come_with_either_prefix(client, sandbox, prefix):
    sandbox.switches(error_prefix=prefix)
    assert refused(client.cancel(new_id())) == f"{prefix}ORDER_NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"side": "SHORT"}, "OPENAPI_PARAM_ERR"),
        ({"side": "HOLD"}, "OPENAPI_PARAM_ERR"),
        ({"order_type": "MARKET_ON_OPEN"}, "OPENAPI_PARAM_ERR"),
        ({"order_type": "LIMIT"}, "OPENAPI_PARAM_ERR"),
        ({"order_type": "LIMIT", "limit_price": "6900.13"}, "OPENAPI_PARAM_ERR"),
        ({"order_type": "LIMIT", "limit_price": "NaN"}, "OPENAPI_PARAM_ERR"),
        ({"time_in_force": "IOC"}, "OPENAPI_PARAM_ERR"),
        ({"market": "HK"}, "OPENAPI_PARAM_ERR"),
        ({"quantity": "0"}, "OPENAPI_PARAM_ERR"),
        ({"quantity": "x"}, "OPENAPI_PARAM_ERR"),
        ({"quantity": None}, "OPENAPI_PARAM_ERR"),
        ({"quantity": "1.5"}, "OPENAPI_FRACT_TICKER_DONT_SUPPORT_TRADE"),
        ({"entrust_type": "AMOUNT"}, "OPENAPI_FRACT_TICKER_DONT_SUPPORT_TRADE"),
        ({"symbol": "MESmain"}, "INVALID_PARAMETER"),
        ({"symbol": "AAPL"}, "INVALID_PARAMETER"),
        ({"combo_type": "OCO"}, "OPENAPI_PARAM_ERR"),
        ({"combo_type": "MASTER"}, "INVALID_PARAMETER"),
        ({"instrument_type": "CRYPTO"}, "OPENAPI_TRADE_ORDER_NO_PERMISSION"),
        ({"quantity": "20000"}, "OPENAPI_DAY_BUYING_POWER_INSUFFICIENT"),
        ({"order_type": "TRAILING_STOP_LOSS", "trailing_type": "AMOUNT"}, "OPENAPI_PARAM_ERR"),
        (
            {"order_type": "TRAILING_STOP_LOSS", "trailing_type": "PERCENTAGE", "trailing_stop_step": "2"},
            "OPENAPI_PARAM_ERR",
        ),
    ],
)
def test_a_bad_field_is_refused(client, symbol, fields, code):
    assert refused(client.place({**future(symbol), **fields}, account_id=client.futures)) == code
    assert client.state()["orders"] == 0


def test_each_class_of_account_trades_its_own(client, symbol):
    assert (
        refused(client.place(stock("AAPL"), account_id=client.futures))
        == "OPENAPI_TRADE_WEBULL_FUTURES_ACCOUNT_STOCK_ERROR"
    )
    assert refused(client.place(future(symbol), account_id=client.margin)) == "OPENAPI_TRADE_ORDER_NO_PERMISSION"


def test_somebody_elses_account_is_closed(new_client, symbol):
    mine, theirs = new_client(), new_client()
    denied = mine.place(future(symbol), account_id=theirs.futures)
    assert (denied.status_code, denied.json()["error_code"]) == (403, "ACCOUNT_ACCESS_DENIED")
    assert refused(mine.post("/trading/orders/place", new_orders=[future(symbol)])) == "OPENAPI_PARAM_ERR"
    assert theirs.state()["orders"] == 0


def test_stocks_name_their_session(client):
    nameless = stock("AAPL", support_trading_session=None)
    assert refused(client.place(nameless)) == "OPENAPI_PARAM_ERR"
    for session in ("CORE", "ALL", "NIGHT"):
        client.placed(stock("AAPL", support_trading_session=session))


def test_shares_must_be_held_to_be_sold(client):
    assert refused(client.place(stock("AAPL", "SELL"))) == "OPENAPI_SELL_QTY_EXCEED_AVAILABLE_QTY"
    client.becomes(client.placed(stock("AAPL", qty=10)), "FILLED", client.margin)
    client.placed(stock("AAPL", "SELL", "LIMIT", 6, limit_price="310"))
    assert refused(client.place(stock("AAPL", "SELL", qty=5))) == "OPENAPI_SELL_QTY_EXCEED_AVAILABLE_QTY"
    client.becomes(client.placed(stock("AAPL", "SELL", qty=4)), "FILLED", client.margin)
    assert client.net_position("INDIVIDUAL_MARGIN") == 6


def test_stocks_are_sold_short_by_name(client):
    client.becomes(client.placed(stock("AAPL", "SHORT", qty=3)), "FILLED", client.margin)
    assert client.net_position("INDIVIDUAL_MARGIN") == -3


def test_stock_balances_show_value_cash_and_buying_power(client, sandbox):
    client.becomes(client.placed(stock("AAPL", qty=100)), "FILLED", client.margin)
    sandbox.price("AAPL", 301.5)
    balance = client.read("/trading/assets/balances/get", account_id=client.margin)
    figures = balance["account_currency_assets"][0]
    assert (balance["total_market_value"], balance["total_cash_balance"]) == ("30150.00", "970000.00")
    assert (figures["day_profit_loss"], balance["total_net_liquidation_value"]) == ("150.00", "1000150.00")
    assert figures["day_buying_power"] == "3970450.00"
    too_much = stock("AAPL", qty=14_000)
    assert refused(client.place(too_much)) == "OPENAPI_DAY_BUYING_POWER_INSUFFICIENT"


def test_a_preview_costs_nothing_and_works_at_any_hour(client, sandbox, symbol):
    sandbox.switches(session="closed")
    for order, cost in ((future(symbol), "34500"), (stock("AAPL", order_type="LIMIT", limit_price="55"), "550")):
        fields = {"account_id": client.futures, "new_orders": [order], "client_combo_order_id": None}
        previewed = client.post("/trading/orders/preview", **fields).json()
        assert (previewed["estimated_cost"], previewed["currency"]) == (cost, "USD")
    assert client.state()["orders"] == client.state("INDIVIDUAL_MARGIN")["orders"] == 0


def test_a_batch_is_accepted_or_refused_one_by_one(client, symbol):
    good, bad, foreign = stock("AAPL"), stock("AAPL", side="SELL"), stock("AAPL", combo_type="MASTER")
    body = {"account_id": client.margin, "batch_orders": [good, bad, foreign]}
    answered = client.post("/trading/orders/batch-place", **body).json()
    assert [row["client_order_id"] for row in answered] == [o["client_order_id"] for o in (good, bad, foreign)]
    assert [row.get("error_code") for row in answered] == [
        None,
        "OPENAPI_SELL_QTY_EXCEED_AVAILABLE_QTY",
        "OPENAPI_PARAM_ERR",
    ]
    client.becomes(good["client_order_id"], "FILLED", client.margin)
    too_many = [stock("AAPL") for _ in range(51)]
    body["batch_orders"] = too_many
    assert refused(client.post("/trading/orders/batch-place", **body)) == "OPENAPI_PARAM_ERR"


def replace(client, name, **fields):
    changes = [{"client_order_id": name, **fields}]
    return client.post("/trading/orders/replace", account_id=client.futures, modify_orders=changes)


def test_a_replacement_keeps_the_id(client, sandbox, symbol):
    name = client.placed(future(symbol, "BUY", "LIMIT", 2, limit_price="6800"))
    before = client.becomes(name, "SUBMITTED")
    assert replace(client, name, quantity="3", limit_price="6810").json()["order_id"] == before["order_id"]
    until(lambda: client.detail(name)["limit_price"] == "6810", "the new price")
    assert client.detail(name)["total_quantity"] == "3"
    assert replace(client, name, order_type="MARKET").status_code == 200
    assert client.becomes(name, "FILLED")["filled_quantity"] == "3"
    assert refused(replace(client, name, quantity="4")) == "OPENAPI_ORDER_CAN_NOT_BE_MODIFY"


@pytest.mark.parametrize(
    ("order", "change"),
    [
        ({"order_type": "LIMIT", "limit_price": "6800"}, {"order_type": "STOP_LOSS", "stop_price": "6950"}),
        ({"order_type": "STOP_LOSS", "stop_price": "6950"}, {"limit_price": "6960"}),
        (
            {"order_type": "TRAILING_STOP_LOSS", "trailing_type": "AMOUNT", "trailing_stop_step": "5"},
            {"quantity": "2"},
        ),
        ({"order_type": "LIMIT", "limit_price": "6800"}, {"limit_price": "6800.1"}),
    ],
)
def test_what_a_futures_order_does_not_have_cannot_be_replaced(client, symbol, order, change):
    name = client.placed(future(symbol, **order))
    shown = client.becomes(name, "SUBMITTED")
    assert replace(client, name, **change).status_code == 417
    assert client.detail(name) == shown


def test_a_trailing_step_can_be_replaced(client, sandbox, symbol):
    fields = {"trailing_type": "AMOUNT", "trailing_stop_step": "5"}
    name = client.placed(future(symbol, "SELL", "TRAILING_STOP_LOSS", **fields))
    assert client.becomes(name, "SUBMITTED")["stop_price"] == "6895"
    assert replace(client, name, trailing_stop_step="10").status_code == 200
    until(lambda: client.detail(name)["stop_price"] == "6890", "the new stop")
    assert client.detail(name)["trailing_stop_step"] == "10"


def test_a_replacement_of_several_changes_all_or_none(client, symbol):
    first, second = (client.placed(future(symbol, "BUY", "LIMIT", limit_price="6800")) for _ in range(2))
    changes = [{"client_order_id": first, "limit_price": "6810"}, {"client_order_id": second, "limit_price": "1.1"}]
    sent = client.post("/trading/orders/replace", account_id=client.futures, modify_orders=changes)
    assert refused(sent) == "OPENAPI_PARAM_ERR"
    assert client.detail(first)["limit_price"] == "6800"


def test_a_closed_market_takes_only_what_can_wait(client, sandbox, symbol):
    sandbox.switches(session="closed")
    assert refused(client.place(future(symbol))) == "OPENAPI_FUTURES_CAN_NOT_TRADING_FOR_NON_TRADING_HOURS"
    day = stock("AAPL", order_type="LIMIT", limit_price="310")
    assert refused(client.place(day)) == "OPENAPI_DAY_ORDER_NOT_ALLOWED_AFT_CORE_TIME_LIMIT"
    assert refused(client.place(stock("AAPL"))) == "OPENAPI_CAN_NOT_TRADING_FOR_NON_TRADING_HOURS"
    night = {**day, "support_trading_session": "NIGHT"}
    assert refused(client.place(night)) == "OPENAPI_NO_NIGHT_TRADING_TIME"
    waits = {**day, "support_trading_session": "ALL", "time_in_force": "GTC"}
    name = client.placed(waits)
    client.becomes(name, "SUBMITTED", client.margin)
    sandbox.switches(session="always_open")
    sandbox.price("AAPL", 300)
    assert client.becomes(name, "FILLED", client.margin)["filled_price"] == "300"
