"""F32 to F43: the broker misbehaves towards one account; it is found out, and nobody else is any worse for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from brokers.models import BrokerLogin
from execution.models import Fill, IntentStatus, Order
from justtrades import clock
from tests.e2e.house import Follower, House
from tests.e2e.plant import Plant
from tests.faults import invariants
from tests.faults.wire import Wire

pytestmark = pytest.mark.faults


def fault(follower: Follower, kind: str, **params: Any) -> None:
    follower.plant.sandbox.fault(follower.broker_id, kind, **params)


def fault_login(follower: Follower, kind: str, **params: Any) -> None:
    follower.plant.sandbox.fault(follower.login_name, kind, **params)


def login_state(follower: Follower) -> str:
    return BrokerLogin.objects.values_list("state", flat=True).get(pk=follower.trader.account.login_id)


def holds(follower: Follower, net: int) -> bool:
    return follower.net == follower.venue_net == net


def entry_statuses(follower: Follower) -> list[str]:
    orders = Order.objects.filter(trader=follower.trader, role="entry")
    return list(orders.order_by("created_at").values_list("status", flat=True))


@pytest.fixture
def wire(plant: Plant) -> Iterator[Wire]:
    """The lane's only way to the venue."""
    way = Wire(urlsplit(plant.sandbox.rest_url).port or 0)
    urls = {"REST": plant.sandbox.rest_url, "WS": plant.sandbox.ws_url, "MD": plant.sandbox.md_url}
    near = {f"SANDBOX_TRADOVATE_{name}_URL": _by(way, url) for name, url in urls.items()}
    plant.kill("lane")
    plant.start_lane(**near)
    yield way
    plant.kill("lane")
    way.cut()


def _by(way: Wire, url: str) -> str:
    return urlsplit(url)._replace(netloc=f"127.0.0.1:{way.port}").geturl()


def cut_off(plant: Plant, wire: Wire, house: House) -> None:
    wire.cut()
    plant.until(lambda: all(login_state(one) != "live" for one in house.followers), "every login is down")


