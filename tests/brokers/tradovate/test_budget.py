"""Every request is paid for before it leaves, by its priority; what the venue asks for is told to the budget."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from brokers.access import Priority
from brokers.base import (
    CancelOrder,
    FlattenPosition,
    ModifyOrder,
    OrderType,
    Request,
    Side,
    SubmitOco,
    SubmitOrder,
)
from brokers.errors import RateLimited
from brokers.reports import Accepted, ConnectionReport, NotSent, OrderReport, Rejected
from brokers.tradovate import contracts
from brokers.tradovate.gate import Gate
from brokers.tradovate.limits import LIMITS
from brokers.tradovate.orders import priority_of
from brokers.tradovate.venue import VENUE
from tests.brokers.scripted import until
from tests.brokers.tradovate.purse import Purse
from tests.brokers.tradovate.venue import ACCOUNT, Client, Venue, live

SYMBOL = "MNQZ6"
ENTRY = SubmitOrder("e" * 26, ACCOUNT, SYMBOL, Side.BUY, 1)
FLATTEN = FlattenPosition("X-" + "f" * 26, ACCOUNT, SYMBOL)
CANCEL = CancelOrder("M-" + "c" * 26, ACCOUNT, "1")
OCO = SubmitOco("T-" + "t" * 26, "S-" + "s" * 26, ACCOUNT, SYMBOL, Side.SELL, 1, Decimal(2), Decimal(1))


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
def paying(venue: Venue, purse: Purse) -> Iterator[Client]:
    client = Client(venue.rest_server.url, venue.socket.url, budget=purse)
    yield client
    client.close()


def stop_order(order_type: OrderType, client_order_id: str = "S-" + "s" * 26) -> SubmitOrder:
    return SubmitOrder(client_order_id, ACCOUNT, SYMBOL, Side.SELL, 1, order_type, is_protective=True)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (FLATTEN, Priority.FLATTEN),
        (stop_order(OrderType.STOP), Priority.STOP),
        (stop_order(OrderType.TRAILING_STOP), Priority.STOP),
        (OCO, Priority.STOP),
        (stop_order(OrderType.LIMIT, "T-" + "t" * 26), Priority.EXIT),
        (SubmitOrder("X-" + "x" * 26, ACCOUNT, SYMBOL, Side.SELL, 1), Priority.EXIT),
        (CANCEL, Priority.EXIT),
        (ModifyOrder("M-" + "m" * 26, ACCOUNT, "1", 1, OrderType.STOP, stop_price=Decimal(1)), Priority.EXIT),
        (ENTRY, Priority.ENTRY),
    ],
)
def test_what_closes_comes_before_what_opens(request_: Request, expected: Priority) -> None:
    """K1"""
    assert priority_of(request_) is expected


def test_the_whole_opening_of_a_session_is_paid_for(venue: Venue, purse: Purse, paying: Client) -> None:
    """K1"""
    live(venue, paying)
    assert purse.spent == [
        (Priority.FLATTEN, "auth/accesstokenrequest", 0),
        (Priority.FLATTEN, "user/syncrequest", 1),
        (Priority.FLATTEN, "authorize", 1),
    ]


def test_each_order_frame_costs_one_request(venue: Venue, purse: Purse, paying: Client) -> None:
    """K1"""
    line = live(venue, paying)
    purse.spent.clear()
    paying.connection.submit([ENTRY, CANCEL, FLATTEN, OCO])
    assert purse.spent == [
        (Priority.ENTRY, "order/placeorder", 1),
        (Priority.EXIT, "order/cancelorder", 1),
        (Priority.FLATTEN, "order/liquidateposition", 1),
        (Priority.STOP, "order/placeoco", 1),
    ]
    line.expect("order/placeorder")


def test_an_order_over_rest_is_paid_for_once(venue: Venue, purse: Purse, paying: Client) -> None:
    """K1"""
    venue.rest["order/placeorder"] = (200, b'{"orderId":1}')
    paying.connection.submit([ENTRY])
    paying.wait(Accepted)
    assert [cost for _, endpoint, cost in purse.spent if endpoint == "order/placeorder"] == [1]


def test_orders_pass_when_polls_have_no_requests_left(venue: Venue, purse: Purse, paying: Client) -> None:
    """K1"""
    line = live(venue, paying)
    purse.poor_from = Priority.POLL
    with pytest.raises(RateLimited):
        paying.connection.query(ACCOUNT)
    paying.connection.submit([ENTRY])
    line.reply(line.expect("order/placeorder")[0], {"orderId": 1})
    paying.wait(Accepted)
    assert "order/list" not in " ".join(venue.paths())


def test_a_flatten_passes_when_an_entry_has_no_requests_left(venue: Venue, purse: Purse, paying: Client) -> None:
    """K2"""
    line = live(venue, paying)
    purse.poor_from = Priority.STOP
    paying.connection.submit([ENTRY, OCO, FLATTEN])
    line.reply(line.expect("order/liquidateposition")[0], {"orderId": 1})
    assert [o.client_order_id for o in paying.wait(Accepted)] == [FLATTEN.client_order_id]
    refused = paying.wait(NotSent, 3)
    assert {o.client_order_id for o in refused} == {
        ENTRY.client_order_id,
        *(OCO.client_order_id, OCO.stop_client_order_id),
    }
    assert all("no requests are left" in o.reason for o in refused)


def test_a_flatten_may_look_up_its_contract_when_polls_have_nothing_left(
    venue: Venue, purse: Purse, paying: Client
) -> None:
    """K2"""
    venue.rest["contract/find?name=ESZ6"] = (200, b'{"id":44,"name":"ESZ6"}')
    line = live(venue, paying)
    purse.poor_from = Priority.STOP
    paying.connection.submit([FlattenPosition(FLATTEN.client_order_id, ACCOUNT, "ESZ6")])
    line.expect("order/liquidateposition")
    assert (Priority.FLATTEN, "contract/find", 1) in purse.spent


def test_our_own_shortage_does_not_silence_the_login(venue: Venue, purse: Purse, paying: Client) -> None:
    """K1"""
    line = live(venue, paying)
    purse.poor_from = Priority.ENTRY
    paying.connection.submit([ENTRY])
    paying.wait(NotSent)
    paying.connection.submit([CANCEL])
    line.reply(line.expect("order/cancelorder")[0], {"commandId": 1})
    paying.wait(Accepted)
    assert purse.penalties == []


def test_a_429_is_told_to_the_budget(venue: Venue, purse: Purse, paying: Client) -> None:
    """H3"""
    line = live(venue, paying)
    paying.connection.submit([ENTRY])
    line.reply(line.expect("order/placeorder")[0], status=429)
    paying.wait(Rejected)
    assert [penalty > datetime.now(UTC) + timedelta(seconds=50) for penalty in purse.penalties] == [True]


def test_a_sync_without_requests_left_waits_and_says_so(venue: Venue, purse: Purse, paying: Client) -> None:
    """H3"""
    purse.poor_endpoints = {"user/syncrequest"}
    paying.connection.start()
    until(lambda: any("no requests are left" in report.detail for report in paying.heard(ConnectionReport)))
    until(lambda: paying.connection._session.stream.due > 0)


def test_a_name_that_cannot_be_asked_for_now_is_asked_for_later(
    venue: Venue, purse: Purse, paying: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H3"""
    monkeypatch.setattr(contracts, "LOOKUP_SECONDS", 0.1)
    line = live(venue, paying)
    purse.poor_from = Priority.POLL
    line.event("order", {"id": 1, "accountId": 5001, "contractId": 99, "action": "Buy", "ordStatus": "Working"})
    until(lambda: "contract/item" in purse.refused)
    purse.poor_from = 10
    line.reply(line.expect("contract/item")[0], {"id": 99, "name": "ESZ6"})
    assert [order.symbol for order in paying.wait(OrderReport)] == ["ESZ6"]


