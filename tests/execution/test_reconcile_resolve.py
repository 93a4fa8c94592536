"""What a person may do about a break, and what comes of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from brokers.base import OrderRole, OrderStatus, Side
from execution.models import Alarm, Break, BrokerPosition, Command, Flatten, Order, Position, Transition
from execution.reconcile import resolve
from execution.reconcile.breaks import Findings, change_of
from execution.reconcile.resolve import How
from justtrades import clock
from tests.execution.desk import MNQ
from tests.execution.truth import OTHER, Truth, pauses, shown
from tests.factories import PositionFactory, TraderFactory

pytestmark = pytest.mark.django_db


def differing(**intent: Any) -> tuple[Truth, Break]:
    broker = Truth(**intent)
    broker.looks(*broker.books[:-1], broker.at_venue(3, "101"))
    return broker, Break.objects.get()


def test_taking_the_brokers_quantity_changes_our_book_and_trades_nothing() -> None:
    broker, row = differing()
    resolve.resolve(actor=row.owner, row=row, how="broker")
    position = broker.position
    assert position is not None
    assert (position.net_qty, position.avg_price) == (3, 101)
    assert position.unprotected_since is not None, "its stop is for two"
    assert (row.state, row.resolved_by, row.pauses_entries) == ("resolved", row.owner, False)
    changes = Transition.objects.filter(object_id=position.pk).values_list("from_state", "to_state")
    assert list(changes)[-1] == ("+2", "+3")
    assert (Alarm.objects.get().ended_at is None, Command.objects.get().actor) == (False, row.owner)
    assert not Flatten.objects.exists()
    with pytest.raises(ValidationError, match="it is over"):
        resolve.resolve(actor=row.owner, row=row, how="broker")


@pytest.mark.parametrize("how", ["broker", "leave"])
def test_nothing_is_taken_for_the_brokers_word_while_a_fill_has_come_since(how: str) -> None:
    broker, row = differing()
    with time_machine.travel(broker.start + timedelta(seconds=64), tick=False):
        broker.apply(broker.leg(OrderRole.STOP, "501", OrderStatus.FILLED, qty=2))
        broker.apply(broker.fill("2", broker_order_id="501", side=Side.SELL))
    before = (broker.net, *BrokerPosition.objects.values_list("net_qty", "settled_qty"))
    with pytest.raises(ValidationError, match="has been filled since"):
        resolve.resolve(actor=row.owner, row=row, how=how)
    assert before == (broker.net, *BrokerPosition.objects.values_list("net_qty", "settled_qty"))
    assert (pauses(), Command.objects.count()) == (True, 0)


def test_from_the_brokers_word_on_fills_say_what_is_there() -> None:
    """Also one that is being booked while its owner takes that word, and is seen only after."""
    broker, row = differing()
    said_at = BrokerPosition.objects.get().reported_at
    with time_machine.travel(broker.start + timedelta(seconds=90), tick=False):
        resolve.resolve(actor=row.owner, row=row, how="broker")
    at_venue = BrokerPosition.objects.get()
    assert (at_venue.net_qty, at_venue.settled_qty, at_venue.settled_at) == (3, 3, said_at)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_taken_while_the_broker_is_being_heard() -> None:
    broker, row = differing()
    is_written, may_end = threading.Event(), threading.Event()

    def hear() -> None:
        with transaction.atomic():
            BrokerPosition.objects.update(net_qty=4)
            is_written.set()
            may_end.wait(20)
        connection.close()

    lane = threading.Thread(target=hear)
    lane.start()
    is_written.wait(20)
    try:
        for how in ("broker", "leave"):
            with pytest.raises(ValidationError, match="saying something new"):
                resolve.resolve(actor=row.owner, row=row, how=how)
    finally:
        may_end.set()
        lane.join()
    assert (broker.net, BrokerPosition.objects.get().net_qty) == (2, 4)


def test_what_a_person_ends_while_a_look_is_compared_stays_ended() -> None:
    _, row = differing()
    stale, suspected = Break.objects.get(), Break.objects.get()
    findings = Findings(clock.now(), rows={stale.pk: stale}, alarming=[stale], ended=[stale])
    stale.sightings += 1
    findings.changes.append(change_of(stale, "open", clock.now(), "seen again"))
    findings.dropped.append(suspected.pk)
    resolve.resolve(actor=row.owner, row=row, how="leave")
    changes = Transition.objects.filter(object_id=row.pk).count()
    findings.write()
    after = Break.objects.get()
    assert (after.state, after.pauses_entries, after.resolved_by) == ("resolved", False, row.owner)
    assert not Alarm.objects.filter(ended_at=None).exists()
    assert Transition.objects.filter(object_id=row.pk).count() == changes


def test_a_broker_that_says_flat_again_has_spoken_since_the_last_fill() -> None:
    """The fills listed contradict it, so that nobody but its owner can say what is right."""
    broker = Truth()
    lie = [*broker.told(), broker.at_venue(0)]
    broker.look(60, *lie)
    bought = broker.by_hand(OTHER, Side.BUY, 1)
    broker.looks(*lie, *bought, since_s=63, times=4)
    row = Break.objects.get(kind="quantity")
    assert (row.theirs, row.state) == ("+0", "open")
    resolve.resolve(actor=row.owner, row=row, how="broker")
    assert (broker.net, row.state) == (0, "resolved")


def test_leaving_it_unpauses_and_counts_the_difference_as_not_ours() -> None:
    broker, row = differing()
    resolve.resolve(actor=row.owner, row=row, how="leave")
    assert (row.state, pauses(), broker.net) == ("resolved", False, 2)
    broker.looks(*broker.books[:-1], broker.at_venue(3), since_s=120)
    assert shown() == [("external_position", "adopted"), ("quantity", "resolved")]
    broker.looks(*broker.books[:-1], broker.at_venue(5), since_s=180)
    assert ("quantity", "open") in shown(), "a new difference is a new break"


def test_where_the_broker_is_flat_nothing_can_be_left_as_not_ours() -> None:
    broker = Truth()
    other = TraderFactory(account=broker.intent.account, recorder__owner=broker.intent.owner)
    PositionFactory(trader=other, symbol=MNQ, net_qty=1)
    flat = [broker.report(OrderStatus.FILLED), broker.leg(OrderRole.STOP, "501", OrderStatus.CANCELED),
            broker.at_venue(0)]  # fmt: skip
    broker.looks(*flat)
    row = Break.objects.get(kind="quantity")
    assert (row.theirs, resolve.ways_of(row)) == ("+0", (How.BROKER, How.FLATTEN))
    with pytest.raises(ValidationError, match="may be broker, flatten"):
        resolve.resolve(actor=row.owner, row=row, how="leave")
    resolve.resolve(actor=row.owner, row=row, how="broker")
    broker.looks(*flat, since_s=120, times=3)
    assert ({state for _, state in shown()}, pauses()) == ({"resolved"}, False)
    assert not Position.objects.exclude(net_qty=0).exists()


def test_nothing_is_left_that_has_gone_since_it_was_shown() -> None:
    broker, row = differing()
    broker.look(120, *broker.told()[:2], broker.at_venue(0))
    Break.objects.filter(pk=row.pk).update(theirs="+3")
    with pytest.raises(ValidationError, match="holds none of it now"):
        resolve.resolve(actor=row.owner, row=row, how="leave")
    assert pauses()


def test_closing_the_difference_begins_a_flatten_and_stays_open_until_the_books_agree() -> None:
    broker, row = differing()
    resolve.resolve(actor=row.owner, row=row, how="flatten")
    wish = Flatten.objects.get()
    assert (wish.account, wish.trader, wish.source, row.state) == (row.account, None, "command", "open")
    hand = broker.by_hand(OTHER, Side.SELL, 3)
    broker.look(120, *broker.told(), *hand, broker.at_venue(0))
    Position.objects.update(net_qty=0)
    broker.look(130, *broker.told(), *hand, broker.at_venue(0))
    row.refresh_from_db()
    assert row.state == "resolved"
    assert row.resolution.startswith("closing all of")


def test_an_order_by_hand_is_canceled_only_when_its_owner_says_so() -> None:
    broker = Truth()
    foreign = broker.foreign(OrderStatus.WORKING, qty=3)
    broker.look(60, *broker.books, foreign)
    row = Break.objects.get()
    with pytest.raises(ValidationError, match="how"):
        resolve.resolve(actor=row.owner, row=row, how="flatten")
    resolve.resolve(actor=row.owner, row=row, how="cancel")
    assert Order.objects.get(broker_order_id=OTHER).wanted_qty == 0


def test_nobody_guesses_which_trader_a_position_belongs_to() -> None:
    broker, row = differing()
    other = TraderFactory(account=row.account, recorder__owner=row.owner)
    PositionFactory(trader=other, symbol=MNQ, net_qty=1)
    with pytest.raises(ValidationError, match="Several traders"):
        resolve.resolve(actor=row.owner, row=row, how="broker")
    assert (broker.net, pauses(), Command.objects.count()) == (2, True, 0)


def test_an_empty_answer_is_believed_when_its_owner_says_so() -> None:
    broker = Truth()
    broker.looks(times=3)
    row = Break.objects.get()
    assert (row.kind, resolve.ways_of(row)) == ("unreadable", (How.BROKER,))
    resolve.resolve(actor=row.owner, row=row, how="broker")
    assert (broker.net, Order.objects.get(broker_order_id="501").status) == (0, "canceled")
    broker.look(120)
    assert shown() == [("unreadable", "resolved")]
