"""F10 to F13, F24 to F26 and F28: our own processes die, or alerts come twice, swapped, at once or absurd."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import connection

from execution.health import SWEEPER
from execution.models import IntentStatus, OrderIntent
from execution.sweep import UNANNOUNCED_S, sweep
from justtrades import clock
from justtrades.supervisor import plan
from recorders.models import Signal, SignalStatus
from tests.e2e.house import House
from tests.e2e.plant import Plant
from tests.faults import invariants

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
RESEND_WINDOW_S = 31
STANDBY_S = 3.0


def restart_lane(plant: Plant, *, dies_at: str = "") -> None:
    plant.kill("lane")
    plant.start_lane(dies_at=dies_at)


@pytest.fixture
def whole(plant: Plant) -> Iterator[Plant]:
    """Whatever a test killed runs again when it is over."""
    yield plant
    plant.run()


def test_f10_an_alert_that_kills_every_lane_is_given_up_and_the_queue_moves_on(
    whole: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=1)
    whole.kill("sweeper")
    restart_lane(whole, dies_at="plan.mid")
    house.await_live()
    poison = house.post("buy")
    for _ in range(2):
        whole.wait_for_death("lane")
        restart_lane(whole, dies_at="plan.mid")
    whole.until(lambda: house.signal(poison).status == SignalStatus.IGNORED or not whole.is_running("lane"), "it ends")
    restart_lane(whole)
    whole.until(lambda: house.signal(poison).status == SignalStatus.IGNORED, "it is given up, and says so")
    assert house.signal(poison).reason_code == "PLANNING_FAILED"
    house.await_live()
    house.post("buy")
    house.await_protected(+1)


def test_f11_with_every_lane_dead_entries_expire_and_closes_are_done_later(
    whole: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    house.post("buy")
    house.await_protected(+1)
    whole.kill("lane")
    house.post("close")
    late = house.post("buy", fired_at=(clock.now() - timedelta(seconds=26)).isoformat())
    entries = OrderIntent.objects.filter(signal_id=late)
    whole.until(lambda: {one.status for one in entries.all()} == {IntentStatus.EXPIRED}, "the entry expires, unsent")
    assert {one.reason_code for one in entries.all()} == {"STALE"}
    assert all(one.venue_net == 1 for one in house.followers)
    whole.start_lane()
    house.await_flat()
    invariants.hold(house)


def test_f12_a_standby_sweeps_within_three_seconds_and_ready_says_when_nobody_does(
    whole: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=1)
    assert not _somebody_stands_by()
    whole._start("standby", plan.sweeper(whole.environment), "")
    whole.until(_somebody_stands_by, "a standby waits for the sweeper's place")
    whole.kill("lane")
    whole.kill("sweeper")
    unannounced = house.post("buy")
    whole.until(
        lambda: house.signal(unannounced).status == SignalStatus.PLANNED, "what only a sweeper finds is done", STANDBY_S
    )
    whole.start_lane()
    house.await_live()
    whole.until(lambda: _ready(whole)[0], "all is well with the standby", 30)
    whole.kill("standby")
    whole.until(lambda: not _ready(whole)[0], "it is not ready any more", 30)
    assert {name for name, part in _ready(whole)[1].items() if not part["ok"]} == {SWEEPER}


def _somebody_stands_by() -> bool:
    """Whether a session's last words, for more than a second, are that it wants what another one has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'"
            " AND query LIKE 'SELECT pg_try_advisory_lock%' AND backend_start < now() - interval '1.5 seconds'"
        )
        row = cursor.fetchone()
    return row is not None and row[0] > 0


def _ready(plant: Plant) -> tuple[bool, dict[str, Any]]:
    """Whether it says so, and what it says of each part."""
    answer = requests.get(f"{plant.web_url}/ready", timeout=5)
    parts: dict[str, Any] = answer.json().get("parts", answer.json())
    return answer.status_code == requests.codes.ok, parts


def test_f13_two_sweepers_at_once_even_without_their_lock_plan_nothing_twice(
    whole: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=3)
    whole.kill("lane")
    ids = [house.post("buy", id=f"f13-{number}") for number in range(4)]

    time.sleep(UNANNOUNCED_S)

    def sweep_often(_number: int) -> None:
        for _ in range(15):
            sweep()
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sweep_often, range(2)))
    counts = [OrderIntent.objects.filter(signal_id=one, kind="entry").count() for one in ids]
    assert counts == [3] * 4
    whole.start_lane()
    house.await_live()
    invariants.hold(house)


def test_f24_the_same_words_again_are_a_resend_within_its_window_and_an_add_after_it(
    whole: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=1, same_direction="add")
    body = json.dumps({"action": "buy", "ticker": "MNQ1!", "contracts": 1}).encode()
    first = house.send(body).json()["signal_id"]
    house.await_protected(+1)
    time.sleep(2)
    assert house.send(body).json()["signal_id"] == first, "a resend"
    time.sleep(RESEND_WINDOW_S)
    assert house.send(body).json()["signal_id"] != first
    house.await_protected(+1, 2)
    house.post("buy", id="one")
    house.post("buy", id="another")
    house.await_protected(+1, 4)
    invariants.hold(house)


def test_f25_a_close_that_overtook_its_entry_leaves_everybody_flat(
    whole: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    now = clock.now()
    house.post("close", fired_at=now.isoformat())
    late = house.post("buy", fired_at=(now - timedelta(seconds=3)).isoformat())
    whole.until(lambda: house.signal(late).status == SignalStatus.IGNORED, "the entry is not followed")
    assert house.signal(late).reason_code == "SUPERSEDED"
    invariants.hold(house)
    assert [one.entries_at_venue() for one in house.followers] == [[], []]


def test_f26_an_entry_and_a_reversal_fifty_milliseconds_later_end_as_the_last_one_says(
    whole: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=3)
    house.post("buy")
    time.sleep(0.05)
    house.post("sell")
    house.await_protected(-1, timeout_s=40)
    invariants.hold(house)


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"contracts": 5_000}, "ORDER_QTY"), ({"order_type": "limit", "limit_price": 2_500_000}, "PRICE_COLLAR")],
)
def test_f28_absurd_quantities_and_prices_are_denied(
    whole: Plant, make_house: Callable[..., House], fields: dict[str, Any], code: str
) -> None:
    house = make_house(followers=1, initial_position_size=0)
    house.post("buy", contracts=1)
    house.await_protected(+1)
    # What is held is quoted within two seconds, and a price is compared with the last one.
    time.sleep(2.5)
    house.post("close")
    house.await_flat()
    signal = house.post("buy", **{"contracts": 1, **fields})
    (intent,) = whole.until(lambda: list(OrderIntent.objects.filter(signal_id=signal)), "it is decided")
    assert (intent.status, intent.reason_code) == (IntentStatus.DENIED, code), (intent.order_type, intent.price)
    assert Signal.objects.get(pk=signal).status == SignalStatus.PLANNED
    invariants.hold(house)
