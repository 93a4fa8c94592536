"""Connecting through the venue's own page: the address, the code, and staying signed in without a password."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from brokers.access import Access, Credentials, Endpoints, OAuthClient
from brokers.base import ConnectionState, OrderRole, OrderStatus
from brokers.errors import AuthFailed, NotReached, OutcomeUnknown, RateLimited, Refused
from brokers.http import HttpClient
from brokers.sandbox.testing import RunningSandbox
from brokers.tradovate import grants
from brokers.tradovate.venue import VENUE
from tests.brokers.scripted import Answer, closing_port
from tests.brokers.tradovate.oauth import (
    BACK,
    CHALLENGE,
    CLIENT,
    FLOW,
    VERIFIER,
    TokenDoor,
    access_to,
    connected,
    grant,
    refusal,
    visit,
)
from tests.brokers.tradovate.stores import MemoryStore
from tests.brokers.tradovate.trader import Trader


@pytest.mark.parametrize(
    ("environment", "page"),
    [("demo", "trader.tradovate.com/oauth"), ("live", "trader.tradovate.com/oauth"), ("sandbox", "127.0.0.1:9/oauth")],
)
def test_the_browser_is_sent_to_the_venues_page_with_state_and_challenge(environment: str, page: str) -> None:
    access = access_to("http://127.0.0.1:9/v1", MemoryStore(), environment)
    address = urlsplit(FLOW.authorize_url(access, "st&te", BACK, CHALLENGE))
    assert address.netloc + address.path == page
    assert dict(parse_qsl(address.query)) == {
        "response_type": "code",
        "client_id": "client-7",
        "redirect_uri": BACK,
        "state": "st&te",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


def test_an_installation_may_name_its_own_page() -> None:
    access = access_to("http://127.0.0.1:9/v1", MemoryStore(), "demo", authorize_url="https://staging.test/oauth?x=1")
    address = FLOW.authorize_url(access, "s", BACK, CHALLENGE)
    assert address.startswith("https://staging.test/oauth?x=1&response_type=code&")


@pytest.mark.parametrize("client", [None, OAuthClient("")])
def test_without_a_client_id_there_is_no_page(client: OAuthClient | None) -> None:
    access = Access(Credentials("tradovate", "demo", "", "d", {}), Endpoints("http://127.0.0.1:9/v1", ""), oauth=client)
    with pytest.raises(Refused) as raised:
        FLOW.authorize_url(access, "s", BACK, CHALLENGE)
    assert raised.value.code == "MISSING_OAUTH_CLIENT"


def test_a_code_becomes_a_stored_token_and_the_users_name(sandbox: RunningSandbox) -> None:
    store = MemoryStore()
    _, account = connected(sandbox, store)
    assert store.token is not None
    assert store.token.refresh != ""
    assert store.token.user_id != ""
    assert store.token.market_data == ""
    assert store.token.expires_at > datetime.now(UTC) + timedelta(minutes=59)
    assert account.username != ""


def test_a_login_without_a_password_trades(sandbox: RunningSandbox, new_trader: Callable[..., Trader]) -> None:
    """A1, D1"""
    store = MemoryStore()
    access, account = connected(sandbox, store)
    endpoints = Endpoints(sandbox.rest_url, sandbox.ws_url)
    owned = Access(access.credentials, endpoints, store, oauth=access.oauth)
    assert [listed.ref.name for listed in VENUE.sign_in_check(owned)] == [account.name]
    trader = Trader(sandbox, account, lambda login_id, _, sink, loop: VENUE.connect(login_id, owned, sink, loop))
    try:
        trader.live().enter()
        trader.order(OrderRole.STOP, OrderStatus.WORKING)
        assert trader.client.connection.state is ConnectionState.LIVE
    finally:
        trader.client.close()


def test_a_wrong_verifier_is_a_refused_code(sandbox: RunningSandbox) -> None:
    access = access_to(sandbox.rest_url, MemoryStore())
    code = visit(FLOW.authorize_url(access, "s", BACK, CHALLENGE), sandbox.accounts[0])["code"][0]
    with pytest.raises(AuthFailed) as raised:
        FLOW.exchange(access, code, BACK, "w" * 43)
    assert raised.value.code == "invalid_grant"


def test_a_used_code_is_refused(sandbox: RunningSandbox) -> None:
    """H4"""
    store = MemoryStore()
    access = access_to(sandbox.rest_url, store)
    code = visit(FLOW.authorize_url(access, "s", BACK, CHALLENGE), sandbox.accounts[0])["code"][0]
    FLOW.exchange(access, code, BACK, VERIFIER)
    kept = store.token
    with pytest.raises(AuthFailed):
        FLOW.exchange(access, code, BACK, VERIFIER)
    assert store.token is kept


@pytest.mark.parametrize(
    ("rest_url", "expected"),
    [
        ("https://demo.tradovateapi.com/v1", ["https://live.tradovateapi.com", "https://demo.tradovateapi.com"]),
        ("https://live.tradovateapi.com/v1", ["https://live.tradovateapi.com"]),
        ("https://demo-api.staging.ninjatrader.dev/v1", ["https://live-api.staging.ninjatrader.dev", None]),
        ("http://127.0.0.1:9/v1", ["http://127.0.0.1:9"]),
    ],
)
def test_the_live_host_is_asked_first(
    rest_url: str, expected: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def out_of_reach(_client: HttpClient, url: str, _fields: object) -> object:
        asked.append(url.removesuffix("/auth/oauthtoken"))
        raise NotReached("no connection")

    monkeypatch.setattr(HttpClient, "post_form", out_of_reach)
    with pytest.raises(NotReached):
        grants.request_grant(HttpClient(rest_url), access_to(rest_url, MemoryStore()), {})
    assert asked == [host or rest_url.removesuffix("/v1") for host in expected]


def test_the_form_is_tried_first_and_json_where_that_is_not_read(token_door: Callable[..., TokenDoor]) -> None:
    token = token_door((404, b"Not found"), grant())
    payload = grants.request_grant(
        HttpClient(token.server.url), access_to(token.server.url, MemoryStore()), {"grant_type": "x"}
    )
    assert payload["access_token"] == "a2"
    assert token.server.requests == [
        ("POST", "/auth/oauthtoken", b"grant_type=x"),
        ("POST", "/v1/auth/oauthtoken", b'{"grant_type":"x"}'),
    ]


@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_refusal_is_one_with_any_status(token_door: Callable[..., TokenDoor], status: int) -> None:
    """H4"""
    token = token_door(refusal("invalid_grant", status))
    with pytest.raises(AuthFailed) as raised:
        FLOW.exchange(access_to(token.server.url, MemoryStore()), "code", BACK, VERIFIER)
    assert (raised.value.code, raised.value.text) == ("invalid_grant", "because")
    assert len(token.server.requests) == 1


def test_a_host_out_of_reach_is_no_refusal_whatever_the_others_say(
    token_door: Callable[..., TokenDoor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4"""
    token = token_door(refusal("invalid_grant"))
    with closing_port() as port:
        monkeypatch.setattr(grants, "_live_sibling", lambda _netloc: f"127.0.0.1:{port}")
        with pytest.raises(NotReached):
            FLOW.exchange(access_to(token.server.url, MemoryStore()), "code", BACK, VERIFIER)
    assert len(token.server.requests) == 1


