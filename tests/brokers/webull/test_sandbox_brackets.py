"""Native brackets of stocks and options against the sandbox venue."""

from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.base import BracketLeg, OrderRole, OrderStatus, OrderType, Side, Trail
from brokers.reports import Accepted, Rejected
from tests.brokers.scripted import until
from tests.brokers.webull.trader import AAPL, MNQ, OPTION, Trader

LIMIT, STOP = "Limit", "Stop"


def test_exits_stand_at_their_distances_from_the_fill(trader: Trader) -> None:
    """D1: measured from the market when sent, moved to the fill when it is known; the parent is the entry."""
    trader.sandbox.price(AAPL, 300)
    trader.fault("delay", trader.stocks, seconds=0.3, endpoint="trading/orders/place", count=1)
    entry = trader.bracket("10", "5", qty=3)
    until(lambda: any(call["endpoint"] == "trading/orders/place" for call in trader.sandbox.arrivals()))
    trader.sandbox.price(AAPL, 304)
    filled = trader.order(entry, OrderStatus.FILLED)
    until(lambda: trader.working(AAPL) == [(LIMIT, 3, 314.0), (STOP, 3, 299.0)])
    target = trader.leg(entry, OrderRole.TARGET, OrderStatus.WORKING)
    stop = trader.leg(entry, OrderRole.STOP, OrderStatus.WORKING)
    assert {(leg.bracket_index, leg.qty, leg.side) for leg in (target, stop)} == {(0, 3, Side.SELL)}
    until(lambda: trader.orders()[str(target.client_order_id)].price == Decimal(314))
    assert filled.role is OrderRole.ENTRY
    outcome = trader.outcome(entry)
    assert isinstance(outcome, Accepted)
    assert outcome.broker_strategy_id is not None


def test_a_limit_entry_is_measured_from_its_price(trader: Trader) -> None:
    """D1: the exits wait with the entry, and end with it when it is canceled."""
    entry = trader.bracket("10", "5", order_type=OrderType.LIMIT, price=Decimal("290.50"))
    working = trader.order(entry, OrderStatus.WORKING)
    target = trader.leg(entry, OrderRole.TARGET, OrderStatus.SUSPENDED)
    stop = trader.leg(entry, OrderRole.STOP, OrderStatus.SUSPENDED)
    assert (target.price, stop.stop_price) == (Decimal("300.50"), Decimal("285.50"))
    trader.cancel(working)
    trader.order(entry, OrderStatus.CANCELED)
    trader.leg(entry, OrderRole.TARGET, OrderStatus.CANCELED)
    trader.leg(entry, OrderRole.STOP, OrderStatus.CANCELED)


def test_a_short_entry_has_its_exits_the_other_way_round(trader: Trader) -> None:
    """D1: shares are sold short, and bought back."""
    entry = trader.bracket("10", "5", side=Side.SELL)
    trader.order(entry, OrderStatus.FILLED)
    until(lambda: trader.working(AAPL) == [(LIMIT, 1, 290.0), (STOP, 1, 305.0)])
    trader.wait_net(-1, AAPL)


def test_a_partly_filled_entry_protects_what_it_got(trader: Trader) -> None:
    """D2 D5: canceled with a part filled, its exits are for that part."""
    trader.fault("partial_fill", trader.stocks, parts=[2], leg="entry")
    entry = trader.bracket("10", "5", qty=5, order_type=OrderType.LIMIT, price=Decimal(301))
    partly = trader.order(entry, OrderStatus.PARTIALLY_FILLED)
    assert sum(fill.qty for fill in trader.fills()) == 2
    trader.cancel(partly)
    trader.order(entry, OrderStatus.CANCELED)
    until(lambda: [qty for _, qty, _ in trader.working(AAPL)] == [2, 2])
    stop = trader.leg(entry, OrderRole.STOP, OrderStatus.WORKING)
    until(lambda: trader.orders()[str(stop.client_order_id)].qty == 2)


def test_an_exit_that_the_venue_refuses_is_told(trader: Trader) -> None:
    """D3: the stop is rejected after the fill, the target works."""
    trader.fault("reject", trader.stocks, leg="stop", mode="async")
    entry = trader.bracket("10", "5")
    refused = trader.leg(entry, OrderRole.STOP, OrderStatus.REJECTED)
    trader.leg(entry, OrderRole.TARGET, OrderStatus.WORKING)
    assert refused.reject_code == "FAILED"
    assert refused.reject_text


