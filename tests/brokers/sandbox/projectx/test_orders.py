from __future__ import annotations

import pytest

from tests.brokers.sandbox.projectx.client import (
    BUY,
    CANCELED,
    EXPIRED,
    FILLED,
    JOIN_ASK,
    JOIN_BID,
    LIMIT,
    MARKET,
    OPEN,
    PENDING,
    REJECTED,
    SELL,
    STOP,
    STOP_LIMIT,
    TRAILING_STOP,
)


def statuses(hub, order_id):
    return [row["status"] for row in hub.rows("GatewayUserOrder") if row["id"] == order_id]


def test_a_market_order_goes_from_pending_to_filled(client):
    hub = client.user_hub()
    order_id = client.placed(BUY, 3, customTag="tag-1")
    hub.until("GatewayUserOrder", id=order_id, status=FILLED)
    assert statuses(hub, order_id) == [PENDING, FILLED]
    row = client.order(order_id)
    assert (row["status"], row["fillVolume"], row["filledPrice"], row["customTag"]) == (FILLED, 3, 25_000.0, "tag-1")
    assert row["limitPrice"] is row["stopPrice"] is row["trailPrice"] is row["parentOrderId"] is None
    assert client.open_orders() == []
    assert client.state()["entries"][0]["clOrdId"] == "tag-1"


def test_a_limit_works_and_fills_at_its_price(client, sandbox):
    hub = client.user_hub()
    order_id = client.placed(BUY, 1, LIMIT, limitPrice=24_990.0)
    hub.until("GatewayUserOrder", id=order_id, status=OPEN)
    assert [row["id"] for row in client.open_orders()] == [order_id]
    sandbox.price("MNQ", 24_980.0)
    hub.until("GatewayUserOrder", id=order_id, status=FILLED)
    assert statuses(hub, order_id) == [PENDING, OPEN, FILLED]
    assert client.order(order_id)["filledPrice"] == 24_990.0
    assert client.positions() == [(1, 1, 24_990.0)]


def test_a_stop_fills_where_the_market_has_gone(client, sandbox):
    order_id = client.placed(SELL, 2, STOP, stopPrice=24_990.0)
    sandbox.price("MNQ", 24_980.0)
    assert client.order(order_id)["filledPrice"] == 24_980.0
    assert client.positions() == [(2, 2, 24_980.0)]


def test_join_orders_are_limits_at_the_touch(client, sandbox):
    bid, ask = client.placed(BUY, 1, JOIN_BID), client.placed(SELL, 1, JOIN_ASK)
    assert [(row["type"], row["limitPrice"]) for row in client.orders()] == [(JOIN_BID, 25_000.0), (JOIN_ASK, 25_000.0)]
    assert {client.order(bid)["status"], client.order(ask)["status"]} == {FILLED}


def test_a_trailing_stop_takes_its_distance_from_an_absolute_price(client, sandbox):
    order_id = client.placed(SELL, 1, TRAILING_STOP, trailPrice=24_990.25)
    row = client.order(order_id)
    assert (row["trailDistance"], row["trailPrice"], row["stopPrice"]) == (39, 9.75, 24_990.25)
    sandbox.price("MNQ", 25_020.0)
    assert client.order(order_id)["stopPrice"] == 25_010.25
    sandbox.price("MNQ", 25_010.0)
    assert client.order(order_id)["filledPrice"] == 25_010.0


def test_stop_limits_are_taken_only_where_the_switch_says_so(client, sandbox):
    terms = {"limitPrice": 25_020.0, "stopPrice": 25_010.0}
    assert client.place(BUY, 1, STOP_LIMIT, **terms)["errorMessage"] == "Invalid order type"
    sandbox.switches(stop_limit=True)
    order_id = client.placed(BUY, 1, STOP_LIMIT, **terms)
    sandbox.price("MNQ", 25_012.0)
    assert client.order(order_id)["filledPrice"] == 25_012.0


