"""Order of events as captured on the live venue."""

from __future__ import annotations

NEW_ORDER = [
    ("order", "Unknown"),
    ("command", "Pending"),
    ("orderVersion", None),
    ("commandReport", "RiskPassed"),
    ("command", "RiskPassed"),
    ("order", "PendingNew"),
    ("order", "PendingNew"),
    ("marginSnapshot", None),
    ("commandReport", "AtExecution"),
    ("command", "AtExecution"),
    ("order", "Working"),
    ("executionReport", "New"),
]


def told(client) -> list[tuple[str, str | None]]:
    """(entity type, its status) of every event so far."""
    steps = []
    for event in client.events:
        entity = event["d"]["entity"]
        status = entity.get("commandStatus", entity.get("execType", entity.get("ordStatus")))
        steps.append((event["d"]["entityType"], status))
    return steps


def resting(client) -> int:
    order_id = client.request("order/placeorder", client.order("Buy", order_type="Limit", price=24_990.0))["d"][
        "orderId"
    ]
    client.until("executionReport", orderId=order_id, execType="New")
    return order_id


def test_new_order(client):
    order_id = resting(client)
    assert told(client) == NEW_ORDER
    reports = [row for row in client.rows("commandReport") if row["commandStatus"] == "AtExecution"]
    assert reports[0]["id"] == client.rows("executionReport")[0]["id"]
    assert client.rows("command")[0]["id"] == client.rows("orderVersion")[0]["id"] == order_id


def test_modify(client):
    order_id = resting(client)
    client.events.clear()
    body = {"orderId": order_id, "orderQty": 1, "orderType": "Limit", "price": 24_980.0}
    number = client.request("order/modifyorder", body)["d"]["commandId"]
    client.until("executionReport", execType="Replaced")
    assert told(client) == [
        ("command", "Pending"),
        ("orderVersion", None),
        ("commandReport", "RiskPassed"),
        ("command", "RiskPassed"),
        ("commandReport", "AtExecution"),
        ("command", "AtExecution"),
        ("commandReport", "ExecutionStopped"),
        ("command", "ExecutionStopped"),
        ("executionReport", "Replaced"),
    ]
    assert client.rows("orderVersion")[0]["id"] == number
    assert client.rows("command")[-1]["id"] == order_id


def test_cancel(client):
    order_id = resting(client)
    client.events.clear()
    client.request("order/cancelorder", {"orderId": order_id})
    client.until("order", id=order_id, ordStatus="Canceled")
    assert told(client)[:7] == [
        ("command", "Pending"),
        ("commandReport", "AtExecution"),
        ("command", "AtExecution"),
        ("commandReport", "ExecutionStopped"),
        ("command", "ExecutionStopped"),
        ("executionReport", "Canceled"),
        ("order", "Canceled"),
    ]


def test_strategy_leg_of_a_limit_entry(client):
    entry = {"orderQty": 1, "orderType": "Limit", "price": 24_990.0}
    client.start("Buy", entry, [{"qty": 1, "stopLoss": -10}])
    client.until("orderStrategyLink", label="0")
    assert told(client)[:2] == [("orderStrategy", None), ("orderStrategy", None)]
    client.wait(lambda: told(client)[-2:] == [("orderStrategyLink", None), ("orderStrategy", None)], "last repeat")
    assert told(client)[-8:-1] == [
        ("order", "Unknown"),
        ("command", "Pending"),
        ("orderVersion", None),
        ("commandReport", "OnHold"),
        ("command", "OnHold"),
        ("order", "Suspended"),
        ("orderStrategyLink", None),
    ]
    held = client.rows("command")[-1]
    assert held["isAutomated"] is True
    assert held["activationTime"].endswith("T00:00Z")
    assert {link["id"] for link in client.rows("orderStrategyLink")} == {row["id"] for row in client.rows("order")}


def test_own_reply_precedes_its_events_over_the_socket(client):
    number = client.send("order/placeorder", client.order("Buy"))
    client.receive()
    assert (list(client.replies), client.events) == ([number], [])


def test_events_of_a_fill_come_in_varying_order_but_completely(client):
    kinds = {"fill", "executionReport", "order", "position", "cashBalance"}

    def after_working() -> tuple[str, ...]:
        steps = told(client)
        start = steps.index(("executionReport", "New")) + 1 if ("executionReport", "New") in steps else len(steps)
        return tuple(kind for kind, _ in steps[start:] if kind in kinds)

    orders = set()
    for action in ("Buy", "Sell") * 6:
        client.events.clear()
        client.request("order/placeorder", client.order(action))
        client.wait(lambda: set(after_working()) == kinds, "all events of the fill")
        orders.add(after_working())
    assert len(orders) > 1
