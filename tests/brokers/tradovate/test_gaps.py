"""What the venue left out of a fill is asked for."""

from __future__ import annotations

from brokers.reports import FillReport
from tests.brokers.tradovate.venue import Client, Venue, live, props

ID = "in_0123456789abcdef0123456789"
STAMP = "2026-10-01T14:00:00.045Z"
WORKING = {"id": 900100, "accountId": 5001, "contractId": 43, "action": "Buy", "ordStatus": "Working"}
COMMAND = {"id": 900100, "orderId": 900100, "clOrdId": ID, "commandType": "New", "commandStatus": "AtExecution"}
FILL = {"id": 77, "orderId": 900100, "contractId": 43, "timestamp": STAMP, "action": "Buy", "qty": 1, "price": 25000.0}


def test_a_fill_without_a_price_is_read_again(venue: Venue, client: Client) -> None:
    """G2"""
    line = live(venue, client)
    line.say(props("order", WORKING), props("command", COMMAND), props("fill", {**FILL, "price": 0}))
    assert [f.price for f in client.wait(FillReport)] == [None]
    request_id, query, _ = line.expect("fill/item")
    assert query == "id=77"
    line.reply(request_id, FILL)
    assert [f.price for f in client.wait(FillReport, 2)][1] == 25000


def test_a_fill_whose_order_never_came_asks_for_it(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    line.event("fill", FILL)
    request_id, query, _ = line.expect("order/item")
    assert query == "id=900100"
    line.reply(request_id, WORKING)
    assert [f.broker_fill_id for f in client.wait(FillReport)] == ["77"]
