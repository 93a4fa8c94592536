"""What is handed over in one call reaches the venue in that order, by whatever way; and a pair has two outcomes."""

from __future__ import annotations

import time
from decimal import Decimal

import orjson
import pytest

from brokers.base import (
    AccountRef,
    CancelOrder,
    ConnectionState,
    FlattenPosition,
    ModifyOrder,
    OrderRole,
    OrderType,
    Side,
    SubmitOco,
    SubmitOrder,
)
from brokers.reports import Accepted, NotSent, OrderReport, Rejected, Sent, Unknown
from tests.brokers.scripted import until
from tests.brokers.tradovate.venue import ACCOUNT, Client, Venue, live, props

ENTRY_ID, TARGET_ID, STOP_ID = "in_0123456789abcdef0123456789", "T-" + "t" * 26, "S-" + "s" * 26
ENTRY = SubmitOrder(ENTRY_ID, ACCOUNT, "MNQZ6", Side.SELL, 1)
OCO = SubmitOco(TARGET_ID, STOP_ID, ACCOUNT, "MNQZ6", Side.SELL, 1, Decimal(25_010), Decimal(24_990))
CANCEL = CancelOrder("M-" + "c" * 26, ACCOUNT, "900100")
MODIFY = ModifyOrder("M-" + "m" * 26, ACCOUNT, "900100", 1, OrderType.STOP, stop_price=Decimal(24_995))
ORDER = {"accountId": 5001, "contractId": 43, "action": "Sell", "ordStatus": "Working"}


def ids(client: Client, kind: type[Accepted | Rejected | NotSent | Unknown | Sent]) -> list[str]:
    return [event.client_order_id for event in client.heard(kind)]


def test_a_pair_is_accepted_order_by_order_and_both_are_found(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    client.connection.submit([OCO])
    request_id, _, body = line.expect("order/placeoco")
    assert orjson.loads(body)["other"]["clOrdId"] == STOP_ID
    line.reply(request_id, {"orderId": 1, "ocoId": 2})
    accepted = client.wait(Accepted, 2)
    assert [(a.client_order_id, a.broker_order_id) for a in accepted] == [(TARGET_ID, "1"), (STOP_ID, "2")]
    assert ids(client, Sent) == [TARGET_ID, STOP_ID]
    for order_id, name in ((1, TARGET_ID), (2, STOP_ID)):
        new = {"id": order_id, "orderId": order_id, "clOrdId": name, "commandType": "New", "commandStatus": "Pending"}
        line.say(props("order", {**ORDER, "id": order_id}), props("command", new))
    reports = client.wait(OrderReport, 2)
    assert [(o.client_order_id, o.role) for o in reports] == [(TARGET_ID, OrderRole.TARGET), (STOP_ID, OrderRole.STOP)]


def test_a_pair_in_doubt_is_in_doubt_twice(venue: Venue, client: Client) -> None:
    """F1"""
    line = live(venue, client)
    client.connection.submit([OCO])
    line.expect("order/placeoco")
    line.peer.close()
    client.wait(Unknown, 2)
    assert ids(client, Unknown) == [TARGET_ID, STOP_ID]


def test_a_refused_pair_is_refused_twice(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    client.connection.submit([OCO])
    line.reply(line.expect("order/placeoco")[0], {"failureReason": "InvalidPrice"})
    client.wait(Rejected, 2)
    assert ids(client, Rejected) == [TARGET_ID, STOP_ID]


def test_a_pair_that_never_left_is_not_sent_twice(venue: Venue, client: Client) -> None:
    venue.rest["auth/accesstokenrequest"] = (200, b'{"errorText":"no"}')
    client.connection.submit([OCO])
    client.wait(NotSent, 2)
    assert ids(client, NotSent) == [TARGET_ID, STOP_ID]


def test_on_the_socket_requests_keep_their_order(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    client.connection.submit([CANCEL, MODIFY, OCO, ENTRY])
    for endpoint in ("order/cancelorder", "order/modifyorder", "order/placeoco", "order/placeorder"):
        line.expect(endpoint)


def test_over_rest_an_accounts_requests_keep_their_order(venue: Venue, client: Client) -> None:
    def slowly(_body: bytes, _headers: dict[str, str]) -> tuple[int, bytes]:
        time.sleep(0.2)
        return 200, b'{"commandId":1}'

    venue.rest["order/cancelorder"] = venue.rest["order/modifyorder"] = slowly
    venue.rest["order/placeorder"] = (200, b'{"orderId":900101}')
    client.connection.submit([CANCEL, MODIFY, ENTRY])
    client.wait(Accepted, 3)
    assert [path for path in venue.paths() if path.startswith("order/")] == [
        "order/cancelorder",
        "order/modifyorder",
        "order/placeorder",
    ]


def test_over_rest_one_account_does_not_wait_for_another(venue: Venue, client: Client) -> None:
    def slowly(_body: bytes, _headers: dict[str, str]) -> tuple[int, bytes]:
        time.sleep(0.5)
        return 200, b'{"commandId":1}'

    venue.rest["order/cancelorder"] = slowly
    venue.rest["order/placeorder"] = (200, b'{"orderId":900101}')
    other = SubmitOrder("b" * 26, AccountRef("5002", "DEMO70002"), "MNQZ6", Side.BUY, 1)
    client.connection.submit([CANCEL, other])
    assert client.wait(Accepted)[0].client_order_id == other.client_order_id


@pytest.mark.parametrize("is_known", [True, False])
def test_nothing_overtakes_a_flatten_that_looks_up_its_contract(
    venue: Venue, client: Client, *, is_known: bool
) -> None:
    if is_known:
        venue.rest["contract/find?name=ESZ6"] = (200, b'{"id":44,"name":"ESZ6"}')
    line = live(venue, client)
    flatten = FlattenPosition("X-" + "f" * 26, ACCOUNT, "ESZ6")
    other = SubmitOrder("b" * 26, AccountRef("5002", "DEMO70002"), "MNQZ6", Side.BUY, 1)
    client.connection.submit([flatten, ENTRY, other])
    assert orjson.loads(line.expect("order/placeorder")[2])["clOrdId"] == other.client_order_id
    if is_known:
        line.expect("order/liquidateposition")
    assert orjson.loads(line.expect("order/placeorder")[2])["clOrdId"] == ENTRY_ID
    until(lambda: ids(client, Rejected) == ([] if is_known else [flatten.client_order_id]))


def test_a_socket_that_is_gone_hands_its_requests_over_in_order(venue: Venue, client: Client) -> None:
    live(venue, client)
    venue.rest["order/cancelorder"] = (200, b'{"commandId":1}')
    venue.rest["order/placeorder"] = (200, b'{"orderId":900101}')
    client.connection.stop()
    client.wait_state(ConnectionState.DOWN)
    client.connection.submit([CANCEL, ENTRY])
    until(lambda: len(ids(client, Accepted)) == 2)
    assert ids(client, Accepted) == [CANCEL.client_order_id, ENTRY_ID]
