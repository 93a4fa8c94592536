from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import websocket

from tests.brokers.sandbox.client import VenueClient


def test_wrong_password_is_http_200_with_error_text(sandbox):
    account = sandbox.accounts[0]
    reply = requests.post(
        f"{sandbox.rest_url}/auth/AccessTokenRequest",
        json={"name": account.username, "password": "wrong"},
        timeout=5,
    )
    assert reply.status_code == 200
    assert reply.json()["errorText"]
    assert "accessToken" not in reply.json()


def test_request_without_a_valid_token_is_denied(sandbox):
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        reply = requests.get(f"{sandbox.rest_url}/account/list", headers=headers, timeout=5)
        assert (reply.status_code, reply.text) == (401, "Access is denied")


def test_renewal_keeps_the_session_and_issues_another_token(client):
    renewed = client.read("auth/renewaccesstoken")
    assert renewed["accessToken"] != client.session["accessToken"]
    assert renewed["apiHosts"]["demo"] == client.sandbox.rest_url
    assert client.read("auth/me")["userId"] == client.session["userId"]


def test_expired_token_is_told_apart_from_a_bogus_one(client, sandbox):
    sandbox.fault(client.account.username, "token_expiry")
    reply = client.rest("account/list")
    assert (reply.status_code, reply.text) == (401, "Expired Access Token")
    # A socket that is signed in already goes on working.
    assert client.request("account/list")["s"] == 200


def test_third_sign_in_evicts_the_oldest_session(sandbox, new_client):
    first = new_client().connect()
    VenueClient(sandbox, first.account)
    VenueClient(sandbox, first.account)
    first.wait(lambda: any(event["e"] == "shutdown" for event in first.events), "shutdown")
    assert first.events[-1]["d"] == {"reasonCode": "ConnectionQuotaReached"}
    assert first.rest("account/list").status_code == 401


def test_socket_takes_a_bare_and_a_quoted_token(client, sandbox):
    for token in (client.session["accessToken"], json.dumps(client.session["accessToken"]) + "\n"):
        socket = websocket.create_connection(sandbox.ws_url, timeout=5)
        assert socket.recv() == "o"
        socket.send(f"authorize\n0\n\n{token}")
        assert json.loads(socket.recv()[1:]) == [{"s": 200, "i": 0}]
        socket.close()


def test_refused_authorize_closes_the_socket(sandbox):
    socket = websocket.create_connection(sandbox.ws_url, timeout=5)
    socket.recv()
    socket.send("authorize\n1\n\nnonsense")
    assert json.loads(socket.recv()[1:]) == [{"s": 401, "i": 1, "d": "Access is denied"}]
    assert socket.recv() == 'c[3000,"Go away!"]'


def test_authorization_code_is_good_once_and_refresh_token_rotates(sandbox):
    account = sandbox.accounts[0]
    host = sandbox.rest_url.removesuffix("/v1")
    query = {"response_type": "code", "client_id": "7", "redirect_uri": "https://app.test/cb", "state": "xyz"}
    assert "password" in requests.get(f"{host}/oauth", params=query, timeout=5).text
    granted = requests.post(
        f"{host}/oauth",
        params=query,
        data={"name": account.username, "password": account.password},
        allow_redirects=False,
        timeout=5,
    )
    answer = parse_qs(urlsplit(granted.headers["Location"]).query)
    assert answer["state"] == ["xyz"]
    form = {"grant_type": "authorization_code", "code": answer["code"][0], "redirect_uri": query["redirect_uri"]}
    tokens = requests.post(f"{host}/auth/oauthtoken", data=form, timeout=5).json()
    again = requests.post(f"{sandbox.rest_url}/auth/oauthtoken", json=form, timeout=5)
    assert (again.status_code, again.json()["error"]) == (200, "invalid_grant")
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    renewed = requests.post(f"{sandbox.rest_url}/auth/oauthtoken", json=refresh, timeout=5).json()
    assert renewed["refresh_token"] != tokens["refresh_token"]
    headers = {"Authorization": f"Bearer {renewed['access_token']}"}
    assert requests.get(f"{sandbox.rest_url}/account/list", headers=headers, timeout=5).status_code == 200


