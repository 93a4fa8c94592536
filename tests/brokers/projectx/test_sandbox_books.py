"""What is there at the sandbox venue: reconciling, strangers, flattening, budgets, quotes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

import pytest

from brokers import http
from brokers.access import Endpoints, Priority
from brokers.base import AccountRef, BracketLeg, ConnectionState, OrderRole, OrderStatus, OrderType, Side
from brokers.errors import RateLimited, Refused
from brokers.projectx import flatten
from brokers.reports import Accepted, BalanceReport, FillReport, NotSent, OrderReport, SyncReport
from brokers.sandbox.testing import RunningSandbox
from tests.brokers.projectx.budgets import Purse
from tests.brokers.projectx.frames import SYMBOL
from tests.brokers.projectx.trader import PRICE, Client, SandboxTrader, Trader
from tests.brokers.scripted import until


def test_the_books_hold_an_open_a_filled_and_a_partly_filled_order(trader: SandboxTrader) -> None:
    """G1, G2, G3 open, filled, and partly filled then canceled."""
    resting, filled = trader.rest(24_900), trader.submit(qty=2)
    trader.accepted(filled)
    trader.fault("partial_fill", parts=[1, 5], interval=30.0)
    partial = trader.rest(PRICE, qty=6)
    report = trader.order(OrderRole.ENTRY, OrderStatus.PARTIALLY_FILLED)
    assert report.client_order_id == partial
    trader.accepted(trader.cancel(report))
    trader.order(OrderRole.ENTRY, OrderStatus.CANCELED)
    books = trader.client.connection.query(trader.ref)
    assert {o.client_order_id: o.status for o in books.orders} == {
        resting: OrderStatus.WORKING,
        filled: OrderStatus.FILLED,
        partial: OrderStatus.CANCELED,
    }
    assert sorted(fill.qty for fill in books.fills) == [1, 2]
    assert [(p.symbol, p.net_qty, p.avg_price) for p in books.positions] == [(SYMBOL, 3, Decimal(PRICE))]
    assert [(b.account, b.cash) for b in books.balances] == [
        (trader.ref, Decimal(str(trader.sandbox.account_state(trader.id)["balance"])))
    ]


def test_the_books_say_short_and_flat(trader: SandboxTrader) -> None:
    """G4 short, then flat: what is not open is told as nothing."""
    trader.accepted(trader.submit(Side.SELL, 2))
    assert [p.net_qty for p in trader.client.connection.query(trader.ref).positions] == [-2]
    trader.accepted(trader.flatten())
    assert [(p.net_qty, p.avg_price) for p in trader.client.connection.query(trader.ref).positions] == [(0, None)]


def test_a_trade_by_hand_is_external(trader: SandboxTrader) -> None:
    """G5 external order and position."""
    trader.sandbox.manual(trader.id, "MNQ", "Buy", 1)
    assert trader.order(OrderRole.EXTERNAL, OrderStatus.FILLED).client_order_id is None
    until(lambda: trader.net_told() == 1)
    (order,) = trader.client.connection.query(trader.ref).orders
    assert (order.role, order.client_order_id) == (OrderRole.EXTERNAL, None)


def test_a_question_about_somebody_elses_account_is_refused(trader: SandboxTrader) -> None:
    with pytest.raises(Refused):
        trader.client.connection.query(AccountRef("1", "NOBODY"))


def test_a_trade_moves_the_cash_that_is_told(trader: SandboxTrader) -> None:
    before = trader.client.heard(BalanceReport)
    trader.submit()
    until(lambda: len(trader.client.heard(BalanceReport)) > len(before))
    assert trader.client.heard(BalanceReport)[-1].cash < Decimal(150_000)


def test_a_flatten_leaves_nothing(trader: SandboxTrader) -> None:
    """J1 flatten with working orders leaves nothing: legs, resting orders and the position are gone."""
    trader.enter(qty=2)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.rest(24_900)
    trader.rest(25_100, Side.SELL)
    until(lambda: len(trader.at_venue()) == 4)
    name = trader.flatten()
    accepted = trader.accepted(name)
    assert (trader.at_venue(), trader.net()) == ([], 0)
    close = trader.order(OrderRole.EXIT, OrderStatus.FILLED)
    assert (close.client_order_id, close.broker_order_id) == (name, accepted.broker_order_id)
    until(lambda: (trader.net_told(), trader.filled()) == (0, 0))
    assert all(o.status in (OrderStatus.FILLED, OrderStatus.CANCELED) for o in trader.orders().values())
    until(lambda: name in trader.client.sent())
    assert len([o for o in trader.client.outcomes() if o.client_order_id == name]) == 1


def test_a_flatten_takes_the_legs_of_an_entry_that_waits(trader: SandboxTrader) -> None:
    """J1 suspended legs are listed nowhere, and must not survive their entry."""
    trader.submit()
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    leg = BracketLeg(1, Decimal(10), Decimal(20))
    trader.submit(order_type=OrderType.LIMIT, price=Decimal(24_900), bracket=(leg,))
    trader.order(OrderRole.STOP, OrderStatus.SUSPENDED)
    trader.accepted(trader.flatten())
    state = trader.sandbox.account_state(trader.id)
    assert (state["workingOrders"], state["suspendedOrders"], trader.net()) == ([], [], 0)


def test_a_cancel_that_is_lost_is_made_up_for(trader: SandboxTrader) -> None:
    """J1 what still works after the close is canceled then."""
    trader.accepted(trader.submit())
    trader.accepted(trader.rest(24_900))
    trader.fault("drop_before_accept", endpoint="order/cancel")
    trader.accepted(trader.flatten())
    assert (trader.at_venue(), trader.net()) == ([], 0)


def test_a_flatten_of_nothing_has_an_outcome(trader: SandboxTrader) -> None:
    """J2 flatten when flat."""
    assert trader.accepted(trader.flatten()).broker_order_id is None


def test_a_flatten_before_the_hub_is_up_works(new_trader: Callable[[], SandboxTrader]) -> None:
    """J1 a flatten needs nothing but REST."""
    trader = new_trader()
    trader.accepted(trader.enter())
    trader.accepted(trader.flatten())
    assert (trader.at_venue(), trader.net()) == ([], 0)


@pytest.mark.parametrize("kind", ["drop_after_accept", "garbled"])
def test_a_close_without_an_answer_is_looked_after(trader: SandboxTrader, kind: str) -> None:
    """F1 an ambiguous close: what the books say is the outcome."""
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.fault(kind, endpoint="position/closecontract")
    trader.accepted(trader.flatten())
    assert (trader.at_venue(), trader.net()) == ([], 0)


def test_a_close_that_was_lost_on_the_way_stays_unknown(trader: SandboxTrader, monkeypatch: pytest.MonkeyPatch) -> None:
    """F2 a lost close: the position is still there, and no refusal is made of it."""
    monkeypatch.setattr(flatten, "LOOK_PAUSE_SECONDS", 0.01)
    trader.submit()
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    trader.fault("drop_before_accept", endpoint="position/closecontract")
    trader.unknown(trader.flatten())
    assert trader.net() == 1


def test_a_refused_close_is_a_rejection(trader: SandboxTrader) -> None:
    trader.submit()
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    trader.fault("reject", endpoint="position/closecontract", text="not now", count=2)
    rejected = trader.rejected(trader.flatten())
    assert (rejected.code, rejected.text, trader.net()) == ("OrderRejected", "not now", 1)
    trader.accepted(trader.rest(24_900))
    assert trader.rejected(trader.flatten()).text == "not now; 1 of its orders canceled"


def test_a_list_that_does_not_come_does_not_stop_a_flatten(
    trader: SandboxTrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J1 what is known of the orders is enough."""
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    trader.fault("hang", endpoint="order/searchopen")
    trader.accepted(trader.flatten())
    assert (trader.at_venue(), trader.net()) == ([], 0)


