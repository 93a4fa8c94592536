"""Brackets, pairs and flattening at the paper venue."""

from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.base import BracketLeg, OrderRole, OrderStatus, OrderType, Side, Trail
from brokers.paper.terms import Terms
from brokers.reports import Accepted
from tests.brokers.paper.conftest import MakeTrader
from tests.brokers.paper.trader import PRICE, TICK, Market, Trader
from tests.brokers.scripted import until

ASK = PRICE + TICK


def leg(qty: int, target: float | None, stop: float | None, trail: Trail | None = None) -> BracketLeg:
    distances = [None if points is None else Decimal(str(points)) for points in (target, stop)]
    return BracketLeg(qty, *distances, trail)


@pytest.mark.parametrize(
    ("side", "fill", "target", "stop"),
    [(Side.BUY, ASK, ASK + 10, ASK - 20), (Side.SELL, Decimal(PRICE), PRICE - 10, PRICE + 20)],
)
def test_exits_count_from_the_fill(
    make_trader: MakeTrader, side: Side, fill: Decimal, target: Decimal, stop: Decimal
) -> None:
    """D1: with slippage the fill is not the quote."""
    trader = make_trader(Terms(slippage_ticks=4))
    slip = side.sign * 4 * TICK
    name = trader.enter(1, side, leg(1, 10, 20))
    at_target, at_stop = (trader.order(role, OrderStatus.WORKING) for role in (OrderRole.TARGET, OrderRole.STOP))
    assert trader.fills() == [(side, 1, fill + slip)]
    assert (at_target.price, at_target.side, at_target.order_type) == (target + slip, side.opposite, OrderType.LIMIT)
    assert (at_stop.stop_price, at_stop.side, at_stop.order_type) == (stop + slip, side.opposite, OrderType.STOP)
    assert {(order.parent_client_order_id, order.bracket_index) for order in (at_target, at_stop)} == {(name, 0)}


def test_an_entry_that_rests_has_no_exits_until_it_fills(trader: Trader, market: Market) -> None:
    """D2."""
    name = trader.submit(
        qty=2, order_type=OrderType.LIMIT, price=Decimal(PRICE - 10), bracket=(leg(1, 10, 5), leg(1, 20, 5))
    )
    trader.order_called(name, OrderStatus.WORKING)
    assert len(trader.orders()) == 1
    market.price(PRICE - 11)
    trader.order_called(name, OrderStatus.FILLED)
    entry = Decimal(PRICE - 10)
    until(lambda: len(trader.working()) == 4)
    assert trader.working() == [
        ("limit", 1, entry + 10), ("limit", 1, entry + 20), ("stop", 1, entry - 5), ("stop", 1, entry - 5),
    ]  # fmt: skip
    indexes = sorted(order.bracket_index or 0 for order in trader.orders().values() if order.parent_client_order_id)
    assert indexes == [0, 0, 1, 1]


@pytest.mark.parametrize(("price", "filled", "ended"), [
    (PRICE + 11, OrderRole.TARGET, OrderRole.STOP),
    (PRICE - 21, OrderRole.STOP, OrderRole.TARGET),
])  # fmt: skip
def test_one_exit_ends_the_other(
    trader: Trader, market: Market, price: int, filled: OrderRole, ended: OrderRole
) -> None:
    """D3."""
    trader.enter(1, Side.BUY, leg(1, 10, 20))
    market.price(price)
    trader.order(filled, OrderStatus.FILLED)
    trader.order(ended, OrderStatus.CANCELED)
    trader.wait_flat()
    assert trader.working() == []


def test_a_target_of_one_leg_leaves_the_other_legs_alone(trader: Trader, market: Market) -> None:
    """D4."""
    trader.enter(3, Side.BUY, leg(2, 10, 20), leg(1, 30, 20))
    market.price(PRICE + 11)
    trader.order(OrderRole.TARGET, OrderStatus.FILLED)
    until(lambda: trader.net() == 1)
    assert trader.working() == [("limit", 1, ASK + 30), ("stop", 1, ASK - 20)]


def test_exits_can_be_resized(trader: Trader) -> None:
    """D5."""
    trader.enter(3, Side.BUY, leg(3, 10, 20))
    for role in (OrderRole.TARGET, OrderRole.STOP):
        trader.change(trader.order(role, OrderStatus.WORKING), 2)
    until(lambda: trader.working() == [("limit", 2, ASK + 10), ("stop", 2, ASK - 20)])


@pytest.mark.parametrize(("target", "stop"), [(None, 20), (10, None), (None, None)])
def test_a_leg_that_is_not_wanted_is_not_made(trader: Trader, target: int | None, stop: int | None) -> None:
    trader.enter(1, Side.BUY, leg(1, target, stop))
    wanted = [("limit", 1, ASK + 10)] * (target is not None) + [("stop", 1, ASK - 20)] * (stop is not None)
    until(lambda: trader.working() == wanted)


