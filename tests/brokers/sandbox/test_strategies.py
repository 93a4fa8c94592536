from __future__ import annotations

import pytest

MARKET = {"orderQty": 1, "orderType": "Market"}
BRACKET = {"qty": 1, "profitTarget": 10, "stopLoss": -12.5, "trailingStop": False}


def statuses(client, strategy_id: int) -> list[str]:
    """Statuses as announced, repeats dropped."""
    told = [row["status"] for row in client.rows("orderStrategy") if row["id"] == strategy_id]
    return [status for index, status in enumerate(told) if index == 0 or status != told[index - 1]]


def leg_ids(client, strategy_id: int) -> dict[str, list[int]]:
    links = client.read("orderStrategyLink/deps", masterid=strategy_id)
    labels: dict[str, list[int]] = {}
    for link in links:
        labels.setdefault(link["label"], []).append(link["orderId"])
    return labels


def test_market_entry_is_protected_at_the_distance_from_its_fill(client, sandbox):
    sandbox.price("MNQ", 25_100.25)
    strategy_id = client.start("Buy", MARKET, [BRACKET])
    client.until("position", netPos=1)
    assert client.working() == [("Sell", "Limit", 25_110.25), ("Sell", "Stop", 25_087.75)]
    labels = leg_ids(client, strategy_id)
    assert (len(labels["256"]), len(labels["0"])) == (1, 2)
    orders = client.read("order/ldeps", masterids=client.account.id)
    assert all("ocoId" not in order and "parentId" not in order for order in orders)


def test_sell_strategy_mirrors_the_signs(client):
    client.start("Sell", MARKET, [{"qty": 1, "profitTarget": -30, "stopLoss": 15}])
    client.until("position", netPos=-1)
    assert client.working() == [("Buy", "Limit", 24_970.0), ("Buy", "Stop", 25_015.0)]


@pytest.mark.parametrize(("exit_price", "profit"), [(25_010.0, 20.0), (24_987.5, -25.0)])
def test_either_exit_cancels_the_other_and_finishes(client, sandbox, exit_price, profit):
    strategy_id = client.start("Buy", MARKET, [BRACKET])
    client.until("position", netPos=1)
    sandbox.price("MNQ", exit_price)
    client.until("orderStrategy", id=strategy_id, status="ExecutionFinished")
    assert (client.net_position(), client.working()) == (0, [])
    assert client.state()["realizedPnL"] == profit
    assert statuses(client, strategy_id) == ["InactiveStrategy", "ActiveStrategy", "ExecutionFinished"]


def test_several_brackets_exit_share_by_share(client, sandbox):
    brackets = [{"qty": 2, "profitTarget": 10, "stopLoss": -20}, {"qty": 1, "profitTarget": 30, "stopLoss": -20}]
    strategy_id = client.start("Buy", {"orderQty": 3, "orderType": "Market"}, brackets)
    client.until("position", netPos=3)
    assert sorted(leg_ids(client, strategy_id)) == ["0", "1", "256"]
    sandbox.price("MNQ", 25_010.0)
    assert client.net_position() == 1
    assert client.working() == [("Sell", "Limit", 25_030.0), ("Sell", "Stop", 24_980.0)]
    sandbox.price("MNQ", 24_980.0)
    assert (client.net_position(), client.working()) == (0, [])


def test_limit_entry_keeps_its_legs_suspended_until_filled(client, sandbox):
    strategy_id = client.start("Buy", {"orderQty": 1, "orderType": "Limit", "price": 24_990.0}, [BRACKET])
    client.until("orderStrategyLink", orderStrategyId=strategy_id, label="0")
    suspended = client.state()["suspendedOrders"]
    assert {order["ordStatus"] for order in suspended} == {"Suspended"}
    assert len(suspended) == 2
    sandbox.price("MNQ", 24_990.0)
    assert client.working() == [("Sell", "Limit", 25_000.0), ("Sell", "Stop", 24_977.5)]


