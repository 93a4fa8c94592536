"""What a person may do about a break, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from brokers.base import OrderStatus, Side
from execution.models import Alarm, Break, Command, Flatten, Order, Position, Transition
from execution.reconcile import resolve
from execution.reconcile.resolve import How
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


def test_leaving_it_unpauses_and_counts_the_difference_as_not_ours() -> None:
    broker, row = differing()
    resolve.resolve(actor=row.owner, row=row, how="leave")
    assert (row.state, pauses(), broker.net) == ("resolved", False, 2)
    broker.looks(*broker.books[:-1], broker.at_venue(3), since_s=120)
    assert shown() == [("external_position", "adopted"), ("quantity", "resolved")]
    broker.looks(*broker.books[:-1], broker.at_venue(5), since_s=180)
    assert ("quantity", "open") in shown(), "a new difference is a new break"


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
