"""Exits placed for a position that is open already, and stops that follow the market, at the sandbox venue."""

from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.base import STOP_PREFIX, BracketLeg, OrderRole, OrderStatus, OrderType, Side, SubmitOrder, Trail
from brokers.reports import Accepted, BalanceReport, SyncReport
from tests.brokers.scripted import until
from tests.brokers.tradovate.trader import PRICE, SYMBOL, Trader

STOP_ID = STOP_PREFIX + "0" * 26


def holding(trader: Trader, qty: int = 2) -> None:
    trader.submit(qty=qty)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)


@pytest.mark.parametrize(
    ("price", "filled", "canceled"),
    [(PRICE + 10, OrderRole.TARGET, OrderRole.STOP), (PRICE - 20, OrderRole.STOP, OrderRole.TARGET)],
)
def test_of_a_pair_either_ends_the_other(trader: Trader, price: int, filled: OrderRole, canceled: OrderRole) -> None:
    """C1, D4"""
    holding(trader)
    pair = trader.protect(Side.SELL, 2, PRICE + 10, PRICE - 20)
    target = trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    stop = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert (target.client_order_id, target.price, target.qty) == (pair.client_order_id, Decimal(PRICE + 10), 2)
    assert (stop.client_order_id, stop.stop_price, stop.qty) == (pair.stop_client_order_id, Decimal(PRICE - 20), 2)
    accepted = {a.client_order_id: a.broker_order_id for a in trader.client.heard(Accepted)}
    assert accepted[pair.client_order_id] == target.broker_order_id
    assert accepted[pair.stop_client_order_id] == stop.broker_order_id
    trader.sandbox.price("MNQ", price)
    trader.order(filled, OrderStatus.FILLED)
    trader.order(canceled, OrderStatus.CANCELED)
    trader.wait_flat()


def test_a_pair_can_be_changed_and_canceled_as_a_whole(trader: Trader) -> None:
    """D5"""
    holding(trader)
    trader.protect(Side.SELL, 2, PRICE + 10, PRICE - 20)
    target = trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    stop = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.change(stop, 1, stop_price=Decimal(PRICE - 5))
    trader.change(target, 1)
    until(lambda: trader.at_venue() == [("Limit", 1, PRICE + 10), ("Stop", 1, PRICE - 5)])
    trader.cancel(stop)
    trader.order(OrderRole.STOP, OrderStatus.CANCELED)
    trader.order(OrderRole.TARGET, OrderStatus.CANCELED)


def test_a_pair_and_a_lone_stop_outlive_the_session(trader: Trader) -> None:
    holding(trader)
    trader.protect(Side.SELL, 1, PRICE + 10, PRICE - 20)
    stop = SubmitOrder(
        STOP_ID, trader.ref, SYMBOL, Side.SELL, 1, OrderType.STOP, stop_price=Decimal(PRICE - 30), is_protective=True
    )
    trader.client.connection.submit([stop])
    until(lambda: len(trader.at_venue()) == 3)
    trader.sandbox.post("/session-roll")
    assert trader.at_venue() == [("Limit", 1, PRICE + 10), ("Stop", 1, PRICE - 30), ("Stop", 1, PRICE - 20)]
    evidence = {o.client_order_id: o.role for o in trader.client.connection.query(trader.ref).orders}
    assert evidence[STOP_ID] is OrderRole.STOP
    assert sorted(evidence.values()) == [OrderRole.STOP, OrderRole.STOP, OrderRole.TARGET]
    trader.sandbox.price("MNQ", PRICE - 30)
    assert trader.net() == 0


def test_a_trailing_stop_follows_and_only_its_quantity_changes(trader: Trader) -> None:
    """C2"""
    trader.submit(qty=2, bracket=(BracketLeg(2, Decimal(100), Decimal(20), Trail(Decimal(8))),))
    stop = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert (stop.order_type, stop.stop_price) == (OrderType.TRAILING_STOP, Decimal(PRICE - 8))
    trader.sandbox.price("MNQ", PRICE + 10)
    assert ("TrailingStop", 2, PRICE + 2) in trader.at_venue()
    trader.change(stop, 1)
    until(lambda: trader.newest(stop).qty == 1)
    assert ("TrailingStop", 1, PRICE + 2) in trader.at_venue()
    trader.sandbox.price("MNQ", PRICE + 2)
    until(lambda: trader.newest(stop).status is OrderStatus.FILLED)
    trader.order(OrderRole.TARGET, OrderStatus.CANCELED)
    assert trader.net() == 1


@pytest.mark.parametrize(("side", "sign"), [(Side.BUY, 1), (Side.SELL, -1)])
def test_a_stop_trails_from_its_trigger_on_with_every_tick(trader: Trader, side: Side, sign: int) -> None:
    """C2"""
    trail = Trail(Decimal(5), trigger=Decimal(10))
    trader.submit(side, bracket=(BracketLeg(1, Decimal(100), Decimal(20), trail),))
    stop = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert (stop.order_type, stop.stop_price) == (OrderType.STOP, Decimal(PRICE - 20 * sign))
    trader.sandbox.price("MNQ", PRICE + 9 * sign)
    assert ("Stop", 1, PRICE - 20 * sign) in trader.at_venue()
    for points in ("10", "10.25"):
        trader.sandbox.price("MNQ", PRICE + float(points) * sign)
        wanted = PRICE + (Decimal(points) - 5) * sign
        until(lambda wanted=wanted: trader.newest(stop).stop_price == wanted)  # type: ignore[misc]
    trader.sandbox.price("MNQ", PRICE + 5 * sign)
    until(lambda: trader.newest(stop).status is OrderStatus.FILLED)
    trader.wait_flat()


def test_a_stop_trails_in_steps(trader: Trader) -> None:
    """C2"""
    trail = Trail(Decimal(5), trigger=Decimal(10), step=Decimal(2))
    trader.submit(bracket=(BracketLeg(1, None, Decimal(20), trail),))
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    for points, stop_price in ((10, PRICE + 5), (11, PRICE + 5), (12, PRICE + 7)):
        trader.sandbox.price("MNQ", PRICE + points)
        assert trader.at_venue() == [("Stop", 1, stop_price)]


def test_cash_is_told_at_sign_in_and_after_each_result(trader: Trader) -> None:
    (synced,) = trader.client.heard(SyncReport)
    (opening,) = synced.balances
    assert (opening.account, opening.cash) == (trader.ref, Decimal(50_000))
    trader.enter()
    trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    trader.sandbox.price("MNQ", PRICE + 10)
    trader.wait_flat()
    balance = Decimal(str(trader.sandbox.account_state(trader.id)["balance"]))
    until(lambda: trader.client.heard(BalanceReport)[-1].cash == balance)
    assert balance != opening.cash
    (looked_up,) = trader.client.connection.query(trader.ref).balances
    assert looked_up.cash == balance
