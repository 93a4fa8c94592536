"""Whatever is ordered and wherever the market goes: the books add up, and come back as they were."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.base import (
    AccountRef,
    BracketLeg,
    CancelOrder,
    FlattenPosition,
    ModifyOrder,
    OrderStatus,
    OrderType,
    Request,
    Side,
    SubmitOco,
    SubmitOrder,
    Trail,
)
from brokers.paper.books import Books
from brokers.paper.desk import Desk
from brokers.paper.terms import Terms
from brokers.quotes.quote import Quote
from brokers.reports import Accepted, Event, FillReport, OrderReport, PositionReport, Rejected
from tests.brokers.paper.trader import OPENING_HOURS, PRICE, SYMBOL, TICK

REF = AccountRef("PAPER-1", "Paper")
TERMS = Terms(balance=Decimal(1_000_000), commission=Decimal("0.52"), slippage_ticks=1)
SIDES = st.sampled_from(list(Side))
QTY = st.integers(1, 5)
POINTS = st.integers(1, 40).map(lambda ticks: ticks * TICK)
AWAY = st.integers(-40, 40).map(lambda ticks: PRICE + ticks * TICK)
TRAILS = st.none() | st.builds(
    Trail, POINTS, st.sampled_from([Decimal(0), Decimal(2)]), st.sampled_from([Decimal(0), TICK])
)
LEG = st.builds(BracketLeg, st.just(1), st.none() | POINTS, POINTS, TRAILS)


def named(made: st.SearchStrategy[tuple[object, ...]], kind: str) -> st.SearchStrategy[tuple[object, ...]]:
    return made.map(lambda terms: (kind, *terms))


ACTION = st.one_of(
    named(st.tuples(st.integers(-30, 30)), "move"),
    named(st.tuples(SIDES, QTY, st.sampled_from(list(OrderType)), AWAY), "order"),
    named(st.tuples(SIDES, st.lists(LEG, min_size=1, max_size=3)), "bracket"),
    named(st.tuples(SIDES, QTY, AWAY, AWAY), "pair"),
    named(st.tuples(st.integers(0, 20), QTY, AWAY), "change"),
    named(st.tuples(st.integers(0, 20)), "cancel"),
    named(st.just(()), "flatten"),
    named(st.just(()), "silence"),
)


class Player:
    """Plays actions on a desk, each with a name of its own."""

    def __init__(self) -> None:
        self.now = OPENING_HOURS
        self.last = Decimal(PRICE)
        self.desk = Desk(Books(REF, TERMS.balance), TERMS, self.now)
        self.events: list[Event] = []
        self.asked: list[str] = []
        self.move(0)

    def move(self, ticks: int) -> None:
        self.last += ticks * TICK
        quote = Quote(SYMBOL, self.last, self.last, self.last + TICK, self.now, "scripted/live")
        self.desk.on_quotes({SYMBOL: quote}, self.now)

    def silence(self) -> None:
        self.now += timedelta(seconds=11)
        self.desk.on_quotes({}, self.now)

    def order(self, side: Side, qty: int, kind: OrderType, price: Decimal) -> Request:
        is_limit = kind is OrderType.LIMIT
        stop = None if is_limit or kind is OrderType.MARKET else price
        return SubmitOrder(self._name(), REF, SYMBOL, side, qty, kind, price if is_limit else None, stop)

    def bracket(self, side: Side, legs: list[BracketLeg]) -> Request:
        return SubmitOrder(self._name(), REF, SYMBOL, side, len(legs), bracket=tuple(legs))

    def pair(self, side: Side, qty: int, target: Decimal, stop: Decimal) -> Request:
        return SubmitOco(self._name(), self._name(), REF, SYMBOL, side, qty, target, stop)

    def change(self, nth: int, qty: int, price: Decimal) -> Request:
        order_id, kind = self._nth(nth)
        is_limit = kind is OrderType.LIMIT
        return ModifyOrder(
            self._name(),
            REF,
            order_id,
            qty,
            kind,
            price if is_limit else None,
            price if kind is OrderType.STOP else None,
        )

    def cancel(self, nth: int) -> Request:
        return CancelOrder(self._name(), REF, self._nth(nth)[0])

    def flatten(self) -> Request:
        return FlattenPosition(self._name(), REF, SYMBOL)

    def play(self, kind: str, *terms: object) -> None:
        request = getattr(self, kind)(*terms)
        if request is not None:
            self.desk.take(request, self.now)
        self.events += self.desk.take_events()

    def _name(self) -> str:
        self.asked.append(f"test-{len(self.asked):022d}")
        return self.asked[-1]

    def _nth(self, nth: int) -> tuple[str, OrderType]:
        orders = self.desk.snapshot(self.now).orders
        if not orders:
            return "0", OrderType.LIMIT
        order = orders[nth % len(orders)]
        return order.broker_order_id, order.order_type or OrderType.MARKET


@settings(max_examples=120, deadline=None)
@given(st.lists(ACTION, max_size=30))
def test_fills_positions_and_cash_add_up_and_survive_a_restart(actions: list[tuple[str, object]]) -> None:
    player = Player()
    for kind, *terms in actions:
        player.play(kind, *terms)
    for _ in range(3):
        player.play("silence")
    sync = player.desk.snapshot(player.now)

    fills = [event for event in player.events if isinstance(event, FillReport)]
    assert list(sync.fills) == fills
    net = sum(fill.side.sign * fill.qty for fill in fills)
    assert net == sum(position.net_qty for position in sync.positions)
    paid = sum((fill.side.sign * fill.qty * (fill.price or 0) * 2 for fill in fills), Decimal(0))
    cost = sum(((p.avg_price or 0) * p.net_qty * 2 for p in sync.positions), Decimal(0))
    fees = sum(fill.qty for fill in fills) * TERMS.commission
    assert abs(sync.balances[0].cash - (TERMS.balance - paid + cost - fees)) < Decimal("1E-9")
    by_order: Counter[str] = Counter()
    for fill in fills:
        by_order[fill.broker_order_id] += fill.qty
    assert all(by_order[order.broker_order_id] <= (order.qty or 0) for order in sync.orders)

    outcomes = Counter(e.client_order_id for e in player.events if isinstance(e, Accepted | Rejected))
    assert outcomes == Counter(player.asked), "each request has exactly one outcome"
    newest = {event.broker_order_id: event for event in player.events if isinstance(event, OrderReport)}
    assert {key: report.status for key, report in newest.items()} == {o.broker_order_id: o.status for o in sync.orders}
    told = [event.net_qty for event in player.events if isinstance(event, PositionReport)]
    assert told[-1:] in ([], [net])
    assert OrderStatus.SUSPENDED not in {order.status for order in sync.orders}

    document = player.desk.books.dump()
    books = Books(REF, Decimal(0))
    books.load(document, player.now)
    assert books.dump() == document
    assert Desk(books, TERMS, player.now).snapshot(player.now) == sync


@pytest.mark.parametrize("document", ['{"version": 2}', "[]", "{}", '{"version": 1}', "not json"])
def test_a_document_that_is_not_ours_is_not_read(document: str) -> None:
    with pytest.raises((ValueError, LookupError)):
        Books(REF, Decimal(0)).load(document, OPENING_HOURS)