def test_one_exits_fill_ends_the_other(trader: Trader) -> None:
    """D4: the venue's own doing, and both ends are told."""
    entry = trader.bracket("10", "5")
    trader.leg(entry, OrderRole.TARGET, OrderStatus.WORKING)
    trader.sandbox.price(AAPL, 311)
    trader.leg(entry, OrderRole.TARGET, OrderStatus.FILLED)
    trader.leg(entry, OrderRole.STOP, OrderStatus.CANCELED)
    trader.wait_net(0, AAPL)


def test_an_exit_that_fills_in_part_leaves_the_other_the_rest(trader: Trader) -> None:
    """D5: the venue's own doing; the new size is reported."""
    trader.fault("partial_fill", trader.stocks, parts=[2], leg="target")
    entry = trader.bracket("10", "5", qty=5)
    trader.leg(entry, OrderRole.TARGET, OrderStatus.WORKING)
    trader.sandbox.price(AAPL, 311)
    trader.leg(entry, OrderRole.TARGET, OrderStatus.PARTIALLY_FILLED)
    stop = trader.leg(entry, OrderRole.STOP, OrderStatus.WORKING)
    until(lambda: trader.orders()[str(stop.client_order_id)].qty == 3)
    trader.wait_net(3, AAPL)


def test_a_bracket_may_be_a_stop_alone(trader: Trader) -> None:
    """D1: what a venue without several targets gets along with an entry."""
    entry = trader.bracket(None, "5", qty=2)
    trader.leg(entry, OrderRole.STOP, OrderStatus.WORKING)
    assert trader.working(AAPL) == [(STOP, 2, 295.0)]


def test_an_option_takes_its_bracket_along(trader: Trader) -> None:
    """A1 D1: by the clearing corporation's name, also in the reports and the position."""
    trader.sandbox.price(OPTION, 12)
    entry = trader.bracket("3", "2", symbol=OPTION, order_type=OrderType.LIMIT, price=Decimal("12.50"))
    filled = trader.order(entry, OrderStatus.FILLED)
    assert filled.symbol == OPTION
    trader.wait_net(1, OPTION)
    stop = trader.leg(entry, OrderRole.STOP, OrderStatus.WORKING)
    change = trader.change(stop, stop_price=Decimal("11"))
    assert isinstance(trader.outcome(change), Accepted)
    trader.flatten(OPTION)
    trader.wait_net(0, OPTION)
    assert trader.working(AAPL) == []


@pytest.mark.parametrize(
    ("symbol", "legs", "terms"),
    [
        (MNQ, (BracketLeg(2, Decimal(10), Decimal(5)),), {}),
        (AAPL, (BracketLeg(1, Decimal(10), Decimal(5)), BracketLeg(1, Decimal(20), Decimal(5))), {}),
        (AAPL, (BracketLeg(2, None, Decimal(5), Trail(Decimal(5))),), {}),
        (AAPL, (BracketLeg(2, None, Decimal(5)),), {"order_type": OrderType.STOP, "stop_price": Decimal(310)}),
    ],
)
def test_a_bracket_that_the_venue_does_not_have_is_refused(
    trader: Trader, symbol: str, legs: tuple[BracketLeg, ...], terms: dict[str, object]
) -> None:
    """D1: no entry goes out without the protection that it was to have."""
    refused = trader.outcome(trader.submit(qty=2, symbol=symbol, bracket=legs, **terms))
    assert isinstance(refused, Rejected)
    assert refused.code == "UNSUPPORTED_ORDER"
    assert trader.entries() == trader.entries(trader.stocks) == []


def test_without_market_data_a_market_entry_with_exits_is_refused(trader: Trader) -> None:
    """D1: there is no price to measure its exits from; a limit entry needs none."""
    trader.sandbox.switches(market_data=False)
    refused = trader.outcome(trader.bracket("10", "5"))
    assert isinstance(refused, Rejected)
    assert refused.code == "NO_MARKET_PRICE"
    assert "MARKET_DATA_NOT_SUBSCRIBED" in refused.text
    entry = trader.bracket("10", "5", order_type=OrderType.LIMIT, price=Decimal(290))
    trader.order(entry, OrderStatus.WORKING)
