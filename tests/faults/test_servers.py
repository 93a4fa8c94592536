"""F14 to F17: Valkey and PostgreSQL die, hang and come back, while alerts arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import psutil
import psycopg2
import pytest
import redis
import requests
from celery import Celery
from django.db import Error as DatabaseError
from django.db import connection

from execution.models import OrderIntent
from recorders.models import Signal
from recorders.receive import PLAN_TASK
from tests.e2e.house import House
from tests.e2e.plant import Plant
from tests.faults import invariants

pytestmark = pytest.mark.faults
SENDERS_PATIENCE_S = 3.0
"""TradingView hangs up after this (help page 43000529348)."""


@pytest.fixture(autouse=True)
def mended(plant: Plant) -> Iterator[None]:
    """Both servers answer again afterwards, however the test ended."""
    yield
    for server in (plant.valkey, plant.postgres):
        server.thaw() if psutil.pid_exists(server.pid) else server.start()


def post_in_time(house: House, action: str) -> None:
    reply = house.send(house.alert(action), timeout_s=SENDERS_PATIENCE_S)
    assert reply.status_code == requests.codes.ok


def test_f14_without_valkey_alerts_are_answered_and_orders_flow_by_the_sweep(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    plant.valkey.kill()
    post_in_time(house, "buy")
    house.await_protected(+1)
    post_in_time(house, "close")
    house.await_flat()
    plant.valkey.start()
    invariants.hold(house)


def test_f15_with_a_valkey_that_hangs_too(plant: Plant, make_house: Callable[..., House]) -> None:
    house = make_house(followers=2)
    plant.valkey.freeze()
    for action in ("buy", "sell", "close"):
        post_in_time(house, action)
    plant.until(lambda: Signal.objects.filter(pk__in=house.promised, status="planned").count() == 3, "all are planned")
    house.await_flat()
    plant.valkey.thaw()
    invariants.hold(house)


def test_f16_after_valkey_came_back_the_workers_listen_again(plant: Plant, make_house: Callable[..., House]) -> None:
    house = make_house(followers=1)
    plant.valkey.kill()
    plant.valkey.start()
    # A signal that does not exist: only a worker that listens takes the message away.
    Celery(broker=f"{plant.valkey.url}/0").send_task(PLAN_TASK, args=[str(uuid4())], queue="plan", ignore_result=True)
    queue = redis.Redis.from_url(f"{plant.valkey.url}/0")
    plant.until(lambda: queue.llen("plan") == 0, "a worker takes the message")
    house.post("buy")
    house.await_protected(+1)
    invariants.hold(house)


def test_f17_without_postgres_the_answer_is_a_quick_503_and_the_resend_is_executed(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(followers=2)
    plant.postgres.kill()
    body = house.alert("buy")
    for _ in range(3):
        assert house.send(body, timeout_s=SENDERS_PATIENCE_S).status_code == requests.codes.service_unavailable
    plant.postgres.start()
    plant.until(lambda: answers(house), "the database is back")
    assert house.send(body).status_code == requests.codes.ok
    house.await_protected(+1)
    invariants.hold(house)
    assert Signal.objects.get(recorder=house.recorder).resend_count == 0


@pytest.mark.parametrize("pause_ms", [0, 20])
@pytest.mark.parametrize("victim", ["backend", "postmaster"])
def test_f17_postgres_killed_during_a_fan_out_leaves_no_half_plan_and_nothing_twice(
    plant: Plant, make_house: Callable[..., House], victim: str, pause_ms: int
) -> None:
    house = make_house(followers=8)
    signal_id = house.post("buy")
    # Different moments of the fan-out, not a wait for anything.
    time.sleep(pause_ms / 1000)
    kill_backend(plant) if victim == "backend" else plant.postgres.kill()
    if victim == "postmaster":
        plant.postgres.start()
    plant.until(lambda: answers(house), "the database is back for everybody")
    invariants.hold(house)
    assert OrderIntent.objects.filter(signal_id=signal_id).count() == 8


def kill_backend(plant: Plant) -> None:
    """PostgreSQL drops every session when one of its processes dies like this; returns when it has."""
    victim, witness = psycopg2.connect(plant.postgres.url), psycopg2.connect(plant.postgres.url)
    psutil.Process(victim.info.backend_pid).kill()
    plant.until(lambda: not _lives(witness), "every session is dropped")


def _lives(session: psycopg2.extensions.connection) -> bool:
    try:
        session.cursor().execute("SELECT 1")
    except psycopg2.Error:
        return False
    return True


def answers(house: House) -> bool:
    """Whether our own connection, too, is a new one."""
    try:
        Signal.objects.filter(recorder=house.recorder).exists()
    except DatabaseError:
        connection.close()
        return False
    return True
