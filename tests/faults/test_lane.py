"""F4 to F9: the lane dies at each phase of an order and is started again; both sides' books agree in the end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import timedelta

import pytest

from brokers.base import OrderStatus
from execution.models import Fill, IntentStatus, Order, OrderIntent, Position
from justtrades import clock
from justtrades.ids import idempotency_key
from tests.e2e.house import House
from tests.e2e.plant import Plant
from tests.faults import invariants

pytestmark = pytest.mark.faults


def restart_lane(plant: Plant, *, dies_at: str = "") -> None:
    plant.kill("lane")
    plant.start_lane(dies_at=dies_at)


def statuses(house: House) -> set[str]:
    return set(OrderIntent.objects.filter(trader__recorder=house.recorder).values_list("status", flat=True))


def orders_of(house: House) -> set[str]:
    return set(Order.objects.filter(trader__recorder=house.recorder, role="entry").values_list("status", flat=True))


def test_f4_killed_in_the_middle_of_a_plan_it_is_planned_again_whole(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    restart_lane(plant, dies_at="plan.mid")
    house = make_house(followers=4)
    signal_id = house.post("buy")
    plant.wait_for_death("lane")
    restart_lane(plant)
    house.await_protected(+1)
    keys = set(OrderIntent.objects.filter(signal_id=signal_id).values_list("idempotency_key", flat=True))
    assert keys == {idempotency_key("signal", signal_id, one.trader.pk, "entry") for one in house.followers}
    invariants.hold(house)


def test_f5_killed_before_marking_what_is_cleared_is_sent_by_the_next(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    house.post("buy")
    house.await_protected(+1)
    restart_lane(plant, dies_at="dispatch.pre_mark")
    house.post("close")
    plant.wait_for_death("lane")
    plant.until(lambda: statuses(house) == {IntentStatus.DONE, IntentStatus.CLEARED}, "the exits are cleared")
    assert not Order.objects.filter(trader__recorder=house.recorder, role="exit").exists()
    restart_lane(plant)
    house.await_flat()
    invariants.hold(house)


def test_f5_an_entry_that_is_too_old_when_the_lane_is_back_is_never_sent(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    plant.kill("lane")
    almost_stale = (clock.now() - timedelta(seconds=27)).isoformat()
    house.post("buy", fired_at=almost_stale)
    plant.until(lambda: statuses(house) == {IntentStatus.CLEARED}, "planned although no lane is there")
    plant.until(lambda: statuses(house) == {IntentStatus.EXPIRED}, "expired although no lane is there")
    restart_lane(plant)
    invariants.hold(house)
    assert [one.entries_at_venue() for one in house.followers] == [[], []]


def test_f6_killed_before_the_socket_it_is_looked_for_and_given_up_not_sent_again(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    restart_lane(plant, dies_at="dispatch.pre_send")
    house = make_house(followers=2)
    house.post("buy")
    plant.wait_for_death("lane")
    assert orders_of(house) <= {OrderStatus.SUBMITTING.value, OrderStatus.UNKNOWN.value}
    assert len(orders_of(house)) == 1
    restart_lane(plant)
    plant.until(lambda: orders_of(house) == {OrderStatus.NOT_PLACED.value}, "proven not placed")
    invariants.hold(house)
    assert statuses(house) == {IntentStatus.FAILED}
    assert [one.entries_at_venue() for one in house.followers] == [[], []]


def test_f7_killed_after_the_broker_took_it_it_is_found_and_never_two(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    restart_lane(plant, dies_at="dispatch.post_send")
    house = make_house(followers=3)
    house.post("buy")
    plant.wait_for_death("lane")
    plant.until(lambda: all(one.venue_net == 1 for one in house.followers), "the venue has them")
    assert Position.objects.filter(trader__recorder=house.recorder).count() == 0
    restart_lane(plant)
    house.await_protected(+1)
    invariants.hold(house)
    assert [len(one.entries_at_venue()) for one in house.followers] == [1, 1, 1]


@pytest.mark.parametrize(("fault", "point"), [("f8", "bracket.pre_arm"), ("f9", "fills.mid")])
def test_f8_f9_killed_while_a_fill_is_taken_in_it_is_taken_in_whole_or_not_at_all(
    plant: Plant, make_house: Callable[..., House], fault: str, point: str
) -> None:
    restart_lane(plant, dies_at=point)
    house = make_house(followers=3)
    house.post("buy")
    plant.wait_for_death("lane")
    applied = Fill.objects.filter(order__trader__recorder=house.recorder, applied_at__isnull=False).count()
    held = sum(abs(one.net) for one in house.followers)
    assert applied == held, fault
    restart_lane(plant)
    house.await_protected(+1)
    invariants.hold(house)


def test_a_lane_that_is_killed_at_any_moment_comes_back_to_the_same_books(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=3)
    for action, side in (("buy", +1), ("sell", -1)):
        house.post(action)
        plant.signal("lane", signal.SIGKILL)
        restart_lane(plant)
        invariants.hold(house)
        assert {one.net for one in house.followers} <= {side, 0}
    house.post("close")
    house.await_flat()
    invariants.hold(house)
