"""Single orders at the paper venue."""

from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.base import OrderRole, OrderStatus, OrderType, Side
from brokers.paper.terms import Terms
from brokers.reports import Accepted, BalanceReport, FillReport, OrderReport, PositionReport, Sent
from tests.brokers.paper.conftest import MakeTrader
from tests.brokers.paper.trader import PRICE, TICK, Market, Trader
from tests.brokers.scripted import until

ASK = PRICE + TICK


def test_a_market_buy_fills_at_the_ask(trader: Trader) -> None:
    """A1."""
    name = trader.enter(2)
    assert trader.fills() == [(Side.BUY, 2, ASK)]
    until(lambda: trader.heard(PositionReport))
    position = trader.heard(PositionReport)[-1]
    assert (position.net_qty, position.avg_price) == (2, ASK)
    order = trader.order_called(name, OrderStatus.FILLED)
    assert (order.role, order.order_type, order.qty) == (OrderRole.ENTRY, OrderType.MARKET, 2)


def test_a_market_sell_fills_at_the_bid(trader: Trader) -> None:
    """A2."""
    trader.enter(1, Side.SELL)
    assert trader.fills() == [(Side.SELL, 1, Decimal(PRICE))]
    assert trader.net() == -1


def test_an_exit_closes_the_position_and_realizes_its_profit(trader: Trader, market: Market) -> None:
    """A3."""
    trader.enter(1)
    market.price(PRICE + 10)
    name = trader.exit()
    assert trader.order_called(name, OrderStatus.FILLED).role is OrderRole.EXIT
    trader.wait_flat()
    assert trader.cash() == 50_000 + (10 - TICK) * 2


def test_events_come_in_the_order_of_what_happened(trader: Trader) -> None:
    name = trader.enter(1)
    until(lambda: trader.heard(BalanceReport))
    kinds = [type(event) for event in trader.events[3:]]
    assert kinds == [Sent, Accepted, FillReport, OrderReport, PositionReport, BalanceReport]
    outcome = trader.outcome(name)
    assert isinstance(outcome, Accepted)
    assert outcome.broker_order_id == trader.heard(FillReport)[0].broker_order_id


def test_slippage_and_commission_are_charged_as_the_owner_set_them(make_trader: MakeTrader, market: Market) -> None:
    trader = make_trader(Terms(balance=Decimal(1000), commission=Decimal("0.52"), slippage_ticks=2))
    trader.enter(2)
    assert trader.fills() == [(Side.BUY, 2, ASK + 2 * TICK)]
    market.price(PRICE + 100)
    trader.exit(qty=2)
    trader.wait_flat()
    points = Decimal(PRICE + 100) - 2 * TICK - (ASK + 2 * TICK)
    assert trader.cash() == 1000 + points * 2 * 2 - 4 * Decimal("0.52")
    until(lambda: len(trader.balances()) == 2)
    assert trader.balances()[0] == 1000 - 2 * Decimal("0.52")


def test_a_limit_order_rests_until_the_market_has_traded_through_it(trader: Trader, market: Market) -> None:
    """B1, B2."""
    name = trader.limit(PRICE - 5)
    resting = trader.order_called(name, OrderStatus.WORKING)
    assert (resting.order_type, resting.price) == (OrderType.LIMIT, Decimal(PRICE - 5))
    market.price(PRICE - 5, spread=Decimal(0))
    trader.settled()
    assert trader.fills() == []
    market.price(Decimal(PRICE - 5) - TICK, spread=Decimal(0))
    trader.order_called(name, OrderStatus.FILLED)
    assert trader.fills() == [(Side.BUY, 1, Decimal(PRICE - 5))]


def test_a_limit_order_beyond_the_market_takes_the_better_price(trader: Trader) -> None:
    trader.order_called(trader.limit(PRICE + 5), OrderStatus.FILLED)
    assert trader.fills() == [(Side.BUY, 1, ASK)]


def test_a_canceled_limit_order_never_fills(trader: Trader, market: Market) -> None:
    """B3."""
    resting = trader.order_called(trader.limit(PRICE - 5), OrderStatus.WORKING)
    cancel = trader.cancel(resting)
    trader.order_called(resting.client_order_id or "", OrderStatus.CANCELED)
    assert isinstance(trader.outcome(cancel), Accepted)
    market.price(PRICE - 50)
    trader.settled()
    assert trader.fills() == []
    assert trader.refusal(trader.cancel(resting)) == ("TOO_LATE", "the order is canceled")