@pytest.mark.parametrize("answer", [(500, b""), (200, b"[]"), (200, b"{}"), None])
def test_an_answer_that_is_neither_leaves_the_code_in_doubt(
    token_door: Callable[..., TokenDoor], answer: Answer | None
) -> None:
    token = token_door(answer)
    with pytest.raises(OutcomeUnknown):
        FLOW.exchange(access_to(token.server.url, MemoryStore()), "code", BACK, VERIFIER)
    assert len(token.server.requests) == 1


def test_a_penalty_at_the_token_endpoint_is_a_wait(token_door: Callable[..., TokenDoor]) -> None:
    """H5"""
    token = token_door((200, b'{"p-ticket":"x","p-time":15}'))
    with pytest.raises(RateLimited):
        FLOW.exchange(access_to(token.server.url, MemoryStore()), "code", BACK, VERIFIER)


def test_a_token_is_kept_even_when_the_user_cannot_be_read(token_door: Callable[..., TokenDoor]) -> None:
    token, store = token_door(grant("r1", "a1"), (500, b"")), MemoryStore()
    with pytest.raises(OutcomeUnknown):
        FLOW.exchange(access_to(token.server.url, store), "code", BACK, VERIFIER)
    assert store.token is not None
    assert (store.token.access, store.token.refresh) == ("a1", "r1")


def test_who_may_not_read_users_is_named_by_auth_me(token_door: Callable[..., TokenDoor]) -> None:
    token, store = token_door(grant(), (401, b""), (200, b'{"userId":1,"name":"trader1"}')), MemoryStore()
    assert FLOW.exchange(access_to(token.server.url, store), "code", BACK, VERIFIER) == "trader1"
    assert store.token is not None
    assert store.token.user_id == ""


def test_no_secret_of_the_sign_in_is_in_a_text(token_door: Callable[..., TokenDoor]) -> None:
    """L2"""
    token = token_door(refusal("invalid_grant"))
    access = access_to(token.server.url, MemoryStore())
    with pytest.raises(AuthFailed) as raised:
        FLOW.exchange(access, "c0de-canary", BACK, VERIFIER)
    shown = f"{raised.value!r} {raised.value} {access!r} {CLIENT!r}"
    assert "canary" not in shown
    assert VERIFIER not in shown
