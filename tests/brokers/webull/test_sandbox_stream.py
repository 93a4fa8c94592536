"""Events as a trigger, looking as the authority: losses, silence, repetitions, restarts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from brokers.base import ConnectionState, OrderRole, OrderStatus, OrderType, Side
from brokers.connector import Backoff
from brokers.reports import BalanceReport, FillReport, OrderReport, PositionReport, SyncReport
from brokers.sandbox.testing import RunningSandbox
from brokers.webull import events, poll
from tests.brokers.scripted import until
from tests.brokers.webull.trader import AAPL, Trader

SUBSCRIBE = "grpc.trade.event.eventservice/subscribe"


def _subscriptions(trader: Trader) -> int:
    arrivals = trader.sandbox.arrivals()
    return sum(1 for a in arrivals if a["endpoint"] == SUBSCRIBE and a["username"] == trader.login.username)


def test_an_event_tells_of_a_fill_while_nobody_looks(
    new_trader: Callable[..., Trader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """G2: the next look around would be an hour away."""
    monkeypatch.setattr(poll, "IDLE_SECONDS", 3600.0)
    trader = new_trader().live()
    until(lambda: _subscriptions(trader) == 1)
    name = trader.submit(order_type=OrderType.LIMIT, price=Decimal(24_900))
    trader.order(name, OrderStatus.WORKING)
    trader.sandbox.price("MNQ", 24_890)
    trader.order(name, OrderStatus.FILLED)
    trader.wait_net(1)


def test_without_events_looking_finds_everything(trader: Trader) -> None:
    """I2: some accounts get nothing but pings; the poll goes on."""
    trader.fault("no_events", count=None)
    market = trader.submit()
    resting = trader.submit(order_type=OrderType.LIMIT, price=Decimal(24_900))
    trader.order(market, OrderStatus.FILLED)
    trader.order(resting, OrderStatus.WORKING)
    trader.sandbox.price("MNQ", 24_890)
    trader.order(resting, OrderStatus.FILLED)
    trader.wait_net(2)


def test_a_lost_stream_is_subscribed_again_and_everything_is_read_anew(
    new_trader: Callable[..., Trader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """I1: one whole sync after each subscription but the first, which the connection's own sync covers."""
    trader = new_trader()
    trader.connection._events.backoff = Backoff(first=0.01, most=0.05)
    trader.live()
    until(lambda: _subscriptions(trader) == 1)
    trader.fault("shutdown")
    trader.wait(SyncReport, 2)
    name = trader.submit()
    trader.order(name, OrderStatus.FILLED)
    assert _subscriptions(trader) >= 2
    assert trader.connection.state is ConnectionState.LIVE


