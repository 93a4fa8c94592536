"""Tokens: whether one is needed, the owner's approval, one renewal for all, refusals."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from brokers.access import Priority
from brokers.errors import AuthFailed, NotReached, OutcomeUnknown, RateLimited
from brokers.webull import auth, limits
from brokers.webull.client import Client
from brokers.webull.venue import sign_in_check
from tests.brokers.scripted import Answer
from tests.brokers.tradovate.stores import MemoryStore
from tests.brokers.webull.scripted_venue import (
    FUTURES_ROW,
    CountingBudget,
    ScriptedVenue,
    ok,
    refusal,
    stored,
    token_row,
)

CREATE, CHECK, REFRESH = "/auth/tokens/create", "/auth/tokens/check", "/openapi/auth/token/refresh"
LIST = "/trading/accounts/list"


@pytest.fixture
def venue() -> Iterator[ScriptedVenue]:
    venue = ScriptedVenue(token_check=True)
    venue.answers[LIST] = ok([FUTURES_ROW])
    yield venue
    venue.close()


def _only(token: str) -> Any:
    """The account list, for those who bring this token."""

    def answer(_body: Any, headers: dict[str, str]) -> Answer:
        lowered = {name.lower(): value for name, value in headers.items()}
        is_known = lowered.get("x-access-token") == token
        return ok([FUTURES_ROW]) if is_known else refusal("UNAUTHORIZED", status=401)

    return answer


def test_a_key_that_needs_no_token_sends_none() -> None:
    venue = ScriptedVenue()
    venue.answers[LIST] = ok([FUTURES_ROW])
    (listed,) = sign_in_check(venue.access())
    venue.close()
    assert (listed.ref.broker_id, listed.kind) == ("F1", "FUTURES")
    assert venue.asked(CREATE) == 0
    assert all("x-access-token" not in {name.lower() for name in headers} for headers in venue.headers)


def test_a_new_token_waits_for_the_owner_and_is_found_by_the_next_check(venue: ScriptedVenue) -> None:
    """H4: the first check says what to do, the second picks the kept token up; only one token is ever made."""
    store = MemoryStore()
    venue.answers[CREATE] = token_row("t1", "PENDING")
    with pytest.raises(AuthFailed) as refused:
        sign_in_check(venue.access(store))
    assert refused.value.code == "TWO_FACTOR_PENDING"
    assert "approve" in refused.value.text
    venue.answers[CHECK] = token_row("t1", "PENDING")
    with pytest.raises(AuthFailed):
        sign_in_check(venue.access(store))
    venue.answers[CHECK] = token_row("t1")
    venue.answers[LIST] = _only("t1")
    assert len(sign_in_check(venue.access(store))) == 1
    assert venue.asked(CREATE) == 1


@pytest.mark.parametrize("status", ["EXPIRED", "INVALID"])
def test_a_stored_token_that_is_gone_is_replaced(venue: ScriptedVenue, status: str) -> None:
    """H1: the old one is offered, and the one that comes back is kept."""
    store = stored("old")
    offered: list[Any] = []

    def create(body: Any, _headers: dict[str, str]) -> Answer:
        offered.append(body)
        return token_row("new")

    venue.answers |= {CHECK: token_row("old", status), CREATE: create, LIST: _only("new")}
    sign_in_check(venue.access(store))
    assert offered == [{"token": "old"}]
    assert store.token is not None
    assert store.token.access == "new"


def test_a_stored_token_that_is_good_is_used_as_it_is(venue: ScriptedVenue) -> None:
    venue.answers |= {CHECK: token_row("kept"), LIST: _only("kept")}
    sign_in_check(venue.access(stored("kept")))
    assert venue.asked(CREATE) == 0


def test_a_token_that_expires_under_twenty_threads_is_renewed_once(venue: ScriptedVenue) -> None:
    """H1: all of them get the same new token, and every request is answered."""
    together = threading.Barrier(20)

    def refused_together(body: Any, headers: dict[str, str]) -> Answer:
        answer: Answer = _only("new")(body, headers)
        if answer[0] == 401:
            together.wait(5)
        return answer

    venue.answers |= {CHECK: token_row("old"), REFRESH: token_row("new"), LIST: refused_together}
    client = Client(venue.access(stored("old")))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.read(limits.ACCOUNTS, {}), range(20)))
    assert answers == [[FUTURES_ROW]] * 20
    assert venue.asked(REFRESH) == 1


def test_a_renewal_that_is_refused_asks_for_a_new_token_and_waits_for_the_owner(venue: ScriptedVenue) -> None:
    """H2: the request was not executed, which a 401 proves; nothing is tried again and again."""
    venue.answers |= {
        CHECK: token_row("old"),
        REFRESH: refusal("INVALID_TOKEN"),
        CREATE: token_row("fresh", "PENDING"),
        LIST: refusal("UNAUTHORIZED", status=401),
    }
    store = stored("old")
    client = Client(venue.access(store))
    with pytest.raises(AuthFailed) as refused:
        client.read(limits.ACCOUNTS, {})
    assert refused.value.code == "TWO_FACTOR_PENDING"
    assert store.token is not None
    assert store.token.access == "fresh"


def test_a_second_401_after_a_renewal_is_the_logins_end(venue: ScriptedVenue) -> None:
    """H2"""
    venue.answers |= {
        CHECK: token_row("old"),
        REFRESH: token_row("new"),
        LIST: refusal("UNAUTHORIZED", status=401),
    }
    client = Client(venue.access(stored("old")))
    for _ in range(2):
        with pytest.raises(AuthFailed):
            client.read(limits.ACCOUNTS, {})
    assert venue.asked(REFRESH) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal("UNAUTHORIZED", status=401), "UNAUTHORIZED"),
        (refusal("MISSING_APP_KEY", status=401), "MISSING_APP_KEY"),
        ((404, b'{"error_msg":"404 Route Not Found"}'), "ROUTE_NOT_FOUND"),
    ],
)
def test_a_key_that_the_venue_does_not_know_is_asked_about_once(
    venue: ScriptedVenue, answer: Answer, code: str
) -> None:
    """H4: hammering would block the address."""
    venue.answers["/openapi/config"] = answer
    client = Client(venue.access())
    for _ in range(3):
        with pytest.raises(AuthFailed) as refused:
            client.read(limits.ACCOUNTS, {})
        assert refused.value.code == code
    assert venue.asked("/openapi/config") == 1


def test_an_order_is_not_sent_while_the_owner_has_not_approved(
    venue: ScriptedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H2: that nothing left is proven, so it may go again once he has."""
    monkeypatch.setattr(auth, "PENDING_CHECK_SECONDS", 60.0)
    venue.answers[CREATE] = token_row("t1", "PENDING")
    client = Client(venue.access())
    for _ in range(3):
        with pytest.raises(NotReached):
            client.write(limits.PLACE, {}, Priority.ENTRY)
    assert venue.asked("/trading/orders/place") == 0
    assert venue.asked(CREATE) + venue.asked(CHECK) == 1


