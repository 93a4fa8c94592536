from __future__ import annotations

import pytest

from tests.brokers.sandbox.projectx.client import (
    BUY,
    CANCELED,
    FILLED,
    LIMIT,
    OPEN,
    REJECTED,
    SELL,
    STOP,
    SUSPENDED,
    TRAILING_STOP,
)

LONG_LEGS = {"stopLossBracket": {"ticks": -40, "type": STOP}, "takeProfitBracket": {"ticks": 80, "type": LIMIT}}
SHORT_LEGS = {"stopLossBracket": {"ticks": 40, "type": STOP}, "takeProfitBracket": {"ticks": -80, "type": LIMIT}}


def legs(client):
    """(status, type, size, price) of the bracket legs, stop first."""
    rows = [row for row in client.orders() if row["parentOrderId"] is not None]
    return [
        (row["status"], row["type"], row["size"], row["limitPrice"] if row["stopPrice"] is None else row["stopPrice"])
        for row in rows
    ]


def test_one_place_makes_three_orders_of_which_two_are_hidden(client):
    hub = client.user_hub()
    entry_id = client.placed(BUY, 2, LIMIT, limitPrice=24_990.0, customTag="e1", **LONG_LEGS)
    entry, stop, target = client.orders()
    assert [row["id"] for row in (entry, stop, target)] == [entry_id, entry_id + 1, entry_id + 2]
    assert entry["creationTimestamp"] == stop["creationTimestamp"] == target["creationTimestamp"]
    assert (stop["customTag"], target["customTag"]) == ("e1-SL", "e1-TP")
    assert stop["parentOrderId"] == target["parentOrderId"] == entry_id
    assert (stop["linkedOrderId"], target["linkedOrderId"]) == (None, stop["id"])
    assert (stop["side"], target["side"]) == (SELL, SELL)
    assert legs(client) == [(SUSPENDED, STOP, 2, None), (SUSPENDED, LIMIT, 2, None)]
    assert [row["id"] for row in client.open_orders()] == [entry_id]
    assert hub.until("GatewayUserOrder", id=stop["id"])["status"] == SUSPENDED
    assert len(client.state()["suspendedOrders"]) == 2


@pytest.mark.parametrize(
    ("side", "asked", "stop", "target"), [(BUY, LONG_LEGS, 24_980.0, 25_010.0), (SELL, SHORT_LEGS, 25_020.0, 24_990.0)]
)
def test_legs_are_priced_from_the_fill(client, sandbox, side, asked, stop, target):
    hub = client.user_hub()
    sandbox.price("MNQ", 24_990.0 if side == BUY else 25_010.0)
    entry_id = client.placed(side, 2, **asked)
    hub.until("GatewayUserOrder", id=entry_id + 2, status=OPEN)
    assert legs(client) == [(OPEN, STOP, 2, stop), (OPEN, LIMIT, 2, target)]
    states = [(row["id"] - entry_id, row["status"]) for row in hub.rows("GatewayUserOrder")]
    assert [status for order, status in states if order == 1] == [SUSPENDED, OPEN]
    assert states.index((0, FILLED)) < states.index((1, OPEN))


@pytest.mark.parametrize(("price", "filled"), [(24_990.0, STOP), (25_020.0, LIMIT)])
def test_the_fill_of_one_leg_cancels_the_other(client, sandbox, price, filled):
    hub = client.user_hub()
    client.placed(BUY, 1, **LONG_LEGS)
    sandbox.price("MNQ", price)
    hub.until("GatewayUserOrder", status=CANCELED)
    assert {(kind, status) for status, kind, _, _ in legs(client)} == {
        (filled, FILLED),
        (LIMIT if filled == STOP else STOP, CANCELED),
    }
    assert client.net() == 0


def test_a_sibling_may_survive(client, sandbox):
    sandbox.fault(client.account.id, "sibling_survives")
    client.placed(BUY, 1, **LONG_LEGS)
    sandbox.price("MNQ", 25_020.0)
    assert [status for status, *_ in legs(client)] == [OPEN, FILLED]
    sandbox.price("MNQ", 24_990.0)
    assert client.net() == -1


def test_legs_go_with_a_canceled_entry(client):
    entry_id = client.placed(BUY, 1, LIMIT, limitPrice=24_990.0, **LONG_LEGS)
    assert client.mine("Order/modify", orderId=entry_id + 1, size=2)["errorCode"] == 3
    assert client.mine("Order/cancel", orderId=entry_id)["success"]
    assert [row["status"] for row in client.orders()] == [CANCELED] * 3


def test_a_suspended_leg_can_be_canceled_alone(client, sandbox):
    entry_id = client.placed(BUY, 1, LIMIT, limitPrice=24_990.0, **LONG_LEGS)
    assert client.mine("Order/cancel", orderId=entry_id + 2)["success"]
    sandbox.price("MNQ", 24_990.0)
    assert [row["status"] for row in client.orders()] == [FILLED, OPEN, CANCELED]


