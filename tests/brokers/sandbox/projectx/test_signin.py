from __future__ import annotations

import base64
import json
import time

import pytest

from tests.brokers.sandbox.projectx.client import conforms, poll


def payload(token: str) -> dict:
    head, body, signature = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}
    assert signature
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_a_token_is_a_jwt_that_says_when_it_ends(client):
    assert payload(client.token)["exp"] - time.time() == pytest.approx(86_400, abs=5)
    assert payload(client.token)["unique_name"] == client.account.username


def test_wrong_credentials_are_a_code_and_missing_ones_a_400(client):
    for body in ({"apiKey": "wrong"}, {"userName": "nobody"}):
        good = {"userName": client.account.username, "apiKey": client.account.password}
        refused = client.call("Auth/loginKey", **good | body)
        assert (refused["token"], refused["errorCode"]) == (None, 3)
    for body in ({"userName": "x"}, {}, None, ["x"], {"userName": 5, "apiKey": "x"}):
        response = client.post("Auth/loginKey", body)
        assert response.status_code == 400
        assert response.headers["Content-Type"].startswith("application/problem+json")
        conforms(response.json(), "ProblemDetails")


def test_an_application_signs_in_with_all_its_members(client):
    app = {"userName": client.account.username, "password": client.account.password}
    assert client.post("Auth/loginApp", app).status_code == 400
    full = app | {"deviceId": "d", "appId": "a", "verifyKey": "v"}
    assert payload(client.call("Auth/loginApp", **full)["token"])["unique_name"] == client.account.username
    assert client.call("Auth/loginApp", **full | {"password": "wrong"})["errorCode"] == 3


def test_validate_gives_a_further_token_and_the_older_ones_stay_good(client):
    newer = client.call("Auth/validate")["newToken"]
    assert newer != client.token
    second = client.log_in()["token"]
    for token in (client.token, newer, second):
        assert client.post("Account/search", {}, Authorization=f"Bearer {token}").status_code == 200


def test_logout_ends_one_token(client):
    other = client.log_in()["token"]
    assert client.call("Auth/logout")["success"]
    assert client.post("Account/search", {}).status_code == 401
    assert client.post("Account/search", {}, Authorization=f"Bearer {other}").status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer a.b.c", "Basic abc", "Bearer not-a-token"])
def test_without_a_good_token_the_answer_is_401_and_empty(client, header):
    response = client.post("Order/searchOpen", {"accountId": client.account.id}, Authorization=header)
    assert (response.status_code, response.content) == (401, b"")


def test_a_forged_token_is_refused(client):
    head, _, signature = client.token.split(".")
    claims = payload(client.token) | {"unique_name": "somebody-else"}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    response = client.post("Account/search", {}, Authorization=f"Bearer {head}.{forged}.{signature}")
    assert response.status_code == 401


def test_expired_tokens_are_401_until_the_next_login(client, sandbox):
    sandbox.fault(client.account.id, "token_expiry")
    assert client.post("Account/search", {}).status_code == 401
    assert client.post("Auth/validate").status_code == 401
    token = client.log_in()["token"]
    assert client.post("Account/search", {}, Authorization=f"Bearer {token}").status_code == 200


def test_an_expired_token_may_be_told_so_by_validate(client, sandbox):
    sandbox.switches(expired_validate="code_3")
    sandbox.fault(client.account.id, "token_expiry")
    assert client.call("Auth/validate")["errorCode"] == 3
    assert client.post("Account/search", {}).status_code == 401


def test_a_bad_login_is_scripted(client, sandbox):
    sandbox.fault(client.account.id, "bad_login", count=1, endpoint="auth/loginkey")
    assert client.log_in()["errorCode"] == 3
    sandbox.fault(client.account.username, "bad_login", count=1, code=9)
    assert client.log_in()["errorCode"] == 9
    sandbox.fault(client.account.id, "bad_login", count=1, code=7)
    refused = client.log_in()
    assert (refused["errorCode"], refused["token"]) == (7, None)
    assert "complete the required agreements" in refused["errorMessage"]
    assert client.log_in()["success"]


def test_a_token_that_runs_out_logs_its_hubs_out(new_client, sandbox):
    sandbox.switches(token_seconds=1)
    client = new_client()
    hub = client.hub()
    hub.wait(lambda: hub.messages, "close record")
    assert hub.events == [("GatewayLogout", [])]
    assert hub.messages == [{"type": 7, "error": "Connection closed with an error.", "allowReconnect": True}]
    poll(lambda: client.post("Account/search", {}).status_code == 401)
