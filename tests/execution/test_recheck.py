"""What was cleared is asked about once more when it is sent; who asks for too much is slowed down, then stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from brokers.base import CancelOrder, FlattenPosition, SubmitOrder
from execution import changes, dispatch, planning, switchboard
from execution.models import IntentStatus, Order, OrderIntent
from execution.submitting import Routed
from execution.trader_trace import trace_traders
from justtrades import clock
from recorders.models import Recorder, Signal
from risk import switch
from risk.models import EventKind, RiskEvent, Switch, SwitchMode, SwitchScope
from tests.execution.desk import MNQ, WritingDesk, held, intents_of, planned_intents, recorder_with, set_on, signal_for
from tests.execution.stands import differing, locked, trip
from tests.factories import OrderFactory, OrderIntentFactory
from tests.risk_factories import SwitchFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db

STOPPED: dict[str, tuple[Callable[[Trader], object], str]] = {
    "switch": (lambda trader: trip(trader, SwitchScope.RECORDER), "KILL_SWITCH"),
    "trader off": (lambda trader: set_on(trader, "", is_enabled=False), "TRADER_DISABLED"),
    "account off": (lambda trader: set_on(trader, "account", is_enabled=False), "ACCOUNT_DISABLED"),
    "owner off": (lambda trader: set_on(trader, "owner", is_approved=False), "OWNER_NOT_APPROVED"),
    "lock": (locked, "RISK_LOCK"),
    "break": (differing, "BOOKS_DIFFER"),
}


@pytest.mark.parametrize("name", STOPPED)
def test_what_came_between_plan_and_sending_stops_the_entry_and_no_exit(name: str) -> None:
    recorder, (long, flat) = recorder_with(2)
    held(long, 1)
    intents = planned_intents(recorder, "sell")
    assert {intent.status for intent in intents} == {IntentStatus.CLEARED}
    stop, code = STOPPED[name]
    stop(flat)
    desk = WritingDesk()
    desk.dispatch()
    assert [type(request) for request in desk.sent] == [FlattenPosition]
    denied = OrderIntent.objects.get(trader=flat)
    assert (denied.status, denied.reason_code) == (IntentStatus.DENIED, code)
    check = trace_traders(Signal.objects.get(), [flat])[0].wishes[0].check
    assert (check.outcome, check.code, denied.reason_text != "") == ("denied", code, True)


def test_a_switch_in_the_middle_of_a_dispatch_stops_the_next_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "CHUNK", 2)
    recorder, traders = recorder_with(7)
    planned_intents(recorder)
    sent: list[str] = []

    def submit(routed: Sequence[Routed]) -> None:
        sent.extend(request.client_order_id for _, request in routed)
        trip(traders[0], SwitchScope.PLATFORM)

    dispatch.dispatch_due(0, submit)
    assert len(sent) == 2, "what was handed over before the switch, and nothing after it"
    assert Order.objects.count() == 2
    assert OrderIntent.objects.filter(status=IntentStatus.DENIED, reason_code="KILL_SWITCH").count() == 5


def test_a_switch_that_cannot_be_read_stops_what_waits() -> None:
    recorder, (long, _) = recorder_with(2)
    held(long, 1)
    planned_intents(recorder, "sell")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE risk_switch RENAME TO away")
    desk = WritingDesk()
    desk.dispatch()
    assert [type(request) for request in desk.sent] == [FlattenPosition]
    assert OrderIntent.objects.filter(reason_code="KILL_SWITCH").count() == 1


@dataclass
class Strategy:
    """Buys and closes, again and again, through the lane that plans."""

    recorder: Recorder
    trader: Trader

    def buy(self, *, lane: int | None = 0) -> str:
        """The reason of its entry; "" when it went out."""
        signal = signal_for(self.recorder)
        planning.plan_next(self.recorder.pk, lane)
        if lane is None:
            WritingDesk().dispatch()
        (intent,) = intents_of(signal)
        OrderIntent.objects.filter(pk=intent.pk, status=IntentStatus.DISPATCHED).update(status=IntentStatus.DONE)
        Order.objects.update(status="filled")
        return intent.reason_code


@pytest.fixture
def strategy() -> Strategy:
    recorder, (trader,) = recorder_with(1)
    return Strategy(recorder, trader)


SCOPES: dict[str, tuple[str, Callable[[Strategy], str]]] = {
    "account": ("ENTRIES_PER_MINUTE_ACCOUNT", lambda made: str(made.trader.account_id)),
    "recorder": ("SIGNALS_PER_MINUTE_RECORDER", lambda made: str(made.recorder.pk)),
    "platform": ("ENTRIES_PER_MINUTE_PLATFORM", lambda _: ""),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_over_the_rate_it_is_denied_and_a_runaway_trips_the_switch(
    scope: str, strategy: Strategy, settings: Any
) -> None:
    setting, target_of = SCOPES[scope]
    setattr(settings, setting, 2)
    assert [strategy.buy() for _ in range(4)] == ["", "", "ORDER_RATE", "ORDER_RATE"]
    denied = OrderIntent.objects.filter(reason_code="ORDER_RATE").latest("created_at")
    assert (denied.reason_had, denied.reason_limit) == ("4", "2")
    assert "in a minute" in denied.reason_text
    assert Switch.objects.count() == 0
    assert [strategy.buy(), strategy.buy()] == ["ORDER_RATE", "KILL_SWITCH"]
    tripped = Switch.objects.get()
    assert (tripped.scope, tripped.target, tripped.mode) == (scope, target_of(strategy), SwitchMode.REDUCE_ONLY)
    assert (tripped.actor, tripped.owner) == (None, None if scope == "platform" else strategy.trader.owner)
    assert "had 5, limit 2" in tripped.reason
    assert RiskEvent.objects.filter(kind=EventKind.TRIPPED, actor=None).count() == 1


def test_what_waits_for_its_lane_is_counted_when_it_goes(strategy: Strategy, settings: Any) -> None:
    settings.ENTRIES_PER_MINUTE_ACCOUNT = 1
    assert [strategy.buy(lane=None) for _ in range(4)] == ["", "ORDER_RATE", "ORDER_RATE", "KILL_SWITCH"]
    assert Order.objects.count() == 1


def test_exits_are_never_throttled_and_count_for_nothing(strategy: Strategy, settings: Any) -> None:
    settings.ENTRIES_PER_MINUTE_ACCOUNT = settings.ENTRIES_PER_MINUTE_PLATFORM = 1
    held(strategy.trader, 1)
    for _ in range(3):
        (exit_,) = planned_intents(strategy.recorder, "close")
        assert exit_.status == IntentStatus.CLEARED
        OrderIntent.objects.update(status=IntentStatus.DONE)
    strategy.trader.positions.all().delete()
    assert [strategy.buy(), strategy.buy()] == ["", "ORDER_RATE"]


def test_what_is_denied_for_another_reason_counts_for_nothing(strategy: Strategy, settings: Any) -> None:
    settings.ENTRIES_PER_MINUTE_ACCOUNT = 1
    made = trip(strategy.trader, SwitchScope.USER)
    assert {strategy.buy() for _ in range(3)} == {"KILL_SWITCH"}
    switch.release(switch=made, actor=strategy.trader.owner)
    assert strategy.buy() == ""


def waiting(trader: Trader, **order: Any) -> Order:
    intent = OrderIntentFactory(trader=trader, symbol=MNQ, status="dispatched", signal__status="planned")
    return OrderFactory(intent=intent, status="working", order_type="limit", **order)


@pytest.mark.parametrize("scope", SwitchScope.values)
def test_a_halt_takes_back_the_entries_of_its_scope_and_nothing_else(scope: str) -> None:
    _, (trader, neighbor) = recorder_with(2)
    _, (stranger,) = recorder_with(1)
    mine, others = waiting(trader), [waiting(neighbor), waiting(stranger)]
    leg = OrderFactory(intent=mine.intent, role="stop", client_order_id=None, status="working", order_type="stop")
    filled = OrderFactory(intent=OrderIntentFactory(trader=trader), status="filled")
    trip(trader, SwitchScope(scope), SwitchMode.HALT)
    count = {"platform": 3, "user": 2, "account": 1, "recorder": 2}[scope]
    assert (switchboard.cancel_halted(0), switchboard.cancel_halted(0)) == (count, 0)
    desk = WritingDesk()
    changes.send_changes(0, desk.submit)
    assert {type(request) for request in desk.sent} == {CancelOrder}
    canceled = {request.broker_order_id for request in desk.sent if isinstance(request, CancelOrder)}
    assert mine.broker_order_id in canceled
    assert len(canceled) == count
    assert not canceled & {leg.broker_order_id, filled.broker_order_id}
    assert (others[1].broker_order_id in canceled) is (scope == "platform")


def test_only_a_halt_that_is_on_takes_back_anything() -> None:
    _, (trader,) = recorder_with(1)
    waiting(trader)
    trip(trader, SwitchScope.ACCOUNT)
    SwitchFactory(owner=trader.owner, mode=SwitchMode.HALT, released_at=clock.now())
    assert switchboard.cancel_halted(0) == 0


def test_an_entry_goes_when_nothing_stands_against_it(strategy: Strategy) -> None:
    planned_intents(strategy.recorder)
    desk = WritingDesk()
    assert desk.dispatch() == 1
    assert isinstance(desk.sent[0], SubmitOrder)
