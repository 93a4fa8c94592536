"""UNKNOWN: how it comes about, and the evidence that ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from brokers.base import AccountRef, OrderRole, OrderStatus
from brokers.reports import SyncReport, Unknown
from execution import doubt
from execution.models import Position, Transition
from justtrades import clock
from tests.execution.venue import Venue
from tests.factories import BrokerAccountFactory

pytestmark = pytest.mark.django_db


def now() -> Any:
    return clock.now()


def test_doubt_is_not_a_rejection_and_only_evidence_ends_it() -> None:
    venue = Venue()
    venue.apply(Unknown(venue.name, "no answer within five seconds", now()))
    assert (venue.order.status, venue.intent.status, venue.intent.reason_code) == ("unknown", "unknown", "UNKNOWN")
    venue.apply(venue.sync(venue.report(OrderStatus.FILLED), venue.fill("1")))
    assert (venue.order.status, venue.intent.status) == ("filled", "done")
    assert Position.objects.get().net_qty == 2


def test_absence_is_proof_only_when_it_is_seen_twice_two_seconds_apart() -> None:
    venue = Venue()
    venue.apply(Unknown(venue.name, "closed", now()))
    started = now()
    for seconds, status in [(0, "unknown"), (0.5, "unknown"), (1.9, "unknown"), (2.1, "not_placed")]:
        with time_machine.travel(started + timedelta(seconds=seconds), tick=False):
            venue.apply(venue.sync())
        assert venue.order.status == status, seconds
    assert (venue.intent.status, venue.intent.reason_code) == ("failed", "NOT_PLACED")


@pytest.mark.parametrize(
    ("venue_name", "age_s", "status"),
    [("tradovate", 5, "failed"), ("webull", 5, "cleared"), ("projectx", 5, "cleared"), ("projectx", 31, "failed")],
)
def test_an_entry_that_was_not_placed_goes_again_only_where_no_id_is_taken_twice_and_while_it_is_fresh(
    venue_name: str, age_s: int, status: str
) -> None:
    venue = Venue(trader__account__login__venue=venue_name, expires_at=clock.now() + timedelta(seconds=30))
    venue.apply(Unknown(venue.name, "closed", now()))
    started = now()
    for seconds in (age_s - 3, age_s):
        with time_machine.travel(started + timedelta(seconds=seconds), tick=False):
            venue.apply(venue.sync())
    assert (venue.order.status, venue.intent.status) == ("not_placed", status)
    assert venue.intent.client_order_id == venue.name, "under the same id, or the venue could not tell"


def test_another_accounts_truth_says_nothing_about_ours() -> None:
    venue = Venue()
    venue.apply(Unknown(venue.name, "closed", now()))
    other = BrokerAccountFactory(login=venue.intent.account.login)
    started = now()
    for seconds in (0, 3, 6):
        with time_machine.travel(started + timedelta(seconds=seconds), tick=False):
            ref = AccountRef(other.broker_id, other.name)
            venue.apply(SyncReport(clock.now(), (ref,), (), (), ()))
    assert venue.order.status == "unknown"


def test_an_order_that_turns_up_after_all_is_taken_in() -> None:
    venue = Venue()
    venue.apply(Unknown(venue.name, "closed", now()))
    started = now()
    for seconds in (0, 3):
        with time_machine.travel(started + timedelta(seconds=seconds), tick=False):
            venue.apply(venue.sync())
    venue.apply(venue.report(OrderStatus.FILLED), venue.fill("1"), venue.leg(OrderRole.STOP, "501"))
    position = venue.position
    assert position is not None
    assert (position.net_qty, position.unprotected_since) == (2, None)
    assert venue.order.status == "filled"


def test_silence_becomes_doubt_after_eight_seconds_and_not_before() -> None:
    venue = Venue()
    assert doubt.doubt_silent(0) == 0
    with time_machine.travel(clock.now() + timedelta(seconds=8.5), tick=False):
        assert doubt.doubt_silent(0) == 1
    venue.apply()
    assert (venue.order.status, venue.intent.status) == ("unknown", "unknown")


def test_a_lane_that_starts_doubts_whatever_was_on_its_way() -> None:
    venue = Venue()
    assert doubt.doubt_everything_in_flight(0) == 1
    venue.apply()
    assert venue.order.status == "unknown"
    assert Transition.objects.filter(object_id=venue.order.pk, to_state="unknown").count() == 1