def test_legs_that_survive_their_sibling_are_canceled_by_a_flatten(trader: SandboxTrader) -> None:
    """J1 after an exit's fill that left the other one working."""
    trader.fault("sibling_survives")
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    trader.sandbox.price("MNQ", PRICE + 11)
    trader.order(OrderRole.TARGET, OrderStatus.FILLED)
    assert len(trader.at_venue()) == 1
    trader.accepted(trader.flatten())
    assert (trader.at_venue(), trader.net()) == ([], 0)


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
def frugal(sandbox: RunningSandbox, purse: Purse) -> Iterator[SandboxTrader]:
    trader = SandboxTrader(sandbox, sandbox.add_accounts(1)[0], purse)
    trader.live()
    purse.spent.clear()
    yield trader
    trader.client.close()


def test_every_request_is_paid_for_by_what_it_is_for(frugal: SandboxTrader, purse: Purse) -> None:
    """K1 orders outrank polls: each kind of request spends at its own priority."""
    frugal.accepted(frugal.submit())
    assert purse.spent == [(Priority.ENTRY, "other")]
    purse.spent.clear()
    frugal.accepted(frugal.flatten())
    assert {priority for priority, _ in purse.spent} == {Priority.FLATTEN}
    purse.spent.clear()
    frugal.client.connection.query(frugal.ref)
    assert purse.spent == [(Priority.POLL, "other")] * 5