def test_leg_modified_while_suspended_keeps_its_new_price(client, sandbox):
    strategy_id = client.start("Buy", {"orderQty": 1, "orderType": "Limit", "price": 24_990.0}, [BRACKET])
    client.until("orderStrategyLink", orderStrategyId=strategy_id, label="0")
    stop = next(order for order in client.state()["suspendedOrders"] if order["orderType"] == "Stop")
    change = {"orderId": stop["id"], "orderQty": 1, "orderType": "Stop", "stopPrice": 24_960.0}
    command_id = client.request("order/modifyorder", change)["d"]["commandId"]
    client.until("command", id=command_id, commandStatus="OnHold")
    created = [
        e["d"] for e in client.events if e["d"]["entity"]["id"] == command_id and e["d"]["eventType"] == "Created"
    ]
    assert [(c["entityType"], c["entity"].get("commandStatus")) for c in created] == [
        ("command", "Pending"),
        ("orderVersion", None),
        ("command", "OnHold"),
        ("orderVersion", None),
    ]
    client.until("executionReport", execType="Replaced", orderId=leg_ids(client, strategy_id)["256"][0])
    assert [row["commandId"] for row in client.rows("executionReport")].count(command_id) == 0
    sandbox.price("MNQ", 24_990.0)
    assert ("Sell", "Stop", 24_960.0) in client.working()


def test_cancelled_entry_interrupts_the_strategy(client):
    strategy_id = client.start("Buy", {"orderQty": 1, "orderType": "Limit", "price": 24_990.0}, [BRACKET])
    entry = leg_ids(client, strategy_id)["256"][0]
    client.request("order/cancelorder", {"orderId": entry})
    client.until("orderStrategy", id=strategy_id, status="ExecutionInterrupted")
    assert (client.working(), client.state()["suspendedOrders"]) == ([], [])


def test_interrupt_cancels_the_exits_and_leaves_the_position(client):
    strategy_id = client.start("Buy", MARKET, [BRACKET])
    client.until("position", netPos=1)
    reply = client.request("orderStrategy/interruptOrderStrategy", {"orderStrategyId": strategy_id})
    assert reply["d"]["orderStrategy"]["id"] == strategy_id
    client.until("orderStrategy", id=strategy_id, status="StoppedByUser")
    assert (client.net_position(), client.working()) == (1, [])
    again = client.request("orderStrategy/interruptOrderStrategy", {"orderStrategyId": strategy_id})
    assert again["d"]["errorText"]


def test_absolute_prices_and_trailing_legs(client, sandbox):
    bracket = {"qty": 1, "profitTarget": 25_200.0, "stopLoss": 24_900.0, "absPrice": True}
    client.start("Buy", MARKET, [bracket])
    client.until("position", netPos=1)
    assert client.working() == [("Sell", "Limit", 25_200.0), ("Sell", "Stop", 24_900.0)]
    client.start("Buy", MARKET, [{"qty": 1, "stopLoss": -10, "trailingStop": True}])
    client.until("position", netPos=2)
    sandbox.price("MNQ", 25_020.0)
    assert ("Sell", "TrailingStop", 25_010.0) in client.working()


def test_auto_trail_moves_the_stop_in_steps_past_its_trigger(client, sandbox):
    trail = {"stopLoss": 5, "trigger": 7.5, "freq": 1}
    client.start("Buy", MARKET, [{"qty": 1, "profitTarget": 100, "stopLoss": -10, "autoTrail": trail}])
    client.until("position", netPos=1)
    sandbox.price("MNQ", 25_007.25)
    assert ("Sell", "Stop", 24_990.0) in client.working()
    sandbox.price("MNQ", 25_008.0)
    assert ("Sell", "Stop", 25_003.0) in client.working()
    sandbox.price("MNQ", 25_008.5)
    assert ("Sell", "Stop", 25_003.0) in client.working()
    sandbox.price("MNQ", 25_003.0)
    assert client.net_position() == 0


@pytest.mark.parametrize(
    "bracket",
    [
        {"qty": 1, "profitTarget": -10, "stopLoss": -12.5},
        {"qty": 1, "profitTarget": 10, "stopLoss": 12.5},
        {"qty": 1, "profitTarget": 10.1, "stopLoss": -12.5},
        {"qty": 1, "profitTarget": 10, "stopLoss": -12.5, "breakeven": 5},
        {"qty": 0, "profitTarget": 10, "stopLoss": -12.5},
        "bracket",
    ],
)
def test_unusable_brackets_are_refused_and_nothing_happens(client, bracket):
    reply = client.request("orderstrategy/startorderstrategy", client.strategy("Buy", MARKET, [bracket]))
    assert reply["s"] == 200
    assert reply["d"]["errorText"]
    assert (client.state()["orders"], client.state()["entries"]) == (0, [])


def test_params_must_be_a_json_text(client):
    body = client.strategy("Buy", MARKET, [BRACKET]) | {"params": {"entryVersion": MARKET}}
    reply = client.request("orderstrategy/startorderstrategy", body)
    assert reply["d"]["errorText"] == "Invalid or missed parameters"
