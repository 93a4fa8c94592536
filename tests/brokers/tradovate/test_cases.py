"""Acceptance cases in which the venue refuses, doubts or splits; the others are beside what they are about."""

from __future__ import annotations

import logging
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from brokers.base import CancelOrder, ModifyOrder, OrderRole, OrderStatus, OrderType, Request, Side, SubmitOrder
from brokers.reports import (
    Accepted,
    BalanceReport,
    FillReport,
    OrderReport,
    PositionReport,
    Rejected,
    SyncReport,
    Unknown,
)
from brokers.sandbox.testing import RunningSandbox, SandboxAccount
from brokers.tradovate.venue import VENUE
from brokers.venue import Connect
from tests.brokers.scripted import frame, until
from tests.brokers.tradovate.trader import PRICE, SYMBOL, Trader
from tests.brokers.tradovate.venue import ACCOUNT, Client, Line, Venue, live, props

SESSION = Path(__file__).parent / "fixtures" / "session.json"
ID = "in_0123456789abcdef0123456789"
WORKING = {"id": 900100, "accountId": 5001, "contractId": 43, "action": "Buy", "ordStatus": "Working"}
COMMAND = {"id": 900100, "orderId": 900100, "clOrdId": ID, "commandType": "New", "commandStatus": "AtExecution"}
CANCEL = CancelOrder("M-" + "c" * 26, ACCOUNT, "900100")
MODIFY = ModifyOrder("M-" + "m" * 26, ACCOUNT, "900100", 1, OrderType.LIMIT, price=Decimal(24_900))


@pytest.mark.parametrize(
    ("leg", "refused", "left"),
    [("stop", OrderRole.STOP, OrderRole.TARGET), ("target", OrderRole.TARGET, OrderRole.STOP)],
)
def test_a_leg_that_is_refused_is_told_with_its_parent_and_the_other_works(
    trader: Trader, leg: str, refused: OrderRole, left: OrderRole
) -> None:
    """D3"""
    trader.fault("reject", reason="InvalidPrice", text="beyond the band", mode="async", leg=leg)
    entry_id = trader.enter()
    rejected = trader.order(refused, OrderStatus.REJECTED)
    assert rejected.parent_client_order_id == entry_id
    assert (rejected.reject_code, rejected.reject_text) == ("InvalidPrice", "beyond the band")
    trader.order(left, OrderStatus.WORKING)
    assert trader.net() == 1


def test_an_entry_filled_in_part_and_canceled_keeps_what_it_filled(trader: Trader) -> None:
    """G3"""
    trader.fault("partial_fill", parts=[1])
    trader.submit(qty=3)
    partly = trader.order(OrderRole.ENTRY, OrderStatus.PARTIALLY_FILLED)
    trader.cancel(partly)
    canceled = trader.order(OrderRole.ENTRY, OrderStatus.CANCELED)
    assert canceled.qty == 3
    assert [fill.qty for fill in trader.client.heard(FillReport)] == [1]
    until(lambda: trader.client.heard(PositionReport)[-1].net_qty == 1)


def test_an_order_beyond_the_accounts_margin_is_a_rejected_order(
    sandbox: RunningSandbox, connect: Connect = VENUE.connect
) -> None:
    """E4"""
    poor = {"username": "margin", "password": "pw", "accounts": ["DEMO-MARGIN"], "balance": 10}
    (row,) = sandbox.post("/accounts", logins=[poor])
    trader = Trader(sandbox, SandboxAccount(**row), connect).live()
    try:
        trader.enter(qty=2)
        entry = trader.order(OrderRole.ENTRY, OrderStatus.REJECTED)
        assert entry.reject_code != ""
        assert trader.net() == 0
    finally:
        trader.client.close()


@pytest.mark.parametrize(("request_", "endpoint"), [(CANCEL, "order/cancelorder"), (MODIFY, "order/modifyorder")])
def test_a_change_without_an_answer_is_in_doubt_and_not_repeated(
    venue: Venue, client: Client, request_: Request, endpoint: str
) -> None:
    """F4"""
    line = live(venue, client)
    client.connection.submit([request_])
    line.expect(endpoint)
    line.peer.reset()
    assert [o.client_order_id for o in client.wait(Unknown)] == [request_.client_order_id]
    again = Line(venue.socket.accepted())
    again.sign_in()
    client.wait(SyncReport, 2)
    client.connection.submit([SubmitOrder(ID, ACCOUNT, "MNQZ6", Side.BUY, 1)])
    again.expect("order/placeorder")
    assert endpoint not in venue.paths()