def test_polls_give_way_to_exits(frugal: SandboxTrader, purse: Purse) -> None:
    """K1 with the budget nearly spent a poll is refused and an exit passes."""
    frugal.accepted(frugal.submit())
    purse.closed_to = {Priority.ENTRY, Priority.POLL}
    with pytest.raises(RateLimited):
        frugal.client.connection.query(frugal.ref)
    frugal.accepted(frugal.submit(Side.SELL, prefix="X-"))
    assert frugal.net() == 0


def test_a_flatten_passes_when_an_entry_finds_nothing_left(frugal: SandboxTrader, purse: Purse) -> None:
    """K2 a flatten finds its reserve, and an order without budget is proven not sent."""
    frugal.accepted(frugal.submit())
    purse.closed_to = {Priority.ENTRY, Priority.POLL}
    frugal.not_sent(frugal.submit())
    assert frugal.entries() == 1
    frugal.accepted(frugal.flatten())
    assert frugal.net() == 0
    assert len(frugal.client.heard(NotSent)) == 1


def test_one_login_follows_all_of_its_accounts(sandbox: RunningSandbox) -> None:
    names = ["PRAC-A", "PRAC-B"]
    login = {"username": "two-accounts", "password": "key", "accounts": names, "balance": 50_000}
    rows = sandbox.post("/accounts", logins=[login])
    endpoints = Endpoints(sandbox.rest_url, sandbox.ws_url, sandbox.md_url)
    client = Client(endpoints, "two-accounts", "key")
    client.live()
    traders = [Trader(client, AccountRef(str(row["id"]), row["name"])) for row in rows]
    (synced,) = client.heard(SyncReport)
    assert synced.accounts == tuple(trader.ref for trader in traders)
    for trader, qty in zip(traders, (1, 2), strict=True):
        trader.accepted(trader.submit(qty=qty))
    until(lambda: {f.account.name: f.qty for f in client.heard(FillReport)} == {"PRAC-A": 1, "PRAC-B": 2})
    assert {o.account.name for o in client.heard(OrderReport)} == set(names)
    client.close()


def test_a_burst_over_many_logins_is_placed_once_each(sandbox: RunningSandbox) -> None:
    traders = [SandboxTrader(sandbox, account) for account in sandbox.add_accounts(10)]
    placed = [(trader, trader.enter()) for trader in traders]
    for trader, name in placed:
        trader.accepted(name)
    assert [trader.entries() for trader in traders] == [1] * 10
    for trader in traders:
        trader.client.close()


def test_the_front_month_is_the_venues_own(trader: SandboxTrader) -> None:
    assert trader.client.connection.front_month("MNQ") == SYMBOL
    assert trader.client.connection.front_month("NQ") == SYMBOL.removeprefix("M")
    assert trader.client.connection.front_month("QQQ") is None


@pytest.mark.parametrize("style", ["list", "object"])
def test_quotes_are_merged_and_subscribed_again(trader: SandboxTrader, sandbox: RunningSandbox, style: str) -> None:
    sandbox.switches(market_data=style)
    seen: list[tuple[str, Decimal | None, Decimal | None, Decimal | None, datetime]] = []
    quotes = trader.client.connection.quotes(lambda *quote: seen.append(quote))
    quotes.start()
    quotes.subscribe([SYMBOL])
    until(lambda: seen)
    trader.sandbox.price("MNQ", 25_123)
    until(lambda: seen[-1][:4] == (SYMBOL, *[Decimal(25_123)] * 3))
    quotes._session._break_off("a test")
    until(lambda: quotes._session.stream.link is None)
    until(lambda: quotes._session._speaks)
    trader.sandbox.price("MNQ", 25_200)
    until(lambda: seen[-1][:4] == (SYMBOL, *[Decimal(25_200)] * 3))
    quotes.unsubscribe([SYMBOL])
    quotes.stop()


def test_a_connection_can_be_started_again(trader: SandboxTrader) -> None:
    trader.client.connection.stop()
    until(lambda: trader.client.connection.state is ConnectionState.DOWN)
    trader.client.connection.start()
    trader.client.wait_state(ConnectionState.LIVE)
    trader.submit()
    trader.client.wait(Accepted)
