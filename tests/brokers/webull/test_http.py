"""What answers and failures of a request prove, what is sent, and what the budget is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from brokers.access import Access, Credentials, Endpoints, Priority
from brokers.errors import AuthExpired, AuthFailed, BrokerError, NotReached, OutcomeUnknown, RateLimited, Refused
from brokers.webull import limits
from brokers.webull.client import Client, LimitHit
from brokers.webull.codes import failure_of
from brokers.webull.signing import sign_http
from tests.brokers.scripted import Answer, closing_port
from tests.brokers.webull.scripted_venue import APP_KEY, APP_SECRET, CountingBudget, ScriptedVenue, ok, refusal

PLACE = "/trading/orders/place"
BODY = {"account_id": "F1", "new_orders": [{"client_order_id": "ünï", "quantity": "1"}]}


@pytest.fixture
def venue() -> Iterator[ScriptedVenue]:
    venue = ScriptedVenue()
    yield venue
    venue.close()


def _body(code: str) -> bytes:
    return orjson.dumps({"error_code": code, "message": "why"})


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (417, _body("OPENAPI_PARAM_ERR"), Refused),
        (417, _body("OAUTH_OPENAPI_DAY_BUYING_POWER_INSUFFICIENT"), Refused),
        (403, _body("ACCOUNT_ACCESS_DENIED"), Refused),
        (400, _body("ILLEAGAL_PARAMETER"), Refused),
        (404, b'{"error_msg":"404 Route Not Found"}', Refused),
        (404, b'{"status":404,"error":"Not Found","path":"/x"}', Refused),
        (401, _body("UNAUTHORIZED"), AuthExpired),
        (401, _body("MISSING_APP_KEY"), AuthFailed),
        (429, b"", RateLimited),
        (417, _body("TOO_MANY_REQUESTS"), RateLimited),
        (417, _body("OPENAPI_SYSTEM_ERROR"), OutcomeUnknown),
        (500, _body("SYSTEM_ERROR"), OutcomeUnknown),
        (502, b"<html>", OutcomeUnknown),
        (408, b"", OutcomeUnknown),
    ],
)
def test_what_a_failure_proves(status: int, content: bytes, kind: type[BrokerError]) -> None:
    """E1 F3 H3: only the venue's own word is a refusal; its own failure leaves the effect open."""
    assert type(failure_of(status, content, None, 5.0)) is kind


def test_the_bytes_that_are_signed_are_the_bytes_that_are_sent(venue: ScriptedVenue) -> None:
    venue.answers[PLACE] = ok({"order_id": "1"})
    Client(venue.access()).write(limits.PLACE, BODY, Priority.ENTRY)
    _, path, body = venue.server.requests[-1]
    sent = {name.lower(): value for name, value in venue.headers[-1].items()}
    signed = {name: value for name, value in sent.items() if name.startswith("x-") and name in _SIGNED}
    assert sent["x-signature"] == sign_http(APP_SECRET, signed, host=sent["host"], path=path, body=body)
    assert sent["x-version"] == "v3"
    assert APP_SECRET not in str(sent)


def test_a_query_is_signed_as_it_is_and_sent_encoded(venue: ScriptedVenue) -> None:
    venue.answers["/market-data/stocks/snapshots/list"] = ok([])
    Client(venue.access()).snapshots("US_STOCK", "AAPL,BRK B")
    _, target, _ = venue.server.requests[-1]
    sent = {name.lower(): value for name, value in venue.headers[-1].items()}
    signed = {name: value for name, value in sent.items() if name in _SIGNED}
    query = (("symbols", "AAPL,BRK B"), ("category", "US_STOCK"))
    path = target.partition("?")[0]
    assert sent["x-signature"] == sign_http(APP_SECRET, signed, host=sent["host"], path=path, query=query)
    assert " " not in target


_SIGNED = ("x-app-key", "x-timestamp", "x-signature-version", "x-signature-algorithm", "x-signature-nonce")


@pytest.mark.parametrize("answer", [None, (200, b"<html>"), (500, b"")])
def test_an_order_without_a_readable_answer_is_in_doubt(venue: ScriptedVenue, answer: Answer | None) -> None:
    """F1 F3: hung up, garbled, failed: each may have been placed, and none is sent again."""
    venue.answers[PLACE] = (lambda _body, _headers: None) if answer is None else answer
    with pytest.raises(OutcomeUnknown):
        Client(venue.access()).write(limits.PLACE, BODY, Priority.ENTRY)
    assert venue.asked(PLACE) == 1


