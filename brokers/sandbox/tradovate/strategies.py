"""Bracket strategies: start and interrupt (Tradovate wire facts, 5.8 and 5.9)."""

from __future__ import annotations

from brokers.sandbox.tradovate import brackets, execution, validation
from brokers.sandbox.tradovate.books import Login
from brokers.sandbox.tradovate.calls import Call, CommandRefusedError, Reply, access_denied
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.lifecycle import set_strategy_status
from brokers.sandbox.tradovate.orders import ExitGroup, Order, Strategy
from brokers.sandbox.tradovate.strategy_params import (
    INVALID,
    StrategyParams,
    StrategyRefusedError,
    parse_strategy_params,
)
from brokers.sandbox.tradovate.trading import record_entry, sender_of
from brokers.sandbox.tradovate.wire import Row

BRACKET_STRATEGY_TYPE = 2


def start_strategy(desk: Desk, call: Call, login: Login) -> Reply:
    try:
        strategy = _new_strategy(desk, call, login)
    except StrategyRefusedError as refused:
        return Reply(200, strategy_refusal(refused.text, refused.reason))
    except CommandRefusedError as refused:
        return Reply(200, strategy_refusal(refused.text, refused.reason))
    account, entry = strategy.account, strategy.entry
    account.strategies[strategy.id] = strategy
    account.rows["orderStrategy"][strategy.id] = strategy.row
    record_entry(desk, entry, "strategy", strategy.row.get("uuid"))

    def run() -> None:
        account.emit("orderStrategy", "Created", strategy.row)
        set_strategy_status(strategy, "ActiveStrategy")
        execution.submit(desk, entry)

    return Reply(200, {"orderStrategy": dict(strategy.row)}, run, account)


def interrupt_strategy(desk: Desk, call: Call, login: Login) -> Reply:
    """Stop the strategy and cancel its live orders; the position stays."""
    strategy_id = validation.integer(call.params, "orderStrategyId")
    strategy = next((a.strategies[strategy_id] for a in login.accounts if strategy_id in a.strategies), None)
    if strategy is None:
        raise access_denied()
    if not strategy.is_active:
        return Reply(200, strategy_refusal("Order strategy is not active", "TooLate"))
    sender = sender_of(call)

    def run() -> None:
        orders = [strategy.entry, *(leg for group in strategy.entry.brackets for leg in group.exits)]
        set_strategy_status(strategy, "StoppedByUser")
        for order in orders:
            if order.row and not order.is_done:
                brackets.cancel_order(desk, order, sender)

    return Reply(200, {"orderStrategy": dict(strategy.row)}, run, strategy.account)


def strategy_refusal(text: str, reason: str | None) -> Row:
    body: Row = {"errorText": text}
    if reason is not None:
        body["failureReason"] = reason
    return body


def _new_strategy(desk: Desk, call: Call, login: Login) -> Strategy:
    params = call.params
    action = validation.choice(params, "action", validation.ACTIONS)
    contract = validation.contract_of(desk, params)
    account = validation.account_of(login, params)
    uuid = validation.text(params, "uuid")
    if validation.integer(params, "orderStrategyTypeId") != BRACKET_STRATEGY_TYPE:
        raise StrategyRefusedError(INVALID)
    parsed = parse_strategy_params(desk, contract, action, params.get("params"))
    validation.check_session(desk, parsed.entry.order_type)
    sender = sender_of(call)
    row: Row = {
        "id": desk.ids.take(),
        "accountId": account.id,
        "timestamp": desk.stamp(),
        "contractId": contract.id,
        "orderStrategyTypeId": BRACKET_STRATEGY_TYPE,
        "action": action,
        "params": params["params"],
        "status": "InactiveStrategy",
        "senderId": login.user_id,
        "userSessionId": sender.session_id,
        "archived": False,
    }
    if uuid is not None:
        row["uuid"] = uuid
    entry = Order(desk.ids.take(), account, contract, action, parsed.entry, sender)
    strategy = Strategy(row["id"], account, row, entry)
    entry.strategy = strategy
    entry.brackets = _groups(entry, parsed)
    return strategy


def _groups(entry: Order, parsed: StrategyParams) -> list[ExitGroup]:
    return [ExitGroup(qty, entry, plan=plan, label=str(index)) for index, (qty, plan) in enumerate(parsed.brackets)]
