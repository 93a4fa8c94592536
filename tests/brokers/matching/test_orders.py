from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.matching.engine import Engine
from brokers.matching.types import Account, Contract, Execution, Kind, Order, Status, TopOfBook
from tests.brokers.matching.desk import MNQ, Desk

BUY, SELL = 1, -1


def test_a_held_order_trades_only_once_it_is_activated() -> None:
    desk = Desk()
    order = desk.order(SELL, 1, Kind.STOP, stop="99")
    desk.engine.hold(order)
    desk.quote("98")
    assert order.status is Status.SUSPENDED
    assert desk.account.orders == {order.id: order}
    desk.engine.activate(order)
    assert desk.prices == [Decimal(98)]
    with pytest.raises(ValueError, match="filled, not suspended"):
        desk.engine.activate(order)


def test_a_canceled_order_is_gone_and_cannot_be_canceled_twice() -> None:
    desk = Desk()
    desk.quote("100")
    order = desk.place(BUY, 1, Kind.LIMIT, limit="99")
    assert desk.engine.cancel(order)
    assert not desk.engine.cancel(order)
    desk.quote("90")
    assert desk.executions == []
    assert order.status is Status.CANCELED


def test_an_amended_order_has_its_new_terms_and_keeps_the_others() -> None:
    desk = Desk()
    desk.quote("100")
    order = desk.place(BUY, 3, Kind.LIMIT, limit="99")
    desk.engine.amend(order, limit=Decimal("98.5"))
    assert (order.qty, order.limit) == (3, Decimal("98.5"))
    desk.engine.amend(order, qty=2)
    desk.quote("98.5")
    assert (order.filled, order.limit, order.status) == (2, Decimal("98.5"), Status.FILLED)


def test_an_amendment_into_the_market_takes_the_touch() -> None:
    desk = Desk()
    desk.quote("100", bid="99.75", ask="100.25")
    order = desk.place(BUY, 1, Kind.LIMIT, limit="99")
    desk.engine.amend(order, limit=Decimal(101))
    assert desk.prices == [Decimal("100.25")]


def test_an_order_can_change_its_kind_with_the_terms_that_this_needs() -> None:
    desk = Desk()
    desk.quote("100")
    order = desk.place(SELL, 1, Kind.STOP, stop="99")
    with pytest.raises(ValueError, match="limit order needs its limit"):
        desk.engine.amend(order, kind=Kind.LIMIT)
    assert order.kind is Kind.STOP
    desk.engine.amend(order, kind=Kind.LIMIT, limit=Decimal(101))
    desk.quote("98")
    assert order.is_working
    desk.quote("101")
    assert desk.prices == [Decimal(101)]


def test_a_new_trailing_distance_starts_from_the_current_price() -> None:
    desk = Desk()
    desk.quote("100")
    order = desk.place(SELL, 1, Kind.TRAILING, trail="1")
    desk.engine.amend(order, trail=Decimal(3))
    assert order.stop == Decimal(97)


def test_a_size_that_is_filled_already_ends_the_order_and_less_is_refused() -> None:
    desk = Desk()
    order = desk.place(BUY, 3, Kind.LIMIT, limit="99")
    desk.engine.execute(order, 2, Decimal(99))
    with pytest.raises(ValueError, match="1 contracts cannot be ordered, 2 of them filled"):
        desk.engine.amend(order, qty=1)
    desk.engine.amend(order, qty=2)
    assert order.status is Status.FILLED
    with pytest.raises(ValueError, match="is filled"):
        desk.engine.amend(order, qty=3)


def test_a_part_fill_leaves_the_rest_working_and_averages_the_price() -> None:
    desk = Desk()
    order = desk.place(BUY, 4, Kind.LIMIT, limit="99")
    desk.engine.execute(order, 1, Decimal(98))
    assert (order.remaining, order.is_working) == (3, True)
    desk.engine.execute(order, 3, Decimal(99))
    assert order.average == Decimal("98.75")
    with pytest.raises(ValueError, match="0 left"):
        desk.engine.execute(order, 1, Decimal(99))


def test_a_held_back_order_is_left_to_its_venue() -> None:
    desk = Desk()
    order = desk.place(BUY, 2, Kind.LIMIT, limit="99")
    order.is_held = True
    desk.quote("90")
    assert desk.executions == []
    desk.engine.execute(order, 1, Decimal(99))
    order.is_held = False
    desk.quote("90")
    assert [execution.qty for execution in desk.executions] == [1, 1]


@pytest.mark.parametrize("kind", [Kind.LIMIT, Kind.STOP, Kind.STOP_LIMIT, Kind.TRAILING])
def test_an_order_without_its_terms_is_refused_and_not_kept(kind: Kind) -> None:
    desk = Desk()
    with pytest.raises(ValueError, match="needs its"):
        desk.place(BUY, 1, kind)
    assert desk.account.orders == {}


@pytest.mark.parametrize(("side", "qty"), [(0, 1), (2, 1), (BUY, 0), (SELL, -1)])
def test_a_size_or_side_that_means_nothing_is_refused(side: int, qty: int) -> None:
    with pytest.raises(ValueError, match=r"side|contracts"):
        Desk().place(side, qty)


def test_an_execution_may_cancel_what_the_same_quote_would_have_traded() -> None:
    """One cancels the other, on a quote that reaches both."""
    seen: list[Execution] = []
    account = Account(1, "PAPER1")
    quotes = {"MNQZ6": TopOfBook(Decimal(100), Decimal(100), Decimal(100))}

    def on_execution(execution: Execution) -> None:
        seen.append(execution)
        for order in account.orders.values():
            engine.cancel(order)

    def quote_of(contract: Contract) -> TopOfBook:
        return quotes[contract.name]

    engine = Engine(quote_of, on_execution)
    target = Order(1, account, MNQ, SELL, 1, Kind.LIMIT, limit=Decimal(101))
    stop = Order(2, account, MNQ, SELL, 1, Kind.STOP, stop=Decimal(99))
    engine.place(target)
    engine.place(stop)
    quotes["MNQZ6"] = TopOfBook(Decimal(98), Decimal(102), Decimal(103))
    engine.on_quote(MNQ)
    assert [execution.order for execution in seen] == [target]
    assert stop.status is Status.CANCELED


def test_an_execution_may_place_an_order_that_trades_at_once() -> None:
    account = Account(1, "PAPER1")
    seen: list[tuple[int, int]] = []

    def on_execution(execution: Execution) -> None:
        seen.append((execution.order.id, account.position(MNQ).net))
        if execution.order.id == 1:
            engine.place(Order(2, account, MNQ, SELL, 1, Kind.MARKET))

    engine = Engine(lambda _: TopOfBook(Decimal(100), Decimal(100), Decimal(100)), on_execution)
    engine.place(Order(1, account, MNQ, BUY, 1, Kind.MARKET))
    assert seen == [(1, 1), (2, 0)]


def test_restored_orders_wait_for_the_next_quote() -> None:
    desk = Desk()
    desk.quotes["MNQZ6"] = TopOfBook(Decimal(90), Decimal(90), Decimal(90))
    order, old = desk.order(SELL, 1, Kind.STOP, stop="99"), desk.order(BUY, 1)
    order.status, old.status = Status.WORKING, Status.FILLED
    for each in (order, old):
        desk.engine.restore(each)
    assert desk.executions == []
    assert desk.engine.working(MNQ) == (order,)
    desk.quote("98")
    assert desk.prices == [Decimal(98)]
    assert set(desk.account.orders) == {order.id, old.id}
