"""Positions that should be safe and are not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.base import CancelOrder, FlattenPosition
from execution import protection
from execution.models import IntentKind, IntentSource, IntentStatus, OrderIntent, Position, Transition
from justtrades import clock
from tests.execution.desk import MNQ, WritingDesk
from tests.factories import BrokerPositionFactory, OrderFactory, OrderIntentFactory, PositionFactory, TraderFactory

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> Any:
    return clock.now() - timedelta(seconds=seconds)


def naked(seconds: float, **fields: Any) -> Position:
    usual = {"symbol": MNQ, "net_qty": 2, "stop_distance": Decimal(5), "unprotected_since": ago(seconds)}
    return PositionFactory(**{**usual, **fields})


def leg_of(position: Position, **fields: Any) -> Any:
    entry = OrderIntentFactory(trader=position.trader, symbol=MNQ, signal__status="planned")
    usual = {"role": "stop", "client_order_id": None, "side": "sell", "status": "working", "updated_at": ago(60)}
    return OrderFactory(intent=entry, **{**usual, **fields})


def test_a_position_without_its_stop_is_flattened_after_the_bound_and_once() -> None:
    position, desk = naked(5.1), WritingDesk()
    protection.watch(desk)
    protection.watch(desk)
    (request,) = desk.sent
    assert isinstance(request, FlattenPosition)
    intent = OrderIntent.objects.get()
    assert (intent.source, intent.kind, intent.reason_code) == (IntentSource.RISK_ACTION, "exit", "UNPROTECTED")
    assert (intent.side, intent.qty, intent.trader_id) == ("sell", 2, position.trader_id)
    assert Transition.objects.filter(object_id=intent.pk).count() == 2


@pytest.mark.parametrize("fields", [{"unprotected_since": None}, {"net_qty": 0}])
def test_a_protected_or_flat_position_is_left_alone(fields: dict[str, Any]) -> None:
    naked(60, **fields)
    assert protection.flatten_unprotected(0) == 0


def test_within_the_bound_the_venue_still_has_time() -> None:
    naked(3)
    assert protection.flatten_unprotected(0) == 0


def test_a_position_that_is_being_closed_already_is_not_closed_twice() -> None:
    position = naked(60)
    OrderIntentFactory(
        trader=position.trader, symbol=MNQ, kind=IntentKind.EXIT, status="dispatched", signal__status="planned"
    )
    assert protection.flatten_unprotected(0) == 0


def test_a_flatten_that_failed_is_tried_again() -> None:
    naked(60)
    assert protection.flatten_unprotected(0) == 1
    OrderIntent.objects.update(status=IntentStatus.FAILED)
    assert protection.flatten_unprotected(0) == 1
    assert OrderIntent.objects.count() == 2


@pytest.mark.parametrize(("net_qty", "canceled"), [(0, 1), (2, 0)])
def test_exits_that_lost_their_position_are_canceled(net_qty: int, canceled: int) -> None:
    position = PositionFactory(symbol=MNQ, net_qty=net_qty)
    stop, desk = leg_of(position), WritingDesk()
    leg_of(position, status="filled")
    assert protection.cancel_orphans(desk) == canceled
    assert [request.broker_order_id for request in desk.sent if isinstance(request, CancelOrder)] == (
        [stop.broker_order_id] * canceled
    )


def test_the_exits_of_an_entry_on_its_way_are_no_orphans() -> None:
    trader = TraderFactory()
    entry = OrderIntentFactory(trader=trader, symbol=MNQ, status="dispatched", signal__status="planned")
    OrderFactory(intent=entry, role="stop", client_order_id=None, status="working", updated_at=ago(60))
    assert protection.cancel_orphans(WritingDesk()) == 0


def flat_at_broker(position: Position, seconds: float, net_qty: int = 0) -> None:
    BrokerPositionFactory(account=position.account, symbol=MNQ, net_qty=net_qty, reported_at=ago(seconds))


def test_a_broker_that_is_flat_is_believed() -> None:
    position = PositionFactory(symbol=MNQ, net_qty=2, updated_at=ago(60))
    flat_at_broker(position, 10)
    assert protection.adopt_flat(0) == 1
    position.refresh_from_db()
    assert (position.net_qty, position.avg_price, position.unprotected_since) == (0, None, None)
    assert "closed at the broker" in Transition.objects.get(object_id=position.pk).detail


@pytest.mark.parametrize(
    ("reported", "net_qty", "updated"), [(10, 2, 60), (10, 0, 5), (0.1, 0, 60)], ids=["not flat", "older", "just now"]
)
def test_a_report_that_is_not_flat_or_older_than_our_fill_or_just_in_is_not(
    reported: float, net_qty: int, updated: float
) -> None:
    position = PositionFactory(symbol=MNQ, net_qty=2, updated_at=ago(updated))
    flat_at_broker(position, reported, net_qty)
    assert protection.adopt_flat(0) == 0


def test_two_traders_that_hold_against_each_other_are_flat_at_the_broker_by_right() -> None:
    long = PositionFactory(symbol=MNQ, net_qty=2, updated_at=ago(60))
    short = PositionFactory(
        trader=TraderFactory(account=long.account, recorder__owner=long.owner),
        symbol=MNQ,
        net_qty=-2,
        updated_at=ago(60),
    )
    flat_at_broker(long, 10)
    assert protection.adopt_flat(0) == 0
    short.refresh_from_db()
    assert short.net_qty == -2


def test_what_is_under_way_explains_a_difference() -> None:
    position = PositionFactory(symbol=MNQ, net_qty=2, updated_at=ago(60))
    OrderIntentFactory(
        trader=position.trader, symbol=MNQ, kind=IntentKind.EXIT, status="dispatched", signal__status="planned"
    )
    flat_at_broker(position, 10)
    assert protection.adopt_flat(0) == 0
