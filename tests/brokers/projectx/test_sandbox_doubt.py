"""What is proven of an order, against the sandbox venue's scripted faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from brokers import http
from brokers.access import Endpoints
from brokers.base import AccountRef, OrderRole, OrderStatus, Side, SubmitOrder
from brokers.reports import Accepted, OrderReport, Rejected, Unknown
from tests.brokers.projectx.frames import SYMBOL
from tests.brokers.projectx.trader import Client, SandboxTrader, Trader
from tests.brokers.scripted import closing_port, until


@pytest.mark.parametrize("kind", ["drop_after_accept", "garbled"])
def test_an_order_without_a_readable_answer_is_unknown_and_then_found(trader: SandboxTrader, kind: str) -> None:
    """F1, F3 dropped after accept, garbled answer: Unknown, never a refusal, and never placed again."""
    trader.fault(kind, endpoint="order/place")
    name = trader.enter()
    trader.unknown(name)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    evidence = trader.client.connection.query(trader.ref)
    assert [o.status for o in evidence.orders if o.client_order_id == name] == [OrderStatus.FILLED]
    assert {o.role for o in evidence.orders if o.parent_client_order_id == name} == {OrderRole.TARGET, OrderRole.STOP}
    assert [position.net_qty for position in evidence.positions] == [1]
    assert (trader.entries(), len(trader.client.outcomes())) == (1, 1)


def test_an_order_lost_before_the_venue_took_it_is_unknown_and_not_found(trader: SandboxTrader) -> None:
    """F2 dropped before accept."""
    trader.fault("drop_before_accept", endpoint="order/place")
    name = trader.enter()
    trader.unknown(name)
    evidence = trader.client.connection.query(trader.ref)
    assert [o for o in evidence.orders if name in (o.client_order_id, o.parent_client_order_id)] == []
    assert trader.entries() == 0


def test_a_venue_that_does_not_answer_makes_unknown_and_delays_nobody(
    trader: SandboxTrader, new_trader: Callable[[], SandboxTrader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F1 a time-out: one account waits, the other does not."""
    monkeypatch.setattr(http, "READ_SECONDS", 0.5)
    other = new_trader().live()
    trader.fault("hang", endpoint="order/place")
    slow, quick = trader.submit(), other.submit()
    accepted, unknown = other.accepted(quick), trader.unknown(slow)
    assert accepted.at < unknown.at


def test_an_order_that_could_not_be_connected_is_not_sent() -> None:
    """F2 nothing left: NotSent."""
    with closing_port() as port:
        client = Client(Endpoints(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/hubs/user"), "trader1", "key")
    trader = Trader(client, AccountRef("1", "PRAC"))
    trader.not_sent(trader.submit())
    assert client.sent() == []
    client.close()


@pytest.mark.parametrize("endpoint", ["order/cancel", "order/modify"])
def test_a_cancel_or_change_without_an_answer_is_unknown(trader: SandboxTrader, endpoint: str) -> None:
    """F4 ambiguous cancel, ambiguous modify: the order's own report tells."""
    trader.rest(24_900)
    working = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    trader.fault("drop_after_accept", endpoint=endpoint)
    if endpoint == "order/cancel":
        trader.unknown(trader.cancel(working))
        trader.order(OrderRole.ENTRY, OrderStatus.CANCELED)
    else:
        trader.unknown(trader.change(working, qty=3))
        until(lambda: trader.orders()[working.broker_order_id].qty == 3)


def test_the_same_client_id_twice_is_one_order(trader: SandboxTrader) -> None:
    """F5 duplicate client id: the second answer names the first order."""
    name = trader.submit()
    first = trader.accepted(name)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    _again(trader, name)
    until(lambda: len(trader.client.heard(Accepted)) == 2)
    assert {a.broker_order_id for a in trader.client.heard(Accepted)} == {first.broker_order_id}
    assert (trader.entries(), trader.net()) == (1, 1)


def test_a_client_id_that_was_refused_once_is_refused_again(trader: SandboxTrader) -> None:
    """F5 duplicate client id of a rejected order: its tag is used up, and the answer says why."""
    trader.fault("reject", text="daily loss limit")
    name = trader.submit()
    trader.rejected(name)
    _again(trader, name)
    until(lambda: len(trader.client.heard(Rejected)) == 2)
    assert {r.code for r in trader.client.heard(Rejected)} == {"OrderRejected"}
    assert trader.entries() == 0


def test_a_duplicate_whose_first_is_not_listed_stays_unknown(trader: SandboxTrader) -> None:
    """F5 duplicate client id without evidence."""
    name = trader.submit()
    trader.accepted(name)
    trader.fault("empty_lists", endpoint="order/search")
    _again(trader, name)
    trader.client.wait(Unknown)
    assert trader.entries() == 1


def _again(trader: SandboxTrader, name: str) -> None:
    trader.put(SubmitOrder(name, trader.ref, SYMBOL, Side.BUY, 1))


def test_a_rejection_after_the_answer_is_a_rejected_order(trader: SandboxTrader) -> None:
    trader.fault("reject", mode="async")
    name = trader.submit()
    trader.accepted(name)
    entry = trader.order(OrderRole.ENTRY, OrderStatus.REJECTED)
    assert (entry.client_order_id, entry.reject_code) == (name, "OrderRejected")


def test_a_refusal_is_told_once(trader: SandboxTrader) -> None:
    """G6 the venue keeps a rejected order, which is no second refusal."""
    trader.fault("reject", reason="OrderRejected", text="no")
    name = trader.submit()
    trader.rejected(name)
    evidence = trader.client.connection.query(trader.ref)
    assert evidence.orders == ()
    trader.submit()
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    assert name not in {o.client_order_id for o in trader.client.heard(OrderReport)}
