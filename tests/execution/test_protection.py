"""Positions without their stop: what is done about them and when, and what explains them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.base import CancelOrder, FlattenPosition, SubmitOrder
from execution.models import (
    Alarm,
    Fill,
    IntentKind,
    IntentSource,
    IntentStatus,
    Order,
    OrderIntent,
    Position,
    Transition,
    UnprotectedSpan,
)
from execution.watchdog import Watchdog, tidy
from execution.watchdog.flat import adopt_flat
from execution.watchdog.steps import Facts, Step, next_step
from justtrades import clock
from risk.models import AccountRules
from risk.models.book import UnprotectedPolicy
from tests.execution.desk import MNQ, WritingDesk
from tests.factories import (
    BrokerPositionFactory,
    FillFactory,
    OrderFactory,
    OrderIntentFactory,
    PositionFactory,
    TraderFactory,
)

pytestmark = pytest.mark.django_db
REARM, FLATTEN, ALARM = (
    UnprotectedPolicy.REARM_THEN_FLATTEN,
    UnprotectedPolicy.FLATTEN,
    UnprotectedPolicy.ALARM,
)


def ago(seconds: float) -> Any:
    return clock.now() - timedelta(seconds=seconds)


def naked(seconds: float, **fields: Any) -> Position:
    usual = {"symbol": MNQ, "net_qty": 2, "stop_distance": Decimal(5), "unprotected_since": ago(seconds)}
    return PositionFactory(**{**usual, **fields})


def leg_of(position: Position, **fields: Any) -> Any:
    entry = OrderIntentFactory(trader=position.trader, symbol=MNQ, signal__status="planned")
    usual = {"role": "stop", "client_order_id": None, "side": "sell", "status": "working", "updated_at": ago(60)}
    return OrderFactory(intent=entry, **{**usual, **fields})


def watch(desk: WritingDesk) -> None:
    Watchdog(desk).watch()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("age", "policy", "facts", "step"),
    [
        (0.9, REARM, {}, Step.WAIT),
        (1.5, REARM, {}, Step.WAIT),
        (1.5, REARM, {"is_owed": True}, Step.LOOK),
        (1.5, REARM, {"is_owed": True, "is_asked": True}, Step.WAIT),
        (2.0, REARM, {}, Step.REARM),
        (4.9, REARM, {"is_owed": True}, Step.LOOK),
        (2.0, REARM, {"is_owed": True, "is_asked": True}, Step.REARM),
        *((3.0, REARM, {name: True}, Step.WAIT) for name in ("is_moving", "is_in_flight", "is_rearmed", "is_doubted")),
        (3.0, REARM, {"is_known": False}, Step.WAIT),
        (3.0, FLATTEN, {}, Step.WAIT),
        (5.0, FLATTEN, {}, Step.CLOSE),
        (5.0, REARM, {}, Step.CLOSE),
        *((5.0, REARM, {name: True}, Step.CLOSE) for name in ("is_moving", "is_in_flight", "is_rearmed", "is_owed")),
        (5.0, REARM, {"is_known": False}, Step.CLOSE),
        (60.0, REARM, {"is_leaving": True}, Step.WAIT),
        (60.0, REARM, {"may_be_gone": True}, Step.WAIT),
        (60.0, REARM, {"may_be_gone": True, "is_less": True}, Step.WAIT),
        (5.0, REARM, {"is_less": True}, Step.CLOSE_ALL),
        (4.9, REARM, {"is_less": True, "is_doubted": True}, Step.WAIT),
        (2.0, ALARM, {}, Step.WAIT),
        (60.0, ALARM, {}, Step.WAIT),
    ],
)
def test_what_is_to_be_done_follows_from_age_rule_and_what_stands_around(
    age: float, policy: UnprotectedPolicy, facts: dict[str, bool], step: Step
) -> None:
    assert next_step(timedelta(seconds=age), timedelta(seconds=5), policy, Facts(**facts)) is step


def test_a_position_without_its_stop_is_closed_after_the_bound_and_once() -> None:
    position, desk = naked(5.1), WritingDesk()
    watch(desk)
    watch(desk)
    (request,) = desk.sent
    assert isinstance(request, FlattenPosition)
    intent = OrderIntent.objects.get()
    assert (intent.source, intent.kind, intent.reason_code) == (IntentSource.RISK_ACTION, "exit", "UNPROTECTED")
    assert (intent.side, intent.qty, intent.trader_id) == ("sell", 2, position.trader_id)
    assert Transition.objects.filter(object_id=intent.pk).count() == 2


@pytest.mark.parametrize(
    ("rules", "seconds", "closed", "alarms"),
    [
        ({}, 3, 0, 0),
        ({"unprotected_after_s": 10}, 7, 0, 0),
        ({"unprotected_after_s": 10}, 10.1, 1, 1),
        ({"unprotected_policy": "flatten"}, 5.1, 1, 1),
        ({"unprotected_policy": "alarm"}, 60, 0, 1),
    ],
)
def test_the_accounts_own_bound_and_rule_hold_and_the_alarm_comes_either_way(
    rules: dict[str, Any], seconds: float, closed: int, alarms: int
) -> None:
    position = naked(seconds)
    AccountRules.objects.create(account=position.account, **rules)
    desk = WritingDesk()
    watch(desk)
    assert len(desk.sent) == closed
    assert Alarm.objects.filter(code="UNPROTECTED", ref=str(position.pk), ended_at=None).count() == alarms


@pytest.mark.parametrize("fields", [{"unprotected_since": None}, {"net_qty": 0}])
def test_the_alarm_ends_when_the_position_is_protected_or_flat(fields: dict[str, Any]) -> None:
    position, desk = naked(60), WritingDesk()
    AccountRules.objects.create(account=position.account, unprotected_policy="alarm")
    watch(desk)
    watch(desk)
    (alarm,) = Alarm.objects.all()
    assert alarm.ended_at is None
    Position.objects.update(**fields)
    watch(desk)
    alarm.refresh_from_db()
    assert alarm.ended_at is not None
    assert desk.sent == []


def test_a_position_that_is_being_closed_already_is_not_closed_twice() -> None:
    position, desk = naked(60), WritingDesk()
    OrderIntentFactory(
        trader=position.trader, symbol=MNQ, kind=IntentKind.EXIT, status="dispatched", signal__status="planned"
    )
    watch(desk)
    assert desk.sent == []


def test_an_entry_that_waits_at_its_price_does_not_hold_the_close_up() -> None:
    position, desk = naked(60), WritingDesk()
    waiting = OrderIntentFactory(trader=position.trader, symbol=MNQ, status="dispatched", signal__status="planned")
    OrderFactory(intent=waiting, status="working", broker_order_id="77")
    watch(desk)
    (cancel,) = desk.sent
    assert isinstance(cancel, CancelOrder), "it is taken away first"
    Order.objects.update(status="canceled")
    desk.dispatch()
    assert isinstance(desk.sent[-1], FlattenPosition)


def test_a_close_that_failed_is_tried_again() -> None:
    naked(60)
    watch(WritingDesk())
    OrderIntent.objects.update(status=IntentStatus.FAILED)
    watch(WritingDesk())
    assert OrderIntent.objects.count() == 2


@pytest.mark.parametrize(
    ("theirs", "others", "sent"), [(1, 0, [FlattenPosition]), (1, 1, []), (-1, 0, []), (2, 0, [SubmitOrder])]
)
def test_where_the_broker_holds_something_else_only_what_is_ours_and_there_is_closed(
    theirs: int, others: int, sent: list[type]
) -> None:
    """Beside an idle trader our own is closed by a plain order for its size."""
    position, desk = naked(60, updated_at=ago(60)), WritingDesk()
    other = TraderFactory(account=position.account, recorder__owner=position.owner)
    PositionFactory(trader=other, symbol=MNQ, net_qty=others, updated_at=ago(60))
    BrokerPositionFactory(account=position.account, symbol=MNQ, net_qty=theirs, reported_at=ago(10))
    watch(desk)
    watch(desk)
    assert [type(request) for request in desk.sent] == sent
    assert Alarm.objects.filter(code="UNPROTECTED", ended_at=None).exists()


@pytest.mark.parametrize(("net_qty", "settled", "canceled"), [(0, 60, 1), (2, 60, 0), (0, 1, 0)])
def test_exits_that_lost_their_position_are_canceled(net_qty: int, settled: float, canceled: int) -> None:
    position = PositionFactory(symbol=MNQ, net_qty=net_qty, updated_at=ago(settled))
    stop, desk = leg_of(position, qty=2), WritingDesk()
    leg_of(position, status="filled")
    watch(desk)
    watch(desk)
    assert [request.broker_order_id for request in desk.sent if isinstance(request, CancelOrder)] == (
        [stop.broker_order_id] * canceled
    )


def test_the_exits_of_an_entry_on_its_way_are_no_orphans_but_those_of_an_older_one_are() -> None:
    trader = TraderFactory()
    entry = OrderIntentFactory(trader=trader, symbol=MNQ, status="dispatched", signal__status="planned")
    usual = {"role": "stop", "client_order_id": None, "status": "working", "updated_at": ago(60)}
    OrderFactory(intent=entry, **usual)
    assert tidy.tidy(0) == 0
    older = OrderFactory(intent=OrderIntentFactory(trader=trader, symbol=MNQ, signal__status="planned"), **usual)
    assert tidy.tidy(0) == 1
    older.refresh_from_db()
    assert older.wanted_qty == 0


def test_the_exits_of_a_fill_without_a_price_are_no_orphans() -> None:
    entry = OrderIntentFactory(symbol=MNQ, status="done", signal__status="planned")
    order = OrderFactory(intent=entry)
    FillFactory(order=None, account=order.account, broker_order_id=order.broker_order_id, symbol=MNQ, side="buy",
                qty=1, price=None)  # fmt: skip
    OrderFactory(intent=entry, role="stop", client_order_id=None, status="working", updated_at=ago(60))
    assert tidy.tidy(0) == 0
    Fill.objects.update(applied_at=clock.now())
    assert tidy.tidy(0) == 1


def test_a_cancel_that_changes_nothing_is_told_of_and_said_again() -> None:
    position = PositionFactory(symbol=MNQ, net_qty=0, updated_at=ago(60))
    stop, desk = leg_of(position, wanted_qty=0, change_attempts=10, change_sent_at=ago(9)), WritingDesk()
    watch(desk)
    (alarm,) = Alarm.objects.filter(ended_at=None)
    assert (alarm.code, alarm.ref) == ("EXIT_WORKS_ON", str(stop.pk))
    desk.dispatch()
    assert isinstance(desk.sent[-1], CancelOrder)
    Order.objects.update(status="canceled", wanted_qty=None)
    watch(desk)
    assert not Alarm.objects.filter(ended_at=None).exists()


def flat_at_broker(position: Position, seconds: float, net_qty: int = 0) -> None:
    BrokerPositionFactory(account=position.account, symbol=MNQ, net_qty=net_qty, reported_at=ago(seconds))


def test_a_broker_that_is_flat_is_believed() -> None:
    position = PositionFactory(symbol=MNQ, net_qty=2, updated_at=ago(60), unprotected_since=ago(3))
    flat_at_broker(position, 10)
    assert adopt_flat(0) == 1
    position.refresh_from_db()
    assert (position.net_qty, position.avg_price, position.unprotected_since) == (0, None, None)
    assert "closed at the broker" in Transition.objects.get(object_id=position.pk).detail
    span = UnprotectedSpan.objects.get()
    assert (span.ended_by, span.venue, span.was_acted_on) == ("flat", "tradovate", False)


@pytest.mark.parametrize(
    ("reported", "net_qty", "updated"), [(10, 2, 60), (10, 0, 5), (0.1, 0, 60)], ids=["not flat", "older", "just now"]
)
def test_a_report_that_is_not_flat_or_older_than_our_fill_or_just_in_is_not(
    reported: float, net_qty: int, updated: float
) -> None:
    position = PositionFactory(symbol=MNQ, net_qty=2, updated_at=ago(updated))
    flat_at_broker(position, reported, net_qty)
    assert adopt_flat(0) == 0


def test_two_traders_that_hold_against_each_other_are_flat_at_the_broker_by_right() -> None:
    long = PositionFactory(symbol=MNQ, net_qty=2, updated_at=ago(60))
    short = PositionFactory(
        trader=TraderFactory(account=long.account, recorder__owner=long.owner),
        symbol=MNQ,
        net_qty=-2,
        updated_at=ago(60),
    )
    flat_at_broker(long, 10)
    assert adopt_flat(0) == 0
    short.refresh_from_db()
    assert short.net_qty == -2


def test_what_is_under_way_explains_a_difference() -> None:
    position = PositionFactory(symbol=MNQ, net_qty=2, updated_at=ago(60))
    OrderIntentFactory(
        trader=position.trader, symbol=MNQ, kind=IntentKind.EXIT, status="dispatched", signal__status="planned"
    )
    flat_at_broker(position, 10)
    assert adopt_flat(0) == 0
