"""Routes, bodies, budgets."""

from __future__ import annotations

import requests

from tests.brokers.sandbox.projectx.client import PATIENCE_SECONDS, conforms


def test_ping_needs_no_token(sandbox):
    answer = requests.get(f"{sandbox.rest_url}/api/Status/ping", timeout=PATIENCE_SECONDS)
    assert (answer.status_code, answer.text) == (200, "pong")


def test_routes_match_in_any_case_and_accept_any_media_type(client):
    for path in ("account/search", "ACCOUNT/SEARCH", "Account/search/"):
        response = client.post(path, {"onlyActiveAccounts": True}, Accept="text/plain")
        conforms(response.json(), "Account/search")


def test_member_names_match_in_any_case(client):
    response = client.post("Order/searchOpen", {"AccountID": client.account.id})
    assert response.json() == {"orders": [], "success": True, "errorCode": 0, "errorMessage": None}


def test_unknown_routes_wrong_methods_and_broken_bodies(client):
    assert client.post("Order/unknown", {}).status_code == 404
    assert client.http.get(f"{client.sandbox.rest_url}/api/Order/place", timeout=5).status_code == 405
    assert client.http.get(f"{client.sandbox.rest_url}/else", timeout=5).status_code == 404
    url = f"{client.sandbox.rest_url}/api/Account/search"
    for body in (b"{", b"[]", b'"x"'):
        response = client.http.post(url, data=body, timeout=PATIENCE_SECONDS)
        assert response.status_code == 400
        conforms(response.json(), "ProblemDetails")


def test_members_of_the_wrong_type_are_400(client):
    for path, body in (
        ("Order/place", {"accountId": "one"}),
        ("Order/place", {"accountId": client.account.id, "contractId": client.contract_id, "type": 2.5}),
        ("Order/search", {"accountId": client.account.id}),
        ("Trade/search", {"accountId": client.account.id, "startTimestamp": "yesterday"}),
        ("Order/v2/query", {"filter": {"accountId": client.account.id}, "pageSize": 5000}),
        ("Order/v2/query", {"filter": {"accountId": client.account.id}, "sortBy": 7}),
    ):
        response = client.post(path, body)
        assert response.status_code == 400, path
        conforms(response.json(), "ProblemDetails")


def test_a_foreign_account_is_not_found(client, new_client):
    other = new_client().account.id
    for path in ("Order/searchOpen", "Position/searchOpen", "Order/cancel", "Position/closeContract", "Order/place"):
        assert client.call(path, accountId=other)["errorCode"] == 1
    dated = {"accountId": other, "startTimestamp": "2026-01-01T00:00:00Z"}
    assert client.call("Trade/search", **dated) == {
        "trades": None,
        "success": False,
        "errorCode": 1,
        "errorMessage": None,
    }
    assert client.call("Order/search", **dated)["errorCode"] == 1
    assert client.call("Order/v2/query", filter={"accountId": other})["errorCode"] == 1


def test_beyond_the_budget_requests_are_429_and_bars_have_one_of_their_own(client, sandbox):
    sandbox.switches(requests_per_minute=6, bars_per_half_minute=2)
    answers = [client.post("Account/search", {}).status_code for _ in range(6)]
    used = 2  # login and contract search of the client
    assert answers == [200] * (6 - used) + [429] * used
    assert client.post("Account/search", {}).content == b""
    assert [client.post("History/retrieveBars", {}).status_code for _ in range(3)] == [200, 200, 429]
    assert client.post("Auth/loginKey", {"userName": client.account.username, "apiKey": "x"}).status_code == 429
    requests_used = sandbox.get("/state")["projectx"]["requests"][client.account.username]
    assert requests_used == {"admitted": {"history": 2, "other": 6}, "refused": {"history": 1, "other": 4}}
    sandbox.switches(rate_limits=False)
    assert client.post("Account/search", {}).status_code == 200


def test_another_users_requests_do_not_count(client, new_client, sandbox):
    sandbox.switches(requests_per_minute=2)
    assert client.post("Account/search", {}).status_code == 429
    sandbox.switches(requests_per_minute=3)
    assert new_client().post("Account/search", {}).status_code == 200


def test_arrivals_name_every_request_with_its_account(client, sandbox):
    client.open_orders()
    client.hub().invoke("SubscribeOrders", client.account.id)
    mine = [arrival for arrival in sandbox.arrivals() if arrival["username"] == client.account.username]
    assert [(arrival["endpoint"], arrival["transport"]) for arrival in mine] == [
        ("auth/loginkey", "rest"),
        ("contract/search", "rest"),
        ("order/searchopen", "rest"),
        ("hubs/user/subscribeorders", "ws"),
    ]
    assert mine[2]["account"] == client.account.id