def test_a_limit_at_the_sign_in_is_told_to_the_budget(venue: ScriptedVenue) -> None:
    """H3: for the time that the venue names."""
    budget = CountingBudget()
    venue.answers["/openapi/config"] = (429, b"", {"Retry-After": "7"})
    with pytest.raises(RateLimited):
        Client(venue.access(budget=budget)).read(limits.ACCOUNTS, {})
    assert len(budget.penalties) == 1


@pytest.mark.parametrize("answer", [ok([]), ok({}), (200, b"<html>"), (500, b"")])
def test_an_answer_that_says_nothing_is_no_refusal(venue: ScriptedVenue, answer: Answer) -> None:
    """F3: an unreadable sign-in stops nobody for good."""
    venue.answers["/openapi/config"] = answer
    client = Client(venue.access())
    with pytest.raises((OutcomeUnknown, NotReached)):
        client.read(limits.ACCOUNTS, {})
    venue.answers |= {"/openapi/config": ok({"token_check_enabled": False})}
    assert client.read(limits.ACCOUNTS, {}) == [FUTURES_ROW]


def test_the_expiry_is_read_under_either_of_its_names(venue: ScriptedVenue) -> None:
    store = MemoryStore()
    venue.answers[CREATE] = ok({"token": "t1", "expires_at": "1800000000000", "status": "NORMAL"})
    sign_in_check(venue.access(store))
    assert store.token is not None
    assert store.token.expires_at.isoformat() == "2027-01-15T08:00:00+00:00"
