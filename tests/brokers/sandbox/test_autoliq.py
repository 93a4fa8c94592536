"""The venue's own loss limits at work, with nobody else watching."""

from __future__ import annotations

import pytest

from brokers.sandbox.testing import RunningSandbox
from tests.brokers.sandbox.client import VenueClient


def limit(client: VenueClient, **amounts: float) -> None:
    client.rest("userAccountAutoLiq/update", {"id": client.account.id, **amounts}).raise_for_status()


def hold(client: VenueClient, qty: int) -> None:
    client.rest("order/placeorder", client.order("Buy" if qty > 0 else "Sell", abs(qty))).raise_for_status()
    client.until("position", netPos=qty)


def enter(client: VenueClient, action: str, qty: int) -> str:
    """The status of a market order, and the venue's reason."""
    order_id = client.rest("order/placeorder", client.order(action, qty)).json()["orderId"]
    order = client.until("order", id=order_id)
    while order["ordStatus"] not in {"Filled", "Rejected"}:
        client.events = [event for event in client.events if event["d"].get("entity") is not order]
        order = client.until("order", id=order_id)
    return str(order["ordStatus"])


@pytest.mark.parametrize(
    ("amounts", "qty", "just_before", "price"),
    [
        ({"dailyLossAutoLiq": 100.0}, 1, 24_950.25, 24_950.0),
        ({"dailyLossAutoLiq": 100.0}, -2, 25_024.75, 25_025.0),
        ({"dailyProfitAutoLiq": 100.0}, 1, 25_049.75, 25_050.0),
    ],
)
def test_what_reaches_its_limit_is_closed_and_opens_nothing_more_today(
    client: VenueClient,
    sandbox: RunningSandbox,
    amounts: dict[str, float],
    qty: int,
    just_before: float,
    price: float,
) -> None:
    limit(client, **amounts)
    hold(client, qty)
    client.rest("order/placeorder", client.order("Sell", 1, "Limit", price=25_400.0)).raise_for_status()
    sandbox.price("MNQ", just_before)
    assert client.net_position() == qty
    sandbox.price("MNQ", price)
    client.until("position", netPos=0)
    status = client.until("accountRiskStatus")
    assert "liquidateOnly" in status
    assert client.working() == []
    assert enter(client, "Buy", 1) == "Rejected"
    sandbox.post("/session-roll")
    assert enter(client, "Buy", 1) == "Filled"


def test_liquidation_only_lets_what_is_held_go_and_nothing_in(client: VenueClient, sandbox: RunningSandbox) -> None:
    limit(client, dailyLossLiqOnly=100.0)
    hold(client, 2)
    sandbox.price("MNQ", 24_975.0)
    client.until("accountRiskStatus")
    assert client.net_position() == 2
    assert enter(client, "Buy", 1) == "Rejected"
    assert enter(client, "Sell", 2) == "Filled"


def test_a_limit_that_was_taken_away_closes_nothing(client: VenueClient, sandbox: RunningSandbox) -> None:
    limit(client, dailyLossAutoLiq=100.0)
    limit(client)
    hold(client, 1)
    sandbox.price("MNQ", 24_000.0)
    assert client.net_position() == 1