def test_f32_a_broker_that_cannot_be_reached_gets_the_entry_once_it_can(
    plant: Plant, wire: Wire, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    cut_off(plant, wire, house)
    house.post("buy")
    for follower in house.followers:
        plant.until(lambda f=follower: "not_placed" in entry_statuses(f), "it provably never left")
    wire.mend()
    house.await_protected(+1)
    invariants.hold(house)
    assert [len(one.entries_at_venue()) for one in house.followers] == [1, 1]
    assert max(one.intents[0].attempts for one in house.followers) < 60, "a try now and then, not a storm"


def test_f32_an_entry_that_could_not_be_delivered_in_time_ends_with_the_reason(
    plant: Plant, wire: Wire, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=1)
    (follower,) = house.followers
    cut_off(plant, wire, house)
    house.post("buy", fired_at=(clock.now() - timedelta(seconds=26)).isoformat())
    plant.until(lambda: follower.intents and follower.intents[0].finished_at is not None, "it ends")
    assert follower.intents[0].status in {IntentStatus.EXPIRED, IntentStatus.FAILED}
    wire.mend()
    house.await_live()
    invariants.hold(house)
    assert follower.entries_at_venue() == []


def test_f33_an_answer_lost_after_the_order_was_taken_is_found_out(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    fault(house.followers[0], "drop_after_accept")
    house.post("buy")
    house.await_protected(+1)
    invariants.hold(house)
    assert len(house.followers[0].entries_at_venue()) == 1


def test_f33_a_connection_lost_before_the_order_was_taken_is_found_out_and_not_tried_again(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    lost, healthy = house.followers
    fault(lost, "drop_before_accept")
    house.post("buy")
    plant.until(lambda: holds(healthy, 1), "the other one is not held up")
    plant.until(lambda: entry_statuses(lost) == ["not_placed"], "proven not placed")
    invariants.hold(house)
    assert (lost.intents[0].status, lost.intents[0].reason_code) == (IntentStatus.FAILED, "NOT_PLACED")
    assert lost.entries_at_venue() == []


def test_f34_an_answer_that_cannot_be_read_is_no_answer(plant: Plant, make_house: Callable[..., House]) -> None:
    house = make_house(followers=2)
    fault(house.followers[0], "garbled")
    house.post("buy")
    house.await_protected(+1)
    invariants.hold(house)
    assert len(house.followers[0].entries_at_venue()) == 1


def test_f35_a_broker_that_takes_eight_seconds_is_doubted_then_believed(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    slow, healthy = house.followers
    fault(slow, "delay", seconds=8, endpoint="orderstrategy/startorderstrategy", count=1)
    house.post("buy")
    plant.until(lambda: holds(healthy, 1), "the other one is not held up")
    plant.until(lambda: "unknown" in entry_statuses(slow), "the slow one is doubted")
    assert slow.entries_at_venue() == []
    house.await_protected(+1)
    invariants.hold(house)
    assert len(slow.entries_at_venue()) == 1


def test_f36_one_account_that_hangs_holds_up_nobody(plant: Plant, make_house: Callable[..., House]) -> None:
    house = make_house(followers=8)
    hung, *others = house.followers
    fault(hung, "hang")
    house.post("buy")
    plant.until(lambda: all(holds(one, 1) for one in others), "the others are in")
    assert entry_statuses(hung) in (["submitting"], ["unknown"])
    plant.until(lambda: entry_statuses(hung) == ["not_placed"], "proven not placed")
    invariants.hold(house)
    assert hung.entries_at_venue() == []


def test_f39_a_token_that_expires_under_an_order_is_renewed_once_and_the_order_placed_once(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    expired = house.followers[0]
    fault_login(expired, "token_expiry")
    house.post("buy")
    house.await_protected(+1)
    invariants.hold(house)
    assert len(expired.entries_at_venue()) == 1
    plant.until(lambda: login_state(expired) == "live", "the login is well again")


def test_f41_a_socket_that_says_nothing_is_left_and_the_order_is_found_by_asking(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    silent = house.followers[0]
    fault_login(silent, "silent_socket")
    house.post("buy")
    plant.until(lambda: silent.venue_net == 1, "the venue took it")
    house.await_protected(+1)
    plant.until(lambda: login_state(silent) == "live", "a new socket speaks")
    house.post("close")
    house.await_flat()
    invariants.hold(house)
    assert len(silent.entries_at_venue()) == 1


def test_f42_reports_that_come_again_change_nothing(plant: Plant, make_house: Callable[..., House]) -> None:
    house = make_house(followers=2)
    house.post("buy")
    house.await_protected(+1)
    assert plant.sandbox.fault(house.followers[0].broker_id, "replay")["affected"] > 0
    house.post("close")
    house.await_flat()
    assert plant.sandbox.fault(house.followers[0].broker_id, "replay")["affected"] > 0
    house.post("sell")
    house.await_protected(-1)
    invariants.hold(house)
    counted = [Fill.objects.filter(account=one.trader.account).count() for one in house.followers]
    assert counted == [3, 3]


def test_f43_events_before_the_answer_count_once(plant: Plant, make_house: Callable[..., House]) -> None:
    house = make_house(followers=2)
    fault(house.followers[0], "events_before_reply", count=2)
    house.post("buy")
    house.await_protected(+1)
    house.post("close")
    house.await_flat()
    invariants.hold(house)


@pytest.mark.parametrize("seconds", [1.2, 3])
def test_a_price_that_comes_late_is_asked_for_or_follows_from_the_average_and_nothing_is_closed(
    plant: Plant, make_house: Callable[..., House], seconds: float
) -> None:
    house = make_house(followers=1)
    (follower,) = house.followers
    fault(follower, "late_average", seconds=seconds)
    house.post("buy")
    house.await_protected(+1)
    invariants.hold(house)
    (intent,) = follower.intents
    assert intent.status == IntentStatus.DONE
    assert Fill.objects.get(account=follower.trader.account).price == follower.position.avg_price
