"""Closing positions against the sandbox venue."""

from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.base import OrderRole, OrderStatus, OrderType, Side
from brokers.reports import Accepted, NotSent, Rejected
from brokers.webull import clearing
from tests.brokers.scripted import until
from tests.brokers.webull.trader import AAPL, Trader


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_flatten_cancels_what_works_and_closes(trader: Trader, side: Side) -> None:
    """J1: one outcome, flat, nothing left working, and the close carries the request's own name."""
    trader.submit(side, 2)
    trader.wait_net(2 * side.sign)
    stop = trader.protect(side.opposite, 2, "24900" if side is Side.BUY else "25100")
    target = trader.target(side.opposite, 2, "25100" if side is Side.BUY else "24900")
    trader.order(stop, OrderStatus.WORKING)
    trader.order(target, OrderStatus.WORKING)
    name = trader.flatten()
    closed = trader.order(name, OrderStatus.FILLED)
    trader.order(stop, OrderStatus.CANCELED)
    trader.order(target, OrderStatus.CANCELED)
    trader.wait_net(0)
    assert isinstance(trader.outcome(name), Accepted)
    assert closed.role is OrderRole.EXIT
    assert (trader.net(), trader.working()) == (0, [])


def test_a_flatten_of_nothing_is_accepted_and_places_nothing(trader: Trader) -> None:
    """J2: resting orders are canceled all the same."""
    resting = trader.submit(order_type=OrderType.LIMIT, price=Decimal(24_900))
    trader.order(resting, OrderStatus.WORKING)
    outcome = trader.outcome(trader.flatten())
    assert isinstance(outcome, Accepted)
    assert outcome.broker_order_id is None
    trader.order(resting, OrderStatus.CANCELED)
    assert trader.entries() == [resting]


def test_a_bracket_goes_before_its_position_is_closed(trader: Trader) -> None:
    """J1: the exits of a combo are canceled one by one."""
    entry = trader.bracket("10", "5", qty=3)
    trader.leg(entry, OrderRole.STOP, OrderStatus.WORKING)
    trader.flatten(AAPL)
    trader.wait_net(0, AAPL)
    assert trader.working(AAPL) == []


def test_other_contracts_are_left_alone(trader: Trader) -> None:
    """J1: only the flattened contract's orders and position."""
    trader.submit(qty=2, symbol=AAPL)
    trader.submit()
    trader.wait_net(1)
    trader.wait_net(2, AAPL)
    trader.flatten()
    trader.wait_net(0)
    assert trader.net(AAPL) == 2


def test_a_close_that_is_refused_is_rejected(trader: Trader) -> None:
    """J1: with the venue's code, so that it can be tried again."""
    trader.submit()
    trader.wait_net(1)
    trader.fault("reject", endpoint="trading/orders/place", reason="OPENAPI_TRADE_ORDER_NO_PERMISSION")
    outcome = trader.outcome(trader.flatten())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "OPENAPI_TRADE_ORDER_NO_PERMISSION"
    assert trader.net() == 1


def test_a_close_that_is_refused_as_too_big_is_sized_anew(trader: Trader) -> None:
    """J1: what has been closed meanwhile is not closed again."""
    trader.submit(qty=2)
    trader.wait_net(2)
    trader.fault(
        "reject", endpoint="trading/orders/place", reason="OPENAPI_SELL_QTY_EXCEED_AVAILABLE_QTY", text="too much"
    )
    outcome = trader.outcome(trader.flatten())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "OPENAPI_SELL_QTY_EXCEED_AVAILABLE_QTY"
    trader.sandbox.manual(trader.login.id, "MNQZ6", "Sell", 1)
    trader.flatten()
    until(lambda: trader.net() == 0)


def test_nothing_is_closed_while_an_order_may_still_fill(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    """J1: the stop could fill on top of the close and open the other way."""
    monkeypatch.setattr(clearing, "PATIENCE_SECONDS", 0.3)
    trader.submit()
    trader.wait_net(1)
    stop = trader.protect(Side.SELL, 1, "24900")
    trader.order(stop, OrderStatus.WORKING)
    trader.fault("drop_before_accept", endpoint="trading/orders/cancel")
    outcome = trader.outcome(trader.flatten())
    assert isinstance(outcome, NotSent)
    assert (trader.net(), len(trader.working())) == (1, 1)


def test_an_empty_list_does_not_pass_for_flat(trader: Trader) -> None:
    """J1: a position that was there is looked for once more."""
    trader.submit()
    trader.wait_net(1)
    trader.fault("empty_lists", endpoint="trading/assets/positions/list", count=1)
    trader.flatten()
    until(lambda: trader.net() == 0)


def test_a_close_whose_answer_is_lost_is_unknown_and_found(trader: Trader) -> None:
    """F1 J1: never sent twice."""
    trader.submit()
    trader.wait_net(1)
    trader.fault("drop_after_accept", endpoint="trading/orders/place")
    name = trader.flatten()
    trader.order(name, OrderStatus.FILLED)
    trader.wait_net(0)
    assert trader.entries().count(name) == 1
