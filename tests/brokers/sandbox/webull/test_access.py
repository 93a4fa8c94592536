"""Who is let in: signatures, nonces, clocks, routes and tokens (wire facts, 1, 3, 4 and 7)."""

import time

import pytest
import requests

from brokers.sandbox.webull.limits import RateLimits
from tests.brokers.sandbox.webull.client import signed_headers

LIST = "/trading/accounts/list"
CONFIG = "/openapi/config"


def error(response):
    return response.status_code, response.json().get("error_code")


@pytest.mark.parametrize("algorithm", ["HMAC-SHA256", "HMAC-SHA1"])
def test_both_algorithms_are_taken(client, algorithm):
    client.algorithm = algorithm
    assert client.get(LIST).status_code == 200
    assert client.post("/auth/tokens/create").status_code == 200


def test_any_name_of_the_host_may_be_signed(client, sandbox):
    bare = sandbox.rest_url.removeprefix("http://")
    for host in (bare, "127.0.0.1", sandbox.rest_url, "http://127.0.0.1"):
        assert client.get(CONFIG, host=host).status_code == 200
    assert error(client.get(CONFIG, host="api.webull.com")) == (401, "UNAUTHORIZED")


def test_a_wrong_secret_is_refused(client):
    client.account = type(client.account)(0, "", client.account.username, "not the secret")
    assert error(client.get(LIST)) == (401, "UNAUTHORIZED")
    assert error(client.post("/trading/orders/place")) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(("switch", "expected"), [("unauthorized", (401, "UNAUTHORIZED")), ("not_found", (404, None))])
def test_a_key_of_another_environment_is_refused(client, sandbox, switch, expected):
    sandbox.switches(unknown_key=switch)
    client.account = type(client.account)(0, "", "no such key", "x")
    refused = client.get(LIST)
    assert error(refused) == expected
    if switch == "not_found":
        assert refused.json() == {"error_msg": "404 Route Not Found"}


@pytest.mark.parametrize(
    ("switch", "expected"), [("sandbox", (401, "MISSING_APP_KEY")), ("production", (400, "ILLEAGAL_PARAMETER"))]
)
def test_an_unsigned_request_is_refused(sandbox, switch, expected):
    sandbox.switches(unsigned=switch)
    refused = requests.get(sandbox.rest_url + LIST, timeout=5)
    assert error(refused) == expected
    if switch == "production":
        assert refused.json()["message"] == 'property "x-signature-algorithm" is required'


def test_a_header_that_is_missing_is_named(client, sandbox):
    headers = signed_headers(client.account.username)
    refused = requests.get(sandbox.rest_url + LIST, headers=headers, timeout=5)
    assert refused.json()["message"] == 'property "x-signature" is required'


def test_a_nonce_is_good_once(client, sandbox):
    sent = client.get(CONFIG).request
    again = requests.Session().send(sent, timeout=5)
    assert error(again) == (401, "UNAUTHORIZED")
    sandbox.switches(nonce_once=False)
    assert requests.Session().send(sent, timeout=5).status_code == 200


def test_an_old_timestamp_is_refused(client, sandbox):
    sandbox.switches(nonce_once=False, clock_skew_seconds=0.001)
    sent = client.get(CONFIG)
    assert error(sent) == (401, "UNAUTHORIZED")
    sandbox.switches(clock_skew_seconds=0)
    assert requests.Session().send(sent.request, timeout=5).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("POST", LIST), ("GET", "/trading/orders/place")])
def test_an_unknown_address_is_the_gateways(client, method, path):
    refused = client.send(method, path)
    assert (refused.status_code, refused.json()) == (404, {"error_msg": "404 Route Not Found"})


def test_every_reply_names_its_request(client):
    names = {client.get(CONFIG).headers["X-Request-Id"] for _ in range(2)}
    assert len(names) == 2


def test_tokens_are_good_at_once_where_nothing_is_checked(client):
    assert client.read(CONFIG) == {"token_check_enabled": False}
    made = client.post("/auth/tokens/create").json()
    assert made["status"] == "NORMAL"
    assert made["expires"] == made["expires_at"] > time.time() * 1000


def test_a_token_must_be_approved_before_it_is_good(client, sandbox):
    sandbox.switches(token_check=True)
    assert client.read(CONFIG) == {"token_check_enabled": True}
    assert error(client.get(LIST)) == (401, "UNAUTHORIZED")
    made = client.post("/auth/tokens/create").json()
    assert made["status"] == "PENDING"
    client.token = made["token"]
    assert error(client.get(LIST)) == (401, "UNAUTHORIZED")
    assert client.post("/auth/tokens/check", token=client.token).json()["status"] == "PENDING"

    sandbox.switches(auto_approve=True)
    assert client.post("/auth/tokens/check", token=client.token).json()["status"] == "NORMAL"
    sandbox.switches(auto_approve=False)
    assert client.get(LIST).status_code == 200
    again = client.post("/auth/tokens/create", token=client.token).json()
    assert (again["token"], again["status"]) == (client.token, "NORMAL")
    assert client.post("/openapi/auth/token/refresh", token=client.token).json()["token"] == client.token


def test_an_unknown_token_is_invalid(client, sandbox):
    sandbox.switches(token_check=True, auto_approve=True)
    assert client.post("/auth/tokens/check", token="f" * 32).json()["status"] == "INVALID"
    made = client.post("/auth/tokens/create", token="f" * 32).json()
    assert made["token"] != "f" * 32
    client.token = made["token"]
    assert client.get(LIST).status_code == 200


def test_a_token_that_expires_is_replaced_by_a_new_one(client, sandbox):
    sandbox.switches(token_check=True, auto_approve=True)
    client.token = client.post("/auth/tokens/create").json()["token"]
    assert sandbox.fault(client.account.username, "token_expiry")["affected"] == 1
    assert error(client.get(LIST)) == (401, "UNAUTHORIZED")
    assert client.post("/auth/tokens/check", token=client.token).json()["status"] == "INVALID"
    client.token = client.post("/auth/tokens/create", token=client.token).json()["token"]
    assert client.get(LIST).status_code == 200


def test_a_bad_login_is_refused_until_the_fault_goes(client, sandbox):
    sandbox.fault(client.account.username, "bad_login")
    assert error(client.get(LIST)) == (401, "UNAUTHORIZED")
    assert error(client.get(LIST)) == (401, "UNAUTHORIZED")
    sandbox.clear_faults()
    assert client.get(LIST).status_code == 200


def test_limits_are_kept_per_key_and_endpoint(new_client, sandbox):
    busy, other = new_client(), new_client()
    sandbox.switches(rate_limits=True)
    path = "/trading/assets/balances/get"
    assert [busy.get(path, account_id=busy.futures).status_code for _ in range(3)] == [200, 200, 429]
    refused = busy.get(path, account_id=busy.futures)
    assert (refused.status_code, refused.json()["error_code"]) == (429, "TOO_MANY_REQUESTS")
    assert "Retry-After" not in refused.headers
    assert busy.get("/trading/assets/positions/list", account_id=busy.futures).status_code == 200
    assert other.get(path, account_id=other.futures).status_code == 200


def test_a_limit_lets_in_again_what_left_its_window():
    now = 100.0
    limits = RateLimits(lambda: now)
    endpoint = "trading/orders/get"
    assert [limits.admit("key", endpoint) for _ in range(3)] == [True, True, False]
    now = 101.9
    assert not limits.admit("key", endpoint)
    now = 102.0
    assert limits.admit("key", endpoint)
    assert all(limits.admit("key", "openapi/config") for _ in range(100))
