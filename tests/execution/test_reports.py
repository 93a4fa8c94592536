"""What the brokers say, applied: in any order, any number of times."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
import time_machine

from brokers.base import (
    Accepted,
    AccountRef,
    ConnectionReport,
    ConnectionState,
    Event,
    FillReport,
    NotSent,
    OrderReport,
    OrderRole,
    OrderStatus,
    OrderType,
    PositionReport,
    Rejected,
    Sent,
    Side,
    SyncReport,
    Unknown,
)
from execution import doubt
from execution.models import BrokerPosition, Fill, IntentKind, IntentStatus, Order, OrderIntent, Position, Transition
from execution.reports.apply import apply_events
from justtrades import clock
from tests.execution.desk import MNQ
from tests.factories import BrokerAccountFactory, OrderFactory, OrderIntentFactory, TraderFactory

pytestmark = pytest.mark.django_db


class Venue:
    """One follower with an entry for two contracts on the wire, and the reports about it."""

    def __init__(self, **intent: Any) -> None:
        usual = {"symbol": MNQ, "qty": 2, "status": IntentStatus.DISPATCHED, "attempts": 1, "signal__status": "planned"}
        self.intent: OrderIntent = OrderIntentFactory(**{**usual, **intent})
        kind = "exit" if self.intent.kind == IntentKind.EXIT else "entry"
        self.order: Order = OrderFactory(
            intent=self.intent, role=kind, status="submitting", broker_order_id=None, submit_started_at=clock.now()
        )
        self.account = AccountRef(self.intent.account.broker_id, self.intent.account.name)
        self.name = self.intent.client_order_id

    def apply(self, *events: Event) -> None:
        apply_events([(self.intent.account.login_id, event) for event in events])
        self.intent.refresh_from_db()
        self.order = Order.objects.get(client_order_id=self.name)

    def report(self, status: OrderStatus, broker_id: str = "500", **fields: Any) -> OrderReport:
        usual = {"side": Side.BUY, "role": OrderRole.ENTRY, "client_order_id": self.name, "qty": 2}
        terms = {**usual, **fields}
        return OrderReport(self.account, broker_id, status, symbol=MNQ, at=clock.now(), **terms)

    def leg(
        self, role: OrderRole, broker_id: str, status: OrderStatus = OrderStatus.WORKING, **fields: Any
    ) -> OrderReport:
        usual = {"side": Side.SELL, "role": role, "client_order_id": None, "parent_client_order_id": self.name}
        kind = OrderType.STOP if role is OrderRole.STOP else OrderType.LIMIT
        return self.report(status, broker_id, order_type=kind, **{**usual, **fields})

    def fill(self, number: str, qty: int = 2, price: str | None = "100", **fields: Any) -> FillReport:
        usual = {"broker_order_id": "500", "symbol": MNQ, "side": Side.BUY, "at": clock.now()}
        stated = None if price is None else Decimal(price)
        return FillReport(self.account, number, qty=qty, price=stated, **{**usual, **fields})

    def sync(self, *parts: OrderReport | FillReport | PositionReport) -> SyncReport:
        def of(kind: type) -> tuple[Any, ...]:
            return tuple(part for part in parts if isinstance(part, kind))

        return SyncReport(clock.now(), (self.account,), of(OrderReport), of(FillReport), of(PositionReport))

    @property
    def position(self) -> Position | None:
        return Position.objects.filter(trader=self.intent.trader, symbol=MNQ).first()


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
    assert (venue.order.status, venue.intent.status) == ("not_placed", "cleared")
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