def test_a_401_costs_one_more_try_and_no_more(venue: ScriptedVenue) -> None:
    """H1: it proves that nothing was placed."""
    answers: list[Answer] = [refusal("UNAUTHORIZED", status=401), ok({"order_id": "1"})]
    venue.answers[PLACE] = lambda _body, _headers: answers.pop(0)
    assert Client(venue.access()).write(limits.PLACE, BODY, Priority.ENTRY) == {"order_id": "1"}
    venue.answers[PLACE] = refusal("UNAUTHORIZED", status=401)
    with pytest.raises(AuthFailed):
        Client(venue.access()).write(limits.PLACE, BODY, Priority.ENTRY)
    assert venue.asked(PLACE) == 4


def test_nobody_at_the_door_proves_that_nothing_left() -> None:
    """F2"""
    with closing_port() as port:
        credentials = Credentials("webull", "sandbox", APP_KEY, "d", {"password": APP_SECRET})
        client = Client(Access(credentials, Endpoints(f"http://127.0.0.1:{port}", "", "")))
        with pytest.raises(NotReached):
            client.write(limits.PLACE, BODY, Priority.ENTRY)


def test_an_empty_budget_sends_nothing(venue: ScriptedVenue) -> None:
    """K2: an entry has none left, a flatten has its reserve."""
    budget = CountingBudget({limits.PLACE: Priority.STOP})
    venue.answers[PLACE] = ok({"order_id": "1"})
    client = Client(venue.access(budget=budget))
    with pytest.raises(RateLimited) as unsent:
        client.write(limits.PLACE, BODY, Priority.ENTRY)
    assert not isinstance(unsent.value, LimitHit)
    assert venue.asked(PLACE) == 0
    client.write(limits.PLACE, BODY, Priority.FLATTEN)
    assert budget.spent[-1] == (Priority.FLATTEN, limits.PLACE)


def test_the_venues_limit_is_told_to_the_budget_and_heeded(venue: ScriptedVenue) -> None:
    """H3: the endpoint is left alone until its time; the budget knows it for everybody else."""
    budget = CountingBudget()
    venue.answers[PLACE] = (429, b"", {"Retry-After": "30"})
    client = Client(venue.access(budget=budget))
    with pytest.raises(LimitHit) as hit:
        client.write(limits.PLACE, BODY, Priority.ENTRY)
    assert budget.penalties == [hit.value.until]
    with pytest.raises(RateLimited) as unsent:
        client.write(limits.PLACE, BODY, Priority.FLATTEN)
    assert not isinstance(unsent.value, LimitHit)
    assert venue.asked(PLACE) == 1


def test_every_endpoint_that_is_asked_has_its_limit_stated() -> None:
    """K1: reads of two in two seconds keep half for a flatten."""
    stated = {endpoint: limit for limit in limits.LIMITS for endpoint in limit.endpoints}
    assert {limits.PLACE, limits.REPLACE, limits.CANCEL, limits.PREVIEW, limits.DETAIL} <= set(stated)
    for endpoint in (limits.POSITIONS, limits.OPEN, limits.DETAIL):
        assert (stated[endpoint].requests, stated[endpoint].reserve) == (2, 0.5)
        assert stated[endpoint].seconds > 2
    assert {limit.scope for limit in limits.LIMITS} == {"login"}


def test_a_list_is_read_to_its_last_page(venue: ScriptedVenue) -> None:
    pages: list[Any] = [{"data": [1, 2], "pagination_key": "p2"}, {"data": [3]}]
    venue.answers["/trading/orders/open-orders/list"] = lambda _body, _headers: ok(pages.pop(0))
    assert Client(venue.access()).pages(limits.OPEN, {"account_id": "F1"}) == [1, 2, 3]
    assert "pagination_key=p2" in venue.server.requests[-1][1]


def test_secrets_are_in_no_text_and_no_log(venue: ScriptedVenue, caplog: pytest.LogCaptureFixture) -> None:
    """L2: whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    texts = []
    access = venue.access()
    for answer in (refusal("OPENAPI_PARAM_ERR"), (500, b"x"), (200, b"x"), (429, b""), (404, b"")):
        venue.answers[PLACE] = answer
        with pytest.raises(BrokerError) as failed:
            Client(access).write(limits.PLACE, BODY, Priority.ENTRY)
        texts += [str(failed.value), repr(failed.value)]
    everything = " ".join(texts) + caplog.text + repr(access)
    assert APP_SECRET not in everything
