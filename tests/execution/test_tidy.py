"""Which exits the watchdog takes away, where the broker holds what we have not been told of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from brokers.base import OrderRole, OrderStatus, Side
from brokers.reports import Event, PositionReport
from execution.models import BreakKind, BreakState, Order
from execution.watchdog import tidy
from justtrades import clock
from tests.execution.desk import MNQ
from tests.execution.venue import Venue
from tests.risk_factories import BreakFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def entered(time_machine: TimeMachineFixture) -> Venue:
    """The broker calls an entry for two filled, and its stop works; nobody has told of a fill."""
    time_machine.move_to(clock.now(), tick=False)
    venue = Venue()
    venue.apply(venue.report(OrderStatus.FILLED), venue.leg(OrderRole.STOP, "501"))
    return venue


def holds(venue: Venue, net_qty: int) -> Event:
    return PositionReport(venue.account, MNQ, net_qty, None, clock.now())


def wanted() -> Any:
    return Order.objects.get(broker_order_id="501").wanted_qty


def test_the_stop_of_an_entry_whose_fills_are_missing_works_on(
    entered: Venue, time_machine: TimeMachineFixture
) -> None:
    time_machine.shift(3)
    assert (tidy.tidy(0), wanted()) == (0, None)
    entered.apply(entered.fill("1", 1))
    time_machine.shift(3)
    assert (tidy.tidy(0), wanted()) == (0, None), "one of two is told of"
    time_machine.shift(timedelta(seconds=100))
    assert (tidy.tidy(0), wanted()) == (1, 1), "the broker's books were looked at since: it is all there was"


@pytest.mark.parametrize(("theirs", "spared"), [(2, True), (0, False), (-1, False)])
def test_the_stop_of_what_the_broker_holds_and_we_do_not_know_works_on(
    entered: Venue, time_machine: TimeMachineFixture, theirs: int, *, spared: bool
) -> None:
    time_machine.shift(timedelta(seconds=100))
    entered.apply(holds(entered, theirs))
    assert tidy.tidy(0) == (0 if spared else 1)
    assert wanted() == (None if spared else 0)


def test_what_its_owner_holds_by_hand_keeps_no_stop_of_ours(entered: Venue, time_machine: TimeMachineFixture) -> None:
    time_machine.shift(timedelta(seconds=100))
    entered.apply(holds(entered, 2))
    BreakFactory(account=entered.intent.account, symbol=MNQ, kind=BreakKind.EXTERNAL_POSITION, state=BreakState.ADOPTED)
    assert (tidy.tidy(0), wanted()) == (1, 0)


def test_a_report_from_before_our_last_fill_says_nothing(entered: Venue, time_machine: TimeMachineFixture) -> None:
    entered.apply(entered.fill("1"), entered.leg(OrderRole.TARGET, "502"), holds(entered, 2))
    time_machine.shift(1)
    entered.apply(
        entered.leg(OrderRole.TARGET, "502", OrderStatus.FILLED),
        entered.fill("2", broker_order_id="502", side=Side.SELL),
    )
    time_machine.shift(3)
    assert (tidy.tidy(0), wanted()) == (1, 0)
