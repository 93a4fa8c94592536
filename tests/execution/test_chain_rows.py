"""The strategy's chain as signals move it on, and what becomes of the followers."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution import planning
from execution.models import OrderIntent, Position
from justtrades import clock
from recorders.models import Notice, Recorder, Signal, StrategyChain
from tests.execution.desk import MNQ, fill_all, net, recorder_with, signal_for

pytestmark = pytest.mark.django_db
FOLLOW = {"initial_position_size": 0, "add_position_size": 0}


def send(recorder: Recorder, before: int, after: int, at: datetime) -> Signal:
    signal = signal_for(
        recorder, "buy" if after > before else "sell", quantity=Decimal(abs(after - before)), fired_at=at,
        prev_position=Decimal(before), position=Decimal(after),
    )  # fmt: skip
    planning.plan_next(recorder.pk)
    fill_all()
    signal.refresh_from_db()
    return signal


def tip(recorder: Recorder) -> Decimal:
    return StrategyChain.objects.get(recorder=recorder).tip


@pytest.mark.parametrize("order", list(itertools.permutations([(0, 1), (1, 3), (3, 2)])))
def test_alerts_of_one_second_end_alike_in_whatever_order_they_come(order: list[tuple[int, int]]) -> None:
    recorder, (trader,) = recorder_with(1, settings=FOLLOW)
    now = clock.now()
    for before, after in order:
        send(recorder, before, after, now)
    assert (tip(recorder), net(trader)) == (2, 2)
    assert not Notice.objects.filter(ended_at__isnull=True).exists()


def test_a_resend_that_was_overtaken_moves_nothing() -> None:
    recorder, (trader,) = recorder_with(1, settings=FOLLOW)
    now = clock.now()
    send(recorder, 0, 2, now - timedelta(seconds=9))
    send(recorder, 1, 0, now - timedelta(seconds=3))
    assert (net(trader), Notice.objects.filter(ended_at__isnull=True).count()) == (0, 1)
    late = send(recorder, 2, 1, now - timedelta(seconds=6))
    assert (late.status, late.reason_code, late.link) == ("ignored", "SUPERSEDED", "late")
    assert (net(trader), Notice.objects.filter(ended_at__isnull=True).count()) == (0, 0)


def test_a_lost_exit_is_made_good_by_the_next_alert() -> None:
    recorder, (trader,) = recorder_with(1, settings=FOLLOW)
    now = clock.now()
    send(recorder, 0, 1, now - timedelta(seconds=9))
    assert send(recorder, 0, -1, now - timedelta(seconds=3)).link == "gap"
    assert (tip(recorder), net(trader)) == (-1, -1)


def test_what_contradicts_itself_moves_neither_chain_nor_follower() -> None:
    recorder, (trader,) = recorder_with(1, settings=FOLLOW)
    send(recorder, 0, 1, clock.now())
    signal = signal_for(recorder, "sell", prev_position=Decimal(1), position=Decimal(2), fired_at=clock.now())
    planning.plan_next(recorder.pk)
    signal.refresh_from_db()
    assert (signal.status, signal.reason_code) == ("ignored", "INCONSISTENT")
    assert "from 1 to 2" in signal.reason_text
    assert (tip(recorder), net(trader)) == (1, 1)


def test_an_alert_that_says_only_where_it_stands_counts_from_where_it_stood() -> None:
    recorder, (trader,) = recorder_with(1, settings=FOLLOW)
    send(recorder, 0, 3, clock.now())
    signal_for(recorder, "sell", quantity=Decimal(1), position=Decimal(2))
    planning.plan_next(recorder.pk)
    fill_all()
    assert (tip(recorder), net(trader)) == (2, 2)


def test_the_month_that_is_held_is_the_month_that_is_left() -> None:
    recorder, (trader,) = recorder_with(1, settings=FOLLOW)
    Position.objects.create(owner=trader.owner, trader=trader, account=trader.account, symbol="MNQU6", net_qty=2)
    fields: dict[str, Any] = {"ticker": "MNQ1!", "quantity": Decimal(1)}
    signal_for(recorder, "buy", position=Decimal(3), prev_position=Decimal(2), **fields)
    planning.plan_next(recorder.pk)
    signal_for(recorder, "sell", position=Decimal(2), prev_position=Decimal(3), **fields)
    planning.plan_next(recorder.pk)
    signal_for(recorder, "close", **fields)
    planning.plan_next(recorder.pk)
    legs = list(OrderIntent.objects.order_by("created_at", "id").values_list("leg", "symbol"))
    assert legs == [("add", "MNQU6"), ("reduce", "MNQU6"), ("exit", "MNQU6")]
    assert MNQ not in {symbol for _, symbol in legs}


def test_where_gaps_are_asked_about_swapped_alerts_are_followed_once_they_are_complete() -> None:
    recorder, (trader,) = recorder_with(1, settings=FOLLOW, on_desync="ask")
    send(recorder, 0, -2, clock.now() - timedelta(seconds=5))
    now = clock.now()
    assert send(recorder, -1, 0, now).reason_code == "DESYNC"
    assert net(trader) == -2
    send(recorder, -2, -1, now)
    assert (tip(recorder), net(trader)) == (0, 0)
    assert not Notice.objects.filter(ended_at__isnull=True).exists()


@pytest.mark.parametrize(
    ("action", "quantity", "after", "expected"),
    [("sell", 1, 2, 2), ("buy", 1, 4, 4), ("close", 1, 2, 2), ("close", 2, 0, 0)],
)
def test_an_action_that_could_not_have_led_there_from_where_it_stood_shows_a_gap(
    action: str, quantity: int, after: int, expected: int
) -> None:
    recorder, (trader,) = recorder_with(1, settings=FOLLOW)
    send(recorder, 0, 3, clock.now())
    signal_for(recorder, action, quantity=Decimal(quantity), position=Decimal(after))
    planning.plan_next(recorder.pk)
    fill_all()
    assert net(trader) == expected


def test_a_close_that_leaves_a_position_open_can_open_none() -> None:
    recorder, (trader,) = recorder_with(1, settings=FOLLOW)
    send(recorder, 0, 1, clock.now() - timedelta(seconds=5))
    send(recorder, 1, 0, clock.now() - timedelta(seconds=4))
    signal_for(recorder, "close", quantity=Decimal(1), position=Decimal(1))
    planning.plan_next(recorder.pk)
    fill_all()
    assert net(trader) == 0


def test_a_missed_round_trip_lets_only_those_enter_who_hold_nothing() -> None:
    recorder, (holder, stopped_out) = recorder_with(2, settings=FOLLOW)
    send(recorder, 0, 2, clock.now() - timedelta(seconds=9))
    Position.objects.filter(trader=stopped_out).update(net_qty=0)
    assert send(recorder, 0, 2, clock.now()).link == "gap"
    assert (net(holder), net(stopped_out)) == (2, 2)
