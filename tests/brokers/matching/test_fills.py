from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.matching.types import Kind, Policy, Status
from tests.brokers.matching.desk import Desk

BUY, SELL = 1, -1


def test_a_market_order_takes_the_touch() -> None:
    desk = Desk()
    desk.quote("100", bid="99.75", ask="100.25")
    bought, sold = desk.place(BUY, 2), desk.place(SELL, 1)
    assert desk.prices == [Decimal("100.25"), Decimal("99.75")]
    assert (bought.status, bought.filled, bought.average) == (Status.FILLED, 2, Decimal("100.25"))
    assert sold.is_done


def test_a_market_order_waits_for_a_quote() -> None:
    desk = Desk()
    order = desk.place(BUY, 1)
    assert order.is_working
    assert desk.executions == []
    desk.quote("100", ask="100.25")
    assert desk.prices == [Decimal("100.25")]


def test_slippage_makes_market_and_stop_fills_worse_and_leaves_limits_alone() -> None:
    desk = Desk(Policy(slippage_ticks=2))
    desk.quote("100")
    desk.place(BUY, 1)
    desk.place(SELL, 1)
    desk.place(SELL, 1, Kind.LIMIT, limit="100")
    desk.place(SELL, 1, Kind.STOP, stop="99")
    desk.quote("99")
    assert desk.prices == [Decimal("100.5"), Decimal("99.5"), Decimal(100), Decimal("98.5")]


@pytest.mark.parametrize(("side", "limit", "touch"), [(BUY, "101", "100.25"), (SELL, "99", "99.75")])
def test_a_limit_beyond_the_market_takes_the_better_price_on_arrival(side: int, limit: str, touch: str) -> None:
    desk = Desk(Policy(trade_through=True))
    desk.quote("100", bid="99.75", ask="100.25")
    desk.place(side, 1, Kind.LIMIT, limit=limit)
    assert desk.prices == [Decimal(touch)]


def test_a_resting_limit_fills_at_its_own_price_when_the_market_touches_it() -> None:
    desk = Desk()
    desk.quote("100", bid="99.75", ask="100.25")
    order = desk.place(BUY, 1, Kind.LIMIT, limit="99")
    assert order.is_working
    desk.quote("99", bid="98.75", ask="99")
    assert desk.prices == [Decimal(99)]


def test_a_limit_that_must_be_traded_through_does_not_fill_at_its_price() -> None:
    desk = Desk(Policy(trade_through=True))
    desk.quote("100")
    order = desk.place(SELL, 1, Kind.LIMIT, limit="101")
    desk.quote("101", bid="101", ask="101.25")
    assert order.is_working
    desk.quote("101.25", bid="101.25", ask="101.5")
    assert desk.prices == [Decimal(101)]


def test_a_trade_beyond_the_limit_fills_it_though_the_touch_is_not_there() -> None:
    desk = Desk(Policy(trade_through=True))
    desk.quote("100")
    desk.place(BUY, 1, Kind.LIMIT, limit="99")
    desk.quote("98.75", bid="98.75", ask="99.25")
    assert desk.prices == [Decimal(99)]


def test_a_trade_from_before_the_order_does_not_fill_it() -> None:
    desk = Desk(Policy(trade_through=True))
    desk.quote("98", bid="99.75", ask="100")
    order = desk.place(BUY, 1, Kind.LIMIT, limit="99")
    desk.quote("98", bid="99.5", ask="99.75")
    assert order.is_working


@pytest.mark.parametrize(("side", "stop", "gap", "touch"), [(BUY, "101", "105", "105.25"), (SELL, "99", "95", "94.75")])
def test_a_stop_triggers_on_the_last_price_and_fills_at_the_touch_across_a_gap(
    side: int, stop: str, gap: str, touch: str
) -> None:
    desk = Desk()
    desk.quote("100", bid="98", ask="102")
    order = desk.place(side, 1, Kind.STOP, stop=stop)
    assert order.is_working
    price = Decimal(gap)
    desk.quote(gap, bid=str(price - Decimal("0.25")), ask=str(price + Decimal("0.25")))
    assert desk.prices == [Decimal(touch)]


def test_a_stop_limit_that_was_gapped_through_rests_at_its_limit() -> None:
    desk = Desk()
    desk.quote("100")
    order = desk.place(SELL, 1, Kind.STOP_LIMIT, stop="99", limit="98.5")
    desk.quote("97")
    assert order.is_working
    assert order.is_triggered
    desk.quote("100")
    assert desk.prices == [Decimal("98.5")]


def test_a_stop_limit_fills_at_the_touch_when_it_triggers_within_its_limit() -> None:
    desk = Desk()
    desk.quote("100")
    desk.place(BUY, 1, Kind.STOP_LIMIT, stop="101", limit="102")
    desk.quote("101", bid="101", ask="101.25")
    assert desk.prices == [Decimal("101.25")]


def test_a_trailing_stop_follows_the_best_price_and_never_goes_back() -> None:
    desk = Desk()
    desk.quote("100")
    order = desk.place(SELL, 1, Kind.TRAILING, trail="2")
    assert order.stop == Decimal(98)
    for last, stop in (("103", "101"), ("101.5", "101"), ("104", "102")):
        desk.quote(last)
        assert order.stop == Decimal(stop)
    desk.quote("101.75")
    assert desk.prices == [Decimal("101.75")]


def test_a_trailing_stop_without_a_quote_begins_with_the_first_one() -> None:
    desk = Desk()
    order = desk.place(BUY, 1, Kind.TRAILING, trail="1.5")
    assert order.stop is None
    desk.quote("100")
    assert (order.stop, order.is_working) == (Decimal("101.5"), True)


def test_a_trailing_stop_keeps_the_stop_that_it_was_given_until_the_market_moves_it() -> None:
    desk = Desk()
    desk.quote("100")
    order = desk.place(SELL, 1, Kind.TRAILING, trail="2", stop="99")
    assert order.stop == Decimal(99)
    desk.quote("101.5")
    assert order.stop == Decimal("99.5")


def test_orders_of_one_quote_trade_in_the_order_of_placing() -> None:
    desk = Desk()
    desk.quote("100")
    first = desk.place(BUY, 1, Kind.STOP, stop="101")
    second = desk.place(BUY, 1, Kind.LIMIT, limit="99")
    desk.engine.amend(second, stop=Decimal("100.5"), kind=Kind.STOP)
    desk.quote("102")
    assert [execution.order for execution in desk.executions] == [first, second]


def test_a_quote_of_one_contract_leaves_the_others_alone() -> None:
    desk = Desk()
    desk.quote("100")
    order = desk.place(BUY, 1, Kind.LIMIT, limit="99")
    other = type(order.contract)(name="MESZ6")  # type: ignore[call-arg]
    desk.quote("90", contract=other)
    assert order.is_working
