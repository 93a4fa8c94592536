"""Penalty tickets on orders: waited out once, identical, and never when the moment has passed."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import orjson
import pytest

from brokers.base import CancelOrder, FlattenPosition, Side, SubmitOrder
from brokers.reports import Accepted, NotSent, Outcome, Rejected, Sent
from brokers.tradovate import errand
from brokers.tradovate.errand import Errand
from brokers.tradovate.orders import Call
from tests.brokers.scripted import until
from tests.brokers.tradovate.venue import ACCOUNT, Client, Line, Venue, live

ID = "in_0123456789abcdef0123456789"
ENTRY = SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.BUY, 1, price=Decimal("25000.25"))
FLATTEN = FlattenPosition("X-" + "f" * 26, ACCOUNT, "MNQZ6")
PLACE = "order/placeorder"


def ticket(seconds: float, *, captcha: bool = False) -> dict[str, Any]:
    return {"p-ticket": "t1cket", "p-time": seconds, "p-captcha": captcha, "p-message": "slow down"}


def ask(line: Line, endpoint: str, seconds: float, *, captcha: bool = False) -> str:
    """Take the next request, put it off, and give back its body."""
    request_id, _, body = line.expect(endpoint)
    line.reply(request_id, ticket(seconds, captcha=captcha))
    return body


def put_off(client: Client) -> None:
    """Wait until an order waits."""
    until(lambda: client.connection._desk._waiting._waiting)


def test_a_ticketed_order_is_sent_again_identical_with_its_ticket(venue: Venue, client: Client) -> None:
    """H5"""
    line = live(venue, client)
    client.connection.submit([ENTRY])
    first = ask(line, PLACE, 0.1)
    request_id, _, again = line.expect(PLACE)
    assert again == first[:-1] + ',"p-ticket":"t1cket"}'
    assert orjson.loads(again) == {**orjson.loads(first), "p-ticket": "t1cket"}
    line.reply(request_id, {"orderId": 7})
    assert [o.broker_order_id for o in client.wait(Accepted)] == ["7"]
    assert (len(client.heard(Sent)), len(client.heard(Outcome))) == (1, 1)  # type: ignore[arg-type]


def test_a_second_ticket_replaces_the_first(venue: Venue, client: Client) -> None:
    """H5"""
    line = live(venue, client)
    client.connection.submit([ENTRY])
    ask(line, PLACE, 0.05)
    request_id, _, _ = line.expect(PLACE)
    line.reply(request_id, {**ticket(0.05), "p-ticket": "other"})
    request_id, _, body = line.expect(PLACE)
    assert body.count("p-ticket") == 1
    assert orjson.loads(body)["p-ticket"] == "other"
    line.reply(request_id, {"orderId": 7})
    client.wait(Accepted)


def test_a_ticket_over_rest_is_waited_out_too(venue: Venue, client: Client) -> None:
    """H5"""
    bodies: list[dict[str, Any]] = []

    def place(body: bytes, _headers: dict[str, str]) -> tuple[int, bytes]:
        bodies.append(orjson.loads(body))
        return 200, orjson.dumps(ticket(0.1) if len(bodies) == 1 else {"orderId": 7})

    venue.rest[PLACE] = place
    client.connection.submit([ENTRY])
    client.wait(Accepted)
    assert [body.get("p-ticket") for body in bodies] == [None, "t1cket"]


def test_an_entry_is_not_sent_again_when_its_moment_has_passed(venue: Venue, client: Client) -> None:
    """H5"""
    line = live(venue, client)
    client.connection.submit([ENTRY])
    ask(line, PLACE, 31)
    (rejected,) = client.wait(Rejected)
    assert (rejected.code, "not executed" in rejected.text) == ("RATE_LIMITED", True)


@pytest.mark.parametrize(
    ("request_", "endpoint"),
    [(FLATTEN, "order/liquidateposition"), (CancelOrder("M-" + "c" * 26, ACCOUNT, "1"), "order/cancelorder")],
)
def test_what_closes_or_cancels_never_goes_stale(
    venue: Venue, client: Client, monkeypatch: pytest.MonkeyPatch, request_: Any, endpoint: str
) -> None:
    """H5"""
    monkeypatch.setattr(errand, "RESEND_WITHIN_SECONDS", 0.0)
    line = live(venue, client)
    client.connection.submit([request_])
    ask(line, endpoint, 0.1)
    line.reply(line.expect(endpoint)[0], {"orderId": 7, "commandId": 8})
    client.wait(Accepted)


def test_a_ticket_holds_its_endpoint_and_lets_a_flatten_pass(venue: Venue, client: Client) -> None:
    """H5"""
    line = live(venue, client)
    client.connection.submit([ENTRY])
    ask(line, PLACE, 20)
    put_off(client)
    client.connection.submit([SubmitOrder("b" * 26, ACCOUNT, "ESZ6", Side.BUY, 1)])
    assert [o.client_order_id for o in client.wait(NotSent)] == ["b" * 26]
    client.connection.submit([FLATTEN])
    line.reply(line.expect("order/liquidateposition")[0], {"orderId": 9})
    assert [o.client_order_id for o in client.wait(Accepted)] == [FLATTEN.client_order_id]


def test_an_entry_that_waits_is_dropped_when_a_flatten_overtakes_it(venue: Venue, client: Client) -> None:
    """H5"""
    line = live(venue, client)
    client.connection.submit([ENTRY])
    ask(line, PLACE, 0.3)
    put_off(client)
    client.connection.submit([FLATTEN])
    line.reply(line.expect("order/liquidateposition")[0], {})
    (rejected,) = client.wait(Rejected)
    assert "flatten" in rejected.text
    client.connection.submit([CancelOrder("M-" + "c" * 26, ACCOUNT, "1")])
    line.expect("order/cancelorder")


def test_an_entry_whose_ticket_comes_after_the_flatten_is_dropped_too(venue: Venue, client: Client) -> None:
    """H5"""
    line = live(venue, client)
    client.connection.submit([ENTRY])
    request_id, _, _ = line.expect(PLACE)
    client.connection.submit([FLATTEN])
    line.reply(line.expect("order/liquidateposition")[0], {})
    line.reply(request_id, ticket(0.05))
    (rejected,) = client.wait(Rejected)
    assert (rejected.client_order_id, "flatten" in rejected.text) == (ID, True)


def test_a_closed_connection_settles_what_waits(venue: Venue, client: Client) -> None:
    """H5"""
    line = live(venue, client)
    client.connection.submit([ENTRY])
    ask(line, PLACE, 20)
    put_off(client)
    client.connection.stop()
    assert [(o.client_order_id, o.code) for o in client.wait(Rejected)] == [(ID, "RATE_LIMITED")]


def test_a_ticket_that_comes_after_the_connection_was_closed_is_not_waited_out(venue: Venue, client: Client) -> None:
    """H5"""
    asked, answer = threading.Event(), threading.Event()

    def place(_body: bytes, _headers: dict[str, str]) -> tuple[int, bytes]:
        asked.set()
        answer.wait(5)
        return 200, orjson.dumps(ticket(0.05))

    venue.rest[PLACE] = place
    client.connection.submit([ENTRY])
    asked.wait(5)
    client.connection.stop()
    answer.set()
    assert ["connection was closed" in o.text for o in client.wait(Rejected)] == [True]
    assert venue.paths().count(PLACE) == 1


def test_an_order_is_put_off_only_so_many_times() -> None:
    """H5"""
    flatten = Errand(FLATTEN, Call("order/liquidateposition", b"{}"))
    assert flatten.may_wait(3_600)
    flatten.waits = errand.MOST_WAITS
    assert not flatten.may_wait(0)