def test_a_stream_that_fell_silent_is_given_up(
    new_trader: Callable[..., Trader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """I2: not even a ping for too long means that it is dead."""
    trader = new_trader()
    trader.connection._events.backoff = Backoff(first=0.01, most=0.05)
    trader.live()
    until(lambda: _subscriptions(trader) == 1)
    trader.fault("silent_socket")
    monkeypatch.setattr(events, "SILENCE_SECONDS", 0.2)
    until(lambda: _subscriptions(trader) >= 2)


@pytest.mark.parametrize("second_stream", ["resource_exhausted", "event"])
def test_a_key_has_one_stream_and_the_second_connection_looks(
    trader: Trader, sandbox: RunningSandbox, second_stream: str
) -> None:
    """I2: refused events are no reason to be blind."""
    until(lambda: _subscriptions(trader) == 1)
    sandbox.switches(second_stream=second_stream)
    second = Trader(sandbox, trader.login).live()
    name = second.submit()
    second.order(name, OrderStatus.FILLED)
    second.wait_net(1)
    second.close()


def test_old_events_again_change_nothing(trader: Trader) -> None:
    """G6 I4: every event of the session once more, unchanged."""
    name = trader.submit(qty=2)
    trader.order(name, OrderStatus.FILLED)
    trader.wait_net(2)
    orders, fills = trader.heard(OrderReport), trader.heard(FillReport)
    trader.fault("replay")
    trader.connection.query(trader.futures)
    later = trader.submit()
    trader.order(later, OrderStatus.FILLED)
    again = [order for order in trader.heard(OrderReport) if order.client_order_id == name]
    assert again == orders
    assert [fill for fill in trader.heard(FillReport) if fill in fills] == fills
    assert len({fill.broker_fill_id for fill in trader.fills()}) == len(trader.fills()) == 3


def test_a_new_process_tells_the_same_fills_and_orders(trader: Trader) -> None:
    """G6 I1: after a restart in the middle of a partial fill, no contract is counted twice or lost."""
    trader.fault("partial_fill", parts=[1, 1, 2], interval=0.2, leg="entry")
    entry = trader.submit(qty=4, order_type=OrderType.LIMIT, price=Decimal(25_010))
    trader.order(entry, OrderStatus.PARTIALLY_FILLED)
    before = {fill.broker_fill_id for fill in trader.fills()}
    trader.reconnect()
    report = trader.order(entry, OrderStatus.FILLED)
    after = {fill.broker_fill_id: fill.qty for fill in trader.fills()}
    assert before <= set(after)
    assert sum(after.values()) == 4
    assert report.role is OrderRole.ENTRY


def test_a_new_process_knows_whose_a_brackets_exits_are(trader: Trader) -> None:
    """G1: told in the first sync, with their entry."""
    entry = trader.bracket("10", "5")
    stop = trader.leg(entry, OrderRole.STOP, OrderStatus.WORKING)
    trader.leg(entry, OrderRole.TARGET, OrderStatus.WORKING)
    trader.reconnect()
    again = trader.leg(entry, OrderRole.STOP, OrderStatus.WORKING)
    assert (again.broker_order_id, again.bracket_index) == (stop.broker_order_id, 0)
    trader.cancel(again)
    trader.leg(entry, OrderRole.STOP, OrderStatus.CANCELED)


def test_the_sync_holds_the_accounts_whole_truth(trader: Trader) -> None:
    """G1 G2 G4: both accounts, their orders, fills, positions and cash."""
    trader.submit(Side.SELL, 2)
    trader.submit(qty=3, symbol=AAPL)
    trader.wait_net(-2)
    trader.wait_net(3, AAPL)
    trader.reconnect()
    sync = trader.heard(SyncReport)[0]
    assert set(sync.accounts) == {trader.futures, trader.stocks}
    assert {(p.account, p.symbol, p.net_qty) for p in sync.positions} == {
        (trader.futures, "MNQZ6", -2),
        (trader.stocks, AAPL, 3),
    }
    assert sum(fill.qty for fill in sync.fills) == 5
    assert {balance.account for balance in sync.balances} == {trader.futures, trader.stocks}
    assert {order.status for order in sync.orders} == {OrderStatus.FILLED}


def test_one_empty_list_is_no_proof_of_a_flat_account(trader: Trader) -> None:
    """G4: what vanishes is looked for once more."""
    trader.submit()
    trader.wait_net(1)
    trader.fault("empty_lists", endpoint="trading/assets/positions/list", count=1)
    trader.wait_cleared()
    name = trader.submit()
    trader.order(name, OrderStatus.FILLED)
    trader.wait_net(2)
    assert all(report.net_qty > 0 for report in trader.heard(PositionReport))


def test_cash_moves_with_the_realized_result(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cash of the futures account is told when it has changed."""
    monkeypatch.setattr(poll, "CASH_SECONDS", 0.1)
    before = trader.heard(SyncReport)[0].balances
    monkeypatch.setattr(poll, "RECONCILE_SECONDS", 0.1)
    trader.submit()
    trader.wait_net(1)
    trader.sandbox.price("MNQ", 25_100)
    trader.flatten()
    trader.wait_net(0)
    trader.connection._poller._cash_due = 0.0
    told = trader.wait(BalanceReport)[-1]
    (opening,) = [balance.cash for balance in before if balance.account == trader.futures]
    assert told.cash - opening == Decimal(200)
