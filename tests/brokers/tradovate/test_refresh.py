"""Staying signed in without a password: refresh tokens are good once, and a refusal of one may pass."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from brokers.access import Token
from brokers.errors import AuthExpired, AuthFailed
from brokers.http import HttpClient
from brokers.sandbox.testing import RunningSandbox
from brokers.tradovate import auth as auth_module
from brokers.tradovate import grants
from brokers.tradovate.auth import Auth
from brokers.tradovate.gate import Gate
from tests.brokers.tradovate.oauth import (
    TokenDoor,
    access_to,
    connected,
    grant,
    refusal,
)
from tests.brokers.tradovate.stores import MemoryStore


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
