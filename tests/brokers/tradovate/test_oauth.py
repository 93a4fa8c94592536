"""Connecting through the venue's own page: the address, the code, and staying signed in without a password."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import orjson
import pytest
import requests

from brokers.access import Access, Credentials, Endpoints, OAuthClient, Token
from brokers.base import ConnectionState, OrderRole, OrderStatus
from brokers.errors import AuthExpired, AuthFailed, NotReached, OutcomeUnknown, RateLimited, Refused
from brokers.http import HttpClient
from brokers.sandbox.testing import RunningSandbox, SandboxAccount
from brokers.tradovate import auth as auth_module
from brokers.tradovate import grants
from brokers.tradovate.auth import Auth
from brokers.tradovate.gate import Gate
from brokers.tradovate.oauth import TradovateOAuth
from brokers.tradovate.venue import VENUE
from tests.brokers.scripted import Answer, RestServer, closing_port
from tests.brokers.tradovate.stores import MemoryStore
from tests.brokers.tradovate.trader import Trader

BACK = "https://app.test/brokers/back"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CLIENT = OAuthClient("client-7", "sh-canary")
FLOW = TradovateOAuth()


def access_to(rest_url: str, store: MemoryStore, environment: str = "sandbox", **client: str) -> Access:
    oauth = OAuthClient(CLIENT.client_id, CLIENT.client_secret, **client)
    return Access(
        Credentials("tradovate", environment, "", "device-1", {}), Endpoints(rest_url, ""), store, oauth=oauth
    )


def visit(page: str, account: SandboxAccount) -> dict[str, list[str]]:
    """Sign in on the page, as a browser would; the query that comes back."""
    form = {"name": account.username, "password": account.password}
    answer = requests.post(page, data=form, allow_redirects=False, timeout=5)
    assert answer.headers["Location"].startswith(BACK)
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def connected(sandbox: RunningSandbox, store: MemoryStore) -> tuple[Access, SandboxAccount]:
    account = sandbox.add_accounts(1)[0]
    access = access_to(sandbox.rest_url, store)
    page = FLOW.authorize_url(access, "st4te", BACK, CHALLENGE)
    assert FLOW.exchange(access, visit(page, account)["code"][0], BACK, VERIFIER) == account.username
    return access, account


class TokenDoor:
    """A token endpoint; `answers` are given in turn, the last one again and again."""

    def __init__(self, *answers: Answer | None) -> None:
        self.answers = list(answers)
        self.server = RestServer(self.answer)
        self.root = self.server.url.removesuffix("/v1")

    def answer(self, _method: str, _path: str, _body: bytes, _headers: dict[str, str]) -> Answer | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def token_door() -> Iterator[Callable[..., TokenDoor]]:
    doors: list[TokenDoor] = []

    def start(*answers: Answer | None) -> TokenDoor:
        doors.append(TokenDoor(*answers))
        return doors[-1]

    yield start
    for opened in doors:
        opened.server.close()


def grant(refresh: str = "r2", access: str = "a2") -> Answer:
    return 200, orjson.dumps({"access_token": access, "expires_in": 3600, "refresh_token": refresh})


def refusal(error: str, status: int = 200) -> Answer:
    return status, orjson.dumps({"error": error, "error_description": "because"})


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


def test_a_refresh_token_is_good_once_and_its_successor_is_stored_first(sandbox: RunningSandbox) -> None:
    """H1"""
    store = MemoryStore()
    access, _ = connected(sandbox, store)
    auth = Auth(access, HttpClient(sandbox.rest_url), Gate())
    first = auth.token()
    second = auth.renew(first)
    assert store.token == second
    assert (second.refresh != first.refresh, second.user_id) == (True, first.user_id)
    with pytest.raises(grants.GrantRefused):
        grants.request_grant(
            HttpClient(sandbox.rest_url), access, {"grant_type": "refresh_token", "refresh_token": first.refresh}
        )


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


class Signed:
    """A login by page whose token has this long to live, and its `Auth`."""

    def __init__(self, token: TokenDoor, lifetime: timedelta) -> None:
        self.store = MemoryStore(Token("a1", datetime.now(UTC) + lifetime, refresh="r1", user_id="7"))
        self.access = access_to(token.server.url, self.store)
        self.auth = Auth(self.access, HttpClient(token.server.url), Gate())


def test_twenty_threads_refresh_once(token_door: Callable[..., TokenDoor]) -> None:
    """H1"""
    token = token_door(grant())
    signed = Signed(token, timedelta(hours=1))
    stale = signed.auth.token()
    with ThreadPoolExecutor(20) as pool:
        renewed = set(pool.map(lambda _: signed.auth.renew(stale).access, range(20)))
    assert (renewed, len(token.server.requests)) == ({"a2"}, 1)
    form = dict(parse_qsl(token.server.requests[0][2].decode()))
    assert form == {
        "grant_type": "refresh_token",
        "refresh_token": "r1",
        "client_id": "client-7",
        "client_secret": "sh-canary",
    }


def test_what_another_process_renewed_is_used_instead(token_door: Callable[..., TokenDoor]) -> None:
    """H1"""
    token = token_door(grant())
    signed = Signed(token, timedelta(hours=1))
    stale = signed.auth.token()
    signed.store.token = Token("theirs", datetime.now(UTC) + timedelta(hours=1), refresh="r9")
    assert signed.auth.renew(stale).access == "theirs"
    assert token.server.requests == []


def test_a_refused_refresh_may_pass_so_the_token_goes_on(
    token_door: Callable[..., TokenDoor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """H2"""
    monkeypatch.setattr(auth_module, "RENEWAL_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(auth_module, "REFRESH_PAUSE_SECONDS", 0.0)
    signed = Signed(token_door(refusal("invalid_token"), grant()), timedelta(minutes=10))
    stale = signed.auth.token()
    with pytest.raises(AuthExpired):
        signed.auth.renew(stale)
    assert signed.auth.token() == stale
    assert signed.auth.renew(stale).access == "a2"


def test_a_refused_refresh_is_not_repeated_at_once(token_door: Callable[..., TokenDoor]) -> None:
    """H2"""
    token = token_door(refusal("invalid_token"))
    signed = Signed(token, timedelta(seconds=-1))
    for _ in range(3):
        with pytest.raises(AuthExpired):
            signed.auth.token()
    assert len(token.server.requests) == 1


def test_a_row_of_refusals_ends_the_sign_in_until_it_is_connected_again(
    token_door: Callable[..., TokenDoor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """H2"""
    monkeypatch.setattr(auth_module, "REFRESH_PAUSE_SECONDS", 0.0)
    token = token_door(refusal("invalid_token"))
    signed = Signed(token, timedelta(seconds=-1))
    for _ in range(auth_module.REFUSED_REFRESHES - 1):
        with pytest.raises(AuthExpired):
            signed.auth.token()
    for _ in range(3):
        with pytest.raises(AuthFailed) as raised:
            signed.auth.token()
        assert raised.value.code == auth_module.CONNECT_AGAIN
    assert len(token.server.requests) == auth_module.REFUSED_REFRESHES
    signed.store.token = Token("anew", datetime.now(UTC) + timedelta(hours=1), refresh="r5")
    assert signed.auth.token().access == "anew"


def test_a_token_that_the_venue_refused_is_refreshed_not_loaded_again(token_door: Callable[..., TokenDoor]) -> None:
    """H1"""
    signed = Signed(token_door(grant()), timedelta(hours=1))
    signed.auth.discard(signed.auth.token())
    assert signed.auth.token().access == "a2"


def test_a_login_with_neither_password_nor_token_says_to_connect_again(token_door: Callable[..., TokenDoor]) -> None:
    """H4"""
    token = token_door(grant())
    auth = Auth(access_to(token.server.url, MemoryStore()), HttpClient(token.server.url), Gate())
    with pytest.raises(AuthFailed) as raised:
        auth.token()
    assert "connect this login again" in raised.value.text
    assert token.server.requests == []


def test_a_store_that_fails_does_not_lose_the_pair_that_was_just_given(token_door: Callable[..., TokenDoor]) -> None:
    """H1"""

    class Broken(MemoryStore):
        def save(self, token: Token) -> None:
            raise ConnectionError("the database is away")

    token = token_door(grant())
    store = Broken(Token("a1", datetime.now(UTC) + timedelta(seconds=-1), refresh="r1"))
    auth = Auth(access_to(token.server.url, store), HttpClient(token.server.url), Gate())
    with pytest.raises(ConnectionError):
        auth.token()
    assert auth.token().access == "a2"


def test_no_secret_of_the_sign_in_is_in_a_text(token_door: Callable[..., TokenDoor]) -> None:
    """L2"""
    token = token_door(refusal("invalid_grant"))
    access = access_to(token.server.url, MemoryStore())
    with pytest.raises(AuthFailed) as raised:
        FLOW.exchange(access, "c0de-canary", BACK, VERIFIER)
    shown = f"{raised.value!r} {raised.value} {access!r} {CLIENT!r}"
    assert "canary" not in shown
    assert VERIFIER not in shown


def test_the_sandbox_may_refuse_a_refresh_that_is_good(sandbox: RunningSandbox) -> None:
    """H2"""
    store = MemoryStore()
    access, account = connected(sandbox, store)
    sandbox.fault(account.username, "refresh_refused", endpoint="*")
    auth = Auth(access, HttpClient(sandbox.rest_url), Gate())
    stale = auth.token()
    with pytest.raises(AuthExpired):
        auth.renew(stale)
    fresh = Auth(access, HttpClient(sandbox.rest_url), Gate())
    assert fresh.renew(stale).access != stale.access
