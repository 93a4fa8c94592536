"""Demo and live are separate worlds in which the same number means something else."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from brokers.access import Access, Credentials
from brokers.base import Side, SubmitOrder
from brokers.reports import Accepted, SyncReport
from brokers.tradovate.venue import VENUE
from tests.brokers.tradovate.venue import ACCOUNT, SNAPSHOT, Client, Venue, live


@pytest.fixture
def other_venue() -> Iterator[Venue]:
    venue = Venue()
    yield venue
    venue.close()


@pytest.fixture
def other_client(other_venue: Venue) -> Iterator[Client]:
    client = Client(other_venue.rest_server.url, other_venue.socket.url)
    yield client
    client.close()


def test_one_user_of_two_environments_is_two_logins(
    venue: Venue, client: Client, other_venue: Venue, other_client: Client
) -> None:
    """A1"""
    demo = live(venue, client)
    contracts = [{"id": 43, "name": "ESZ6"}]
    real = live(other_venue, other_client, {**SNAPSHOT, "contracts": contracts})
    for line, connected, order_id in ((demo, client, 1), (real, other_client, 2)):
        connected.connection.submit([SubmitOrder(f"{order_id}" * 26, ACCOUNT, "MNQZ6", Side.BUY, 1)])
        request_id, _, body = line.expect("order/placeorder")
        assert orjson.loads(body)["clOrdId"] == f"{order_id}" * 26
        line.reply(request_id, {"orderId": order_id})
    assert [o.broker_order_id for o in client.wait(Accepted)] == ["1"]
    assert [o.broker_order_id for o in other_client.wait(Accepted)] == ["2"]
    assert len(client.heard(SyncReport)) == len(other_client.heard(SyncReport)) == 1


def test_environments_share_no_contract_ids() -> None:
    books = []
    for environment in ("demo", "live", "demo"):
        endpoints = VENUE.endpoints(environment, {})
        assert endpoints is not None
        access = Access(Credentials("tradovate", environment, "u", "d", {"password": "p"}), endpoints)
        books.append(VENUE.connect(environment, access, lambda *_: None, None)._book)  # type: ignore[arg-type, attr-defined]
    assert books[0] is books[2]
    assert books[0] is not books[1]


def test_an_installation_without_an_address_for_an_environment_has_none() -> None:
    assert VENUE.endpoints("sandbox", {}) is None
    assert {VENUE.endpoints(name, {}).rest_url for name in ("demo", "live")} == {  # type: ignore[union-attr]
        "https://demo.tradovateapi.com/v1",
        "https://live.tradovateapi.com/v1",
    }