def test_only_refused_sign_ins_count(venue: Venue, purse: Purse, paying: Client) -> None:
    """H4"""
    venue.rest["auth/accesstokenrequest"] = (200, b'{"errorText":"no"}')
    paying.connection.submit([ENTRY])
    paying.wait(NotSent)
    assert [cost for _, endpoint, cost in purse.spent if endpoint == "auth/accesstokenrequest"] == [0, 1]


def test_refusals_of_requests_that_were_on_their_way_together_count_once() -> None:
    """H3"""
    gate = Gate()
    soon = datetime.now(UTC) + timedelta(seconds=10)
    assert {gate.close(soon) for _ in range(5)} == {gate.close(soon)}
    assert gate.close(soon) - soon < timedelta(seconds=1)


def test_the_limits_are_the_venues_own() -> None:
    """K2"""
    assert VENUE.limits is LIMITS
    by_endpoint = {tuple(sorted(limit.endpoints)): (limit.scope, limit.requests, limit.seconds) for limit in LIMITS}
    assert by_endpoint[()] == ("login", 5_000, 3_600.0)
    assert by_endpoint["auth/renewaccesstoken",] == ("ip", 15, 3_600.0)
    assert by_endpoint["auth/accesstokenrequest",] == ("ip", 5, 3_600.0)
    assert by_endpoint["user/syncrequest",] == ("ip", 300, 3_600.0)
