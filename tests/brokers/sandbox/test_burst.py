from __future__ import annotations

import time

from tests.brokers.sandbox.client import VenueClient


def test_a_burst_is_stamped_as_it_arrives_and_answered_by_all(sandbox):
    clients = [VenueClient(sandbox, account).connect() for account in sandbox.add_accounts(40)]
    sandbox.switches(delay_ms=1000)
    entry, bracket = {"orderQty": 1, "orderType": "Market"}, {"qty": 1, "profitTarget": 10, "stopLoss": -10}
    since = time.time()
    for client in clients:
        client.send("orderstrategy/startorderstrategy", client.strategy("Buy", entry, [bracket]))
    sent = time.time()
    for client in clients:
        client.until("position", netPos=1)
    arrivals = [a for a in sandbox.arrivals(since) if a["endpoint"] == "orderstrategy/startorderstrategy"]
    assert {a["account"] for a in arrivals} == {client.account.id for client in clients}
    assert max(a["time"] for a in arrivals) < sent + 1.0
    states = {state["id"]: state for state in sandbox.state()}
    for client in clients:
        state = states[client.account.id]
        assert [position["netPos"] for position in state["positions"]] == [1]
        assert sorted(order["orderType"] for order in state["workingOrders"]) == ["Limit", "Stop"]
        assert len(state["entries"]) == 1
        client.close()


def test_order_of_requests_on_one_socket_is_kept(client):
    numbers = [client.send("order/placeorder", client.order("Buy", clOrdId=f"n{n}")) for n in range(50)]
    client.wait(lambda: len(client.replies) == len(numbers), "all replies")
    assert list(client.replies) == numbers
    assert [entry["clOrdId"] for entry in client.state()["entries"]] == [f"n{n}" for n in range(50)]
    assert client.net_position() == 50
