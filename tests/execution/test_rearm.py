"""F46 and F47 against a model venue: an exit that is refused, lost or owed comes back, or the position ends."""

from __future__ import annotations

import pytest

from execution.models import Alarm, IntentStatus, Order, OrderIntent, UnprotectedSpan
from justtrades import clock
from tests.execution.plain_venue import PLAIN, live_legs, register
from tests.execution.watched import (
    NATIVE,
    STOP,
    TARGET,
    THREE_TARGETS,
    D,
    asked_of,
    held_at,
    later,
    open_alarms,
    opened,
    position,
    watch_for,
    wished,
)
from tests.factories import OrderIntentFactory
from traders.exits import template_from

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_venues(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)


# F47: the stop is refused.


def test_a_refused_stop_is_placed_again_beside_its_target_and_the_two_shrink_together() -> None:
    venue, start = opened(), clock.now()
    with later(start, 0):
        venue.refuse("501")
    watch_for(venue, start, 1.9)
    assert venue.sent == []
    watch_for(venue, start, 2.1, 60)
    assert asked_of(venue) == ["S-"], "once, and the target stays"
    assert (venue.working(STOP), venue.working(TARGET)) == ([(2, D("24995"))], [(2, D("25010"))])
    assert (position().unprotected_since, open_alarms()) == (None, [])
    span = UnprotectedSpan.objects.get()
    assert (span.ended_by, span.was_acted_on, span.venue) == ("protected", True, NATIVE)
    assert (span.ended_at - span.began_at).total_seconds() == pytest.approx(2.1)
    venue.fill("502", 1, "25010")
    venue.run()
    assert venue.working(STOP) == [(1, D("24995"))], "the venue does not know that they belong together"
    venue.fill("502", 1, "25010")
    venue.run()
    assert (venue.net, venue.working(STOP)) == (0, [])


def test_a_stop_that_is_refused_again_is_followed_by_a_close_within_the_bound() -> None:
    venue, start = opened(), clock.now()
    venue.refuses = {"S-": 9}
    with later(start, 0):
        venue.refuse("501")
    watch_for(venue, start, 2, 5)
    assert (asked_of(venue), venue.net) == (["S-", "flatten"], 0)
    assert position().net_qty == 0
    span = UnprotectedSpan.objects.get()
    assert (span.ended_by, span.was_acted_on) == ("flat", True)
    assert Alarm.objects.get().code == "UNPROTECTED"
    watch_for(venue, start, 8)
    assert (open_alarms(), live_legs()) == ([], [])


@pytest.mark.parametrize(("policy", "asked", "net"), [("flatten", ["flatten"], 0), ("alarm", [], 2)])
def test_the_other_rules_place_nothing(policy: str, asked: list[str], net: int) -> None:
    venue, start = opened(unprotected_policy=policy), clock.now()
    with later(start, 0):
        venue.end("501")
    watch_for(venue, start, 4.9)
    assert venue.sent == []
    watch_for(venue, start, 5.1)
    assert (asked_of(venue), venue.net) == (asked, net)
    assert Alarm.objects.filter(code="UNPROTECTED").count() == 1


def test_where_the_stop_is_ours_from_the_start_it_is_ours_to_place_again() -> None:
    venue = held_at(PLAIN, 3, settings=THREE_TARGETS)
    venue.refuses = {"S-": 1}
    start = clock.now()
    with later(start, 0):
        venue.open_entry(3)
        venue.run()
    assert (venue.working(STOP), len(venue.working(TARGET))) == ([], 3)
    watch_for(venue, start, 2.1)
    assert venue.working(STOP) == [(3, D("24995"))]
    assert len(venue.working(TARGET)) == 3
    assert position().unprotected_since is None


def test_a_stop_that_was_moved_to_the_entry_comes_back_there() -> None:
    venue, start = opened(), clock.now()
    held = position()
    held.is_at_break_even = True
    held.save()
    with later(start, 0):
        venue.end("501")
    watch_for(venue, start, 2.1)
    assert venue.working(STOP) == [(2, D("25000"))]


# A stop that may come yet.


def test_a_stop_that_the_venue_owes_is_looked_for_before_another_one_is_placed() -> None:
    venue, start = held_at(NATIVE, 2), clock.now()
    venue.make_leg(STOP, "501", 2, "24995", is_told=False)
    with later(start, 0):
        venue.open_entry(2)
    watch_for(venue, start, 1.1, 2.1)
    assert (venue.looks, venue.sent) == (1, []), "the look found it"
    assert position().unprotected_since is None


@pytest.mark.parametrize(("says", "asked"), [("nothing is there", ["pair"]), ("", ["flatten"])])
def test_what_a_look_does_not_find_is_placed_and_a_look_that_fails_says_nothing(says: str, asked: list[str]) -> None:
    venue, start = held_at(NATIVE, 2), clock.now()
    venue.answers = bool(says)
    with later(start, 0):
        venue.open_entry(2)
    watch_for(venue, start, 1.1, 2.1, 5.1)
    assert asked_of(venue) == asked


def test_a_late_original_is_kept_and_the_second_one_cut() -> None:
    venue, start = held_at(NATIVE, 2), clock.now()
    with later(start, 0):
        venue.open_entry(2)
    watch_for(venue, start, 1.1, 2.1)
    assert (len(venue.names(STOP)), position().unprotected_since) == (1, None)
    with later(start, 3):
        venue.make_leg(STOP, "501", 2, "24995")
        venue.make_leg(TARGET, "502", 2, "25010")
        venue.run()
    assert (venue.working(STOP), venue.working(TARGET)) == ([(2, D("24995"))], [(2, D("25010"))])
    assert live_legs() == [("stop", 2), ("target", 2)]


