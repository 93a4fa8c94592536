"""Signing in: single flight, stored tokens first, and no hammering of a venue that said no."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from brokers.access import Token
from brokers.errors import AuthFailed, OutcomeUnknown, RateLimited
from tests.brokers.tradovate.door import CREDENTIALS, PASSWORD, RENEW, SIGN_IN, Door
from tests.brokers.tradovate.stores import MemoryStore


def test_signing_in_sends_the_whole_identity_and_keeps_the_token(door: Door) -> None:
    store = MemoryStore()
    token = door.auth(store).token()
    assert (token.access, token.market_data, token.user_id) == ("token-1", "md", "15460")
    assert store.token == token
    assert orjson.loads(door.server.requests[0][2]) == {
        "name": "trader1",
        "password": PASSWORD,
        "appId": "JustTrades",
        "appVersion": "1.0",
        "deviceId": "device-1",
        "cid": "8",
        "sec": "s3c",
    }


def test_twenty_threads_sign_in_once(door: Door) -> None:
    """H1"""
    auth = door.auth()
    with ThreadPoolExecutor(20) as pool:
        tokens = set(pool.map(lambda _: auth.token().access, range(20)))
    assert (tokens, door.server.paths()) == ({"token-1"}, [SIGN_IN])


def test_twenty_threads_renew_once(door: Door) -> None:
    """H1"""
    auth = door.auth()
    stale = auth.token()
    together = threading.Barrier(20)

    def renew(_: int) -> str:
        together.wait()
        return auth.renew(stale).access

    with ThreadPoolExecutor(20) as pool:
        tokens = set(pool.map(renew, range(20)))
    assert (tokens, door.server.paths()) == ({"token-2"}, [SIGN_IN, RENEW])


def test_a_stored_token_saves_the_sign_in(door: Door) -> None:
    stored = Token("kept", datetime.now(UTC) + timedelta(hours=1), user_id="7")
    assert door.auth(MemoryStore(stored)).token() is stored
    assert door.server.requests == []


def test_an_expired_stored_token_is_not_used(door: Door) -> None:
    stored = Token("kept", datetime.now(UTC) + timedelta(seconds=30))
    assert door.auth(MemoryStore(stored)).token().access == "token-1"


def test_a_session_that_is_gone_is_signed_in_anew(door: Door) -> None:
    """H2, H7"""
    auth = door.auth()
    stale = auth.token()
    door.answers[RENEW] = (401, b"Access is denied")
    assert auth.renew(stale).access == "token-2"
    assert door.server.paths() == [SIGN_IN, RENEW, SIGN_IN]


def test_a_login_without_permission_does_not_burn_renewals(door: Door) -> None:
    """H2"""
    auth = door.auth()
    first = auth.renew(auth.token())
    assert auth.renew(first) == first
    assert door.server.paths() == [SIGN_IN, RENEW]


def test_renewal_keeps_what_the_answer_leaves_out(door: Door) -> None:
    """H1"""
    auth = door.auth()
    stale = auth.token()
    door.answers[RENEW] = (200, b'{"accessToken":"new","expirationTime":"2036-06-13T00:00Z"}')
    renewed = auth.renew(stale)
    assert (renewed.access, renewed.market_data, renewed.user_id) == ("new", "md", "15460")
    assert renewed.expires_at == datetime(2036, 6, 13, tzinfo=UTC)


@pytest.mark.parametrize(("minutes", "due"), [(80, False), (21, False), (14, True), (1, True)])
def test_renewal_is_due_fifteen_to_twenty_minutes_before_the_end(door: Door, minutes: int, *, due: bool) -> None:
    """H1"""
    door.lifetime = timedelta(minutes=minutes, seconds=30)
    auth = door.auth()
    auth.token()
    assert auth.needs_renewal(datetime.now(UTC)) is due


def test_a_refused_password_is_never_tried_twice(door: Door) -> None:
    """H4"""
    door.answers[SIGN_IN] = (200, b'{"errorText":"Incorrect username or password."}')
    auth = door.auth()
    for _ in range(3):
        with pytest.raises(AuthFailed) as raised:
            auth.token()
        assert raised.value.text == "Incorrect username or password."
        assert PASSWORD not in str(raised.value)
    assert door.server.paths() == [SIGN_IN]


def test_a_penalty_on_the_sign_in_holds_for_an_hour(door: Door) -> None:
    """H5"""
    door.answers[SIGN_IN] = (200, b'{"p-ticket":"x","p-time":15,"p-captcha":true}')
    auth = door.auth()
    for _ in range(3):
        with pytest.raises(RateLimited) as raised:
            auth.token()
        assert raised.value.until - datetime.now(UTC) > timedelta(minutes=59)
    assert door.server.paths() == [SIGN_IN]


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"null", b'{"accessToken":""}'])
def test_an_answer_without_a_token_is_no_refusal(door: Door, answer: bytes) -> None:
    door.answers[SIGN_IN] = (200, answer)
    with pytest.raises(OutcomeUnknown):
        door.auth().token()


def test_a_token_the_venue_refused_is_not_used_again(door: Door) -> None:
    """H7"""
    auth = door.auth()
    auth.discard(auth.token())
    assert auth.token().access == "token-2"


def test_secrets_stay_out_of_reprs(door: Door) -> None:
    """L2"""
    auth = door.auth()
    token = auth.token()
    shown = repr((auth, token, CREDENTIALS))
    assert PASSWORD not in shown
    assert token.access not in shown
