from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.matching.types import Kind, Policy
from tests.brokers.matching.desk import MNQ, TICK, Desk, Future

BUY, SELL = 1, -1


def test_contracts_bought_at_two_prices_have_their_weighted_average() -> None:
    desk = Desk()
    desk.quote("100")
    desk.place(BUY, 1)
    desk.quote("103")
    desk.place(BUY, 2)
    position = desk.account.position(MNQ)
    assert (position.net, position.average, position.realized) == (3, Decimal(102), Decimal(0))
    assert desk.account.cash == Decimal(1000)


def test_closing_a_part_keeps_the_average_and_realizes_its_share() -> None:
    desk = Desk()
    desk.quote("100")
    desk.place(BUY, 2)
    desk.quote("110")
    desk.place(SELL, 1)
    position, execution = desk.account.position(MNQ), desk.executions[-1]
    assert (position.net, position.average, position.realized) == (1, Decimal(100), Decimal(20))
    assert (execution.closed, execution.realized) == (1, Decimal(20))
    assert desk.account.cash == Decimal(1020)


def test_a_reversal_closes_the_old_side_and_opens_the_new_one_at_its_price() -> None:
    desk = Desk()
    desk.quote("100")
    desk.place(SELL, 2)
    desk.quote("104")
    desk.place(BUY, 5)
    position, execution = desk.account.position(MNQ), desk.executions[-1]
    assert (position.net, position.average) == (3, Decimal(104))
    assert (execution.qty, execution.closed, execution.realized) == (5, 2, Decimal(-16))
    assert desk.account.cash == Decimal(984)


def test_a_flat_position_has_no_average() -> None:
    desk = Desk()
    desk.quote("100")
    desk.place(BUY, 1)
    desk.place(SELL, 1)
    assert (desk.account.position(MNQ).net, desk.account.position(MNQ).average) == (0, None)


def test_an_open_profit_is_told_at_the_last_price_over_all_contracts() -> None:
    desk = Desk()
    gold = Future("GCZ6", Decimal("0.1"), Decimal(100))
    desk.quote("100")
    desk.quote("4000", contract=gold)
    desk.place(BUY, 1)
    desk.place(SELL, 1, contract=gold)
    desk.quote("103")
    desk.quote("4000.5", contract=gold)
    assert desk.engine.open_profit(desk.account) == Decimal(6 - 50)
    del desk.quotes["GCZ6"]
    assert desk.engine.open_profit(desk.account) == Decimal(6)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from([BUY, SELL]),
        st.integers(1, 7),
        st.sampled_from(list(Kind)),
        st.integers(-8, 8),
        st.integers(-6, 6),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(ACTIONS, st.builds(Policy, st.booleans(), st.integers(0, 2)))
def test_executions_add_up_to_the_position_and_to_the_cash(
    actions: list[tuple[int, int, Kind, int, int]], policy: Policy
) -> None:
    """Whatever is ordered and wherever the market goes."""
    desk = Desk(policy)
    price = Decimal(1000)
    for side, qty, kind, away, move in actions:
        term = str(price + away * TICK)
        desk.place(side, qty, kind, limit=term, stop=term, trail=str((abs(away) + 1) * TICK))
        price += move * TICK
        desk.quote(str(price), bid=str(price - TICK), ask=str(price + TICK))
    position = desk.account.position(MNQ)
    assert position.net == sum(each.order.side * each.qty for each in desk.executions)
    assert desk.account.cash == 1000 + sum(each.realized for each in desk.executions)
    assert position.realized == desk.account.cash - 1000
    paid = sum(each.order.side * each.qty * each.price * MNQ.point_value for each in desk.executions)
    assert position.realized - position.cost == -paid
    for order in desk.account.orders.values():
        assert order.filled == sum(each.qty for each in desk.executions if each.order is order)
        assert 0 <= order.filled <= order.qty
        assert order.is_working == (order.filled < order.qty)


@settings(max_examples=60, deadline=None)
@given(ACTIONS)
def test_no_fill_is_worse_than_its_limit_or_better_than_its_stop(
    actions: list[tuple[int, int, Kind, int, int]],
) -> None:
    desk = Desk()
    price = Decimal(1000)
    for side, qty, kind, away, move in actions:
        term = str(price + away * TICK)
        desk.place(side, qty, kind, limit=term, stop=term, trail=str((abs(away) + 1) * TICK))
        price += move * TICK
        desk.quote(str(price))
    for execution in desk.executions:
        order = execution.order
        if order.kind in {Kind.LIMIT, Kind.STOP_LIMIT}:
            assert order.limit is not None
            assert (order.limit - execution.price) * order.side >= 0
        if order.kind in {Kind.STOP, Kind.TRAILING}:
            assert order.stop is not None
            assert (execution.price - order.stop) * order.side >= 0
