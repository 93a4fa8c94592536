"""Booking of one execution: fill, executionReport, order, position, pairs, cash, fees."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from brokers.sandbox.market.catalog import Product
from brokers.sandbox.tradovate.books import Account
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.lifecycle import execution_report, mark_filled
from brokers.sandbox.tradovate.margins import refresh_margin
from brokers.sandbox.tradovate.orders import Order
from brokers.sandbox.tradovate.positions import Pair, Position
from brokers.sandbox.tradovate.wire import Row, money

Announcement = tuple[str, str, Row]
POSITION_CHUNK = 3
_MICRO_FEES = {"clearingFee": "0.10", "exchangeFee": "0.35", "nfaFee": "0.02", "commission": "0.39"}
_FULL_FEES = {"clearingFee": "0.19", "exchangeFee": "1.38", "nfaFee": "0.02", "commission": "1.29"}
_FEE_CHANGE_TYPES = {
    "clearingFee": "ClearingFee",
    "exchangeFee": "ExchangeFee",
    "nfaFee": "NfaFee",
    "commission": "Commission",
}


def book_fill(desk: Desk, order: Order, qty: int, price: Decimal) -> None:
    """Apply one execution and announce it. The venue's order among these events is not known, so it is shuffled."""
    account = order.account
    late = desk.faults.take("late_average", account)
    order.filled += qty
    order.value += price * qty
    if order.remaining <= 0:
        mark_filled(desk, order)
    fill = _fill_row(desk, order, qty, price)
    report = execution_report(desk, order, "Trade", desk.ids.take())
    report |= {"tradeDate": fill["tradeDate"], "lastQty": qty, "lastPx": money(price)}
    position, pairs = _book_position(desk, order, fill["id"], qty, price)
    profit = sum((pair.profit(order.contract.product.point_value) for pair in pairs), Decimal(0))
    fees = _fees(desk, order.contract.product, qty)
    _book_cash(desk, account, profit, fees)
    chunks: list[list[Announcement]] = [
        [("fill", "Created", fill), ("fillFee", "Created", _fee_row(fill["id"], fees))],
        [("executionReport", "Created", report)],
        [("order", "Updated", order.row)] if order.is_done else [],
        _position_chunk(desk, account, position, pairs),
        [("cashBalance", "Updated", account.cash_row(desk.stamp()))],
    ]
    if late is not None:
        _hold_back(desk, account, chunks, float(late.params["seconds"]))
    _announce(desk, account, chunks)
    refresh_margin(desk, account)
    account.end_frame()


def _announce(desk: Desk, account: Account, chunks: list[list[Announcement]]) -> None:
    if desk.switches.shuffle_events:
        desk.random.shuffle(chunks)
    for chunk in chunks:
        for entity_type, event_type, row in chunk:
            account.rows[entity_type][row["id"]] = row
            account.emit(entity_type, event_type, row)


def _fill_row(desk: Desk, order: Order, qty: int, price: Decimal) -> Row:
    return {
        "id": desk.ids.take(),
        "orderId": order.id,
        "contractId": order.contract.id,
        "timestamp": desk.stamp(),
        "tradeDate": desk.trade_date(),
        "action": order.action,
        "qty": qty,
        "price": money(price),
        "active": True,
        "finallyPaired": 0,
        "external": False,
    }


def _book_position(desk: Desk, order: Order, fill_id: int, qty: int, price: Decimal) -> tuple[Position, list[Pair]]:
    account, contract = order.account, order.contract
    position = account.positions.get(contract.id)
    if position is None:
        row = {"id": desk.ids.take(), "accountId": account.id, "contractId": contract.id, "prevPos": 0}
        position = account.positions[contract.id] = Position(contract, row)
    return position, position.apply(fill_id, order.sign, qty, price)


def _position_chunk(desk: Desk, account: Account, position: Position, pairs: list[Pair]) -> list[Announcement]:
    known = position.row["id"] in account.rows["position"]
    position.refresh_row(desk.stamp(), desk.trade_date())
    chunk: list[Announcement] = [("position", "Updated" if known else "Created", position.row)]
    for pair in pairs:
        row: Row = {
            "id": desk.ids.take(),
            "positionId": position.row["id"],
            "buyFillId": pair.buy_fill,
            "sellFillId": pair.sell_fill,
            "qty": pair.qty,
            "buyPrice": money(pair.buy_price),
            "sellPrice": money(pair.sell_price),
            "active": True,
        }
        chunk.append(("fillPair", "Created", row))
    return chunk


def _fees(desk: Desk, product: Product, qty: int) -> dict[str, Decimal]:
    if not desk.switches.fees:
        return {}
    rates = _MICRO_FEES if product.is_micro else _FULL_FEES
    return {name: Decimal(rate) * qty for name, rate in rates.items()}


def _fee_row(fill_id: int, fees: dict[str, Decimal]) -> Row:
    return {"id": fill_id, **{name: money(amount) for name, amount in fees.items()}}


def _book_cash(desk: Desk, account: Account, profit: Decimal, fees: dict[str, Decimal]) -> None:
    cash = account.cash
    if profit != 0:
        cash.realized += profit
        cash.week_realized += profit
        _log_cash(desk, account, "TradePaired", profit)
    for name, amount in fees.items():
        _log_cash(desk, account, _FEE_CHANGE_TYPES[name], -amount)


def _log_cash(desk: Desk, account: Account, change_type: str, delta: Decimal) -> None:
    account.cash.amount += delta
    row_id = desk.ids.take()
    account.rows["cashBalanceLog"][row_id] = {
        "id": row_id,
        "accountId": account.id,
        "timestamp": desk.stamp(),
        "tradeDate": desk.trade_date(),
        "currencyId": 1,
        "amount": money(account.cash.amount),
        "realizedPnL": money(account.cash.realized),
        "weekRealizedPnL": money(account.cash.week_realized),
        "cashChangeType": change_type,
        "delta": money(delta),
    }


def _hold_back(desk: Desk, account: Account, chunks: list[list[Announcement]], seconds: float) -> None:
    """The late-average fault: price 0, no averages and no position row until ``seconds`` later."""
    fill, report = chunks[0][0][2], chunks[1][0][2]
    restore, positions = _blur(fill, report), chunks.pop(POSITION_CHUNK)

    def reveal() -> None:
        restore()
        _reveal(desk, account, fill["id"], positions)

    desk.later(seconds, account, reveal)


def _blur(fill: Row, report: Row) -> Callable[[], None]:
    """Hide the price and the averages until the returned function is called."""
    true_price, averages = fill["price"], {name: report.pop(name) for name in ("avgPx", "lastPx")}
    fill["price"] = 0.0

    def restore() -> None:
        fill["price"] = true_price
        report.update(averages)

    return restore


def _reveal(desk: Desk, account: Account, fill_id: int, positions: list[Announcement]) -> None:
    """Show the position rows that were held back, as they are by now."""
    if fill_id not in account.rows["fill"]:
        return
    current = [
        (kind, event, account.positions[row["contractId"]].row if kind == "position" else row)
        for kind, event, row in positions
    ]
    _announce(desk, account, [current])
    account.end_frame()
