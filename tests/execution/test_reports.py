"""What the brokers say, applied: in any order, any number of times."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from brokers.base import AccountRef, ConnectionState, OrderRole, OrderStatus, Side
from brokers.reports import (
    Accepted,
    ConnectionReport,
    Event,
    FillReport,
    NotSent,
    OrderReport,
    PositionReport,
    Rejected,
    Sent,
)
from execution.models import BrokerPosition, Fill, IntentKind, IntentStatus, Order, Position
from execution.watchdog import tidy
from justtrades import clock
from tests.execution.desk import MNQ
from tests.execution.venue import Venue
from tests.factories import TraderFactory

pytestmark = pytest.mark.django_db


def now() -> Any:
    return clock.now()


def test_the_usual_way() -> None:
    venue = Venue()
    venue.apply(Sent(venue.name, now()), Accepted(venue.name, "500", now()))
    assert (venue.order.status, venue.order.broker_order_id) == ("working", "500")
    assert venue.intent.sent_at is not None
    assert venue.intent.acknowledged_at is not None
    venue.apply(
        venue.report(OrderStatus.FILLED), venue.fill("1"), venue.leg(OrderRole.STOP, "501", stop_price=Decimal(95))
    )
    assert (venue.order.status, venue.order.filled_qty, venue.order.avg_price) == ("filled", 2, 100)
    assert venue.intent.status == IntentStatus.DONE
    assert venue.intent.protected_at is not None
    position = venue.position
    assert position is not None
    assert (position.net_qty, position.avg_price, position.unprotected_since) == (2, 100, None)


def test_parts_of_a_batch_may_come_in_any_order_and_any_number_of_times() -> None:
    for order in permutations(range(4)):
        venue = Venue()
        parts: list[Event] = [
            Accepted(venue.name, "500", now()),
            venue.report(OrderStatus.FILLED),
            venue.fill("1", 1, "100"),
            venue.fill("2", 1, "101"),
        ]
        for index in order:
            venue.apply(parts[index])
            venue.apply(parts[index])
        venue.apply(*parts)
        position = venue.position
        assert position is not None
        assert (position.net_qty, position.avg_price) == (2, Decimal("100.5")), order
        assert (venue.order.status, venue.order.filled_qty, venue.intent.status) == ("filled", 2, "done"), order
        assert Fill.objects.filter(account=venue.intent.account).count() == 2
        assert Order.objects.filter(account=venue.intent.account).count() == 1


def test_a_fill_whose_price_comes_late_counts_when_it_comes() -> None:
    venue = Venue()
    venue.apply(venue.report(OrderStatus.FILLED), venue.fill("1", price=None))
    assert venue.position is None
    venue.apply(venue.fill("1", price="100.25"))
    position = venue.position
    assert position is not None
    assert (position.net_qty, position.avg_price) == (2, Decimal("100.25"))
    venue.apply(venue.fill("1", price="100.25"))
    assert Position.objects.get().net_qty == 2


def test_fills_of_an_order_reported_later_by_its_name_are_applied_then() -> None:
    venue = Venue()
    venue.apply(venue.fill("1"))
    assert venue.position is None
    venue.apply(venue.report(OrderStatus.FILLED))
    assert Position.objects.get().net_qty == 2


def test_a_rejection_has_the_brokers_words_and_is_final() -> None:
    venue = Venue()
    venue.apply(Rejected(venue.name, "LiquidationOnly", "only out", now()))
    assert (venue.order.status, venue.order.reject_code) == ("rejected", "LiquidationOnly")
    assert (venue.intent.status, venue.intent.reason_code, venue.intent.reason_text) == (
        "failed", "LiquidationOnly", "only out",
    )  # fmt: skip
    venue.apply(Accepted(venue.name, None, now()))
    assert (venue.order.status, venue.intent.status) == ("rejected", "failed")


def test_an_entry_that_provably_never_left_waits_for_another_try_while_it_is_fresh() -> None:
    fresh = Venue(expires_at=clock.now() + timedelta(seconds=20))
    fresh.apply(NotSent(fresh.name, "connection refused", now()))
    assert (fresh.order.status, fresh.intent.status, fresh.intent.reason_code) == ("not_placed", "cleared", "NOT_SENT")
    late = Venue(expires_at=clock.now() - timedelta(seconds=1))
    late.apply(NotSent(late.name, "connection refused", now()))
    assert (late.intent.status, late.intent.reason_code) == ("failed", "NOT_SENT")


def test_a_refused_exit_is_tried_again_and_given_up_after_five() -> None:
    exit_ = {"kind": IntentKind.EXIT, "leg": "exit", "side": "sell"}
    venue = Venue(**exit_)
    venue.apply(Rejected(venue.name, "SessionClosed", "closed", now()))
    (refused,) = Order.objects.filter(intent=venue.intent)
    assert (refused.status, venue.intent.status) == ("rejected", "cleared")
    assert venue.intent.client_order_id != refused.client_order_id, "where ids are unique, that one is used up"
    tired = Venue(**exit_, attempts=5)
    tired.apply(Rejected(tired.name, "SessionClosed", "closed", now()))
    assert (tired.order.status, tired.intent.status) == ("rejected", "failed")


@pytest.mark.parametrize("covered", [0, 1, 2])
def test_a_position_is_unprotected_until_working_stops_cover_all_of_it(covered: int) -> None:
    venue = Venue()
    stops = [venue.leg(OrderRole.STOP, "501", qty=covered)] if covered else []
    suspended = venue.leg(OrderRole.STOP, "502", OrderStatus.SUSPENDED)
    target = venue.leg(OrderRole.TARGET, "503")
    venue.apply(venue.report(OrderStatus.FILLED), venue.fill("1"), suspended, target, *stops)
    position = venue.position
    assert position is not None
    assert (position.unprotected_since is None) == (covered == 2)


def test_a_position_that_wants_no_stop_is_not_unprotected() -> None:
    venue = Venue(stop_distance=None)
    venue.apply(venue.report(OrderStatus.FILLED), venue.fill("1"))
    position = venue.position
    assert position is not None
    assert position.unprotected_since is None


def test_a_leg_reported_before_anybody_said_whose_it_is_becomes_ours() -> None:
    venue = Venue()
    venue.apply(venue.leg(OrderRole.EXTERNAL, "501", parent_client_order_id=None))
    assert Order.objects.get(broker_order_id="501").role == "external"
    venue.apply(venue.report(OrderStatus.FILLED), venue.fill("1"), venue.leg(OrderRole.STOP, "501"))
    leg = Order.objects.get(broker_order_id="501")
    assert (leg.role, leg.intent_id, leg.trader_id) == ("stop", venue.intent.pk, venue.intent.trader_id)
    position = venue.position
    assert position is not None
    assert position.unprotected_since is None


def test_somebody_elses_order_is_external_and_moves_no_position_of_ours() -> None:
    venue = Venue()
    stranger = venue.report(OrderStatus.FILLED, "900", client_order_id=None, role=OrderRole.EXTERNAL)
    venue.apply(stranger, venue.fill("9", broker_order_id="900"))
    order = Order.objects.get(broker_order_id="900")
    assert (order.role, order.trader_id, order.intent_id) == ("external", None, None)
    assert Position.objects.count() == 0
    assert Fill.objects.get().applied_at is None


def test_reports_of_an_account_that_nobody_connected_are_let_go() -> None:
    venue = Venue()
    stray = AccountRef("424242", "stray")
    order = OrderReport(stray, "77", OrderStatus.WORKING, Side.BUY, MNQ, now(), OrderRole.EXTERNAL)
    venue.apply(order, FillReport(stray, "7", "77", MNQ, Side.BUY, 1, Decimal(1), now()))
    assert Order.objects.count() == 1
    assert Fill.objects.count() == 0


def test_a_flatten_is_known_by_its_close_even_before_its_reply() -> None:
    trader = TraderFactory()
    opened = Venue(trader=trader)
    opened.apply(opened.report(OrderStatus.FILLED), opened.fill("1"))
    closing = Venue(trader=trader, kind=IntentKind.EXIT, leg="exit", side="sell")
    close = closing.report(OrderStatus.FILLED, "600", side=Side.SELL, client_order_id=None, role=OrderRole.EXTERNAL)
    closing.apply(close, closing.fill("2", price="110", broker_order_id="600", side=Side.SELL))
    closing.apply(Accepted(closing.name, "600", now()))
    position = Position.objects.get()
    assert (position.net_qty, position.realized_pnl, position.avg_price) == (0, 40, None)
    assert (closing.order.status, closing.intent.status) == ("filled", "done")
    assert Order.objects.filter(role="external").count() == 0


@pytest.mark.parametrize(("minutes_before", "is_ours"), [(0, True), (1, False)])
def test_what_was_filled_before_a_close_of_ours_was_sent_is_not_that_close(
    minutes_before: int, *, is_ours: bool
) -> None:
    """A person's order of a while ago, told of after the line was down, while the fate of our close is not known."""
    trader = TraderFactory()
    opened = Venue(trader=trader)
    opened.apply(opened.report(OrderStatus.FILLED), opened.fill("1"))
    closing = Venue(trader=trader, kind=IntentKind.EXIT, leg="exit", side="sell")
    order = closing.report(OrderStatus.FILLED, "600", side=Side.SELL, client_order_id=None, role=OrderRole.EXTERNAL)
    at = now() - timedelta(minutes=minutes_before)
    closing.apply(closing.sync(order, closing.fill("2", broker_order_id="600", side=Side.SELL, at=at)))
    assert closing.order.broker_order_id == ("600" if is_ours else None)
    assert (Position.objects.get().net_qty == 0) is is_ours