LONG, SHORT = {"side": BUY}, {"side": SELL}


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("Invalid price", {"type": LIMIT}),
        ("Invalid price", {"type": LIMIT, "limitPrice": 0}),
        ("Invalid price", {"type": LIMIT, "limitPrice": 25_000.1}),
        ("Invalid price", {"type": STOP, "stopPrice": -1}),
        ("Invalid order type", {"type": 0}),
        ("Invalid order type", {"type": 9}),
        ("Invalid order size", {"size": 0}),
        ("Trail Distance not set.", {"type": TRAILING_STOP}),
        ("Invalid trail price. Price is not aligned to tick size.", {"type": TRAILING_STOP, "trailPrice": 24_999.9}),
        ("Trail Distance exceeds maximum (1000)", {"type": TRAILING_STOP, "trailPrice": 24_000}),
        (
            "Invalid stop loss ticks (40). Ticks should be less than zero when longing.",
            {"stopLossBracket": {"ticks": 40, "type": STOP}},
        ),
        (
            "Invalid stop loss ticks (-40). Ticks should be greater than zero when shorting.",
            {"side": SELL, "stopLossBracket": {"ticks": -40, "type": STOP}},
        ),
        (
            "Invalid take profit ticks (50). Ticks should be less than zero when going short.",
            {"side": SELL, "takeProfitBracket": {"ticks": 50, "type": LIMIT}},
        ),
        (
            "Invalid take profit ticks (-50). Ticks should be greater than zero when going long.",
            {"takeProfitBracket": {"ticks": -50, "type": LIMIT}},
        ),
        (
            "Invalid stop loss ticks (-1). Price should be at least 4 ticks away.",
            {"stopLossBracket": {"ticks": -1, "type": STOP}},
        ),
        (
            "Invalid take profit ticks (3). Price should be at least 4 ticks away.",
            {"takeProfitBracket": {"ticks": 3, "type": LIMIT}},
        ),
        ("Invalid stop loss type (Limit)", {"stopLossBracket": {"ticks": -40, "type": LIMIT}}),
        ("Invalid take profit type (Stop)", {"takeProfitBracket": {"ticks": 40, "type": STOP}}),
    ],
)
def test_refusals_have_their_texts_and_keep_a_rejected_order(client, text, change):
    order = {"contractId": client.contract_id, "type": MARKET, "side": BUY, "size": 1} | change
    refused = client.mine("Order/place", **order)
    assert (refused["errorCode"], refused["errorMessage"]) == (2, text)
    row = client.order(refused["orderId"])
    assert (row["status"], row["fillVolume"]) == (REJECTED, 0)
    assert client.state()["entries"] == []


def test_a_tag_is_used_up_for_ever_even_by_a_rejected_order(client, sandbox):
    hub = client.user_hub()
    filled = client.placed(BUY, customTag="a")
    rejected = client.place(BUY, 1, LIMIT, limitPrice=0.1, customTag="b")
    assert hub.until("GatewayUserOrder", status=REJECTED, customTag="b")["id"] == rejected["orderId"]
    for tag in ("a", "b"):
        again = client.place(BUY, customTag=tag)
        assert (again["errorCode"], again["errorMessage"], again["orderId"]) == (2, "custom tag already in use", 0)
    assert client.placed(BUY, customTag="c") > filled
    assert client.net() == 2


def test_a_rejection_may_not_name_its_order(client, sandbox):
    sandbox.switches(rejected_order_id=False)
    assert client.place(BUY, 1, LIMIT, customTag="b")["orderId"] == 0
    assert [row["status"] for row in client.orders()] == [REJECTED]


def test_a_foreign_or_unknown_contract_and_an_account_that_may_not_trade(client, sandbox):
    assert client.place(BUY, contractId="CON.F.US.XXX.Z26")["errorCode"] == 8
    expired = client.contract_id[:-3] + "M26"
    assert client.place(BUY, contractId=expired)["errorCode"] == 9
    hub = client.user_hub()
    for code in (10, 4):
        sandbox.fault(client.account.id, "inactive", code=code)
        assert client.place(BUY)["errorCode"] == code
        sandbox.clear_faults()
    assert hub.until("GatewayUserAccount", canTrade=False)["id"] == client.account.id
    assert client.placed(BUY)
    sandbox.fault(client.account.id, "inactive")
    assert client.call("Account/search", onlyActiveAccounts=True)["accounts"][0]["canTrade"] is False
    assert client.mine("Position/closeContract", contractId=client.contract_id)["errorCode"] == 8
    partial = client.mine("Position/partialCloseContract", contractId=client.contract_id, size=1)
    assert partial["errorCode"] == 9


