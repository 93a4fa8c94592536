"""The end of a trading session: Day orders expire, finished rows vanish, open positions carry over.

Session-scoped history is how the live venue behaves; what carries over follows the schema (prevPos, prevPrice) and the
time in force. The exact event order is ours.
"""

from __future__ import annotations

from brokers.sandbox.tradovate import autoliq, brackets, lifecycle
from brokers.sandbox.tradovate.books import Account, connected_orders
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.orders import TERMINAL
from brokers.sandbox.tradovate.positions import Position
from brokers.sandbox.tradovate.wire import money

_PER_ORDER = ("orderVersion", "command", "fill", "executionReport")


def roll_session(desk: Desk, account: Account) -> None:
    """Close the session of one account and open the next."""
    desk.run(account)
    for order in list(account.orders.values()):
        if order.terms.tif == "Day" and not order.is_done and order.status != "Suspended":
            lifecycle.expire(desk, order)
            brackets.after_end(desk, order, order.sender)
    _forget_finished(account)
    for contract_id, position in list(account.positions.items()):
        if position.net == 0:
            del account.positions[contract_id]
            del account.rows["position"][position.row["id"]]
        else:
            _carry_over(desk, account, position)
    _restart_cash(desk, account)
    autoliq.unlock(desk, account)
    desk.run(account)


def _forget_finished(account: Account) -> None:
    rows = account.rows
    connected, _ = connected_orders(account)
    done = {key for key, row in rows["order"].items() if row["ordStatus"] in TERMINAL and key not in connected}
    account.retired["order"] += len(done)
    account.retired["fill"] += sum(row["orderId"] in done for row in rows["fill"].values())
    for order_id in done:
        del rows["order"][order_id]
    for table in _PER_ORDER:
        rows[table] = {key: row for key, row in rows[table].items() if row["orderId"] not in done}
    rows["commandReport"] = {k: row for k, row in rows["commandReport"].items() if row["commandId"] in rows["command"]}
    rows["fillFee"] = {key: row for key, row in rows["fillFee"].items() if key in rows["fill"]}
    rows["fillPair"].clear()
    active = {strategy.id: strategy for strategy in account.strategies.values() if strategy.is_active}
    account.strategies = active
    rows["orderStrategy"] = {key: row for key, row in rows["orderStrategy"].items() if key in active}
    links = rows["orderStrategyLink"]
    rows["orderStrategyLink"] = {key: row for key, row in links.items() if row["orderStrategyId"] in active}


def _carry_over(desk: Desk, account: Account, position: Position) -> None:
    average = position.average
    position.bought = position.sold = 0
    position.bought_value = position.sold_value = position.bought_value * 0
    position.row = {**position.row, "prevPos": position.net}
    if average is not None:
        position.row["prevPrice"] = money(average)
    position.refresh_row(desk.stamp(), desk.trade_date())
    account.rows["position"][position.row["id"]] = position.row
    account.updated("position", position.row)


def _restart_cash(desk: Desk, account: Account) -> None:
    cash = account.cash
    cash.start_of_day, cash.realized = cash.amount, cash.realized * 0
    account.updated("cashBalance", account.cash_row(desk.stamp()) | {"tradeDate": desk.trade_date()})
    row_id = desk.ids.take()
    account.rows["cashBalanceLog"] = {
        row_id: {
            "id": row_id,
            "accountId": account.id,
            "timestamp": desk.stamp(),
            "tradeDate": desk.trade_date(),
            "currencyId": 1,
            "amount": money(cash.amount),
            "realizedPnL": 0.0,
            "weekRealizedPnL": money(cash.week_realized),
            "cashChangeType": "NewSession",
            "delta": 0.0,
        }
    }
