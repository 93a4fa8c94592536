"""Lists by version, pages, the history's lag, and the older addresses (wire facts, 1 and 6.2)."""

import pytest

from tests.brokers.sandbox.webull.client import future, stock, until

OPEN, HISTORY = "/trading/orders/open-orders/list", "/trading/orders/historical-orders/list"


def resting(client, symbol, count=1):
    orders = [future(symbol, "BUY", "LIMIT", limit_price="6800") for _ in range(count)]
    names = [client.placed(order) for order in orders]
    for name in names:
        client.becomes(name, "SUBMITTED")
    return names


def names_in(groups):
    return [group["client_order_id"] for group in groups]


def test_the_version_decides_the_envelope(client, symbol):
    names = resting(client, symbol, 2)
    assert names_in(client.read(OPEN, account_id=client.futures)["data"]) == names
    assert names_in(client.read(HISTORY, account_id=client.futures)["data"]) == names[::-1]
    client.version = "v2"
    assert names_in(client.read(OPEN, account_id=client.futures)) == names
    assert names_in(client.read(HISTORY, account_id=client.futures)) == names[::-1]


def test_pages_follow_each_other_by_key(client, sandbox, symbol):
    names = resting(client, symbol, 3)
    sandbox.switches(page_size=2)
    first = client.read(OPEN, account_id=client.futures)
    assert names_in(first["data"]) == names[:2]
    second = client.read(OPEN, account_id=client.futures, pagination_key=first["pagination_key"])
    assert names_in(second["data"]) == names[2:]
    assert "pagination_key" not in second
    assert client.get(OPEN, account_id=client.futures, pagination_key="nonsense").status_code == 417


def test_older_pages_follow_the_last_order(client, symbol):
    names = resting(client, symbol, 12)
    client.version = "v2"
    first = client.read("/openapi/trade/order/open", account_id=client.futures)
    assert names_in(first) == names[:10]
    rest = client.read("/openapi/trade/order/open", account_id=client.futures, last_client_order_id=names[9])
    assert names_in(rest) == names[10:]
    assert len(client.read("/openapi/trade/order/open", account_id=client.futures, page_size=100)) == 12
    assert client.get("/openapi/trade/order/open", account_id=client.futures, page_size=101).status_code == 417


def test_the_history_is_behind_and_the_detail_is_not(client, sandbox, symbol):
    sandbox.switches(history_lag_seconds=60)
    (name,) = resting(client, symbol)
    client.cancel(name)
    client.becomes(name, "CANCELLED")
    (group,) = client.read(HISTORY, account_id=client.futures)["data"]
    assert group["orders"][0]["status"] == "PENDING"
    sandbox.switches(history_lag_seconds=0)
    (group,) = client.read(HISTORY, account_id=client.futures)["data"]
    assert group["orders"][0]["status"] == "CANCELLED"


def test_the_history_is_asked_for_a_time(client, symbol):
    resting(client, symbol)
    times = {"start_time": "2018-05-21T00:00:00.000Z", "end_time": "2020-01-01T00:00:00.000Z"}
    assert client.read(HISTORY, account_id=client.futures, **times) == {"data": []}
    del times["end_time"]
    assert len(client.read(HISTORY, account_id=client.futures, **times)["data"]) == 1
    assert client.get(HISTORY, account_id=client.futures, start_time="yesterday").status_code == 417


def test_what_is_done_is_not_open(client, symbol):
    client.becomes(client.placed(future(symbol)), "FILLED")
    assert client.read(OPEN, account_id=client.futures) == {"data": []}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/openapi/account/list", "/trading/accounts/list"),
        ("/openapi/assets/balance", "/trading/assets/balances/get"),
        ("/openapi/assets/positions", "/trading/assets/positions/list"),
    ],
)
def test_older_addresses_mean_the_same(client, symbol, old, new):
    client.becomes(client.placed(future(symbol)), "FILLED")
    assert client.read(old, account_id=client.futures) == client.read(new, account_id=client.futures)


def test_an_older_address_answers_in_its_own_version(client, symbol):
    names = resting(client, symbol)
    client.version = ""
    assert names_in(client.read("/openapi/trade/order/open", account_id=client.futures)) == names


def test_each_class_has_older_addresses_of_its_own(client, symbol):
    order = stock("AAPL", order_type="LIMIT", limit_price="200")
    body = {"account_id": client.margin, "new_orders": [order]}
    assert "estimated_cost" in client.post("/openapi/trade/stock/order/preview", **body).json()
    name = client.post("/openapi/trade/stock/order/place", **body).json()["client_order_id"]
    client.becomes(name, "SUBMITTED", client.margin)
    change = {"account_id": client.margin, "modify_orders": [{"client_order_id": name, "limit_price": "201"}]}
    assert client.post("/openapi/trade/stock/order/replace", **change).status_code == 200
    detail = "/openapi/trade/order/detail"
    query = {"account_id": client.margin, "client_order_id": name}
    until(lambda: client.read(detail, **query)["orders"][0]["limit_price"] == "201", "the change")
    assert client.post("/openapi/trade/option/order/cancel", **query).status_code == 200
    client.becomes(name, "CANCELLED", client.margin)


def test_there_is_no_cash_activity(client):
    assert client.read("/trading/activities/cash-activities/list", account_id=client.margin) == []