def test_a_closed_session_refuses_by_code_or_by_text(client, sandbox):
    client.placed(BUY, 2)
    sandbox.switches(session="closed")
    assert client.place(BUY) == {"orderId": 0, "success": False, "errorCode": 5, "errorMessage": None}
    partial = client.mine("Position/partialCloseContract", contractId=client.contract_id, size=1)
    assert (partial["errorCode"], partial["errorMessage"]) == (6, None)
    assert client.mine("Position/closeContract", contractId=client.contract_id)["errorCode"] == 5
    sandbox.switches(closed_session="code_2")
    refused = client.place(BUY)
    assert refused["errorCode"] == 2
    assert "outside of trading hours" in refused["errorMessage"]
    assert client.net() == 2


def test_margin_is_needed_for_what_opens_and_not_for_what_closes(sandbox, new_client):
    client = new_client()
    size = 1500  # at 100 USD of day margin each, all of the 150,000 USD
    assert client.place(BUY, size + 1)["errorCode"] == 3
    client.placed(BUY, size)
    assert client.place(BUY, 1)["errorCode"] == 3
    assert client.place(BUY, 1, LIMIT, limitPrice=24_000.0)["errorCode"] == 3
    client.placed(SELL, size)
    assert client.net() == 0


def test_modify_changes_what_it_states_and_keeps_the_rest(client, sandbox):
    hub = client.user_hub()
    order_id = client.placed(BUY, 2, LIMIT, limitPrice=24_990.0)
    assert client.mine("Order/modify", orderId=order_id, limitPrice=24_980.0, size=None)["success"]
    hub.until("GatewayUserOrder", id=order_id, status=OPEN, limitPrice=24_980.0, size=2)
    assert client.mine("Order/modify", orderId=order_id, size=5, limitPrice=None)["success"]
    assert (client.order(order_id)["limitPrice"], client.order(order_id)["size"]) == (24_980.0, 5)
    refused = client.mine("Order/modify", orderId=order_id, limitPrice=24_980.1)
    assert (refused["errorCode"], refused["errorMessage"]) == (3, "Invalid price")
    assert client.mine("Order/modify", orderId=order_id, size=0)["errorCode"] == 3
    assert client.mine("Order/modify", orderId=order_id, limitPrice=25_010.0)["success"]
    assert client.order(order_id)["status"] == FILLED
    assert client.positions() == [(1, 5, 25_000.0)]


def test_stops_and_trails_are_modified_by_their_own_member(client, sandbox):
    stop = client.placed(SELL, 1, STOP, stopPrice=24_900.0)
    trail = client.placed(SELL, 1, TRAILING_STOP, trailPrice=24_900.0)
    assert client.mine("Order/modify", orderId=stop, stopPrice=24_950.0, limitPrice=1.0)["success"]
    assert (client.order(stop)["stopPrice"], client.order(stop)["limitPrice"]) == (24_950.0, None)
    assert client.mine("Order/modify", orderId=trail, trailPrice=24_995.0)["success"]
    assert (client.order(trail)["trailDistance"], client.order(trail)["stopPrice"]) == (20, 24_995.0)
    assert client.mine("Order/modify", orderId=trail, trailPrice=1.0)["errorMessage"] == (
        "Trail Distance exceeds maximum (1000)"
    )


