"""Exits that are changed, shared and added to, at the sandbox venue."""

from __future__ import annotations

from decimal import Decimal

from brokers.base import BracketLeg, OrderRole, OrderStatus, OrderType, Side
from brokers.reports import Accepted, OrderReport, PositionReport, Rejected
from tests.brokers.scripted import until
from tests.brokers.tradovate.trader import PRICE, Trader


def legs(trader: Trader, **entry: int) -> tuple[OrderReport, OrderReport]:
    """Target and stop of a filled entry."""
    trader.enter(**entry)  # type: ignore[arg-type]
    return trader.order(OrderRole.TARGET, OrderStatus.WORKING), trader.order(OrderRole.STOP, OrderStatus.WORKING)


def legs_of(trader: Trader, entry_id: str) -> dict[OrderRole, OrderReport]:
    """The working legs of one entry by role, once both are there."""

    def found() -> dict[OrderRole, OrderReport]:
        own = [o for o in trader.orders().values() if o.parent_client_order_id == entry_id]
        return {o.role: o for o in own if o.status is OrderStatus.WORKING}

    until(lambda: len(found()) == 2)
    return found()


def test_a_moved_stop_works_at_its_new_price_and_the_pair_stays_a_pair(trader: Trader) -> None:
    """B3"""
    target, stop = legs(trader)
    change_id = trader.change(stop, stop_price=Decimal(24_995))
    until(lambda: trader.newest(stop).stop_price == Decimal(24_995))
    assert trader.at_venue() == [("Limit", 1, 25_010.0), ("Stop", 1, 24_995.0)]
    (accepted,) = [a for a in trader.client.heard(Accepted) if a.client_order_id == change_id]
    assert accepted.broker_order_id == stop.broker_order_id
    trader.sandbox.price("MNQ", 24_995)
    until(lambda: trader.newest(stop).status is OrderStatus.FILLED)
    until(lambda: trader.newest(target).status is OrderStatus.CANCELED)
    trader.wait_flat()


def test_a_moved_target_fills_at_its_new_price_and_ends_the_stop(trader: Trader) -> None:
    """B3, D4"""
    target, stop = legs(trader)
    trader.change(target, price=Decimal(25_005))
    until(lambda: trader.newest(target).price == Decimal(25_005))
    trader.sandbox.price("MNQ", 25_005)
    until(lambda: trader.newest(target).status is OrderStatus.FILLED)
    until(lambda: trader.newest(stop).status is OrderStatus.CANCELED)


def test_a_pair_for_fewer_contracts_still_cancels_itself(trader: Trader) -> None:
    """D5"""
    target, stop = legs(trader, qty=3)
    trader.change(target, 1)
    trader.change(stop, 1)
    until(lambda: (trader.newest(target).qty, trader.newest(stop).qty) == (1, 1))
    assert trader.at_venue() == [("Limit", 1, 25_010.0), ("Stop", 1, 24_980.0)]
    trader.sandbox.price("MNQ", 25_010)
    until(lambda: trader.newest(stop).status is OrderStatus.CANCELED)
    assert (trader.at_venue(), trader.net()) == ([], 2)


def test_the_same_change_twice_is_the_same_order(trader: Trader) -> None:
    _, stop = legs(trader)
    for _ in range(2):
        trader.change(stop, stop_price=Decimal(24_995))
    until(lambda: len(trader.client.heard(Accepted)) == 3)
    assert trader.at_venue() == [("Limit", 1, 25_010.0), ("Stop", 1, 24_995.0)]


def test_an_ended_order_cannot_be_changed(trader: Trader) -> None:
    """B5"""
    target, stop = legs(trader)
    trader.sandbox.price("MNQ", 25_010)
    until(lambda: trader.newest(stop).status is OrderStatus.CANCELED)
    change_id = trader.change(target, price=Decimal(25_020))
    (rejected,) = trader.client.wait(Rejected)
    assert (rejected.client_order_id, rejected.code) == (change_id, "TooLate")


def test_a_change_refused_after_its_answer_leaves_the_order_working_as_it_was(trader: Trader) -> None:
    """B5"""
    _, stop = legs(trader)
    trader.fault("reject", endpoint="order/modifyorder", mode="async", reason="InvalidPrice", text="no")
    change_id = trader.change(stop, stop_price=Decimal(24_995))
    until(lambda: change_id in [a.client_order_id for a in trader.client.heard(Accepted)])
    until(lambda: trader.client.connection._session._cache._refused_changes)
    until(lambda: trader.newest(stop).stop_price == Decimal(24_980))
    kept = trader.newest(stop)
    assert (kept.status, kept.reject_code) == (OrderStatus.WORKING, "")
    assert trader.at_venue()[1] == ("Stop", 1, 24_980.0)
    evidence = {o.broker_order_id: o for o in trader.client.connection.query(trader.ref).orders}
    assert evidence[stop.broker_order_id].stop_price == Decimal(24_980)


