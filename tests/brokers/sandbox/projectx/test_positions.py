"""Positions, half-turn trades, fees and balance."""

from __future__ import annotations

import pytest

from tests.brokers.sandbox.projectx.client import BUY, SELL, poll


def test_a_round_turn_is_two_trades_of_which_the_second_has_a_profit(client, sandbox):
    hub = client.user_hub()
    before = client.balance()
    client.placed(BUY, 2)
    poll(lambda: client.net() == 2)
    sandbox.price("MNQ", 25_010.0)
    order_id = client.placed(SELL, 2)
    closing, opening = client.trades()
    assert (opening["profitAndLoss"], opening["fees"], opening["side"], opening["size"]) == (None, 0.74, BUY, 2)
    assert (closing["profitAndLoss"], closing["fees"], closing["side"]) == (40.0, 0.74, SELL)
    assert (closing["orderId"], closing["price"], closing["voided"]) == (order_id, 25_010.0, False)
    assert client.balance() == pytest.approx(before + 40.0 - 2 * 0.74)
    hub.until("GatewayUserAccount", balance=client.balance())
    assert [row.get("profitAndLoss") for row in hub.rows("GatewayUserTrade")] == [None, 40.0]
    assert {arguments[0]["action"] for name, arguments in hub.events if name == "GatewayUserTrade"} == {0}


def test_balance_knows_nothing_of_open_profit(client, sandbox):
    client.placed(BUY)
    before = client.balance()
    sandbox.price("MNQ", 24_000.0)
    assert client.balance() == before
    assert client.state()["openPnL"] == -2000.0


def test_full_size_contracts_cost_more_and_commissions_may_be_told_apart(client, sandbox):
    sandbox.switches(commissions=True)
    sandbox.price("ES", 6900.0)
    before = client.balance()
    client.placed(SELL, 1, contractId=client.contract("ES")["id"])
    [trade] = client.trades()
    assert (trade["fees"], trade["commissions"]) == (1.4, 0.5)
    assert client.balance() == pytest.approx(before - 1.9)


def test_the_average_is_weighted_and_unchanged_by_what_closes(client, sandbox):
    client.placed(BUY, 1)
    sandbox.price("MNQ", 25_003.0)
    client.placed(BUY, 2)
    assert client.positions() == [(1, 3, 25_002.0)]
    sandbox.price("MNQ", 25_050.0)
    assert client.mine("Position/partialCloseContract", contractId=client.contract_id, size=2)["success"]
    assert client.positions() == [(1, 1, 25_002.0)]


def test_a_reversal_closes_with_one_trade_and_opens_with_another(client, sandbox):
    hub = client.user_hub()
    client.placed(BUY, 1)
    sandbox.price("MNQ", 24_990.0)
    order_id = client.placed(SELL, 3)
    assert client.positions() == [(2, 2, 24_990.0)]
    opening, closing, _ = client.trades()
    assert opening["orderId"] == closing["orderId"] == order_id
    assert [(t["size"], t["profitAndLoss"]) for t in (closing, opening)] == [(1, -20.0), (2, None)]
    hub.until("GatewayUserPosition", type=2, size=2)


def test_a_closed_position_is_told_as_final_and_the_next_has_a_new_id(client):
    hub = client.user_hub()
    client.placed(BUY)
    first = hub.until("GatewayUserPosition", type=1, size=1)
    client.mine("Position/closeContract", contractId=client.contract_id)
    hub.until("GatewayUserPosition", id=first["id"], type=0, size=0)
    positions = [arguments[0] for name, arguments in hub.events if name == "GatewayUserPosition"]
    assert [event["action"] for event in positions] == [1, 2]
    assert client.positions() == []
    client.placed(SELL)
    assert client.mine("Position/searchOpen")["positions"][0]["id"] != first["id"]


def test_closing_refuses_what_is_not_there(client):
    for path, extra in (("closeContract", {}), ("partialCloseContract", {"size": 1})):
        assert client.mine(f"Position/{path}", contractId=client.contract_id, **extra)["errorCode"] == 2
        assert client.mine(f"Position/{path}", contractId="CON.F.US.XXX.Z26", **extra)["errorCode"] == 3
        assert client.mine(f"Position/{path}", contractId=client.contract_id[:-3] + "M26", **extra)["errorCode"] == 4
    client.placed(BUY, 2)
    for size in (0, 3, -1):
        refused = client.mine("Position/partialCloseContract", contractId=client.contract_id, size=size)
        assert refused["errorCode"] == 5
    assert client.net() == 2


def test_a_manual_trade_has_no_tag(client, sandbox):
    hub = client.user_hub()
    sandbox.manual(client.account.id, "MNQ", "Sell", 2)
    hub.until("GatewayUserPosition", type=2, size=2)
    assert [row["customTag"] for row in client.orders()] == [None]
    assert client.state()["entries"] == []


def test_events_of_a_fill_come_in_any_order(client):
    hub = client.user_hub()
    orders = set()
    for _ in range(12):
        hub.events.clear()
        client.placed(BUY)
        hub.wait(lambda: len(hub.events) == 5, "five events")
        orders.add(tuple(name for name, _ in hub.events if name != "GatewayUserOrder"))
    assert len(orders) > 1


def test_reset_tells_the_hub_and_empties_the_books(client, sandbox):
    hub = client.user_hub()
    client.placed(BUY, 1, customTag="again")
    hub.until("GatewayUserPosition", size=1)
    sandbox.reset()
    sandbox.price("MNQ", 25_000.0)
    hub.until("GatewayUserPosition", size=0)
    hub.until("GatewayUserAccount", balance=150_000.0)
    assert (client.orders(), client.trades(), client.positions()) == ([], [], [])
    assert client.placed(BUY, 1, customTag="again")
