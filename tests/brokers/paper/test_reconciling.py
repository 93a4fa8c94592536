"""What the paper venue tells after a restart, and what it does when its books cannot be written."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from brokers.base import BracketLeg, ConnectionState, OrderRole, OrderStatus, Side
from brokers.errors import NotReached, OutcomeUnknown
from brokers.paper.store import BooksAway, BooksTaken, MemoryStore
from brokers.reports import ConnectionReport, FillReport, NotSent, SyncReport, Unknown
from tests.brokers.paper.conftest import MakeTrader
from tests.brokers.paper.trader import PRICE, TICK, Market, Trader
from tests.brokers.scripted import until

ASK = PRICE + TICK
PAIR = BracketLeg(1, Decimal(10), Decimal(20))


class FailingStore(MemoryStore):
    """Raises `failure` at each save while it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: BooksAway | BooksTaken | None = None
        self.refused = threading.Event()

    def load(self) -> str | None:
        if isinstance(self.failure, BooksAway):
            raise self.failure
        return super().load()

    def save(self, document: str) -> None:
        if self.failure is not None:
            self.refused.set()
            if isinstance(self.failure, BooksTaken):
                self.failure = None
                raise BooksTaken("not the newest")
            raise self.failure
        super().save(document)


def restarted(make_trader: MakeTrader, trader: Trader) -> Trader:
    """The same login in another process."""
    trader.connection.stop()
    trader.wait_state(ConnectionState.DOWN)
    return make_trader(store=trader.store)


def test_a_connection_says_that_it_is_live_and_then_the_whole_truth(trader: Trader) -> None:
    """G1."""
    states = [report.state for report in trader.heard(ConnectionReport)]
    assert states == [ConnectionState.CONNECTING, ConnectionState.LIVE]
    (sync,) = trader.heard(SyncReport)
    assert (sync.accounts, sync.orders, sync.fills) == ((trader.ref,), (), ())
    assert sync.balances[0].cash == 50_000
    assert trader.connection.state is ConnectionState.LIVE


def test_a_restart_finds_position_cash_and_fills(make_trader: MakeTrader, trader: Trader, market: Market) -> None:
    """G2, L2."""
    trader.enter(2)
    market.price(PRICE + 10)
    trader.exit()
    until(lambda: len(trader.fills()) == 2)
    again = restarted(make_trader, trader)
    (sync,) = again.heard(SyncReport)
    assert [(p.symbol, p.net_qty, p.avg_price) for p in sync.positions] == [("MNQZ6", 1, ASK)]
    assert sync.balances[0].cash == 50_000 + (10 - TICK) * 2
    assert list(sync.fills) == trader.heard(FillReport)


def test_a_restart_finds_working_exits_and_they_still_work(
    make_trader: MakeTrader, trader: Trader, market: Market
) -> None:
    """G3."""
    trader.enter(1, Side.BUY, PAIR)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    again = restarted(make_trader, trader)
    assert again.working() == [("limit", 1, ASK + 10), ("stop", 1, ASK - 20)]
    market.price(PRICE - 30)
    again.order(OrderRole.STOP, OrderStatus.FILLED)
    again.order(OrderRole.TARGET, OrderStatus.CANCELED)
    assert again.net() == 0


def test_a_restart_keeps_the_exits_that_a_resting_entry_will_bring(
    make_trader: MakeTrader, trader: Trader, market: Market
) -> None:
    """G4."""
    name = trader.limit(PRICE - 5)
    trader.order_called(name, OrderStatus.WORKING)
    bracketed = trader.submit(order_type="limit", price=Decimal(PRICE - 10), bracket=(PAIR,))
    trader.order_called(bracketed, OrderStatus.WORKING)
    again = restarted(make_trader, trader)
    market.price(PRICE - 11)
    until(lambda: again.net() == 2)
    assert again.working() == [("limit", 1, Decimal(PRICE)), ("stop", 1, Decimal(PRICE - 30))]


def test_an_order_is_found_by_its_client_order_id_also_after_a_restart(make_trader: MakeTrader, trader: Trader) -> None:
    """G5: the evidence for an order whose outcome is unknown."""
    name = trader.enter(1)
    again = restarted(make_trader, trader)
    (found,) = [order for order in again.connection.query(again.ref).orders if order.client_order_id == name]
    assert found.status is OrderStatus.FILLED
    again.submit(name=name)
    assert again.refusal(name)[0] == "DUPLICATE_CLIENT_ID"