def test_legs_go_with_an_entry_that_the_exchange_rejects(client, sandbox):
    hub = client.user_hub()
    sandbox.fault(client.account.id, "reject", mode="async")
    entry_id = client.placed(BUY, 1, customTag="x", **LONG_LEGS)
    hub.until("GatewayUserOrder", id=entry_id, status=REJECTED)
    assert [row["status"] for row in client.orders()] == [REJECTED, CANCELED, CANCELED]
    assert client.net() == 0


def test_a_rejected_stop_leaves_the_target(client, sandbox):
    sandbox.fault(client.account.id, "reject", leg="stop")
    client.placed(BUY, 1, **LONG_LEGS)
    assert [(status, kind) for status, kind, _, _ in legs(client)] == [(REJECTED, STOP), (OPEN, LIMIT)]


def test_a_single_leg_takes_the_next_id(client):
    entry_id = client.placed(BUY, 1, takeProfitBracket=LONG_LEGS["takeProfitBracket"])
    assert [row["id"] for row in client.orders()] == [entry_id, entry_id + 1]
    assert client.orders()[1]["linkedOrderId"] is None


def test_a_trailing_stop_leg_follows_the_market(client, sandbox):
    entry_id = client.placed(BUY, 1, stopLossBracket={"ticks": -40, "type": TRAILING_STOP})
    row = client.order(entry_id + 1)
    assert (row["type"], row["trailDistance"], row["trailPrice"], row["stopPrice"]) == (5, 40, 10.0, 24_990.0)
    sandbox.price("MNQ", 25_030.0)
    assert client.order(entry_id + 1)["stopPrice"] == 25_020.0
    sandbox.price("MNQ", 25_019.0)
    assert client.net() == 0


def test_brackets_need_the_account_to_be_set_to_auto_oco(client, sandbox):
    sandbox.switches(bracket_mode="position")
    refused = client.place(BUY, 1, **LONG_LEGS)
    assert refused["errorCode"] == 2
    assert refused["errorMessage"] == (
        "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets."
    )
    assert client.placed(BUY)
    assert client.net() == 1


def test_closing_the_position_leaves_both_legs_working(client, sandbox):
    hub = client.user_hub()
    client.placed(BUY, 2, **LONG_LEGS)
    assert client.mine("Position/closeContract", contractId=client.contract_id)["success"]
    hub.until("GatewayUserPosition", type=0, size=0)
    assert [status for status, *_ in legs(client)] == [OPEN, OPEN]
    sandbox.price("MNQ", 25_020.0)
    assert client.positions() == [(2, 2, 25_020.0)]


def test_an_opposite_market_order_leaves_both_legs_working_too(client):
    client.placed(BUY, 1, **LONG_LEGS)
    client.placed(SELL, 1)
    assert [status for status, *_ in legs(client)] == [OPEN, OPEN]


def test_legs_grow_with_a_partly_filled_entry(client, sandbox):
    hub = client.user_hub()
    sandbox.fault(client.account.id, "partial_fill", parts=[1, 2], interval=0.05)
    entry_id = client.placed(BUY, 4, **LONG_LEGS)
    hub.until("GatewayUserOrder", id=entry_id, status=OPEN, fillVolume=1)
    hub.until("GatewayUserOrder", id=entry_id + 1, status=OPEN, size=1)
    hub.until("GatewayUserOrder", id=entry_id, status=OPEN, fillVolume=3)
    hub.until("GatewayUserOrder", id=entry_id + 1, status=OPEN, size=3)
    assert client.mine("Order/cancel", orderId=entry_id)["success"]
    assert client.order(entry_id)["status"] == CANCELED
    assert [size for _, _, size, _ in legs(client)] == [3, 3]
    assert client.net() == 3


def test_legs_may_wait_for_the_whole_entry(client, sandbox):
    sandbox.switches(bracket_partial="wait")
    sandbox.fault(client.account.id, "partial_fill", parts=[1])
    entry_id = client.placed(BUY, 3, **LONG_LEGS)
    assert client.net() == 1
    assert [status for status, *_ in legs(client)] == [SUSPENDED, SUSPENDED]
    assert client.mine("Order/cancel", orderId=entry_id)["success"]
    assert [(status, size) for status, _, size, _ in legs(client)] == [(OPEN, 1), (OPEN, 1)]


def test_a_leg_that_fills_in_part_shrinks_the_other(client, sandbox):
    sandbox.fault(client.account.id, "partial_fill", leg="target", parts=[1])
    client.placed(BUY, 3, **LONG_LEGS)
    sandbox.price("MNQ", 25_020.0)
    assert client.net() == 2
    assert [(status, size) for status, _, size, _ in legs(client)] == [(OPEN, 2), (OPEN, 3)]
    sandbox.price("MNQ", 24_990.0)
    assert client.net() == 0
    assert [status for status, *_ in legs(client)] == [FILLED, CANCELED]
