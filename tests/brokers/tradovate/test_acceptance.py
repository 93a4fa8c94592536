"""The acceptance cases that every name of this backend passes, from sign-in to flat, through its own `VENUE`.

`tests/brokers/ninjatrader` runs them for NinjaTrader's.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from brokers.access import Access, Credentials, Endpoints
from brokers.base import BracketLeg, OrderRole, OrderStatus, OrderType, Side, Trail
from brokers.errors import AuthFailed
from brokers.reports import Accepted, FillReport, OrderReport, PositionReport, Rejected
from brokers.sandbox.testing import RunningSandbox
from brokers.tradovate.venue import VENUE as TRADOVATE
from brokers.venue import Venue
from tests.brokers.scripted import until
from tests.brokers.tradovate.trader import PRICE, SYMBOL, Trader


@pytest.fixture
def broker() -> Venue:
    return TRADOVATE


@pytest.fixture
def trader(broker: Venue, new_trader: Callable[..., Trader]) -> Trader:
    return new_trader(broker.connect).live()


def test_the_sign_in_check_names_the_accounts_and_a_bad_password_is_refused(
    broker: Venue, sandbox: RunningSandbox
) -> None:
    """H4"""
    (account,) = sandbox.add_accounts(1)
    endpoints = Endpoints(sandbox.rest_url, sandbox.ws_url)

    def access(password: str) -> Access:
        return Access(Credentials("any", "sandbox", account.username, "device", {"password": password}), endpoints)

    (listed,) = broker.sign_in_check(access(account.password))
    assert (listed.ref.broker_id, listed.ref.name) == (str(account.id), account.name)
    assert all(check.is_ok for check in broker.preflight(access(account.password), listed.ref, SYMBOL))
    with pytest.raises(AuthFailed):
        broker.sign_in_check(access("no"))


@pytest.mark.parametrize("side", list(Side))
def test_a_market_order_is_filled(trader: Trader, side: Side) -> None:
    """A1, A2, G4"""
    client_order_id = trader.submit(side, 2)
    order = trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    assert order.client_order_id == client_order_id
    assert sum(fill.qty for fill in trader.client.wait(FillReport)) == 2
    until(lambda: [p.net_qty for p in trader.client.heard(PositionReport)] == [2 * side.sign])


def test_an_exit_closes_the_position_and_the_order_of_a_flatten_is_known(trader: Trader) -> None:
    """A3, J1"""
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    flat_id = trader.flatten()
    assert trader.order(OrderRole.EXIT, OrderStatus.FILLED).client_order_id == flat_id
    trader.order(OrderRole.STOP, OrderStatus.CANCELED)
    trader.wait_flat()
    assert (trader.net(), trader.at_venue()) == (0, [])


def test_a_limit_order_works_is_changed_and_canceled(trader: Trader) -> None:
    """B1, B2, B3"""
    trader.submit(order_type=OrderType.LIMIT, price=Decimal(24_900))
    working = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    trader.change(working, price=Decimal("24910.25"))
    until(lambda: trader.newest(working).price == Decimal("24910.25"))
    trader.cancel(trader.newest(working))
    trader.order(OrderRole.ENTRY, OrderStatus.CANCELED)
    assert trader.at_venue() == []


def test_a_stop_order_waits_for_its_price(trader: Trader) -> None:
    """C1"""
    trader.submit(order_type=OrderType.STOP, stop_price=Decimal(PRICE + 5))
    trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    trader.sandbox.price("MNQ", PRICE + 5)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)


def test_a_bracket_is_armed_from_the_fill_and_one_exit_ends_the_other(trader: Trader) -> None:
    """D1, D4"""
    trader.enter(qty=2)
    target = trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    stop = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert (target.price, stop.stop_price) == (Decimal(PRICE + 10), Decimal(PRICE - 20))
    trader.sandbox.price("MNQ", PRICE + 10)
    trader.order(OrderRole.TARGET, OrderStatus.FILLED)
    trader.order(OrderRole.STOP, OrderStatus.CANCELED)
    trader.wait_flat()


def test_a_stop_may_trail_from_the_start(trader: Trader) -> None:
    """C2"""
    trader.submit(bracket=(BracketLeg(1, None, None, Trail(Decimal(20))),))
    assert trader.order(OrderRole.STOP, OrderStatus.WORKING).order_type is OrderType.TRAILING_STOP
    trader.sandbox.price("MNQ", PRICE + 50)
    trader.sandbox.price("MNQ", PRICE + 30)
    trader.order(OrderRole.STOP, OrderStatus.FILLED)
    trader.wait_flat()


def test_a_price_between_two_ticks_is_refused(trader: Trader) -> None:
    """E1"""
    name = trader.submit(order_type=OrderType.LIMIT, price=Decimal("24900.10"))
    until(lambda: trader.client.heard(Rejected) or _rejected(trader))
    assert trader.at_venue() == []
    assert name in {o.client_order_id for o in [*trader.client.heard(Rejected), *_rejected(trader)]}


def test_a_size_above_the_limit_is_refused_with_the_venues_reason(trader: Trader) -> None:
    """E2"""
    trader.sandbox.switches(max_order_qty=5)
    trader.submit(qty=6)
    until(lambda: trader.client.heard(Rejected) or _rejected(trader))
    told = [o.code for o in trader.client.heard(Rejected)] or [o.reject_code for o in _rejected(trader)]
    assert told == ["MaxOrderQtyLimitReached"]
    assert trader.net() == 0


def test_a_closed_session_refuses(trader: Trader) -> None:
    """E3"""
    trader.sandbox.switches(session="closed")
    trader.submit()
    until(lambda: trader.client.heard(Rejected) or _rejected(trader))
    assert trader.net() == 0


def test_an_unknown_symbol_is_refused(trader: Trader) -> None:
    """E5"""
    trader.submit(symbol="XXZ6")
    (rejected,) = trader.client.wait(Rejected)
    assert rejected.code != ""
    assert not trader.client.heard(Accepted)


def test_a_flatten_of_nothing_is_accepted_and_trades_nothing(trader: Trader) -> None:
    """J2"""
    trader.flatten()
    trader.client.wait(Accepted)
    assert (trader.net(), trader.at_venue()) == (0, [])


def _rejected(trader: Trader) -> list[OrderReport]:
    return [order for order in trader.orders().values() if order.status is OrderStatus.REJECTED]
