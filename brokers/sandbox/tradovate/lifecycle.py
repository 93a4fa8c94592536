"""Event sequences of a single order: new, hold, work, modify, cancel, reject (Tradovate wire facts, event sequences).

Nothing here cascades to other orders; that is ``brackets``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.margins import refresh_margin
from brokers.sandbox.tradovate.orders import Order, Sender, Strategy, Terms
from brokers.sandbox.tradovate.wire import Row, money

EXECUTION_PROVIDER_ID = 1
HELD_FOR = timedelta(days=3652)
ENTRY_LABEL = "256"


def announce(desk: Desk, order: Order) -> None:
    """order Created(Unknown), command Created(New, Pending), orderVersion Created; all three share the order's id."""
    account, now = order.account, desk.stamp()
    order.row = {
        "id": order.id,
        "accountId": account.id,
        "contractId": order.contract.id,
        "timestamp": now,
        "action": order.action,
        "ordStatus": "Unknown",
        "archived": False,
        "external": False,
        "admin": order.admin,
    }
    if order.parent_id is not None:
        order.row["parentId"] = order.parent_id
    if order.oco_id is not None:
        order.row["ocoId"] = order.oco_id
    order.command = _command(order.id, order.id, "New", order.sender, now)
    order.version = order.terms.row(order.id, order.id)
    account.orders[order.id] = order
    account.create("order", order.row)
    account.create("command", order.command)
    account.create("orderVersion", order.version)
    account.end_frame()


def pass_risk(desk: Desk, order: Order) -> None:
    account = order.account
    report(desk, order, order.command, "RiskPassed")
    order.row["ordStatus"] = "PendingNew"
    account.updated("order", order.row)
    if order.strategy is not None and order.role == "entry":
        link(order.strategy, order, ENTRY_LABEL)
        repeat_strategy(order.strategy)
    order.row["executionProviderId"] = EXECUTION_PROVIDER_ID
    account.updated("order", order.row)
    refresh_margin(desk, account)
    account.end_frame()


def work(desk: Desk, order: Order) -> None:
    """The order reaches the exchange: AtExecution, Working, executionReport New under the commandReport's id."""
    account = order.account
    report_id = report(desk, order, order.command, "AtExecution")
    order.row["executionProviderId"] = EXECUTION_PROVIDER_ID
    order.row["ordStatus"] = "Working"
    account.updated("order", order.row)
    account.create("executionReport", execution_report(desk, order, "New", report_id))
    account.end_frame()
    desk.working[order.contract.id][order.id] = order
    desk.fresh.append(order)


def hold(desk: Desk, order: Order) -> None:
    """A bracket leg that waits for its entry: command OnHold, order Suspended."""
    report(desk, order, order.command, "OnHold")
    order.row["ordStatus"] = "Suspended"
    order.account.updated("order", order.row)
    if order.strategy is not None and order.group is not None:
        link(order.strategy, order, order.group.label)
    order.account.end_frame()


def risk_reject(desk: Desk, order: Order, reason: str, text: str) -> None:
    """order Rejected, command RiskRejected, commandReport with reason and text; no executionReport."""
    _finish(desk, order, "Rejected")
    report(desk, order, order.command, "RiskRejected", (reason, text))
    order.account.end_frame()


def exchange_reject(desk: Desk, order: Order, reason: str, text: str) -> None:
    """command ExecutionRejected and executionReport Rejected."""
    report_id = report(desk, order, order.command, "ExecutionRejected", (reason, text))
    _finish(desk, order, "Rejected")
    row = execution_report(desk, order, "Rejected", report_id)
    order.account.create("executionReport", row | {"rejectReason": reason, "text": text})
    order.account.end_frame()


def modify(desk: Desk, order: Order, terms: Terms, sender: Sender, command_id: int) -> None:
    """Replace the terms of a working order; the order entity itself gets no update."""
    finish_modify(desk, order, terms, begin_modify(desk, order, terms, sender, command_id))


def begin_modify(desk: Desk, order: Order, terms: Terms, sender: Sender, command_id: int) -> Row:
    """First half, up to RiskPassed; the command."""
    command = _announce_modify(desk, order, terms, sender, command_id)
    report(desk, order, command, "RiskPassed")
    return command


def refuse_modify(
    desk: Desk, order: Order, terms: Terms, sender: Sender, command_id: int, why: tuple[str, str]
) -> None:
    """Announced like any other, then RiskRejected: the order goes on under its old terms. Not captured anywhere."""
    command = _announce_modify(desk, order, terms, sender, command_id)
    report(desk, order, command, "RiskRejected", why)
    order.account.end_frame()


def _announce_modify(desk: Desk, order: Order, terms: Terms, sender: Sender, command_id: int) -> Row:
    account = order.account
    command = _command(command_id, order.id, "Modify", sender, desk.stamp())
    account.create("command", command)
    account.create("orderVersion", terms.row(command_id, order.id))
    account.end_frame()
    return command


def finish_modify(desk: Desk, order: Order, terms: Terms, command: Row) -> None:
    """Second half: AtExecution, end of the previous command, executionReport Replaced."""
    account = order.account
    report_id = report(desk, order, command, "AtExecution")
    report(desk, order, order.command, "ExecutionStopped")
    order.terms, order.version, order.command = terms, account.rows["orderVersion"][command["id"]], command
    order.rested = order.triggered = False
    account.create("executionReport", execution_report(desk, order, "Replaced", report_id))
    account.end_frame()
    desk.fresh.append(order)


