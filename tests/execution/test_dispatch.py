"""Claiming what waits, and what goes on the wire for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from brokers.base import CancelOrder, FlattenPosition, OrderRole, OrderStatus, Side, SubmitOrder, role_of
from brokers.reports import Rejected
from execution.dispatch import CUT_BOUND
from execution.models import IntentKind, IntentStatus, Order, OrderIntent
from execution.reports.apply import apply_events
from execution.sweep import expire_entries
from justtrades import clock
from tests.execution.desk import MNQ, WritingDesk, held, planned_intents, recorder_with
from tests.factories import BrokerAccountFactory, OrderFactory, OrderIntentFactory, PositionFactory, TraderFactory

pytestmark = pytest.mark.django_db
EXIT = {"kind": IntentKind.EXIT, "leg": "exit", "side": "sell", "target_distance": None, "stop_distance": None}


def cleared(**fields: Any) -> OrderIntent:
    usual = {"symbol": MNQ, "status": IntentStatus.CLEARED, "cleared_at": clock.now(), "signal__status": "planned"}
    return OrderIntentFactory(**{**usual, **fields})


def reloaded(intent: OrderIntent) -> OrderIntent:
    intent.refresh_from_db()
    return intent


def test_a_cleared_entry_is_marked_submitting_before_it_is_handed_over() -> None:
    intent, desk = cleared(qty=3), WritingDesk()
    assert desk.dispatch() == 1
    (request,) = desk.sent
    assert isinstance(request, SubmitOrder)
    assert (request.client_order_id, request.qty, request.bracket[0].qty) == (intent.client_order_id, 3, 3)
    order = Order.objects.get(intent=intent)
    assert (order.status, order.role, order.submit_started_at is not None) == (
        OrderStatus.SUBMITTING.value,
        "entry",
        True,
    )
    assert reloaded(intent).status == IntentStatus.DISPATCHED
    assert desk.dispatch() == 0
    assert len(desk.sent) == 1


def test_an_entry_without_exits_has_no_bracket() -> None:
    cleared(target_distance=None, stop_distance=None)
    desk = WritingDesk()
    desk.dispatch()
    assert isinstance(desk.sent[0], SubmitOrder)
    assert desk.sent[0].bracket == ()


@pytest.mark.parametrize("status", [s for s in IntentStatus if s is not IntentStatus.CLEARED])
def test_only_what_is_cleared_is_sent(status: IntentStatus) -> None:
    cleared(status=status)
    desk = WritingDesk()
    assert desk.dispatch() == 0
    assert desk.sent == []


def test_an_exit_is_the_venues_own_flatten() -> None:
    trader = TraderFactory()
    PositionFactory(trader=trader, symbol=MNQ, net_qty=2)
    intent, desk = cleared(trader=trader, qty=2, **EXIT), WritingDesk()
    desk.dispatch()
    assert [type(request) for request in desk.sent] == [FlattenPosition]
    order = Order.objects.get(intent=intent)
    assert (order.role, order.side, order.qty) == ("exit", "sell", 2)


def test_a_late_exit_is_for_what_is_held_now() -> None:
    trader = TraderFactory()
    PositionFactory(trader=trader, symbol=MNQ, net_qty=-3)
    intent, desk = cleared(trader=trader, qty=2, **EXIT), WritingDesk()
    desk.dispatch()
    order = Order.objects.get(intent=intent)
    assert (order.side, order.qty) == ("buy", 3)


def test_an_exit_of_nothing_is_done_and_sends_nothing() -> None:
    intent, desk = cleared(**EXIT), WritingDesk()
    desk.dispatch()
    assert desk.sent == []
    assert (reloaded(intent).status, intent.reason_code) == (IntentStatus.DONE, "ALREADY_FLAT")


def test_closing_one_recorders_share_leaves_the_others() -> None:
    """Its own legs are canceled first; only when the broker has confirmed that, its own quantity is closed."""
    account = BrokerAccountFactory()
    mine = TraderFactory(account=account, recorder__owner=account.owner)
    theirs = TraderFactory(account=account, recorder__owner=account.owner)
    PositionFactory(trader=mine, symbol=MNQ, net_qty=2)
    PositionFactory(trader=theirs, symbol=MNQ, net_qty=1)
    entry = OrderIntentFactory(trader=mine, symbol=MNQ)
    other_entry = OrderIntentFactory(trader=theirs, symbol=MNQ)
    legs = {"intent": entry, "role": "stop", "client_order_id": None, "side": "sell"}
    stop = OrderFactory(**{**legs, "status": "working", "qty": 2})
    OrderFactory(**{**legs, "role": "target", "status": "canceled"})
    OrderFactory(**{**legs, "intent": other_entry, "status": "working"})
    intent, desk = cleared(trader=mine, qty=2, **EXIT), WritingDesk()
    desk.dispatch()
    desk.dispatch()
    (cancel,) = desk.sent
    assert isinstance(cancel, CancelOrder)
    assert cancel.broker_order_id == stop.broker_order_id
    assert reloaded(intent).status == IntentStatus.CLEARED
    Order.objects.filter(pk=stop.pk).update(status="canceled", wanted_qty=None)
    desk.dispatch()
    close = desk.sent[-1]
    assert isinstance(close, SubmitOrder)
    assert (close.client_order_id, close.side, close.qty, close.bracket) == (intent.client_order_id, Side.SELL, 2, ())


@pytest.mark.parametrize(
    ("fields", "status", "sent"),
    [
        ({"kind": IntentKind.REDUCE, "leg": "reduce", "leaves_qty": 1}, IntentStatus.FAILED, 0),
        ({"kind": IntentKind.EXIT, "leg": "exit"}, IntentStatus.DISPATCHED, 1),
    ],
)
def test_legs_that_cannot_be_cut_hold_nothing_up_for_ever(
    fields: dict[str, Any], status: IntentStatus, sent: int
) -> None:
    trader = TraderFactory()
    beside = TraderFactory(account=trader.account, recorder__owner=trader.owner)
    assert beside.is_enabled
    PositionFactory(trader=trader, symbol=MNQ, net_qty=2)
    entry = OrderIntentFactory(trader=trader, symbol=MNQ)
    OrderFactory(intent=entry, role="stop", client_order_id=None, side="sell", status="working", qty=2)
    usual = {"trader": trader, "qty": 1, "side": "sell", "target_distance": None, "stop_distance": None, **fields}
    early = cleared(**usual, cleared_at=clock.now() - CUT_BOUND + timedelta(seconds=2))
    desk = WritingDesk()
    desk.dispatch()
    assert reloaded(early).status == IntentStatus.CLEARED
    OrderIntent.objects.filter(pk=early.pk).update(cleared_at=clock.now() - CUT_BOUND - timedelta(seconds=1))
    desk.dispatch()
    assert reloaded(early).status == status
    assert len([request for request in desk.sent if isinstance(request, SubmitOrder)]) == sent


def test_an_entry_waits_for_its_exit() -> None:
    trader = TraderFactory()
    before = cleared(trader=trader, status=IntentStatus.DISPATCHED, **EXIT)
    intent, desk = cleared(trader=trader, after=before), WritingDesk()
    assert desk.dispatch() == 0
    OrderIntent.objects.filter(pk=before.pk).update(status=IntentStatus.DONE)
    assert desk.dispatch() == 1
    assert reloaded(intent).status == IntentStatus.DISPATCHED


@pytest.mark.parametrize("ended", [IntentStatus.FAILED, IntentStatus.DENIED, IntentStatus.EXPIRED])
def test_an_entry_whose_exit_did_not_happen_is_denied(ended: IntentStatus) -> None:
    trader = TraderFactory()
    before = cleared(trader=trader, status=ended, **EXIT)
    intent, desk = cleared(trader=trader, after=before), WritingDesk()
    desk.dispatch()
    assert desk.sent == []
    assert (reloaded(intent).status, intent.reason_code) == (IntentStatus.DENIED, "EXIT_NOT_DONE")


def test_a_stale_entry_is_expired_not_sent_and_a_stale_exit_is_sent() -> None:
    late = clock.now() - timedelta(seconds=1)
    trader = TraderFactory()
    PositionFactory(trader=trader, symbol=MNQ, net_qty=1)
    entry, desk = cleared(expires_at=late), WritingDesk()
    cleared(trader=trader, created_at=late - timedelta(hours=1), **EXIT)
    desk.dispatch()
    assert [type(request) for request in desk.sent] == [FlattenPosition]
    assert (reloaded(entry).status, entry.reason_code) == (IntentStatus.EXPIRED, "STALE")


def test_the_sweeper_expires_what_no_lane_takes_and_leaves_exits() -> None:
    late = clock.now() - timedelta(seconds=1)
    entry, fresh, exit_ = (
        cleared(expires_at=late),
        cleared(expires_at=clock.now() + timedelta(seconds=9)),
        cleared(**EXIT),
    )
    assert expire_entries() == 1
    assert (reloaded(entry).status, entry.reason_code) == (IntentStatus.EXPIRED, "STALE")
    assert "limit of 30 s" in entry.reason_text
    assert {reloaded(fresh).status, reloaded(exit_).status} == {IntentStatus.CLEARED}
    assert WritingDesk().dispatch() == 2


def test_a_lane_takes_only_its_own(settings: Any) -> None:
    settings.LANES = 2
    cleared(lane_slot=6)
    cleared(lane_slot=7)
    even, odd = WritingDesk(index=0), WritingDesk(index=1)
    assert (even.dispatch(), odd.dispatch()) == (1, 1)
    assert even.sent[0].client_order_id != odd.sent[0].client_order_id


@pytest.mark.django_db(transaction=True)
def test_racing_dispatchers_send_each_intent_once() -> None:
    names = {cleared(qty=1).client_order_id for _ in range(40)}
    desks = [WritingDesk() for _ in range(6)]
    barrier = threading.Barrier(6)

    def race(desk: WritingDesk) -> int:
        try:
            barrier.wait(20)
            return desk.dispatch()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(race, desks)) == 40
    sent = [request.client_order_id for desk in desks for request in desk.sent]
    assert len(sent) == 40
    assert set(sent) == names
    assert Order.objects.count() == 40


def test_an_exit_that_was_not_placed_is_sent_again_under_its_own_order() -> None:
    trader = TraderFactory()
    PositionFactory(trader=trader, symbol=MNQ, net_qty=1)
    intent = cleared(trader=trader, attempts=1, **EXIT)
    order = OrderFactory(intent=intent, role="exit", status="not_placed", broker_order_id=None, avg_price=Decimal(1))
    desk = WritingDesk()
    desk.dispatch()
    assert [request.client_order_id for request in desk.sent] == [intent.client_order_id]
    order.refresh_from_db()
    assert (order.status, reloaded(intent).attempts) == ("submitting", 2)
    assert Order.objects.filter(intent=intent).count() == 1


def test_an_exit_that_was_refused_is_sent_again_as_another_order() -> None:
    trader = TraderFactory()
    PositionFactory(trader=trader, symbol=MNQ, net_qty=1)
    sent = cleared(trader=trader, **EXIT)
    desk = WritingDesk()
    desk.dispatch()
    apply_events([(trader.account.login_id, Rejected(sent.client_order_id, "SessionClosed", "closed", clock.now()))])
    OrderIntent.objects.update(cleared_at=clock.now())
    desk.dispatch()
    first, second = [request.client_order_id for request in desk.sent]
    assert first == sent.client_order_id != second
    assert [row.status for row in Order.objects.filter(intent=sent).order_by("created_at")] == [
        "rejected", "submitting",
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "role"), [(EXIT, OrderRole.EXIT), ({}, OrderRole.ENTRY)])
def test_the_name_of_an_order_says_whether_it_closes(kind: dict[str, Any], role: OrderRole) -> None:
    recorder, (trader,) = recorder_with(1)
    if kind:
        held(trader, 1)
    (intent,) = planned_intents(recorder, "close" if kind else "buy")
    assert role_of(intent.client_order_id) is role
