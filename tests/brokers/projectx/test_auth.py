"""Signing in at a venue whose answers are written here, and what each request costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brokers.access import Credentials, Priority, Token, Unlimited
from brokers.errors import AuthFailed, BrokerError, OutcomeUnknown, RateLimited
from brokers.projectx.auth import Auth
from brokers.projectx.client import Client, OutOfBudget, Wire
from tests.brokers.projectx import frames
from tests.brokers.projectx.budgets import Purse
from tests.brokers.projectx.frames import failure, ok
from tests.brokers.projectx.venue import Venue
from tests.brokers.scripted import Answer
from tests.brokers.tradovate.stores import MemoryStore

LOGIN, PLACE = "Auth/loginKey", "Order/place"


def sign_in(venue: Venue, store: MemoryStore | None = None) -> Auth:
    credentials = Credentials("projectx", "live", "trader1", "d", {"password": "the-api-key"})
    return Auth(credentials, Wire(venue.endpoints().rest_url, Unlimited()), store or MemoryStore())


def test_a_sign_in_sends_name_and_key_and_keeps_the_token(venue: Venue) -> None:
    """H4 what a sign-in says."""
    store = MemoryStore()
    token = sign_in(venue, store).token()
    assert venue.calls(LOGIN) == [{"userName": "trader1", "apiKey": "the-api-key"}]
    assert store.token == token
    assert timedelta(hours=23) < token.expires_at - datetime.now(UTC) <= timedelta(hours=24)


def test_a_stored_token_is_used_while_it_lasts(venue: Venue) -> None:
    good = Token("stored", datetime.now(UTC) + timedelta(hours=1))
    assert sign_in(venue, MemoryStore(good)).token() is good
    assert venue.calls(LOGIN) == []
    late = Token("stored", datetime.now(UTC) + timedelta(seconds=30))
    assert sign_in(venue, MemoryStore(late)).token().access != "stored"


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        ((200, failure(3)), "InvalidCredentials", "do not belong together"),
        ((200, failure(7)), "AgreementsNotSigned", "complete them"),
        ((200, failure(7, "Please log in first")), "AgreementsNotSigned", "Please log in first"),
        ((200, failure(9)), "ApiSubscriptionNotFound", "no API subscription"),
        ((200, failure(10)), "ApiKeyAuthenticationDisabled", "switched off"),
        ((401, b""), "HTTP_401", "refused the username and API key"),
        ((403, b"forbidden"), "HTTP_403", "this computer's address"),
        ((400, b"{}"), "HTTP_400", ""),
    ],
)
def test_a_refused_login_says_why_and_is_not_tried_again(venue: Venue, answer: Answer, code: str, text: str) -> None:
    """H4 bad login: each reason in words that an owner understands."""
    venue.rest[LOGIN] = answer
    auth = sign_in(venue)
    for _ in range(3):
        with pytest.raises(AuthFailed) as caught:
            auth.token()
        assert caught.value.code == code
        assert text in caught.value.text
        assert "the-api-key" not in str(caught.value)
    assert len(venue.calls(LOGIN)) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, failure(8)), OutcomeUnknown),
        ((503, b""), OutcomeUnknown),
        ((429, b""), RateLimited),
        ((200, ok(token=None)), OutcomeUnknown),
        ((200, b"<html>"), OutcomeUnknown),
        (None, OutcomeUnknown),
    ],
)
def test_a_login_that_was_not_refused_is_tried_again(
    venue: Venue, answer: Answer | None, error: type[BrokerError]
) -> None:
    """H2 trouble is no refusal."""
    venue.rest[LOGIN] = lambda _fields, _headers: answer
    auth = sign_in(venue)
    with pytest.raises(error):
        auth.token()
    del venue.rest[LOGIN]
    assert auth.token().access


def test_a_token_near_its_end_is_traded_for_the_next(venue: Venue) -> None:
    """H1 validate rotates before the end."""
    store = MemoryStore(Token("old", datetime.now(UTC) + timedelta(minutes=20)))
    auth = sign_in(venue, store)
    assert auth.token().access == "old"
    assert auth.needs_rotation(datetime.now(UTC))
    fresh = frames.jwt(7)
    venue.rest["Auth/validate"] = (200, ok(newToken=fresh))
    auth.rotate()
    assert auth.token().access == fresh
    assert store.token is not None
    assert store.token.access == fresh
    assert not auth.needs_rotation(datetime.now(UTC))
    assert venue.calls(LOGIN) == []


@pytest.mark.parametrize("answer", [(200, failure(3)), (401, b"")])
def test_a_session_that_is_gone_is_signed_in_to_anew(venue: Venue, answer: Answer) -> None:
    """H1 validate with a token that has ended."""
    auth = sign_in(venue)
    first = auth.token()
    venue.rest["Auth/validate"] = answer
    auth.rotate()
    assert auth.token().access != first.access
    assert len(venue.calls(LOGIN)) == 2


def test_who_comes_late_with_a_dead_token_gets_the_one_that_works(venue: Venue) -> None:
    """H1 one renewal: the others get what the first one got."""
    auth = sign_in(venue)
    dead = auth.token()
    auth.note_success(dead)
    fresh = auth.renew(dead)
    auth.note_success(fresh)
    assert auth.renew(dead) is fresh
    assert len(venue.calls(LOGIN)) == 2


def test_a_token_that_stays_is_kept(venue: Venue) -> None:
    auth = sign_in(venue)
    first = auth.token()
    venue.rest["Auth/validate"] = (200, ok(newToken=None))
    auth.rotate()
    assert auth.token() is first


def silence(purse: Purse) -> int:
    """The seconds of silence that were asked for; they are over now."""
    assert purse.silent_until is not None
    seconds = round((purse.silent_until - datetime.now(UTC)).total_seconds())
    purse.silent_until = None
    return seconds


def test_silence_after_a_429_doubles_and_starts_over(venue: Venue) -> None:
    """H3 rate limit: the venue names no time, so each refusal asks for more."""
    purse = Purse()
    wire = Wire(venue.endpoints().rest_url, purse)
    venue.rest["Account/search"] = (429, b"")
    asked = []
    for _ in range(6):
        with pytest.raises(RateLimited):
            wire.post("Account/search", {}, Priority.POLL)
        asked.append(silence(purse))
    assert asked == [5, 10, 20, 40, 60, 60]
    del venue.rest["Account/search"]
    wire.post("Account/search", {}, Priority.POLL)
    venue.rest["Account/search"] = (429, b"", {"Retry-After": "17"})
    with pytest.raises(RateLimited):
        wire.post("Account/search", {}, Priority.POLL)
    assert silence(purse) == 17


def test_the_endpoint_classes_are_told_apart(venue: Venue) -> None:
    """K1 bars are counted apart from everything else."""
    purse = Purse()
    client = Client(wire := Wire(venue.endpoints().rest_url, purse), sign_in(venue))
    client.call("History/retrieveBars", {})
    client.call("Order/search", {}, Priority.STOP)
    assert purse.spent == [(Priority.POLL, "history"), (Priority.STOP, "other")]
    purse.closed_to = {Priority.POLL}
    with pytest.raises(OutOfBudget):
        wire.post("Order/search", {}, Priority.POLL)
    assert len(venue.calls("Order/search")) == 1