def modify_held(desk: Desk, order: Order, terms: Terms, sender: Sender, command_id: int) -> None:
    """Replace the terms of a suspended leg: announced twice, ends OnHold, no executionReport."""
    account = order.account
    sender = replace(held_sender(sender), is_automated=sender.is_automated)
    command = _command(command_id, order.id, "Modify", sender, desk.stamp())
    version = terms.row(command_id, order.id)
    for status in ("Pending", "OnHold"):
        command["commandStatus"] = status
        account.create("command", command)
        account.create("orderVersion", version)
    report(desk, order, command, "OnHold")
    account.end_frame()
    order.terms, order.version, order.command = terms, version, command


def cancel(desk: Desk, order: Order, sender: Sender, command_id: int) -> None:
    """command Created(Cancel), its AtExecution, the previous command's ExecutionStopped, executionReport, Canceled."""
    account = order.account
    was_suspended = order.status == "Suspended"
    command = _command(command_id, order.id, "Cancel", sender, desk.stamp())
    account.create("command", command)
    account.end_frame()
    report_id = report(desk, order, command, "AtExecution")
    for stopped in _commands_in_force(order):
        report(desk, order, stopped, "ExecutionStopped")
    order.command = command
    if not was_suspended:
        account.create("executionReport", execution_report(desk, order, "Canceled", report_id, "Canceled"))
    _finish(desk, order, "Canceled")
    account.end_frame()


def expire(desk: Desk, order: Order) -> None:
    """A Day order at the end of its session."""
    order.account.create("executionReport", execution_report(desk, order, "Expired", desk.ids.take(), "Expired"))
    _finish(desk, order, "Expired")
    order.account.end_frame()


def mark_filled(desk: Desk, order: Order) -> None:
    desk.working[order.contract.id].pop(order.id, None)
    order.account.orders.pop(order.id, None)
    order.row["ordStatus"] = "Filled"


def link(strategy: Strategy, order: Order, label: str) -> None:
    """orderStrategyLink Created; it shares the order's id."""
    row = {"id": order.id, "orderStrategyId": strategy.id, "orderId": order.id, "label": label}
    order.account.create("orderStrategyLink", row)


def repeat_strategy(strategy: Strategy) -> None:
    """The venue announces a running strategy again, unchanged, after each of its stages."""
    strategy.account.updated("orderStrategy", strategy.row)


def set_strategy_status(strategy: Strategy, status: str, failure: str | None = None) -> None:
    strategy.row["status"] = status
    if failure is not None:
        strategy.row["failureMessage"] = failure
    strategy.account.updated("orderStrategy", strategy.row)
    strategy.account.end_frame()


def report(desk: Desk, order: Order, command: Row, status: str, refusal: tuple[str, str] | None = None) -> int:
    """commandReport Created and the command's own update; returns the report's id."""
    row: Row = {
        "id": desk.ids.take(),
        "commandId": command["id"],
        "timestamp": desk.stamp(),
        "commandStatus": status,
    }
    if refusal is not None:
        status_then = "Rejected" if command["commandType"] == "New" else order.status
        row |= {"rejectReason": refusal[0], "text": refusal[1], "ordStatus": status_then}
    order.account.create("commandReport", row)
    command["commandStatus"] = status
    order.account.updated("command", command)
    return int(row["id"])


def execution_report(desk: Desk, order: Order, exec_type: str, report_id: int, status: str | None = None) -> Row:
    row: Row = {
        "id": report_id,
        "commandId": order.command["id"],
        "name": repr(desk.random.random()),
        "accountId": order.account.id,
        "contractId": order.contract.id,
        "timestamp": desk.stamp(),
        "orderId": order.id,
        "execType": exec_type,
        "ordStatus": status if status is not None else order.status,
        "action": order.action,
        "externalClOrdId": repr(desk.random.random()),
    }
    if order.filled > 0 and order.average is not None:
        row |= {"cumQty": order.filled, "avgPx": money(order.average)}
    return row


def _finish(desk: Desk, order: Order, status: str) -> None:
    desk.working[order.contract.id].pop(order.id, None)
    order.account.orders.pop(order.id, None)
    order.row["ordStatus"] = status
    order.account.updated("order", order.row)


def _commands_in_force(order: Order) -> list[Row]:
    """The latest command, and for a suspended leg every earlier one that is still on hold."""
    if order.status != "Suspended":
        return [order.command]
    commands = order.account.rows["command"].values()
    return [row for row in commands if row["orderId"] == order.id and row["commandStatus"] == "OnHold"]


def _command(command_id: int, order_id: int, command_type: str, sender: Sender, now: str) -> Row:
    row: Row = {
        "id": command_id,
        "orderId": order_id,
        "timestamp": now,
        "commandType": command_type,
        "commandStatus": "Pending",
        "senderId": sender.user_id,
        "userSessionId": sender.session_id,
    }
    if sender.is_automated or command_type == "New":
        row["isAutomated"] = sender.is_automated
    if sender.cl_ord_id is not None:
        row["clOrdId"] = sender.cl_ord_id
    if sender.activation_time is not None:
        row["activationTime"] = sender.activation_time
    return row


def held_sender(sender: Sender) -> Sender:
    """Sender of a bracket leg: automated, to be activated ten years ahead unless its entry fills before."""
    activation = f"{(datetime.now(UTC) + HELD_FOR).date().isoformat()}T00:00Z"
    return replace(sender, is_automated=True, activation_time=activation)
