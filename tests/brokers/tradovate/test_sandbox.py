"""The whole adapter against the sandbox venue, a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from brokers.access import Access, Credentials, Endpoints
from brokers.base import (
    AccountRef,
    BracketLeg,
    CancelOrder,
    ConnectionState,
    OrderRole,
    OrderStatus,
    OrderType,
    Side,
    SubmitOrder,
)
from brokers.errors import AuthFailed
from brokers.registry import VENUES
from brokers.reports import (
    Accepted,
    ConnectionReport,
    Event,
    FillReport,
    OrderReport,
    PositionReport,
    Rejected,
    SyncReport,
)
from brokers.sandbox.testing import RunningSandbox
from brokers.streams import StreamLoop
from brokers.venue import ListedAccount
from tests.brokers.scripted import until
from tests.brokers.tradovate.stores import MemoryStore
from tests.brokers.tradovate.trader import PRICE, SYMBOL, Trader


@pytest.mark.parametrize(
    ("side", "target", "stop"),
    [(Side.BUY, Decimal(25_010), Decimal(24_980)), (Side.SELL, Decimal(24_990), Decimal(25_020))],
)
def test_an_entry_is_filled_and_protected_from_its_fill(
    trader: Trader, side: Side, target: Decimal, stop: Decimal
) -> None:
    """A1, A2, D1"""
    entry_id = trader.enter(side, 2)
    entry = trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    target_leg = trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    stop_leg = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert entry.client_order_id == entry_id
    assert (target_leg.parent_client_order_id, stop_leg.parent_client_order_id) == (entry_id, entry_id)
    assert (target_leg.price, target_leg.qty, target_leg.side) == (target, 2, side.opposite)
    assert (stop_leg.stop_price, stop_leg.qty, stop_leg.side) == (stop, 2, side.opposite)
    assert sum(fill.qty for fill in trader.client.wait(FillReport)) == 2
    (position,) = {(p.net_qty, p.avg_price) for p in trader.client.wait(PositionReport)}
    assert position == (2 * side.sign, Decimal(PRICE))


def test_a_target_that_fills_ends_the_stop(trader: Trader) -> None:
    """D4"""
    trader.enter()
    trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    trader.sandbox.price("MNQ", PRICE + 10)
    trader.order(OrderRole.TARGET, OrderStatus.FILLED)
    trader.order(OrderRole.STOP, OrderStatus.CANCELED)
    trader.wait_flat()


@pytest.mark.parametrize(("target", "stop", "roles"), [(None, 20, {OrderRole.STOP}), (10, None, {OrderRole.TARGET})])
def test_one_leg_alone_is_possible(trader: Trader, target: int | None, stop: int | None, roles: set[OrderRole]) -> None:
    trader.enter(target=target, stop=stop)
    trader.order(next(iter(roles)), OrderStatus.WORKING)
    assert {o.role for o in trader.orders().values()} == roles | {OrderRole.ENTRY}


def test_several_brackets_sum_to_the_entry(trader: Trader) -> None:
    legs = tuple(BracketLeg(qty, Decimal(10 * qty), Decimal(20)) for qty in (1, 2))
    trader.submit(qty=3, bracket=legs)
    until(lambda: len([o for o in trader.orders().values() if o.status is OrderStatus.WORKING]) == 4)
    stops = [o for o in trader.orders().values() if o.role is OrderRole.STOP]
    targets = [o for o in trader.orders().values() if o.role is OrderRole.TARGET]
    assert sorted((o.qty, o.stop_price) for o in stops) == [(1, Decimal(24_980)), (2, Decimal(24_980))]
    assert sorted((o.qty, o.price) for o in targets) == [(1, Decimal(25_010)), (2, Decimal(25_020))]


def test_a_flatten_closes_and_leaves_nothing_working(trader: Trader) -> None:
    """A3, J1"""
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    flat_id = trader.flatten()
    assert trader.order(OrderRole.EXIT, OrderStatus.FILLED).client_order_id == flat_id
    trader.order(OrderRole.STOP, OrderStatus.CANCELED)
    trader.order(OrderRole.TARGET, OrderStatus.CANCELED)
    trader.wait_flat()
    state = trader.sandbox.account_state(trader.id)
    assert ([p["netPos"] for p in state["positions"]], state["workingOrders"]) in (([], []), ([0], []))


def test_a_flatten_of_nothing_still_has_an_outcome(trader: Trader) -> None:
    """J2"""
    trader.flatten()
    (accepted,) = trader.client.wait(Accepted)
    assert accepted.broker_order_id is None


def test_a_limit_order_is_canceled_once_and_then_too_late(trader: Trader) -> None:
    """B1, B2, B4"""
    trader.submit(order_type=OrderType.LIMIT, price=Decimal("24900.25"))
    working = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    assert working.price == Decimal("24900.25")
    cancel = CancelOrder("c" * 26, trader.ref, working.broker_order_id)
    trader.client.connection.submit([cancel])
    trader.order(OrderRole.ENTRY, OrderStatus.CANCELED)
    trader.client.connection.submit([cancel])
    (rejected,) = trader.client.wait(Rejected)
    assert rejected.code == "TooLate"


def test_a_partial_fill_is_told_as_one(trader: Trader) -> None:
    """D2, G2"""
    trader.fault("partial_fill", parts=[1, 2], interval=0.3)
    trader.enter(qty=3)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    assert [fill.qty for fill in trader.client.heard(FillReport)] == [1, 2]
    assert OrderStatus.PARTIALLY_FILLED in {o.status for o in trader.client.heard(OrderReport)}


def test_a_refusal_in_the_answer_is_a_rejection(trader: Trader) -> None:
    trader.fault("reject", reason="TradingLocked", text="daily loss limit reached")
    trader.enter()
    (rejected,) = trader.client.wait(Rejected)
    assert (rejected.code, rejected.text) == ("TradingLocked", "daily loss limit reached")
    assert trader.entries() == 0


@pytest.mark.parametrize("mode", ["async", "exchange"])
def test_a_refusal_after_the_answer_is_a_rejected_order(trader: Trader, mode: str) -> None:
    """E2"""
    trader.fault("reject", reason="MaxOrderQtyLimitReached", text="too many", mode=mode)
    entry_id = trader.enter()
    entry = trader.order(OrderRole.ENTRY, OrderStatus.REJECTED)
    assert (entry.client_order_id, entry.reject_code, entry.reject_text) == (
        entry_id,
        "MaxOrderQtyLimitReached",
        "too many",
    )
    assert len([o for o in trader.client.heard(OrderReport) if o.role is OrderRole.ENTRY]) == 1


def test_a_trade_by_hand_is_external(trader: Trader) -> None:
    """G5"""
    trader.sandbox.manual(trader.id, "MNQ", "Buy", 1)
    assert trader.order(OrderRole.EXTERNAL, OrderStatus.FILLED).client_order_id is None
    assert trader.client.heard(PositionReport)[-1].net_qty == 1


def test_a_position_that_comes_late_is_still_right(trader: Trader) -> None:
    """G4"""
    trader.fault("late_average", seconds=0.5)
    trader.enter(qty=2)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    (position,) = trader.client.wait(PositionReport)
    assert (position.net_qty, position.avg_price) == (2, Decimal(PRICE))


def test_a_burst_protects_every_follower_at_once(sandbox: RunningSandbox) -> None:
    accounts = sandbox.add_accounts(40)
    loop = StreamLoop()
    loop.start()
    heard: list[Event] = []
    connections = []
    endpoints = Endpoints(sandbox.rest_url, sandbox.ws_url)
    for index, account in enumerate(accounts):
        credentials = Credentials("tradovate", "demo", account.username, "d", {"password": account.password})
        store = MemoryStore()
        connect = VENUES["tradovate"].connect
        connections.append(
            connect(index, Access(credentials, endpoints, store), lambda _, events: heard.extend(events), loop)
        )
        connections[-1].start()
    until(lambda: all(connection.state is ConnectionState.LIVE for connection in connections), 20)
    leg = BracketLeg(1, Decimal(10), Decimal(20))
    with loop.burst():
        for index, (connection, account) in enumerate(zip(connections, accounts, strict=True)):
            ref = AccountRef(str(account.id), account.name)
            connection.submit([SubmitOrder(f"burst-{index:021d}", ref, SYMBOL, Side.BUY, 1, bracket=(leg,))])
    working = (OrderStatus.WORKING, OrderRole.STOP)
    until(lambda: len({o.account for o in heard if isinstance(o, OrderReport) and (o.status, o.role) == working}) == 40)
    assert {o.client_order_id for o in heard if isinstance(o, Accepted)} == {f"burst-{n:021d}" for n in range(40)}
    loop.stop()


def test_a_venue_that_syncs_by_entity_types_only_is_asked_that_way(
    sandbox: RunningSandbox, new_trader: Callable[[], Trader]
) -> None:
    sandbox.switches(sync_requires_entity_types=True)
    trader = new_trader().live()
    (synced,) = trader.client.heard(SyncReport)
    assert synced.accounts == (trader.ref,)
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)


def test_a_host_restart_is_survived(trader: Trader) -> None:
    """I1"""
    trader.fault("shutdown", reasonCode="Maintenance")
    trader.client.wait(SyncReport, 2)
    trader.client.wait_state(ConnectionState.LIVE)
    assert trader.client.states()[2] is ConnectionState.DOWN
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)


def test_a_lazy_venue_works_too(sandbox: RunningSandbox, new_trader: Callable[[], Trader]) -> None:
    sandbox.switches(open_frame="lazy")
    new_trader().live()


def test_orders_before_the_socket_is_up_go_over_rest_with_their_bracket(new_trader: Callable[[], Trader]) -> None:
    trader = new_trader()
    entry_id = trader.enter()
    (accepted,) = trader.client.wait(Accepted)
    assert accepted.broker_strategy_id is not None
    trader.live()
    (synced,) = trader.client.wait(SyncReport)
    assert [o.client_order_id for o in synced.orders if o.role is OrderRole.ENTRY] == [entry_id]


def test_a_reconnect_tells_everything_again(trader: Trader) -> None:
    """I1, G1"""
    entry_id = trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.fault("shutdown")
    synced = trader.client.wait(SyncReport, 2)[-1]
    assert {(o.role, o.status, o.client_order_id or o.parent_client_order_id) for o in synced.orders} == {
        (OrderRole.ENTRY, OrderStatus.FILLED, entry_id),
        (OrderRole.TARGET, OrderStatus.WORKING, entry_id),
        (OrderRole.STOP, OrderStatus.WORKING, entry_id),
    }
    assert len(synced.fills) == 1
    assert [position.net_qty for position in synced.positions] == [1]


def test_the_sign_in_check_names_the_accounts(sandbox: RunningSandbox) -> None:
    """H4"""
    account = sandbox.accounts[0]
    venue = VENUES["tradovate"]
    endpoints = Endpoints(sandbox.rest_url, sandbox.ws_url)
    good = Credentials("tradovate", "demo", account.username, "check", {"password": account.password})
    assert venue.sign_in_check(Access(good, endpoints)) == (ListedAccount(AccountRef(str(account.id), account.name)),)
    with pytest.raises(AuthFailed):
        bad = Credentials("tradovate", "demo", account.username, "check", {"password": "no"})
        venue.sign_in_check(Access(bad, endpoints))


def test_quotes_are_subscribed_and_subscribed_again(trader: Trader) -> None:
    seen: list[tuple[str, Decimal | None, Decimal | None, Decimal | None, datetime]] = []
    trader.client.connection._md_url = trader.sandbox.md_url
    quotes = trader.client.connection.quotes(lambda *quote: seen.append(quote))
    quotes.start()
    quotes.subscribe([SYMBOL])
    until(lambda: seen)
    trader.sandbox.price("MNQ", 25_123)
    until(lambda: seen[-1][:4] == (SYMBOL, *[Decimal(25_123)] * 3))
    quotes._session._break_off("a test")
    until(lambda: quotes._session.stream.link is None)
    until(lambda: quotes._session.stream.link is not None)
    trader.sandbox.price("MNQ", 25_200)
    until(lambda: seen[-1][1] == 25_200)
    quotes.unsubscribe([SYMBOL])
    quotes.stop()


def test_connection_reports_carry_reasons_and_no_secrets(trader: Trader) -> None:
    """L2"""
    trader.fault("shutdown")
    trader.client.wait(SyncReport, 2)
    reports = trader.client.heard(ConnectionReport)
    assert any("Maintenance" in report.detail for report in reports)
    assert "secret" not in repr(reports)
