from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

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
