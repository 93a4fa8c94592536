"""Single order requests at a venue whose answers are written here: every refusal and every doubt by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from brokers import http
from brokers.base import BracketLeg, ConnectionState, OrderType, Side, SubmitOrder
from brokers.projectx import auth as auth_module
from brokers.reports import Unknown
from tests.brokers.projectx import frames
from tests.brokers.projectx.frames import failure, ok
from tests.brokers.projectx.trader import Trader
from tests.brokers.projectx.venue import Venue
from tests.brokers.scripted import Answer, until

LOGIN, PLACE = "Auth/loginKey", "Order/place"


def in_turn(*answers: Answer) -> Callable[[dict[str, Any], dict[str, str]], Answer]:
    """Each answer once, the last for ever."""
    left = itertools.chain(answers, itertools.repeat(answers[-1]))
    return lambda _fields, _headers: next(left)


def test_a_login_whose_tokens_never_work_is_not_signed_in_over_and_over(
    venue: Venue, scripted: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H2 a 401 that no token cures: one sign-in for many requests."""
    venue.rest[PLACE] = venue.rest["Contract/search"] = (401, b"")
    for _ in range(3):
        scripted.not_sent(scripted.submit())
    assert len(venue.calls(LOGIN)) == 1
    monkeypatch.setattr(auth_module, "RENEWAL_PAUSE_SECONDS", 0.0)
    scripted.not_sent(scripted.submit())
    assert len(venue.calls(LOGIN)) == 2


def test_an_order_on_a_dead_token_is_placed_with_the_next(venue: Venue, scripted: Trader) -> None:
    """H1 token expires: the 401 proves that nothing was placed."""
    venue.rest[PLACE] = in_turn((401, b""), (200, ok(orderId=7)))
    assert scripted.accepted(scripted.submit()).broker_order_id == "7"
    assert (len(venue.calls(PLACE)), len(venue.calls(LOGIN))) == (2, 2)


def test_an_order_that_no_token_gets_through_is_refused(venue: Venue, scripted: Trader) -> None:
    """H2 renewal does not help: refused with proof."""
    venue.rest[PLACE] = (401, b"")
    assert scripted.rejected(scripted.submit()).code == "UNAUTHORIZED"
    assert len(venue.calls(PLACE)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"orderId":7}'),
        (200, ok()),
        (200, ok(orderId=0)),
        (200, ok(orderId=None)),
        (200, failure(6)),
        (200, failure(7)),
        (200, b'{"success":false,"errorCode":null}'),
        (500, b""),
        (502, b"<html>"),
        (408, b""),
        None,
    ],
)
def test_an_answer_that_proves_nothing_is_unknown(venue: Venue, scripted: Trader, answer: Answer | None) -> None:
    """F1, F3 no answer, and one that cannot be read: Unknown, placed once, and never again."""
    venue.rest[PLACE] = lambda _fields, _headers: answer
    scripted.unknown(scripted.submit())
    assert len(venue.calls(PLACE)) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, failure(3, orderId=77)), "InsufficientFunds"),
        ((200, failure(10)), "AccountRejected"),
        ((400, b"{}"), "HTTP_400"),
        ((404, b""), "HTTP_404"),
        ((429, b""), "RATE_LIMITED"),
    ],
)
def test_a_refusal_is_a_rejection(venue: Venue, scripted: Trader, answer: Answer, code: str) -> None:
    """E4, H3 a refusal that carries an order id is still one, and so is a 429."""
    venue.rest[PLACE] = answer
    assert scripted.rejected(scripted.submit()).code == code
    assert len(venue.calls(PLACE)) == 1


def test_a_slow_answer_is_unknown(venue: Venue, scripted: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    """F1 a time-out."""
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)

    def late(_fields: dict[str, Any], _headers: dict[str, str]) -> Answer:
        until(lambda: scripted.client.heard(Unknown))
        return 200, ok(orderId=7)

    venue.rest[PLACE] = late
    name = scripted.submit()
    scripted.unknown(name)
    assert scripted.client.sent() == [name]


@pytest.mark.parametrize(
    "change",
    [{"tickValue": 5.0}, {"tickSize": 2.5}, {"symbolId": "F.US.ENQ", "id": "CON.F.US.ENQ.Z26"}],
)
def test_a_contract_that_is_ten_times_another_is_never_ordered(
    venue: Venue, scripted: Trader, change: dict[str, Any]
) -> None:
    """E5 a contract whose money does not agree with ours."""
    venue.contracts = [frames.contract(**change)]
    assert scripted.rejected(scripted.submit()).code == "CONTRACT_MISMATCH"
    assert scripted.rejected(scripted.flatten()).code == "CONTRACT_MISMATCH"
    assert venue.calls(PLACE) == venue.calls("Position/closeContract") == []


def test_what_a_fuzzy_search_brings_along_is_passed_over(venue: Venue, scripted: Trader) -> None:
    """E5 the search finds contracts that only look like ours."""
    other = frames.contract(id="CON.F.US.ENQ.Z26", name="NQZ6", symbolId="F.US.ENQ", tickValue=5.0)
    venue.contracts = [other, frames.contract(), frames.contract(id="CON.F.US.MNQ.H27", name="MNQH7")]
    venue.rest[PLACE] = (200, ok(orderId=7))
    scripted.accepted(scripted.submit())
    assert [call["contractId"] for call in venue.calls(PLACE)] == [frames.MNQ]


@pytest.mark.parametrize("answer", [(500, b""), (429, b""), (200, b"{}")])
def test_a_contract_that_could_not_be_looked_up_leaves_nothing_in_doubt(
    venue: Venue, scripted: Trader, answer: Answer
) -> None:
    """F2 nothing of the order left."""
    venue.rest["Contract/search"] = answer
    scripted.not_sent(scripted.submit())
    assert venue.calls(PLACE) == []


def test_no_price_passes_through_a_float(venue: Venue, scripted: Trader) -> None:
    venue.contracts = [frames.contract(id="CON.F.US.JY6.Z26", name="6JZ6", symbolId="F.US.JY6", tickSize=5e-07, tickValue=6.25)]  # fmt: skip # noqa: E501
    venue.rest[PLACE] = (200, ok(orderId=7))
    terms = {"order_type": OrderType.LIMIT, "price": Decimal("0.0065005"), "bracket": (BracketLeg(1, None, Decimal("0.00001")),)}  # fmt: skip # noqa: E501
    name = "yen-order-0000000000000000"
    scripted.put(SubmitOrder(name, scripted.ref, "6JZ6", Side.BUY, 1, **terms))  # type: ignore[arg-type]
    scripted.accepted(name)
    sent = next(body for _, path, body in venue.rest_server.requests if path.endswith(PLACE))
    assert b'"limitPrice":0.0065005,' in sent
    assert venue.calls(PLACE)[0]["stopLossBracket"] == {"ticks": -20, "type": 4}


def test_a_host_that_refuses_is_down_and_tried_again(venue: Venue, scripted: Trader) -> None:
    """I1 login of the stream fails for now."""
    venue.rest["Account/search"] = (503, b"")
    scripted.client.connection.start()
    until(lambda: scripted.client.states().count(ConnectionState.DOWN) >= 2)
    del venue.rest["Account/search"]
    venue.socket.accepted()
