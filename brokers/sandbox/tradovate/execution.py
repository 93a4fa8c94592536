"""From an accepted order to its executions: risk, exchange, matching, price moves."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from decimal import Decimal

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.market.quotes import Quote
from brokers.sandbox.tradovate import brackets, lifecycle, matching
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.fills import book_fill
from brokers.sandbox.tradovate.margins import open_profit, used_margin
from brokers.sandbox.tradovate.orders import Order

IMMEDIATE = frozenset({"IOC", "FOK"})


def submit(desk: Desk, order: Order) -> None:
    """Announce a new order, pass it through risk and hand it to the exchange, or reject it with proof."""
    lifecycle.announce(desk, order)
    refusal = _risk_refusal(desk, order)
    if refusal is not None:
        lifecycle.risk_reject(desk, order, *refusal)
        brackets.hold_prepared(desk, order)
        brackets.after_end(desk, order, order.sender)
        return
    lifecycle.pass_risk(desk, order)
    fault = desk.faults.take("reject", order.account, mode="exchange", leg="entry")
    if fault is not None:
        lifecycle.exchange_reject(desk, order, fault.params["reason"], fault.params["text"])
        brackets.hold_prepared(desk, order)
        brackets.after_end(desk, order, order.sender)
        return
    _split(desk, order)
    lifecycle.work(desk, order)
    brackets.hold_prepared(desk, order)
    if order.strategy is not None:
        lifecycle.repeat_strategy(order.strategy)
        brackets.prepare(desk, order)


def settle(desk: Desk) -> None:
    """Match every order that became working or changed; their fills may make more of them."""
    while desk.fresh:
        order = desk.fresh.popleft()
        if order.is_working and not order.held:
            _try_match(desk, order)


def on_move(desk: Desk, contract: Contract) -> None:
    """A new quote: trail stops and schedule what it triggers, each as a step of its own account."""
    orders = desk.working.get(contract.id)
    if not orders:
        return
    quote = desk.board.quote(contract)
    for order in tuple(orders.values()):
        if order.held:
            continue
        if matching.trail(order, quote):
            order.version["stopPrice"] = float(order.terms.stop_price or 0)
        _auto_trail(desk, order, quote)
        price = matching.fill_price(order, quote)
        if price is not None:
            _schedule_trade(desk, order, price)


def close_out(desk: Desk, order: Order) -> None:
    """An entry whose remainder will not trade any more (IOC, FOK)."""
    if order.is_working:
        brackets.cancel_order(desk, order, order.sender)


def _schedule_trade(desk: Desk, order: Order, price: Decimal) -> None:
    def trade() -> None:
        if order.is_working and not order.held:
            _trade(desk, order, price)

    desk.step(order.account, trade)


def _try_match(desk: Desk, order: Order) -> None:
    quote = desk.board.quote(order.contract)
    price = matching.fill_price(order, quote)
    order.rested = True
    if price is not None:
        _trade(desk, order, price)
    if order.terms.tif in IMMEDIATE and order.is_working:
        close_out(desk, order)


def _trade(desk: Desk, order: Order, price: Decimal) -> None:
    if order.parts is None:
        fault = desk.faults.take("overfill", order.account) if order.role == "entry" else None
        _fill(desk, order, order.remaining + (0 if fault is None else int(fault.params["extra"])), price)
        return
    if order.part_interval > 0:
        _trade_part(desk, order, price)
        return
    while order.parts and order.is_working:
        _fill(desk, order, min(order.parts.popleft(), order.remaining), price)
    order.held = order.is_working


def _trade_part(desk: Desk, order: Order, price: Decimal) -> None:
    """One scripted part now, the next after the interval; what is left after the last part stays working."""
    order.held = True
    if not order.is_working or not order.parts:
        return
    _fill(desk, order, min(order.parts.popleft(), order.remaining), price)
    if order.parts and order.is_working:
        desk.later(order.part_interval, order.account, lambda: _trade_part(desk, order, price))


def _fill(desk: Desk, order: Order, qty: int, price: Decimal) -> None:
    book_fill(desk, order, qty, price)
    brackets.after_fill(desk, order)


def _split(desk: Desk, order: Order) -> None:
    fault = desk.faults.take("partial_fill", order.account, leg=order.role)
    if fault is not None:
        order.parts = deque(fault.params["parts"])
        order.part_interval = float(fault.params["interval"])


def _risk_refusal(desk: Desk, order: Order) -> tuple[str, str] | None:
    fault = desk.faults.take("reject", order.account, mode="async", leg="entry")
    if fault is not None:
        return fault.params["reason"], fault.params["text"]
    limit = desk.switches.max_order_qty
    if order.terms.qty > limit:
        text = "Your maximum order quantity has been met. Please change your quantity to place the order."
        return "MaxOrderQtyLimitReached", f"{text} Limit: {limit} Current: {order.terms.qty}.0. Scope: all"
    before, _ = used_margin(desk, order.account)
    after, _ = used_margin(desk, order.account, order)
    if after > before and "liquidateOnly" in order.account.rows["accountRiskStatus"][order.account.id]:
        return "LiquidationOnly", "Violation: daily loss limit reached"
    equity = order.account.cash.amount + open_profit(desk, order.account)
    if after > before and after > equity:
        return "UnknownReason", f"Insufficient margin: required {after}, net liquidation value {equity}"
    return None


def _auto_trail(desk: Desk, order: Order, quote: Quote) -> None:
    """Strategy autoTrail: past ``trigger`` points of profit the stop follows at a distance, in steps of ``freq``."""
    group = order.group
    if order.role != "stop" or group is None or group.plan is None:
        return
    plan, entry, stop = group.plan, group.entry, order.terms.stop_price
    trigger, distance = plan.trail_trigger, plan.trail_distance
    average = None if entry is None else entry.average
    if entry is None or average is None or stop is None or trigger is None or distance is None:
        return
    if (quote.last - average) * entry.sign < trigger:
        return
    wanted = brackets.on_grid(quote.last - entry.sign * distance, order.contract.product.tick)
    step = plan.trail_step if plan.trail_step is not None else order.contract.product.tick
    if (wanted - stop) * entry.sign >= step:
        desk.step(order.account, lambda: _move_stop(desk, order, wanted))


def _move_stop(desk: Desk, order: Order, price: Decimal) -> None:
    if order.is_working:
        lifecycle.modify(
            desk, order, replace(order.terms, stop_price=price), brackets.automated(order.sender), desk.ids.take()
        )
