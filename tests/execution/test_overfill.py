"""F44, F45 and F48 against a model venue: siblings that work on, parts of an entry, and more than anybody wanted."""

from __future__ import annotations

import pytest

from execution.models import IntentStatus, OrderIntent
from execution.watchdog import overfill
from justtrades import clock
from tests.execution.plain_venue import PLAIN, SINGLE, register
from tests.execution.watched import (
    NATIVE,
    STOP,
    TARGET,
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

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_venues(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)


# F48: the other half of a pair works on.


def test_a_sibling_that_works_on_is_canceled_when_the_venue_does_not() -> None:
    venue, start = opened(), clock.now()
    with later(start, 0):
        venue.fill("502", 2, "25010")
    watch_for(venue, start, 1)
    assert venue.sent == [], "the venue's own cancel is on its way"
    watch_for(venue, start, 2.1)
    assert (asked_of(venue), venue.working(STOP)) == (["CancelOrder"], [])


def test_a_sibling_of_a_part_is_cut_when_the_venue_does_not() -> None:
    venue, start = opened(), clock.now()
    with later(start, 0):
        venue.fill("502", 1, "25010")
    watch_for(venue, start, 2.1)
    assert (asked_of(venue), venue.working(STOP)) == (["ModifyOrder"], [(1, D("24995"))])


@pytest.mark.parametrize("policy", ["rearm", "alarm"])
def test_a_sibling_that_fills_too_is_reverse_exposure_and_closed_under_any_rule(policy: str) -> None:
    venue, start = opened(unprotected_policy=policy), clock.now()
    with later(start, 0):
        venue.fill("502", 2, "25010")
        venue.fill("501", 2, "24995")
    assert (position().net_qty, open_alarms()) == (-2, ["REVERSED"])
    watch_for(venue, start, 0.5)
    assert venue.sent == [], "the entry's own fill might come yet"
    watch_for(venue, start, 1.1, 2.1)
    assert (asked_of(venue), venue.net, position().net_qty) == (["flatten"], 0, 0)
    watch_for(venue, start, 3.1)
    assert open_alarms() == []


def test_a_stop_that_fills_beyond_the_position_is_reverse_exposure_too() -> None:
    venue, start = opened(), clock.now()
    with later(start, 0):
        venue.fill("502", 1, "25010")
        venue.fill("501", 2, "24995")
    assert (position().net_qty, open_alarms()) == (-1, ["REVERSED"])
    watch_for(venue, start, 1.1)
    assert venue.net == 0


@pytest.mark.parametrize(("wanted", "left"), [(2, 0), (3, 1)])
def test_an_exit_that_is_told_of_before_its_entry_is_no_reversal(wanted: int, left: int) -> None:
    venue, start = held_at(NATIVE, wanted, unprotected_policy="alarm"), clock.now()
    with later(start, 0):
        venue.make_leg(STOP, "501", 2, "24995")
        venue.fill("501", 2, "24995")
        assert open_alarms() == ["REVERSED"]
        venue.open_entry(wanted)
    watch_for(venue, start, 1.1, 2.1)
    assert (venue.sent, position().net_qty, open_alarms()) == ([], left, [])


# F44 and F45: parts, and more than was wanted.


@pytest.mark.parametrize("name", [PLAIN, SINGLE])
def test_the_stop_follows_the_parts_of_an_entry_and_its_end(name: str) -> None:
    venue = held_at(name, 5)
    if name == SINGLE:
        venue.make_leg(STOP, "501", 5, "24995")
        venue.make_leg(TARGET, "502", 5, "25010")
    for filled, part in ((1, 1), (3, 2)):
        venue.open_entry(part)
        venue.run()
        assert position().unprotected_since is None
        assert sum(qty for qty, _ in venue.working(STOP)) == (filled if name == PLAIN else 5)
    venue.end("500")
    venue.run()
    assert (venue.net, position().unprotected_since) == (3, None)
    assert sum(qty for qty, _ in venue.working(STOP)) == sum(qty for qty, _ in venue.working(TARGET)) == 3


@pytest.mark.parametrize(("policy", "net", "alarms"), [("flatten", 2, []), ("alarm", 3, ["OVERFILL"])])
def test_what_an_entry_got_too_much_is_closed_again(policy: str, net: int, alarms: list[str]) -> None:
    venue, start = opened(unprotected_policy=policy, unprotected_after_s=60), clock.now()
    with later(start, 0):
        venue.fill("500", 1)
    assert (position().net_qty, open_alarms()) == (3, ["OVERFILL"])
    watch_for(venue, start, 0.5, 1.5)
    assert (venue.net, position().net_qty, open_alarms()) == (net, net, alarms)
    if policy != "alarm":
        (closed,) = wished("OVERFILL")
        assert (closed.kind, closed.leaves_qty, closed.source) == ("reduce", 2, "risk_action")
        assert position().unprotected_since is None


def test_an_excess_that_could_not_be_closed_is_tried_again() -> None:
    venue, start = opened(unprotected_after_s=60), clock.now()
    with later(start, 0):
        venue.fill("500", 1)
        assert overfill.mend(0) == 1
    OrderIntent.objects.filter(reason_code="OVERFILL").update(status=IntentStatus.FAILED)
    watch_for(venue, start, 1, 2)
    assert (len(wished("OVERFILL")), venue.net, open_alarms()) == (2, 2, [])