def test_the_same_client_id_twice_is_two_orders_at_this_venue(trader: Trader) -> None:
    """F5"""
    assert VENUE.capabilities.enforces_unique_client_ids is False
    order = SubmitOrder(ID, trader.ref, SYMBOL, Side.BUY, 1)
    trader.client.connection.submit([order, order])
    accepted = trader.client.wait(Accepted, 2)
    assert len({o.broker_order_id for o in accepted}) == 2
    until(lambda: [o.client_order_id for o in trader.orders().values()] == [ID, ID])


def test_frames_may_be_split_and_merged_in_any_way(venue: Venue, client: Client) -> None:
    """I3"""
    line = live(venue, client)
    fill = {"id": 77, "orderId": 900100, "contractId": 43, "action": "Buy", "qty": 1, "price": 25000.0}
    stamped = {**fill, "timestamp": "2026-10-01T14:00:00.045Z"}
    both = b"a" + orjson.dumps([props("order", WORKING), props("command", COMMAND)])
    stream = frame(both) + frame("h") + frame(b"a" + orjson.dumps([props("fill", stamped)]))
    for at in range(0, len(stream), 7):
        line.peer.send_raw(stream[at : at + 7])
    assert [o.client_order_id for o in client.wait(OrderReport)] == [ID]
    assert [f.broker_fill_id for f in client.wait(FillReport)] == ["77"]


def test_a_session_in_the_shapes_that_were_recorded_is_read_whole(venue: Venue, client: Client) -> None:
    """L1"""
    line = live(venue, client)
    for recorded in orjson.loads(SESSION.read_bytes()):
        line.peer.send(recorded)
    rejected = until(lambda: [o for o in client.heard(OrderReport) if o.status is OrderStatus.REJECTED])
    assert (rejected[0].broker_order_id, rejected[0].reject_code) == ("516124640030", "MaxOrderQtyLimitReached")
    ours = [o for o in client.heard(OrderReport) if o.client_order_id == ID]
    assert (ours[-1].status, ours[-1].qty, ours[-1].price) == (OrderStatus.FILLED, 2, Decimal("25000.25"))
    prices = [(fill.broker_fill_id, fill.price) for fill in client.heard(FillReport)]
    assert prices == [("516124640019", Decimal("25000.0")), ("516124640021", Decimal("25000.25"))]
    assert [(p.net_qty, p.avg_price) for p in client.heard(PositionReport)] == [(2, Decimal("25000.125"))]
    assert [b.cash for b in client.heard(BalanceReport)] == [Decimal("49998.96")]


def test_no_secret_reaches_a_log_or_an_event(
    sandbox: RunningSandbox, trader: Trader, caplog: pytest.LogCaptureFixture
) -> None:
    """L2"""
    caplog.set_level(logging.DEBUG)
    token = trader.client.store.token
    assert token is not None
    trader.fault("reject", reason="TradingLocked")
    trader.enter()
    trader.client.wait(Rejected)
    trader.fault("token_expiry", drop_sockets=True)
    trader.client.wait(SyncReport, 2)
    trader.client.wait_state(trader.client.connection.state)
    told = caplog.text + repr(trader.client.events) + repr(trader.client.access) + repr(trader.client.connection)
    for secret in (trader.account.password, token.access, token.market_data):
        assert secret not in told


def test_a_resting_order_is_open_until_it_is_filled(trader: Trader) -> None:
    """B1, G1"""
    trader.submit(order_type=OrderType.LIMIT, price=Decimal(PRICE - 100))
    trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    (evidence,) = trader.client.connection.query(trader.ref).orders
    assert (evidence.status, evidence.price, evidence.qty) == (OrderStatus.WORKING, Decimal(PRICE - 100), 1)
    trader.sandbox.price("MNQ", PRICE - 100)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    assert trader.client.wait(FillReport)[0].price == PRICE - 100