def test_a_modified_limit_order_has_its_new_terms(trader: Trader, market: Market) -> None:
    """B4."""
    resting = trader.order_called(trader.limit(PRICE - 50, qty=3), OrderStatus.WORKING)
    change = trader.change(resting, 2, price=Decimal(PRICE - 5))
    assert trader.outcome(change) == Accepted(change, resting.broker_order_id, market.now)
    until(lambda: trader.working() == [("limit", 2, Decimal(PRICE - 5))])
    market.price(PRICE - 6, spread=Decimal(0))
    trader.order_called(resting.client_order_id or "", OrderStatus.FILLED)
    assert trader.fills() == [(Side.BUY, 2, Decimal(PRICE - 5))]


def test_a_change_into_the_market_fills_at_once(trader: Trader) -> None:
    """B5."""
    resting = trader.order_called(trader.limit(PRICE - 50), OrderStatus.WORKING)
    trader.change(resting, price=Decimal(PRICE + 5))
    trader.order_called(resting.client_order_id or "", OrderStatus.FILLED)
    assert trader.fills() == [(Side.BUY, 1, ASK)]


@pytest.mark.parametrize(("qty", "price"), [(1, Decimal(PRICE) + Decimal("0.1")), (0, Decimal(PRICE)), (1, None)])
def test_terms_that_mean_nothing_are_refused_and_leave_the_order_alone(
    trader: Trader, qty: int, price: Decimal | None
) -> None:
    name = trader.submit(qty=qty, order_type=OrderType.LIMIT, price=price)
    assert trader.refusal(name)[0] in {"PRICE_OFF_TICK", "ORDER_SIZE", "PRICE_MISSING"}
    assert trader.working() == []


def test_a_stop_order_triggers_on_the_last_price_and_takes_what_is_there(trader: Trader, market: Market) -> None:
    """C1."""
    name = trader.submit(order_type=OrderType.STOP, stop_price=Decimal(PRICE + 10))
    waiting = trader.order_called(name, OrderStatus.WORKING)
    assert (waiting.order_type, waiting.stop_price) == (OrderType.STOP, Decimal(PRICE + 10))
    market.price(PRICE + 9)
    trader.settled()
    assert trader.fills() == []
    market.price(PRICE + 15)
    trader.order_called(name, OrderStatus.FILLED)
    assert trader.fills() == [(Side.BUY, 1, PRICE + 15 + TICK)]


def test_a_trailing_stop_keeps_the_distance_it_began_with(trader: Trader, market: Market) -> None:
    """C2."""
    trader.enter(1)
    name = trader.submit(
        Side.SELL, name="S-" + "0" * 26, order_type=OrderType.TRAILING_STOP, stop_price=Decimal(PRICE - 10),
        is_protective=True,
    )  # fmt: skip
    trailing = trader.order_called(name, OrderStatus.WORKING)
    assert (trailing.role, trailing.order_type) == (OrderRole.STOP, OrderType.TRAILING_STOP)
    market.wait(seconds=2)
    market.price(PRICE + 20)
    until(lambda: trader.orders()[trailing.broker_order_id].stop_price == PRICE + 10)
    market.price(PRICE + 15)
    trader.settled()
    assert trader.working() == [("trailing_stop", 1, Decimal(PRICE + 10))]
    market.price(PRICE + 10)
    trader.wait_flat()
    assert trader.fills()[-1] == (Side.SELL, 1, Decimal(PRICE + 10))


def test_a_change_of_a_trailing_stops_size_leaves_its_price(trader: Trader, market: Market) -> None:
    trader.enter(2)
    terms = {"order_type": OrderType.TRAILING_STOP, "stop_price": Decimal(PRICE - 10), "is_protective": True}
    trailing = trader.order_called(trader.submit(Side.SELL, 2, **terms), OrderStatus.WORKING)
    market.price(PRICE + 20)
    trader.change(trailing, 1)
    until(lambda: trader.working() == [("trailing_stop", 1, Decimal(PRICE + 10))])
