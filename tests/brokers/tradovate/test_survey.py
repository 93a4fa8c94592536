"""All accounts of a login looked at together: what the stream left out is found, and nothing goes back in time."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from brokers.base import ConnectionState, OrderRole, OrderStatus, Side
from brokers.errors import NotReached
from brokers.reports import FillReport, SyncReport
from tests.brokers.scripted import until
from tests.brokers.tradovate.trader import Trader
from tests.brokers.tradovate.venue import Client, Venue, live, props

ID = "in_0123456789abcdef0123456789"
EARLY, LATE = "2026-10-01T14:00:00.045Z", "2026-10-01T14:05:00Z"
ORDER = {"id": 900100, "accountId": 5001, "contractId": 43, "action": "Buy", "ordStatus": "Working"}
COMMAND = {"id": 900100, "orderId": 900100, "clOrdId": ID, "commandType": "New", "commandStatus": "AtExecution"}
VERSION = {"id": 900100, "orderId": 900100, "orderQty": 1, "orderType": "Market"}
FILL = {"id": 77, "orderId": 900100, "contractId": 43, "timestamp": EARLY, "action": "Buy", "qty": 1, "price": 25000.0}
LISTS = ("position", "fill", "order", "orderVersion", "orderStrategyLink", "orderStrategy", "commandReport", "command")


def position(net: int, at: str) -> dict[str, Any]:
    return {"id": 5, "accountId": 5001, "contractId": 43, "netPos": net, "netPrice": 25000.0, "timestamp": at}


def lists(venue: Venue, **rows: list[Any]) -> None:
    for name in LISTS:
        venue.rest[f"{name}/list"] = (200, orjson.dumps(rows.get(name, [])))


def survey(client: Client) -> SyncReport:
    before = len(client.heard(SyncReport))
    client.connection.survey()
    return client.wait(SyncReport, before + 1)[-1]


def test_a_fill_that_the_stream_left_out_is_found_with_three_requests(venue: Venue, client: Client) -> None:
    line = live(venue, client)
    line.say(props("order", ORDER), props("command", COMMAND), props("orderVersion", VERSION))
    until(lambda: client.connection._session.knows_order(900100), 5)
    lists(venue, order=[{**ORDER, "ordStatus": "Filled"}], fill=[FILL], position=[position(1, LATE)])
    found = survey(client)
    assert [(o.client_order_id, o.status) for o in found.orders] == [(ID, OrderStatus.FILLED)]
    assert [(f.broker_fill_id, f.qty) for f in found.fills] == [("77", 1)]
    assert [p.net_qty for p in found.positions] == [1]
    assert [path for path in venue.paths() if path.endswith("/list")] == ["position/list", "fill/list", "order/list"]


def test_an_order_that_nobody_told_of_is_known_by_its_own_name(venue: Venue, client: Client) -> None:
    live(venue, client)
    lists(venue, order=[ORDER], command=[COMMAND], orderVersion=[VERSION])
    (order,) = survey(client).orders
    assert (order.client_order_id, order.role, order.status) == (ID, OrderRole.ENTRY, OrderStatus.WORKING)


@pytest.mark.parametrize("listed", ["Working", "Suspended", "PendingNew"])
def test_what_was_read_earlier_undoes_nothing_that_the_stream_has_said_since(
    venue: Venue, client: Client, listed: str
) -> None:
    line = live(venue, client)
    line.say(props("order", {**ORDER, "ordStatus": "Filled"}), props("command", COMMAND), props("fill", FILL))
    line.say(props("orderVersion", VERSION), props("position", position(1, LATE)))
    until(lambda: client.connection._session.knows_order(900100), 5)
    lists(venue, order=[{**ORDER, "ordStatus": listed}], position=[position(0, EARLY)])
    found = survey(client)
    assert [order.status for order in found.orders] == [OrderStatus.FILLED]
    assert [p.net_qty for p in found.positions] == [1]
    assert len(found.fills) == 1, "what a list lacks is still there"


def test_a_fill_of_an_order_that_the_venue_does_not_tell_of_keeps_back_nothing_else(
    venue: Venue, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists are capped: a fill may be on one, and its order on none."""
    monkeypatch.setattr("brokers.tradovate.stream.WHOLE_WITHIN_SECONDS", 0.2)
    line = live(venue, client)
    lists(venue, fill=[FILL], position=[position(1, LATE)])
    for _ in range(2):
        found = survey(client)
        assert ([p.net_qty for p in found.positions], found.fills) == ([1], ())
    line.say(
        props("order", {**ORDER, "ordStatus": "Filled"}), props("command", COMMAND), props("orderVersion", VERSION)
    )
    assert [fill.broker_fill_id for fill in client.wait(FillReport)] == ["77"]


def test_a_contract_without_a_name_keeps_the_whole_back(
    venue: Venue, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out would count as not there."""
    monkeypatch.setattr("brokers.tradovate.stream.WHOLE_WITHIN_SECONDS", 0.0)
    line = live(venue, client)
    before = len(client.heard(SyncReport))
    lists(venue, position=[{**position(1, LATE), "contractId": 44}])
    client.connection.survey()
    request_id, query, _ = line.expect("contract/item")
    assert (query, len(client.heard(SyncReport))) == ("id=44", before)
    line.reply(request_id, {"id": 44, "name": "MESZ6"})
    assert [p.symbol for p in client.wait(SyncReport, before + 1)[-1].positions] == ["MESZ6"]


def test_without_a_live_stream_there_is_nothing_to_complete(venue: Venue, client: Client) -> None:
    with pytest.raises(NotReached):
        client.connection.survey()
    assert venue.paths() == []


def test_a_survey_of_the_sandbox_says_what_the_sandbox_has(trader: Trader) -> None:
    trader.enter(Side.BUY, 2)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    found = survey(trader.client)
    working = [o for o in found.orders if o.status is OrderStatus.WORKING]
    assert {o.role for o in working} == {OrderRole.STOP, OrderRole.TARGET}
    assert [p.net_qty for p in found.positions] == [trader.net()] == [2]
    assert trader.client.connection.state is ConnectionState.LIVE