def test_nothing_is_placed_beside_a_stop_whose_fate_is_unknown() -> None:
    venue, start = opened(), clock.now()
    with later(start, 0):
        venue.end("501")
    Order.objects.filter(broker_order_id="501").update(status="unknown")
    watch_for(venue, start, 2.1, 4.1)
    assert (venue.sent, wished("REARM")) == ([], [])
    watch_for(venue, start, 5.1)
    assert (asked_of(venue), venue.net) == (["flatten"], 0)


def test_a_partial_exit_that_has_its_legs_cut_is_not_given_a_stop_for_what_it_sells() -> None:
    venue, start = opened(), clock.now()
    held = position()
    OrderIntent.objects.create(
        owner=held.owner, source="signal", trader=held.trader, account=held.account, lane_slot=0, leg="exit",
        kind="reduce", idempotency_key="r", client_order_id="X-R", symbol=held.symbol, side="sell", qty=1,
        leaves_qty=1, status=IntentStatus.DISPATCHED,
    )  # fmt: skip
    with later(start, 0):
        venue.end("501")
    watch_for(venue, start, 2.1)
    assert venue.sent == []


def test_an_average_that_is_missing_gives_no_stop_price() -> None:
    venue, start = opened(), clock.now()
    with later(start, 0):
        venue.end("501")
    held = position()
    held.avg_price = None
    held.save()
    watch_for(venue, start, 2.1)
    assert venue.sent == []
    held.avg_price = D("25000")
    held.save()
    watch_for(venue, start, 4.5)
    assert venue.working(STOP) == [(2, D("24995"))]


def test_a_position_that_the_broker_does_not_hold_gets_no_stop() -> None:
    venue, start = opened(), clock.now()
    with later(start, 0):
        venue.end("501")
        venue.net = 1
        venue.state_position("25000")
    watch_for(venue, start, 2.1)
    assert venue.sent == []


def test_a_close_that_found_nothing_ends_with_the_record_of_what_was_closed_by_hand() -> None:
    venue, start = opened(), clock.now()
    with later(start, 0):
        venue.net = 0
        venue.end("501")
        venue.end("502")
    watch_for(venue, start, 5.1)
    assert (asked_of(venue), position().net_qty) == (["flatten"], 2), "a stream that is silent has not told of it"
    (closed,) = wished("UNPROTECTED")
    waiting = OrderIntentFactory(
        trader=closed.trader, kind="protect", leg="protect", status=IntentStatus.CLEARED, after=closed,
        cleared_at=start, symbol=closed.symbol, exits=position().exits,
    )  # fmt: skip
    with later(start, 6):
        venue.state_position(None)
    watch_for(venue, start, 7.5)
    assert position().net_qty == 2, "its fill may be on the way"
    watch_for(venue, start, 8.5)
    closed.refresh_from_db()
    assert (position().net_qty, closed.status) == (0, IntentStatus.DONE)
    assert Order.objects.get(intent=closed).status == "canceled", "or a later trade by hand would be taken for it"
    with later(start, 9):
        venue.run()
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason_code) == (IntentStatus.DONE, "ALREADY_FLAT")


# F46: a target is refused.


def test_a_refused_target_is_placed_once_more_a_tick_further_away_and_its_stop_stays() -> None:
    venue, start = opened(), clock.now()
    venue.refuse("502")
    venue.run()
    assert (asked_of(venue), venue.working(TARGET)) == (["T-"], [(2, D("25010.25"))])
    assert venue.working(STOP) == [(2, D("24995"))]
    (again,) = wished("TARGET_AGAIN")
    assert "too close" in again.reason_text
    assert template_from(position().exits).targets[0].level.points == D("10.25"), "and there it stays"
    watch_for(venue, start, 3)
    assert (asked_of(venue), live_legs()) == (["T-"], [("stop", 2), ("target", 2)]), "a pair that we look after"
    venue.fill("501", 2, "24995")
    venue.run()
    assert (venue.working(TARGET), venue.net) == ([], 0)


def test_a_target_that_is_refused_twice_is_told_of_and_not_tried_a_third_time() -> None:
    venue, start = opened(), clock.now()
    venue.refuses = {"T-": 9}
    venue.refuse("502")
    venue.run()
    watch_for(venue, start, 3)
    assert (asked_of(venue), open_alarms(), venue.working(STOP)) == (["T-"], ["TARGET_REJECTED"], [(2, D("24995"))])
    assert "its stop" in Alarm.objects.get().text or "the stop" in Alarm.objects.get().text
    venue.fill("501", 2, "24995")
    watch_for(venue, start, 6)
    assert open_alarms() == []


def test_one_target_of_several_that_is_refused_leaves_the_others_where_they_are() -> None:
    venue = held_at(PLAIN, 3, settings=THREE_TARGETS)
    venue.refuses = {"T-": 1}
    venue.open_entry(3)
    venue.run()
    assert venue.working(TARGET) == [(1, D("25010.25")), (1, D("25020")), (1, D("25030"))]
    assert venue.working(STOP) == [(3, D("24995"))]