def test_an_add_has_its_own_exits_beside_the_first_ones(trader: Trader) -> None:
    first = legs_of(trader, trader.enter(qty=1))
    trader.sandbox.price("MNQ", PRICE + 5)
    second = legs_of(trader, trader.enter(qty=2))
    assert trader.at_venue() == [
        ("Limit", 1, 25_010.0),
        ("Limit", 2, 25_015.0),
        ("Stop", 1, 24_980.0),
        ("Stop", 2, 24_985.0),
    ]
    until(lambda: trader.client.heard(PositionReport)[-1].net_qty == 3)
    average = trader.client.heard(PositionReport)[-1].avg_price
    assert average is not None
    assert average.quantize(Decimal("0.0001")) == Decimal("25003.3333")
    trader.sandbox.price("MNQ", 24_985)
    until(lambda: trader.newest(second[OrderRole.STOP]).status is OrderStatus.FILLED)
    until(lambda: trader.newest(second[OrderRole.TARGET]).status is OrderStatus.CANCELED)
    assert trader.at_venue() == [("Limit", 1, 25_010.0), ("Stop", 1, 24_980.0)]
    assert {trader.newest(leg).status for leg in first.values()} == {OrderStatus.WORKING}
    assert trader.net() == 1


def test_each_bracket_of_an_entry_has_its_index_and_its_own_pair(trader: Trader) -> None:
    exits = tuple(BracketLeg(1, Decimal(target), Decimal(20)) for target in (10, 20, 30))
    trader.submit(qty=3, bracket=exits)
    until(lambda: len([o for o in trader.orders().values() if o.status is OrderStatus.WORKING]) == 6)
    targets = {o.bracket_index: o.price for o in trader.orders().values() if o.role is OrderRole.TARGET}
    stops = [o.bracket_index for o in trader.orders().values() if o.role is OrderRole.STOP]
    assert targets == {0: Decimal(25_010), 1: Decimal(25_020), 2: Decimal(25_030)}
    assert (sorted(filter(lambda i: i is not None, stops)), len(stops)) == ([0, 1, 2], 3)
    trader.sandbox.price("MNQ", 25_010)
    until(lambda: len([o for o in trader.orders().values() if o.status is OrderStatus.CANCELED]) == 1)
    (canceled,) = [o for o in trader.orders().values() if o.status is OrderStatus.CANCELED]
    assert (canceled.role, canceled.bracket_index) == (OrderRole.STOP, 0)
    labels = {row["label"] for row in trader.sandbox.account_state(trader.id)["workingOrders"]}
    assert labels == {"1", "2"}


def test_a_limit_entry_that_is_canceled_takes_its_exits_with_it(trader: Trader) -> None:
    leg = BracketLeg(1, Decimal(10), Decimal(20))
    trader.submit(order_type=OrderType.LIMIT, price=Decimal(24_990), bracket=(leg,))
    entry = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    trader.order(OrderRole.STOP, OrderStatus.SUSPENDED)
    assert (entry.price, entry.order_type) == (Decimal(24_990), OrderType.LIMIT)
    trader.cancel(entry)
    for role in (OrderRole.ENTRY, OrderRole.TARGET, OrderRole.STOP):
        trader.order(role, OrderStatus.CANCELED)
    state = trader.sandbox.account_state(trader.id)
    assert (state["workingOrders"], state["suspendedOrders"], state["positions"]) == ([], [], [])


def test_a_limit_entry_that_fills_is_protected_from_its_fill(trader: Trader) -> None:
    """D1"""
    leg = BracketLeg(2, Decimal(10), Decimal(20))
    trader.submit(Side.BUY, 2, order_type=OrderType.LIMIT, price=Decimal(24_990), bracket=(leg,))
    trader.order(OrderRole.STOP, OrderStatus.SUSPENDED)
    trader.sandbox.price("MNQ", 24_990)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert trader.at_venue() == [("Limit", 2, 25_000.0), ("Stop", 2, 24_970.0)]


def test_exits_grow_with_an_entry_that_fills_in_parts_and_stay_when_the_rest_is_canceled(trader: Trader) -> None:
    """D2, G3"""
    trader.fault("partial_fill", parts=[1, 2])
    leg = BracketLeg(4, Decimal(10), Decimal(20))
    trader.submit(Side.BUY, 4, order_type=OrderType.LIMIT, price=Decimal(24_990), bracket=(leg,))
    trader.order(OrderRole.STOP, OrderStatus.SUSPENDED)
    trader.sandbox.price("MNQ", 24_990)
    entry = trader.order(OrderRole.ENTRY, OrderStatus.PARTIALLY_FILLED)
    until(lambda: trader.order(OrderRole.STOP, OrderStatus.WORKING).qty == 3)
    trader.cancel(entry)
    trader.order(OrderRole.ENTRY, OrderStatus.CANCELED)
    assert trader.at_venue() == [("Limit", 3, 25_000.0), ("Stop", 3, 24_970.0)]
    assert trader.net() == 3