def grant_code(sandbox, **query: str) -> str:
    account = sandbox.accounts[0]
    granted = requests.post(
        f"{sandbox.rest_url.removesuffix('/v1')}/oauth",
        params={"response_type": "code", "client_id": "7", "redirect_uri": "https://app.test/cb", **query},
        data={"name": account.username, "password": account.password},
        allow_redirects=False,
        timeout=5,
    )
    return parse_qs(urlsplit(granted.headers["Location"]).query)["code"][0]


def exchange(sandbox, **form: str) -> dict[str, object]:
    return requests.post(f"{sandbox.rest_url}/auth/oauthtoken", json=form, timeout=5).json()


@pytest.mark.parametrize(
    ("changed", "granted"),
    [({}, True), ({"code_verifier": "w" * 43}, False), ({"client_id": "8"}, False), ({"redirect_uri": "x"}, False)],
)
def test_a_code_is_for_who_asked_for_it(sandbox, changed, granted):
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    code = grant_code(sandbox, code_challenge=challenge, code_challenge_method="S256")
    form = {"redirect_uri": "https://app.test/cb", "client_id": "7", "code_verifier": verifier, **changed}
    answer = exchange(sandbox, grant_type="authorization_code", code=code, **form)
    assert ("access_token" in answer) is granted


def test_a_refresh_token_may_be_refused_and_still_be_good(sandbox):
    tokens = exchange(sandbox, grant_type="authorization_code", code=grant_code(sandbox))
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    sandbox.fault(sandbox.accounts[0].username, "refresh_refused", endpoint="*")
    assert exchange(sandbox, **refresh)["error"] == "invalid_token"
    assert exchange(sandbox, **refresh)["access_token"]


def test_an_evicted_session_answers_as_it_is_told_to(sandbox, new_client):
    first = new_client()
    sandbox.switches(evicted_status=408)
    for _ in range(2):
        VenueClient(sandbox, first.account)
    assert first.rest("account/list").status_code == 408


def test_a_login_that_has_moved_is_sent_away_and_told_where(sandbox, new_client):
    client = new_client()
    sandbox.switches(moved=True)
    answer = client.http.get(f"{sandbox.rest_url}/account/list?a=1", allow_redirects=False, timeout=5)
    assert answer.status_code == 307
    there, _, asked = answer.headers["Location"].rpartition("/account/")
    assert asked == "list?a=1"
    headers = {"Authorization": f"Bearer {client.session['accessToken']}"}
    renewed = requests.get(f"{there}/auth/renewaccesstoken", headers=headers, timeout=5).json()
    assert renewed["apiHosts"]["demo"] == there
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(sandbox.ws_url, timeout=5)
    assert refused.value.status_code == 421
    websocket.create_connection(there.replace("http", "ws") + "/websocket", timeout=5).close()


def test_limits_count_refused_sign_ins_and_every_renewal(sandbox, new_client):
    client = new_client()
    sandbox.switches(endpoint_limits=True)
    renewals = [client.rest("auth/renewaccesstoken").json() for _ in range(16)]
    assert ["p-ticket" in answer for answer in renewals] == [False] * 15 + [True]
    wrong = {"name": client.account.username, "password": "wrong"}
    answers = [client.rest("auth/accesstokenrequest", wrong).json() for _ in range(6)]
    assert ["errorText" in answer for answer in answers] == [True] * 5 + [False]
    assert answers[5]["p-captcha"] is True


def test_a_login_that_asks_too_much_is_told_429(sandbox, new_client):
    client, other = new_client(), new_client()
    sandbox.switches(requests_per_hour=3)
    assert [client.rest("account/list").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert other.rest("account/list").status_code == 200