def test_cancel_ends_an_order_once(client, sandbox):
    hub = client.user_hub()
    order_id = client.placed(BUY, 1, LIMIT, limitPrice=24_990.0)
    assert client.mine("Order/cancel", orderId=order_id)["success"]
    assert hub.until("GatewayUserOrder", id=order_id, status=CANCELED)
    final = [arguments[0] for name, arguments in hub.events if name == "GatewayUserOrder"][-1]
    assert final["action"] == 2
    assert client.mine("Order/cancel", orderId=order_id)["errorCode"] == 2
    assert client.mine("Order/modify", orderId=order_id, size=2)["errorCode"] == 2
    assert client.mine("Order/cancel", orderId=1)["errorCode"] == 2
    sandbox.switches(finished_order="rejected")
    assert client.mine("Order/cancel", orderId=order_id)["errorCode"] == 3
    assert client.mine("Order/cancel", orderId=1)["errorCode"] == 2


def test_some_accounts_cannot_cancel(sandbox, new_client):
    rows = [{"username": f"u-{name}", "password": "k", "accounts": [name]} for name in ("LIVE-1", "FOLLOW-1")]
    texts = ["Live accounts not supported", "Follower accounts cannot cancel orders"]
    for row, text in zip(sandbox.post("/accounts", logins=rows), texts, strict=True):
        client = new_client()
        client.http.headers["Authorization"] = (
            "Bearer " + client.call("Auth/loginKey", userName=row["username"], apiKey="k")["token"]
        )
        refused = client.call("Order/cancel", accountId=row["id"], orderId=1)
        assert (refused["errorCode"], refused["errorMessage"]) == (6, text)
        [account] = client.call("Account/search", onlyActiveAccounts=True)["accounts"]
        assert account["simulated"] is (not row["name"].startswith("LIVE"))


def test_orders_are_queried_in_pages(client):
    for number in range(5):
        client.placed(BUY, 1, LIMIT, limitPrice=24_000.0 + number, customTag=f"q{number}")
    client.placed(BUY, customTag="q5")
    query = {"filter": {"accountId": client.account.id, "statuses": [OPEN]}, "pageSize": 2, "includeTotalCount": True}
    first = client.call("Order/v2/query", **query)
    assert ([row["customTag"] for row in first["orders"]], first["totalCount"]) == (["q0", "q1"], 5)
    last = client.call("Order/v2/query", **query | {"pageOffset": 1, "sortBy": 1, "sortDirection": 1})
    assert [row["customTag"] for row in last["orders"]] == ["q3", "q2"]
    other = {"accountId": client.account.id, "contractId": "CON.F.US.EP.Z26"}
    found = client.call("Order/v2/query", filter=other)
    assert (found["orders"], found["totalCount"]) == ([], None)


def test_orders_of_a_span_come_oldest_first(client):
    ids = [client.placed(BUY), client.placed(SELL)]
    rows = client.orders()
    assert [row["id"] for row in rows] == ids
    later = client.mine("Order/search", startTimestamp=rows[1]["creationTimestamp"])["orders"]
    assert [row["id"] for row in later] == ids[1:]
    earlier = client.mine(
        "Order/search", startTimestamp="2020-01-01T00:00:00.1234567Z", endTimestamp=rows[0]["creationTimestamp"]
    )
    assert [row["id"] for row in earlier["orders"]] == ids[:1]
    assert client.mine("Order/searchById", orderId=1)["errorCode"] == 1


def test_older_models_lack_the_newer_members(client, sandbox):
    sandbox.switches(models="old")
    order_id = client.placed(BUY)
    assert "trailPrice" not in client.order(order_id)
    assert "contractDisplayName" not in client.mine("Position/searchOpen")["positions"][0]


def test_the_end_of_the_session_expires_what_still_works(client, sandbox):
    hub = client.user_hub()
    order_id = client.placed(BUY, 1, LIMIT, limitPrice=24_000.0, stopLossBracket={"ticks": -40, "type": STOP})
    client.placed(BUY)
    sandbox.post("/session-roll")
    hub.until("GatewayUserOrder", id=order_id, status=EXPIRED)
    hub.until("GatewayUserOrder", parentOrderId=order_id, status=CANCELED)
    assert client.net() == 1
