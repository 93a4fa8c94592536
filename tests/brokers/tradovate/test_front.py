"""The venue's own front month, asked over REST."""

from __future__ import annotations

import orjson
import pytest

from brokers.errors import OutcomeUnknown, Refused
from brokers.sandbox.testing import RunningSandbox
from tests.brokers.scripted import Answer
from tests.brokers.tradovate.trader import Trader
from tests.brokers.tradovate.venue import Client, Venue

PRODUCT: Answer = (200, b'{"id":704,"name":"MNQ"}')
MATURITIES = [{"id": 60, "productId": 704, "isFront": False}, {"id": 61, "productId": 704, "isFront": True}]
CONTRACTS = [{"id": 42, "name": "BF MNQZ6-MNQH7"}, {"id": 43, "name": "MNQZ6"}]


def script(venue: Venue, maturities: object = MATURITIES, contracts: object = CONTRACTS) -> None:
    venue.rest["product/find?name=MNQ"] = PRODUCT
    venue.rest["contractMaturity/deps?masterid=704"] = (200, orjson.dumps(maturities))
    venue.rest["contract/deps?masterid=61"] = (200, orjson.dumps(contracts))


def test_the_contract_of_the_front_maturity_is_named_and_learned(venue: Venue, client: Client) -> None:
    script(venue)
    assert client.connection.front_month("MNQ") == "MNQZ6"
    assert client.connection._book.id_of("MNQZ6") == 43


@pytest.mark.parametrize(("maturities", "contracts"), [([], CONTRACTS), (MATURITIES[:1], CONTRACTS), (MATURITIES, [])])
def test_nothing_named_is_none(venue: Venue, client: Client, maturities: object, contracts: object) -> None:
    script(venue, maturities, contracts)
    assert client.connection.front_month("MNQ") is None


def test_a_product_that_the_venue_does_not_have_is_none(venue: Venue, client: Client) -> None:
    assert client.connection.front_month("MNQ") is None


@pytest.mark.parametrize(
    ("answer", "error"), [((403, b""), Refused), ((500, b""), OutcomeUnknown), ((200, b"7"), OutcomeUnknown)]
)
def test_trouble_is_not_an_answer(venue: Venue, client: Client, answer: Answer, error: type[Exception]) -> None:
    venue.rest["product/find"] = answer
    with pytest.raises(error):
        client.connection.front_month("MNQ")


@pytest.mark.parametrize("root", ["MNQ", "ES", "M2K", "6E", "CL", "GC", "ZN"])
def test_the_sandbox_names_the_month_that_it_trades(sandbox: RunningSandbox, trader: Trader, root: str) -> None:
    front = trader.client.connection.front_month(root)
    assert front is not None
    before = sandbox.account_state(trader.id)["orders"]
    trader.sandbox.manual(trader.id, f"{root}1!", "Buy", 1)
    state = sandbox.account_state(trader.id)
    assert (state["orders"], [position["symbol"] for position in state["positions"]]) == (before + 1, [front])