def test_ids_go_on_after_a_restart(make_trader: MakeTrader, trader: Trader) -> None:
    trader.enter(1)
    again = restarted(make_trader, trader)
    again.enter(1)
    told = [*trader.heard(FillReport), *again.heard(FillReport)]
    assert len({fill.broker_fill_id for fill in told}) == 2
    assert len({fill.broker_order_id for fill in told}) == 2


def test_a_look_at_books_that_are_not_open_proves_nothing(market: Market, trader: Trader) -> None:
    """G6."""
    trader.connection.stop()
    trader.wait_state(ConnectionState.DOWN)
    with pytest.raises(NotReached):
        trader.connection.query(trader.ref)
    name = trader.submit()
    assert isinstance(trader.outcome(name), NotSent)


def test_nothing_is_told_before_it_is_saved(make_trader: MakeTrader, market: Market) -> None:
    """G7."""
    store = FailingStore()
    trader = make_trader(store=store)
    store.failure = BooksAway("the database does not answer")
    name = trader.submit()
    assert store.refused.wait(5)
    with pytest.raises(OutcomeUnknown):
        trader.connection.query(trader.ref)
    assert trader.fills() == []
    store.failure = None
    market.floor.look_now()
    trader.order_called(name, OrderStatus.FILLED)
    assert len(trader.fills()) == 1


def test_a_process_that_dies_with_unsaved_books_has_told_nothing(make_trader: MakeTrader) -> None:
    store = FailingStore()
    trader = make_trader(store=store)
    store.failure = BooksAway("the database does not answer")
    name = trader.submit()
    assert store.refused.wait(5)
    trader.connection.stop()
    assert isinstance(trader.outcome(name), Unknown)
    again = make_trader(store=MemoryStore(store.document))
    assert (again.connection.query(again.ref).orders, again.net()) == ((), 0)
    assert trader.fills() == []


def test_books_written_by_another_process_are_read_again_and_the_outcome_is_unknown(
    make_trader: MakeTrader, trader: Trader
) -> None:
    store = FailingStore()
    second = make_trader(store=store)
    trader.enter(3)
    store.document = trader.store.document  # type: ignore[attr-defined]
    store.failure = BooksTaken("not the newest")
    name = second.submit()
    assert isinstance(second.outcome(name), Unknown)
    until(lambda: len(second.heard(SyncReport)) == 2)
    assert second.net() == 3
    states = [report.state for report in second.heard(ConnectionReport)][-2:]
    assert states == [ConnectionState.STALE, ConnectionState.LIVE]


def test_a_waiting_order_of_a_connection_that_stops_was_not_sent(trader: Trader, market: Market) -> None:
    market.silence()
    name = trader.submit()
    trader.settled()
    trader.connection.stop()
    assert isinstance(trader.outcome(name), NotSent)


def test_books_that_are_away_at_first_are_opened_when_they_are_back(market: Market) -> None:
    store = FailingStore()
    store.failure = BooksAway("the database does not answer")
    trader = Trader(market, store=store)
    trader.connection.start()
    assert isinstance(trader.outcome(trader.submit()), NotSent)
    store.failure = None
    market.floor.look_now()
    trader.wait_state(ConnectionState.LIVE)
    trader.connection.stop()


def test_books_that_cannot_be_read_fail_the_login_and_are_left_as_they_are(market: Market) -> None:
    store = MemoryStore('{"version": 99}')
    trader = Trader(market, store=store)
    trader.connection.start()
    trader.wait_state(ConnectionState.FAILED)
    assert isinstance(trader.outcome(trader.submit()), NotSent)
    assert store.document == '{"version": 99}'
    trader.connection.stop()


def test_what_was_done_two_days_ago_leaves_the_books_and_positions_stay(
    make_trader: MakeTrader, trader: Trader, market: Market
) -> None:
    trader.enter(1, Side.BUY, PAIR)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    market.wait(seconds=5 * 24 * 3600)
    again = restarted(make_trader, trader)
    sync = again.connection.query(again.ref)
    assert sorted(order.role for order in sync.orders) == [OrderRole.STOP, OrderRole.TARGET]
    assert (sync.fills, again.net()) == ((), 1)