def test_a_close_that_still_works_at_a_flat_broker_is_taken_away_before_it_is_done(
    time_machine: TimeMachineFixture,
) -> None:
    """Its position went by its own stop meanwhile, and what is left of the close could meet the next entry."""
    time_machine.move_to(clock.now(), tick=False)
    trader = TraderFactory()
    opened = Venue(trader=trader)
    opened.apply(opened.report(OrderStatus.FILLED), opened.fill("1"), opened.leg(OrderRole.STOP, "501"))
    closing = Venue(trader=trader, kind=IntentKind.EXIT, leg="exit", side="sell")
    closing.apply(Accepted(closing.name, "600", now()), opened.leg(OrderRole.STOP, "501", OrderStatus.FILLED))
    closing.apply(opened.fill("2", broker_order_id="501", side=Side.SELL))
    assert (Position.objects.get().net_qty, closing.intent.status) == (0, "dispatched")
    assert tidy.tidy(0) == 0
    time_machine.shift(3)
    assert tidy.tidy(0) == 1
    closing.apply(closing.report(OrderStatus.CANCELED, "600", side=Side.SELL, role=OrderRole.EXIT))
    assert (closing.order.status, closing.order.wanted_qty, closing.intent.status) == ("canceled", None, "done")


def test_the_brokers_own_position_is_kept_beside_ours() -> None:
    venue = Venue()
    for net in (2, 1):
        venue.apply(PositionReport(venue.account, MNQ, net, Decimal(100), now()))
    kept = BrokerPosition.objects.get()
    assert (kept.net_qty, kept.avg_price) == (1, 100)
    assert Position.objects.count() == 0


def test_a_connections_state_is_its_logins() -> None:
    venue = Venue()
    venue.apply(ConnectionReport(ConnectionState.FAILED, now(), "Incorrect password"))
    login = venue.intent.account.login
    login.refresh_from_db()
    assert (login.state, login.state_detail) == ("failed", "Incorrect password")
