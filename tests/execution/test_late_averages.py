"""Fills whose price the venue does not tell: no stop from a missing average, no waiting for ever."""

from __future__ import annotations

from typing import Any

import pytest

from brokers.base import FlattenPosition
from execution.models import Fill, IntentStatus, OrderIntent, Position, Transition
from justtrades import clock
from tests.execution.desk import MNQ
from tests.execution.plain_venue import PLAIN, register
from tests.execution.watched import STOP, D, WatchedVenue, held_at, later, open_alarms, position, watch_for, wished
from tests.factories import PositionFactory, TraderFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_venues(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)


def owing(qty: int = 2, **rules: Any) -> WatchedVenue:
    """An entry that has filled at a price which nobody knows."""
    venue = held_at(PLAIN, qty, **rules)
    venue.take_entry()
    return venue


def test_the_average_that_the_venue_states_gives_the_price_away_once_its_own_tries_have_ended() -> None:
    venue, start = owing(), clock.now()
    with later(start, 0):
        venue.fill_unpriced("500", 2)
        venue.state_position("25000.25")
    watch_for(venue, start, 1.9)
    assert (Position.objects.count(), venue.sent) == (0, []), "no stop from an average that is missing"
    watch_for(venue, start, 2.1)
    assert (position().net_qty, position().avg_price) == (2, D("25000.25"))
    assert venue.working(STOP) == [(2, D("24995.25"))]
    assert Transition.objects.filter(detail__contains="follows from the average").count() == 1
    watch_for(venue, start, 6)
    assert (open_alarms(), position().unprotected_since) == ([], None)


def test_a_price_that_comes_in_time_is_the_price() -> None:
    venue, start = owing(), clock.now()
    with later(start, 0):
        fill = venue.fill_unpriced("500", 2)
        venue.state_position("25000.25")
    with later(start, 1.5):
        venue.desk.apply(venue.desk.fill(fill.broker_fill_id, price="25001", broker_order_id="500", symbol=MNQ))
    watch_for(venue, start, 2.1)
    assert position().avg_price == 25001


def test_an_add_costs_what_moved_the_average() -> None:
    venue, start = owing(3), clock.now()
    with later(start, 0):
        venue.fill("500", 2, "25000")
        venue.run()
        venue.fill_unpriced("500", 1)
        venue.state_position("25002")
    watch_for(venue, start, 2.1)
    assert (position().net_qty, position().avg_price) == (3, D("25002"))
    assert Fill.objects.get(broker_fill_id="f2").price == 25006


def say_nothing(_venue: WatchedVenue) -> None: ...


def say_no_average(venue: WatchedVenue) -> None:
    venue.state_position(None)


def say_another_size(venue: WatchedVenue) -> None:
    venue.net += 1
    venue.state_position("25000")
    venue.net -= 1


@pytest.mark.parametrize("says", [say_nothing, say_no_average, say_another_size])
def test_what_nobody_can_price_is_closed_by_the_venue_at_the_bound(says: Any) -> None:
    venue, start = owing(), clock.now()
    with later(start, 0):
        venue.fill_unpriced("500", 2)
        says(venue)
    watch_for(venue, start, 2.1, 4.9)
    assert (venue.sent, open_alarms()) == ([], [])
    watch_for(venue, start, 5.1, 7)
    (request,) = venue.sent
    assert (type(request), venue.net, open_alarms()) == (FlattenPosition, 0, ["UNPRICED"])
    (intent,) = wished("UNPRICED")
    assert (intent.kind, intent.status, intent.trader_id) == ("flatten", IntentStatus.DONE, None)


def test_a_rule_that_only_tells_only_tells() -> None:
    venue, start = owing(unprotected_policy="alarm"), clock.now()
    with later(start, 0):
        venue.fill_unpriced("500", 2)
    watch_for(venue, start, 5.1)
    assert (venue.sent, open_alarms()) == ([], ["UNPRICED"])
    with later(start, 7):
        venue.desk.apply(venue.desk.fill("f1", price="25001", broker_order_id="500", symbol=MNQ))
        venue.run()
    watch_for(venue, start, 8)
    assert (open_alarms(), venue.working(STOP)) == ([], [(2, D("24996"))])


def test_what_has_its_stop_at_the_venue_is_not_closed_for_want_of_a_price() -> None:
    venue, start = held_at("tradovate", 2), clock.now()
    venue.take_entry()
    venue.make_leg(STOP, "501", 2, "24995")
    with later(start, 0):
        venue.fill_unpriced("500", 2)
    watch_for(venue, start, 5.1, 9)
    assert (venue.sent, open_alarms()) == ([], ["UNPRICED"])


def test_what_another_trader_holds_is_not_closed_with_it() -> None:
    venue, start = owing(), clock.now()
    other = TraderFactory(account=venue.desk.intent.account, recorder__owner=venue.desk.intent.owner)
    PositionFactory(trader=other, symbol=MNQ, net_qty=1)
    with later(start, 0):
        venue.fill_unpriced("500", 2)
        venue.state_position("25000")
    watch_for(venue, start, 2.1, 5.1)
    assert (venue.sent, open_alarms()) == ([], ["UNPRICED"])
    assert OrderIntent.objects.filter(kind="flatten").count() == 0