def test_a_stop_may_trail_from_the_fill(trader: Trader, market: Market) -> None:
    trader.enter(1, Side.BUY, leg(1, 100, 20, Trail(Decimal(8))))
    stop = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert (stop.order_type, stop.stop_price) == (OrderType.TRAILING_STOP, ASK - 8)
    market.price(PRICE + 20)
    trader.settled()
    assert ("trailing_stop", 1, Decimal(PRICE + 12)) in trader.working()


def test_a_stop_trails_from_its_trigger_on_in_steps(trader: Trader, market: Market) -> None:
    trader.enter(1, Side.BUY, leg(1, None, 20, Trail(Decimal(8), trigger=Decimal(10), step=Decimal(4))))
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    for last, stop in (
        (PRICE + 9, ASK - 20),
        (PRICE + 11, PRICE + 3),
        (PRICE + 14, PRICE + 3),
        (PRICE + 15, PRICE + 7),
    ):
        market.price(last)
        trader.settled()
        assert trader.working() == [("stop", 1, Decimal(stop))]
    market.wait(seconds=2)
    market.price(PRICE + 16)
    until(lambda: trader.order(OrderRole.STOP, OrderStatus.WORKING).stop_price == PRICE + 7)


def test_a_bracket_that_does_not_fit_its_entry_is_refused(trader: Trader) -> None:
    assert trader.refusal(trader.submit(qty=2, bracket=(leg(1, 10, 20),)))[0] == "INVALID_BRACKET"
    assert trader.refusal(trader.submit(bracket=(leg(1, -10, 20),)))[0] == "INVALID_BRACKET"
    trailing = leg(1, 10, None, Trail(Decimal(8), trigger=Decimal(4)))
    assert trader.refusal(trader.submit(bracket=(trailing,)))[0] == "INVALID_BRACKET"
    assert trader.fills() == []


@pytest.mark.parametrize(
    ("price", "filled", "ended"),
    [(PRICE + 11, OrderRole.TARGET, OrderRole.STOP), (PRICE - 20, OrderRole.STOP, OrderRole.TARGET)],
)
def test_of_a_pair_either_ends_the_other(
    trader: Trader, market: Market, price: int, filled: OrderRole, ended: OrderRole
) -> None:
    trader.enter(2)
    pair = trader.protect(PRICE + 10, PRICE - 20, qty=2)
    accepted = [trader.outcome(name) for name in (pair.client_order_id, pair.stop_client_order_id)]
    target, stop = (trader.order(role, OrderStatus.WORKING) for role in (OrderRole.TARGET, OrderRole.STOP))
    ids = [outcome.broker_order_id for outcome in accepted if isinstance(outcome, Accepted)]
    assert ids == [target.broker_order_id, stop.broker_order_id]
    market.price(price)
    trader.order(filled, OrderStatus.FILLED)
    trader.order(ended, OrderStatus.CANCELED)
    trader.wait_flat()


def test_a_canceled_exit_takes_its_partner_with_it(trader: Trader) -> None:
    trader.enter(1)
    trader.protect(PRICE + 10, PRICE - 20)
    trader.cancel(trader.order(OrderRole.STOP, OrderStatus.WORKING))
    trader.order(OrderRole.TARGET, OrderStatus.CANCELED)
    assert (trader.working(), trader.net()) == ([], 1)


def test_a_flatten_leaves_nothing_open_and_nothing_working(trader: Trader) -> None:
    """J1."""
    trader.enter(2, Side.BUY, leg(2, 10, 20))
    trader.limit(PRICE - 100)
    until(lambda: len(trader.working()) == 3)
    name = trader.flatten()
    closing = trader.order_called(name, OrderStatus.FILLED)
    assert (closing.role, closing.side, closing.qty) == (OrderRole.EXIT, Side.SELL, 2)
    trader.wait_flat()
    assert (trader.working(), trader.net()) == ([], 0)
    outcome = trader.outcome(name)
    assert isinstance(outcome, Accepted)
    assert outcome.broker_order_id == closing.broker_order_id


def test_a_flatten_of_what_is_flat_cancels_and_trades_nothing(trader: Trader) -> None:
    """J2."""
    resting = trader.order_called(trader.limit(PRICE - 100), OrderStatus.WORKING)
    name = trader.flatten()
    trader.order_called(resting.client_order_id or "", OrderStatus.CANCELED)
    outcome = trader.outcome(name)
    assert (type(outcome), trader.fills()) == (Accepted, [])
    assert outcome.broker_order_id is None  # type: ignore[union-attr]


def test_a_flatten_overtakes_an_entry_that_waits_for_a_quote(trader: Trader, market: Market) -> None:
    market.silence()
    entry = trader.submit()
    flatten = trader.flatten()
    assert isinstance(trader.outcome(flatten), Accepted)
    assert trader.refusal(entry)[0] == "FLATTENED"
    market.price(PRICE)
    trader.settled()
    assert trader.fills() == []
