"""The broker's books against ours: what a look finds, and how sure it must be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from brokers.base import AccountRef, OrderRole, OrderStatus, Side
from brokers.reports import PositionReport
from execution.models import Alarm, Break, BrokerPosition, IntentKind, Order, Position, Reconciliation, Transition
from justtrades import clock
from tests.execution.desk import MNQ
from tests.execution.truth import OTHER, Truth, pauses, shown
from tests.execution.venue import Venue
from tests.factories import BrokerAccountFactory, OrderFactory, OrderIntentFactory, PositionFactory

pytestmark = pytest.mark.django_db


def test_books_that_agree_leave_nothing_but_the_moment() -> None:
    broker = Truth()
    broker.looks(*broker.books)
    assert not Break.objects.exists()
    row = BrokerPosition.objects.get()
    assert (row.net_qty, row.settled_qty, row.gone_at) == (2, 2, None)
    compared_at = Reconciliation.objects.get().compared_at
    assert compared_at is not None
    assert compared_at - broker.start == timedelta(seconds=63)


def test_a_fill_that_we_missed_is_booked_once_and_told_of_once() -> None:
    broker = Truth()
    stop = broker.leg(OrderRole.STOP, "501", OrderStatus.FILLED, qty=2)
    missed = broker.fill("2", broker_order_id="501", side=Side.SELL, price="95", at=clock.now() + timedelta(seconds=30))
    broker.looks(*broker.told()[:2], stop, missed, broker.at_venue(0))
    assert broker.net == 0
    assert shown() == [("missing_fill", "resolved")]
    row = Break.objects.get()
    assert (row.symbol, row.ref, row.ours) == (MNQ, "2", "no such fill")
    assert row.theirs.startswith("sell 2 @ 95 at ")
    assert list(Transition.objects.filter(object_id=row.pk).values_list("to_state", flat=True)) == ["resolved"]


def test_a_fill_that_has_just_happened_is_no_break() -> None:
    broker = Truth()
    stop = broker.leg(OrderRole.STOP, "501", OrderStatus.FILLED, qty=2)
    fresh = broker.fill("2", broker_order_id="501", side=Side.SELL, at=clock.now() + timedelta(seconds=57))
    broker.look(60, *broker.told()[:2], stop, fresh, broker.at_venue(0))
    assert broker.net == 0
    assert not Break.objects.exists()


def test_an_order_by_hand_is_adopted_shown_and_let_alone_until_it_is_gone() -> None:
    broker = Truth()
    foreign = broker.foreign(OrderStatus.WORKING, side=Side.SELL, qty=3)
    broker.looks(*broker.books, foreign)
    assert shown() == [("external_order", "adopted")]
    row = Break.objects.get()
    assert (row.ref, row.theirs, row.sightings, row.pauses_entries) == (OTHER, "sell 3", 2, False)
    assert Order.objects.get(broker_order_id=OTHER).wanted_qty is None
    gone = broker.foreign(OrderStatus.CANCELED, side=Side.SELL, qty=3)
    broker.looks(*broker.books, gone, since_s=120, times=1)
    row.refresh_from_db()
    assert (row.state, row.resolution) == ("resolved", "it works at the broker no more")


@pytest.mark.parametrize(("side", "theirs"), [(Side.BUY, 3), (Side.SELL, 1), (Side.SELL, -1)])
def test_a_trade_by_hand_is_adopted_beside_ours_and_ends_with_it(side: Side, theirs: int) -> None:
    broker = Truth()
    hand = broker.by_hand(OTHER, side, abs(theirs - 2))
    broker.look(60, *broker.books[:-1], *hand, broker.at_venue(theirs))
    assert broker.net == 2, "what is not ours changes nothing of ours"
    assert shown() == [("external_position", "adopted")]
    row = Break.objects.get()
    assert (row.ours, row.theirs) == ("+2", f"{theirs:+d}")
    assert not Alarm.objects.exists()
    back = broker.by_hand("901", side.opposite, abs(theirs - 2))
    broker.look(120, *broker.books[:-1], *hand, *back, broker.at_venue(2))
    row.refresh_from_db()
    assert (row.state, row.resolution) == ("resolved", "the broker's position and ours are equal again")


def test_what_was_held_by_hand_before_we_came_stays_by_hand_when_we_trade() -> None:
    broker = Venue()
    Order.objects.update(status="working", broker_order_id="500")
    broker.apply(broker.sync(PositionReport(broker.account, MNQ, 5, Decimal(90), clock.now())))
    assert shown() == [("external_position", "adopted")]
    with time_machine.travel(clock.now() + timedelta(seconds=70), tick=False):
        own = [broker.report(OrderStatus.FILLED), broker.fill("1"), broker.leg(OrderRole.STOP, "501", qty=2)]
        broker.apply(broker.sync(*own, PositionReport(broker.account, MNQ, 7, Decimal(93), clock.now())))
    assert broker.position is not None
    assert (broker.position.net_qty, shown()) == (2, [("external_position", "adopted")])
    assert Break.objects.get().theirs == "+7"


def test_a_quantity_that_nothing_explains_pauses_entries_once_it_is_seen_twice() -> None:
    broker = Truth()
    lie = [*broker.books[:-1], broker.at_venue(3)]
    broker.look(60, *lie)
    broker.look(61, *lie)
    assert (shown(), pauses(), Alarm.objects.count()) == ([], False, 0), "one sighting is an accident"
    broker.look(63, *lie)
    assert (shown(), pauses()) == ([("quantity", "open")], True)
    row, alarm = Break.objects.get(), Alarm.objects.get()
    assert (row.ours, row.theirs, row.sightings) == ("+2", "+3", 2)
    assert (alarm.code, alarm.ref, alarm.ended_at) == ("BOOKS_DIFFER", str(row.pk), None)
    broker.looks(*lie, since_s=120)
    assert (Break.objects.count(), Alarm.objects.count(), broker.net) == (1, 1, 2)
    broker.look(180, *broker.books)
    row.refresh_from_db()
    alarm.refresh_from_db()
    assert (row.state, row.pauses_entries, alarm.ended_at is not None) == ("resolved", False, True)


def test_a_difference_of_one_look_leaves_no_trace() -> None:
    broker = Truth()
    broker.look(60, *broker.books[:-1], broker.at_venue(3))
    assert Break.objects.get().is_suspected
    broker.look(63, *broker.books)
    assert not Break.objects.exists()


def test_an_order_that_filled_without_its_fills_is_no_trade_by_hand() -> None:
    broker = Venue()
    started = clock.now()
    for seconds in (60, 63):
        with time_machine.travel(started + timedelta(seconds=seconds), tick=False):
            there = PositionReport(broker.account, MNQ, 2, Decimal(100), clock.now())
            broker.apply(broker.sync(broker.report(OrderStatus.FILLED), there))
    assert shown() == [("quantity", "open")]


def test_nothing_is_compared_while_something_is_under_way() -> None:
    broker = Truth()
    exit_ = OrderIntentFactory(
        trader=broker.intent.trader, symbol=MNQ, kind=IntentKind.EXIT, leg="exit", side="sell", status="dispatched",
        signal__status="planned", dispatched_at=broker.start + timedelta(seconds=58),
    )  # fmt: skip
    OrderFactory(intent=exit_, role="exit", status="submitting", broker_order_id=None, submit_started_at=clock.now())
    broker.looks(*broker.books[:-1], broker.at_venue(1))
    assert not Break.objects.exists()


def test_exits_that_should_not_be_there_or_are_missing_are_told_of_when_they_stay() -> None:
    broker = Truth()
    second = broker.leg(OrderRole.STOP, "502", qty=1)
    wrong = broker.leg(OrderRole.STOP, "503", qty=1, side=Side.BUY)
    broker.looks(*broker.books, second, wrong)
    assert shown() == [("extra_exit", "open"), ("extra_exit", "open")]
    assert set(Break.objects.values_list("ref", flat=True)) == {"502", "503"}
    Break.objects.all().delete()
    broker.looks(*broker.told()[:2], broker.leg(OrderRole.STOP, "501", OrderStatus.CANCELED), broker.at_venue(2),
                 since_s=120)  # fmt: skip
    assert ("missing_exit", "open") in shown()
    Break.objects.all().delete()
    Position.objects.update(net_qty=0, unprotected_since=None)
    broker.looks(broker.leg(OrderRole.STOP, "504", qty=1), broker.at_venue(0), since_s=180)
    assert shown() == [("orphaned_exit", "open")]
    broker.look(190, broker.leg(OrderRole.STOP, "504", OrderStatus.CANCELED), broker.at_venue(0))
    assert shown() == [("orphaned_exit", "resolved")]


def test_f50_one_accounts_difference_pauses_no_other_of_the_login() -> None:
    broker = Truth()
    other = BrokerAccountFactory(login=broker.intent.account.login)
    PositionFactory(trader__account=other, trader__recorder__owner=other.owner, symbol=MNQ, net_qty=1)
    ref = AccountRef(other.broker_id, other.name)
    for seconds in (60, 63):
        with time_machine.travel(broker.start + timedelta(seconds=seconds), tick=False):
            sync = broker.sync(*broker.books)
            lie = PositionReport(ref, MNQ, 4, Decimal(100), clock.now())
            broker.apply(replace(sync, accounts=(*sync.accounts, ref), positions=(*sync.positions, lie)))
    assert [row.account for row in Break.objects.all()] == [other]
    assert pauses()
    assert sorted(Position.objects.values_list("net_qty", flat=True)) == [1, 2], "nothing is traded or booked to fix it"
