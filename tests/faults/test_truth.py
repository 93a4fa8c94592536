"""F45, F49, F50, F52, F53, F57, F59: overfills, trades by hand, lies, a switch, a busy flatten, nobody watching."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet

from accounts.services import approve, withdraw_approval
from execution import commands
from execution.models import Alarm, Break, BreakKind, BreakState, Flatten, FlattenStatus, IntentKind, Order, OrderIntent
from justtrades import clock
from risk import switch
from risk.models import AccountDay, LimitKind, LimitScope, RiskLimit, Switch, SwitchMode, SwitchScope
from tests.e2e.house import House, symbol
from tests.e2e.plant import Plant
from tests.faults import invariants

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
SLOW_S = 3.0
"""So long the broker does nothing about an order: less than it takes to give one up."""
RECONCILED_S = 40.0
"""The plant compares every eight seconds, and twice where it suspects something."""


def test_f49_a_trade_by_hand_is_adopted_shown_and_never_touched(plant: Plant, make_house: Callable[..., House]) -> None:
    house = make_house(followers=1)
    (follower,) = house.followers
    house.post("buy")
    house.await_protected(+1)
    follower.sandbox.manual(follower.broker_id, symbol(), "Buy", 2)
    adopted = Break.objects.filter(
        account=follower.trader.account, kind=BreakKind.EXTERNAL_POSITION, state=BreakState.ADOPTED
    )
    plant.until(adopted.exists, "it is adopted and shown", RECONCILED_S)
    assert (follower.net, follower.venue_net) == (1, 3)
    house.post("close")
    plant.until(lambda: follower.net == 0 and follower.venue_net == 2, "our own share is closed, and no more", 30)
    assert not OrderIntent.objects.filter(trader=follower.trader, status__in=["failed", "denied"]).exists()
    house.post("buy")
    plant.until(lambda: follower.net == 1 and follower.venue_net == 3, "it does not keep us from trading", 30)
    follower.sandbox.manual(follower.broker_id, symbol(), "Sell", 2)
    plant.until(lambda: not adopted.exists(), "it is over when it is gone", RECONCILED_S)


def test_f50_books_that_differ_pause_entries_and_nothing_is_traded(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2, same_direction="add")
    wrong, right = house.followers
    house.post("buy")
    house.await_protected(+1)
    before = Order.objects.count()
    wrong.sandbox.fault(wrong.broker_id, "position_lie", by=2)
    broken = Break.objects.filter(account=wrong.trader.account, kind=BreakKind.QUANTITY, state=BreakState.OPEN)
    plant.until(broken.filter(pauses_entries=True).exists, "the difference is a break that pauses", RECONCILED_S)
    assert Alarm.objects.filter(owner=house.owner, ended_at=None).exists()
    assert Order.objects.count() == before, "nothing was traded to fix it"
    paused = OrderIntent.objects.filter(trader=wrong.trader, signal_id=house.post("buy", id="f50-paused"))
    plant.until(lambda: paused.filter(status="denied").exists(), "entries are paused")
    assert paused.get().reason_code == "BOOKS_DIFFER"
    plant.until(lambda: right.net == 2, "on that account alone")
    house.post("close")
    house.await_flat()
    plant.until(lambda: not broken.exists(), "the books agree again", RECONCILED_S)
    house.post("buy")
    house.await_protected(+1)
    assert right.net == 1


def test_f45_more_is_filled_than_was_asked_for_and_the_excess_goes(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2, initial_position_size=2)
    over, right = house.followers
    over.sandbox.fault(over.broker_id, "overfill", extra=1)
    house.post("buy")
    alarm = Alarm.objects.filter(account=over.trader.account, code="OVERFILL")
    plant.until(alarm.exists, "it is said")
    house.await_protected(+1, 2, timeout_s=40)
    assert right.venue_net == 2
    invariants.hold(house)


def test_f52_after_the_switch_is_tripped_nothing_new_is_sent_and_exits_pass(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    adding, turning = make_house(followers=3, same_direction="add"), make_house(followers=3)
    for house in (adding, turning):
        house.post("buy")
        house.await_protected(+1)
    plant.sandbox.fault("*", "delay", seconds=SLOW_S)
    sent, waits = _entries(adding.post("buy", id="f52-sent")), _entries(turning.post("sell", id="f52-waits"))
    plant.until(lambda: _statuses(sent) == ["dispatched"] * 3, "some are on their way")
    plant.until(lambda: _statuses(waits) == ["cleared"] * 3, "some wait until the exit before them is done")
    switched = _trip(adding)
    tripped = clock.now()
    assert [one.net for one in (*adding.followers, *turning.followers)] == [1] * 6, "all of it was under way"
    denied = _entries(adding.post("buy", id="f52-after"))
    plant.until(lambda: _statuses(denied) == ["denied"] * 3, "what comes after it is denied")
    plant.until(lambda: _statuses(waits) == ["denied"] * 3, "and so is what had been cleared and was not sent")
    assert {one.reason_code for one in (*denied, *waits)} == {"KILL_SWITCH"}
    turning.await_flat()
    plant.sandbox.clear_faults()
    adding.await_protected(+1, 2)
    assert _statuses(sent) == ["done"] * 3, "what was with the broker is not taken back"
    adding.post("close")
    adding.await_flat()
    entries = Order.objects.filter(account__owner=adding.owner, role="entry")
    assert (entries.filter(submit_started_at__gt=tripped).count(), entries.count()) == (0, 9)
    plant.kill("lane")
    plant.start_lane()
    adding.await_live()
    again = _entries(adding.post("buy", id="f52-restart"))
    plant.until(lambda: _statuses(again) == ["denied"] * 3, "it outlives a restart")
    switch.release(switch=switched, actor=adding.owner)
    adding.post("buy", id="f52-released")
    adding.await_protected(+1)
    for house in (adding, turning):
        invariants.hold(house)


def _trip(house: House) -> Switch:
    owner_id = house.owner.pk
    return switch.trip(
        scope=SwitchScope.USER, target=str(owner_id), mode=SwitchMode.REDUCE_ONLY, reason="a drill", actor_id=owner_id,
        owner_id=owner_id,
    )  # fmt: skip


def _entries(signal_id: str) -> QuerySet[OrderIntent]:
    return OrderIntent.objects.filter(signal_id=signal_id, kind=IntentKind.ENTRY)


def _statuses(intents: QuerySet[OrderIntent]) -> list[str]:
    return list(intents.order_by().values_list("status", flat=True))


def test_f53_everything_is_flattened_while_entries_are_on_their_way(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=3)
    for follower in house.followers[:2]:
        follower.sandbox.fault(follower.broker_id, "delay", seconds=3, count=1)
    house.post("buy")
    time.sleep(0.3)
    command = commands.flatten_everything(actor=house.owner, owner=house.owner)
    acts = Flatten.objects.filter(command=command)
    plant.until(lambda: not acts.filter(status=FlattenStatus.ACTING).exists() and acts.exists(), "all are verified", 40)
    house.await_flat()
    invariants.hold(house)


def test_f57_a_monitor_that_is_dead_keeps_entries_out(plant: Plant, make_house: Callable[..., House]) -> None:
    house = make_house(followers=1)
    account = house.followers[0].trader.account
    RiskLimit.objects.create(
        owner=house.owner, scope=LimitScope.ACCOUNT, account=account, kind=LimitKind.DAILY_LOSS, amount=500
    )
    day = AccountDay.objects.filter(account=account)
    plant.until(day.exists, "its day is counted")
    plant.signal("lane", signal.SIGSTOP)
    try:
        plant.until(lambda: (clock.now() - day.get().checked_at).total_seconds() > 11, "nobody counts any more", 20)
        entry = house.post("buy")
        found = OrderIntent.objects.filter(signal_id=entry)
        plant.until(lambda: found.exists() and found.get().finished_at, "it is decided by the sweeper")
        assert (found.get().status, found.get().reason_code) == ("denied", "MONITOR_SILENT")
    finally:
        plant.signal("lane", signal.SIGCONT)
    plant.until(lambda: (clock.now() - day.get().checked_at).total_seconds() < 3, "it counts again")
    house.await_live()
    house.post("buy")
    house.await_protected(+1)


def test_f59_who_may_no_longer_trade_keeps_every_way_out(plant: Plant, make_house: Callable[..., House]) -> None:
    house = make_house(followers=2)
    house.post("buy")
    house.await_protected(+1)
    withdraw_approval(user=house.owner)
    try:
        denied: Any = OrderIntent.objects.filter(signal_id=house.post("buy"))
        plant.until(lambda: {one.status for one in denied.all()} == {"denied"}, "no entry passes")
        house.post("close")
        house.await_flat()
        invariants.hold(house)
    finally:
        approve(user=house.owner)
