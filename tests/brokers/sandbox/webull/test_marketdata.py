"""Market data over HTTP, and what is listed (wire facts, 9)."""

import pytest

FUTURES = "/market-data/futures"
STOCKS = "/market-data/stocks"


def test_a_snapshot_follows_the_market(client, sandbox, symbol):
    def row():
        (found,) = client.read(f"{FUTURES}/snapshots/list", symbols=symbol, category="US_FUTURES")
        return found

    before = row()
    assert before["price"] == "6900"
    peak = float(before["high"]) + 50
    sandbox.price("MES", peak)
    sandbox.price("MES", 6_925.25)
    moved = row()
    assert (moved["price"], moved["bid"], moved["ask"]) == ("6925.25", "6925.25", "6925.25")
    assert float(moved["high"]) == peak


def test_the_continuous_contract_is_quoted_under_its_name(client, symbol):
    rows = client.read(f"{FUTURES}/snapshots/list", symbols=f"MESmain,{symbol}", category="US_FUTURES")
    assert [row["symbol"] for row in rows] == ["MESmain", symbol]
    assert len({row["instrument_id"] for row in rows}) == 1


def test_depth_grows_from_the_touch(client, symbol):
    book = client.read(f"{FUTURES}/depths/list", symbol=symbol, category="US_FUTURES", depth=3)
    assert [level["price"] for level in book["asks"]] == ["6900", "6900.25", "6900.5"]
    assert [level["price"] for level in book["bids"]] == ["6900", "6899.75", "6899.5"]
    assert len(client.read(f"{STOCKS}/depths/list", symbol="AAPL", category="US_STOCK")["asks"]) == 1


def test_bars_come_newest_first_and_end_at_the_market(client, symbol):
    bars = client.read(f"{FUTURES}/bars/list", symbols=symbol, category="US_FUTURES", timespan="M5", count=4)
    (row,) = bars
    assert row["result"][0]["close"] == "6900"
    times = [bar["time"] for bar in row["result"]]
    assert len(times) == 4
    assert times == sorted(times, reverse=True)
    for bar in row["result"]:
        assert float(bar["low"]) <= min(float(bar["open"]), float(bar["close"])) <= float(bar["high"])


def test_bars_of_stocks_are_posted_for_and_wrapped(client):
    body = {"symbols": ["AAPL", "MSFT"], "category": "US_STOCK", "timespan": "M1", "count": "2"}
    answered = client.post(f"{STOCKS}/bars/list", **body).json()
    assert [row["symbol"] for row in answered["result"]] == ["AAPL", "MSFT"]
    assert client.get(f"{STOCKS}/bars/get", symbol="AAPL").status_code == 404


def test_ticks_are_counted(client):
    assert len(client.read(f"{STOCKS}/ticks/list", symbol="AAPL", category="US_STOCK", count=7)["result"]) == 7


def test_options_are_quoted_by_their_long_name(client):
    listed = client.read("/trading/instruments/options/contracts/list", underlying_symbols="SPY")["data"]
    name = listed[0]["symbol"]
    (row,) = client.read("/market-data/options/snapshots/list", symbols=name, category="US_OPTION")
    assert (row["symbol"], row["strike_price"]) == (name, listed[0]["strike_price"])


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/market-data/futures/snapshots/list", {"symbols": "AAPL", "category": "US_FUTURES"}, "INVALID_PARAMETER"),
        ("/market-data/futures/snapshots/list", {"symbols": "MESmain", "category": "US_STOCK"}, "UNSUPPORTED_CATEGORY"),
        ("/market-data/futures/snapshots/list", {"category": "US_FUTURES"}, "INVALID_PARAMETER"),
        (
            "/market-data/futures/bars/list",
            {"symbols": "MESmain", "category": "US_FUTURES", "timespan": "M7"},
            "UNSUPPORTED_PERIOD",
        ),
        (
            "/market-data/futures/ticks/list",
            {"symbol": "MESmain", "category": "US_FUTURES", "count": "0"},
            "OPENAPI_PARAM_ERR",
        ),
        (
            "/market-data/futures/snapshots/list",
            {"symbols": ",".join(["MESmain"] * 21), "category": "US_FUTURES"},
            "OPENAPI_PARAM_ERR",
        ),
        ("/trading/instruments/futures/contracts/list", {"category": "US_FUTURES"}, "OPENAPI_PARAM_ERR"),
        ("/trading/instruments/futures/contracts/list", {"category": "US_STOCK"}, "UNSUPPORTED_CATEGORY"),
    ],
)
def test_what_does_not_fit_is_refused(client, path, query, code):
    refused = client.get(path, **query)
    assert (refused.status_code, refused.json()["error_code"]) == (417, code)
    assert ("status" in refused.json()) == path.startswith("/market-data")


def test_market_data_must_be_bought(client, sandbox, symbol):
    sandbox.switches(market_data=False)
    refused = client.get(f"{FUTURES}/snapshots/list", symbols=symbol, category="US_FUTURES")
    assert (refused.status_code, refused.json()["error_code"]) == (403, "MARKET_DATA_NOT_SUBSCRIBED")


def test_futures_are_listed_with_their_terms(client, symbol):
    path = "/trading/instruments/futures/contracts/list"
    (row,) = client.read(path, category="US_FUTURES", symbols=symbol)
    assert (row["code"], row["size"], row["min_tick"]) == ("MES", "5.0", "0.25")
    assert client.read(path, category="US_FUTURES", symbols="MESZ1") == []
    products = client.read("/trading/instruments/futures/product-codes/list", category="US_FUTURES")
    assert {"ES", "MNQ", "CL"} <= {product["code"] for product in products}
    classes = client.read("/trading/instruments/futures/product-classes/list", category="US_FUTURES")
    assert row["product_class_id"] in {each["id"] for each in classes}


def test_stocks_are_listed_by_category(client):
    path = "/trading/instruments/stocks/profiles/list"
    assert [row["symbol"] for row in client.read(path, symbols="AAPL,SPY", category="US_ETF")["data"]] == ["SPY"]
    assert len(client.read(path)["data"]) == 12


def test_options_are_listed_in_pages(client):
    path = "/trading/instruments/options/contracts/list"
    first = client.read(path)
    second = client.read(path, pagination_key=first["pagination_key"])
    assert len(first["data"]) == 1000
    names = {row["symbol"] for row in first["data"]} & {row["symbol"] for row in second["data"]}
    assert names == set()
