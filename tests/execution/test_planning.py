"""A signal becomes each follower's intents, once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection

from brokers.base import BracketLeg, OrderStatus, Side, SubmitOrder
from execution import planning, setbacks
from execution.models import IntentKind, IntentStatus, ObjectKind, Order, OrderIntent, Transition
from execution.planner import plan_recorder
from justtrades import clock
from justtrades.ids import client_order_id
from recorders.models import Signal, SignalStatus
from tests.execution.desk import MNQ, held, intents_of, planned_intents, recorder_with, set_on, signal_for
from tests.factories import OrderFactory, OrderIntentFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db


def reload(signal: Signal) -> tuple[str, str]:
    signal.refresh_from_db()
    return signal.status, signal.reason_code


def test_every_follower_gets_an_intent_of_its_own_size() -> None:
    recorder, followers = recorder_with(3, settings={"initial_position_size": 2})
    Trader.objects.filter(pk=followers[1].pk).update(multiplier=Decimal("1.5"))
    Trader.objects.filter(pk=followers[2].pk).update(
        overrides={"initial_position_size": 5, "targets": [], "stop_distance": "0"}
    )
    signal = signal_for(recorder)
    planned = planning.plan_next(recorder.pk)
    assert planned is not None
    assert planned.requests == ()
    assert planned.lane_slots == {trader.account.login.lane_slot for trader in followers}
    intents = {intent.trader_id: intent for intent in intents_of(signal)}
    assert [intents[trader.pk].qty for trader in followers] == [2, 3, 5]
    assert {intent.status for intent in intents.values()} == {IntentStatus.CLEARED}
    assert {(intent.symbol, intent.side, intent.kind) for intent in intents.values()} == {(MNQ, "buy", "entry")}
    assert [intents[trader.pk].stop_distance for trader in followers] == [5, 5, None]
    assert [intents[trader.pk].target_distance for trader in followers] == [10, 10, None]
    assert all(intent.client_order_id == client_order_id(intent.idempotency_key) for intent in intents.values())
    assert len({intent.client_order_id for intent in intents.values()}) == 3
    assert reload(signal) == (SignalStatus.PLANNED, "")


def test_the_lane_that_plans_sends_its_own_entries_at_once() -> None:
    recorder, (trader,) = recorder_with(1)
    signal = signal_for(recorder)
    planned = planning.plan_next(recorder.pk, lane=0)
    assert planned is not None
    assert planned.lane_slots == frozenset()
    (intent,) = intents_of(signal)
    ((login_id, request),) = planned.requests
    assert login_id == trader.account.login_id
    assert isinstance(request, SubmitOrder)
    assert (request.client_order_id, request.side, request.qty) == (intent.client_order_id, Side.BUY, 1)
    assert request.bracket == (BracketLeg(1, Decimal(10), Decimal(5)),)
    assert (intent.status, intent.attempts) == (IntentStatus.DISPATCHED, 1)
    order = Order.objects.get(intent=intent)
    assert (order.status, order.client_order_id) == (OrderStatus.SUBMITTING.value, intent.client_order_id)


def test_a_lane_leaves_another_lanes_entries_to_it(settings: Any) -> None:
    settings.LANES = 2
    recorder, (trader,) = recorder_with(1)
    other = 1 - trader.account.login.lane_slot % 2
    planned = planning.plan_next(recorder.pk, lane=other) if signal_for(recorder) else None
    assert planned is not None
    assert planned.requests == ()
    assert planned.lane_slots == {trader.account.login.lane_slot}


def test_a_planned_signal_is_never_planned_again() -> None:
    recorder, _ = recorder_with(2)
    signal = signal_for(recorder)
    assert planning.plan_next(recorder.pk) is not None
    assert planning.plan_next(recorder.pk) is None
    assert len(intents_of(signal)) == 2


def test_even_a_status_that_went_back_cannot_make_a_second_set_of_intents() -> None:
    recorder, _ = recorder_with(2)
    signal_for(recorder)
    planning.plan_next(recorder.pk)
    # Not live any more, so that the follower looks flat and free.
    OrderIntent.objects.update(status=IntentStatus.DONE)
    Signal.objects.update(status=SignalStatus.RECEIVED)
    with pytest.raises(IntegrityError):
        planning.plan_next(recorder.pk)
    connection.needs_rollback = False


@pytest.mark.django_db(transaction=True)
def test_a_race_for_one_signal_gives_one_set_of_intents() -> None:
    recorder, followers = recorder_with(5)
    signal = signal_for(recorder)
    barrier = threading.Barrier(8)

    def race(_: int) -> bool:
        try:
            barrier.wait(20)
            return planning.plan_next(recorder.pk, lane=0) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(race, range(8)))
    assert won.count(True) == 1
    assert {intent.trader_id for intent in intents_of(signal)} == {trader.pk for trader in followers}
    assert len(intents_of(signal)) == Order.objects.count() == 5


def test_signals_of_a_recorder_are_planned_in_the_order_they_came() -> None:
    recorder, _ = recorder_with(1)
    close = signal_for(recorder, "close")
    buy = signal_for(recorder, "buy", received_at=close.received_at - timedelta(seconds=1))
    plan_recorder(recorder.pk)
    (entry,), (exit_,) = intents_of(buy), intents_of(close)
    assert (entry.kind, exit_.kind, exit_.after_id) == (IntentKind.ENTRY, IntentKind.EXIT, entry.pk)
    assert (exit_.side, exit_.qty) == ("sell", 1)


def test_a_close_is_what_is_held() -> None:
    recorder, (trader,) = recorder_with(1)
    held(trader, -3)
    (intent,) = planned_intents(recorder, "close")
    assert (intent.kind, intent.side, intent.qty, intent.leg) == (IntentKind.EXIT, "buy", 3, "exit")
    assert (intent.expires_at, intent.after_id, intent.stop_distance) == (None, None, None)


def test_a_reversal_is_an_exit_and_an_entry_that_waits_for_it() -> None:
    recorder, (trader,) = recorder_with(1)
    held(trader, -3)
    way_out, way_in = planned_intents(recorder, "buy")
    assert (way_out.kind, way_out.side, way_out.qty) == (IntentKind.EXIT, "buy", 3)
    assert (way_in.kind, way_in.side, way_in.qty, way_in.after_id) == (IntentKind.ENTRY, "buy", 1, way_out.pk)


def test_a_close_closes_the_month_that_is_held_not_the_one_that_is_named() -> None:
    recorder, (trader,) = recorder_with(1)
    held(trader, 2, symbol="MNQU6")
    (intent,) = planned_intents(recorder, "close", ticker="MNQ1!")
    assert (intent.symbol, intent.qty) == ("MNQU6", 2)


def test_another_product_is_another_position() -> None:
    recorder, (trader,) = recorder_with(1)
    held(trader, 2, symbol="MESZ6")
    signal = signal_for(recorder, "close")
    planning.plan_next(recorder.pk)
    assert reload(signal) == (SignalStatus.IGNORED, "ALREADY_FLAT")


@pytest.mark.parametrize(
    ("position", "action", "code"),
    [(0, "close", "ALREADY_FLAT"), (2, "buy", "SAME_DIRECTION"), (-1, "sell", "SAME_DIRECTION")],
)
def test_what_concerns_nobody_is_ignored_with_the_reason(position: int, action: str, code: str) -> None:
    recorder, (trader,) = recorder_with(1)
    held(trader, position)
    signal = signal_for(recorder, action)
    planning.plan_next(recorder.pk)
    assert reload(signal) == (SignalStatus.IGNORED, code)
    (intent,) = intents_of(signal)
    assert (intent.status, intent.reason_code, intent.qty) == (IntentStatus.DENIED, code, 0)
    assert intent.explanation is not None


def test_what_concerns_one_follower_is_written_down_for_the_other() -> None:
    recorder, (long, flat) = recorder_with(2)
    held(long, 2)
    signal = signal_for(recorder, "close")
    planning.plan_next(recorder.pk)
    by_trader = {intent.trader_id: intent for intent in intents_of(signal)}
    assert by_trader[long.pk].status == IntentStatus.CLEARED
    assert (by_trader[flat.pk].status, by_trader[flat.pk].reason_code) == (IntentStatus.DENIED, "ALREADY_FLAT")
    assert reload(signal)[0] == SignalStatus.PLANNED


def test_a_recorder_without_followers_ignores_visibly() -> None:
    recorder, _ = recorder_with(0)
    signal = signal_for(recorder)
    planning.plan_next(recorder.pk)
    assert reload(signal) == (SignalStatus.IGNORED, "NO_FOLLOWERS")


def test_a_month_that_is_not_listed_is_refused() -> None:
    recorder, _ = recorder_with(1)
    signal = signal_for(recorder, ticker="MNQF7")
    planning.plan_next(recorder.pk)
    assert reload(signal) == (SignalStatus.REFUSED, "UNKNOWN_TICKER")
    assert intents_of(signal) == []


def test_what_is_on_its_way_counts_as_held() -> None:
    recorder, (trader,) = recorder_with(1)
    under_way = OrderIntentFactory(trader=trader, symbol=MNQ, qty=3, status="dispatched", signal__status="planned")
    OrderFactory(intent=under_way, status="partially_filled", filled_qty=1)
    held(trader, 1)
    way_out, way_in = planned_intents(recorder, "sell")
    assert (way_out.qty, way_out.side, way_out.after_id) == (3, "sell", under_way.pk)
    assert way_in.after_id == way_out.pk


def test_every_denial_is_a_transition() -> None:
    recorder, followers = recorder_with(2)
    set_on(followers[0], "", is_enabled=False)
    intents = planned_intents(recorder)
    written = {
        (row.object_kind, row.object_id): (row.from_state, row.to_state, row.detail) for row in Transition.objects.all()
    }
    denied = next(intent for intent in intents if intent.status == IntentStatus.DENIED)
    before, after, detail = written[ObjectKind.INTENT, denied.pk]
    assert (before, after) == (IntentStatus.NEW, IntentStatus.DENIED)
    assert detail.startswith(denied.reason_code)
    assert written[ObjectKind.SIGNAL, intents[0].signal_id] == ("received", "planned", "")


def test_after_three_failures_the_signal_is_given_up_visibly() -> None:
    recorder, _ = recorder_with(1)
    signal = signal_for(recorder)
    for attempt in (1, 2):
        setbacks.give_up_on(recorder.pk, "IntegrityError")
        assert reload(signal) == (SignalStatus.RECEIVED, "")
        assert signal.plan_attempts == attempt
    setbacks.give_up_on(recorder.pk, "IntegrityError")
    assert reload(signal) == (SignalStatus.IGNORED, "PLANNING_FAILED")
    assert "3 times: IntegrityError" in signal.reason_text


def test_a_poisoned_signal_does_not_block_its_recorder_for_ever() -> None:
    recorder, _ = recorder_with(1)
    poison = signal_for(recorder, "", received_at=clock.now() - timedelta(seconds=1))
    good = signal_for(recorder)
    for _ in range(4):
        plan_recorder(recorder.pk)
    assert reload(poison) == (SignalStatus.IGNORED, "PLANNING_FAILED")
    assert reload(good)[0] == SignalStatus.PLANNED


def test_planning_what_does_not_exist_does_nothing() -> None:
    plan_recorder(UUID(int=1))
    assert OrderIntent.objects.count() == 0


@pytest.mark.parametrize(("entry_fired_s", "is_late"), [(-5, True), (1, False), (None, False)])
def test_f25_an_entry_that_fired_before_the_close_that_came_first_is_not_followed(
    entry_fired_s: int | None, is_late: object
) -> None:
    recorder, _ = recorder_with(1)
    closed_at = clock.now()
    signal_for(recorder, "close", fired_at=closed_at)
    planning.plan_next(recorder.pk)
    fired_at = None if entry_fired_s is None else closed_at + timedelta(seconds=entry_fired_s)
    (intent,) = planned_intents(recorder, "buy", fired_at=fired_at)
    assert (intent.reason_code == "SUPERSEDED") == bool(is_late)
    assert (intent.status == IntentStatus.DENIED) == bool(is_late)
