"""Each part is broken for real, and the answer says which one it was."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from brokers.base import OrderStatus
from execution import health
from execution.models import Heartbeat, IntentStatus
from justtrades import clock
from justtrades.testing import Cast, api_client_for, browser_of
from recorders.models import SignalStatus
from tests.factories import Chain, OrderFactory, OrderIntentFactory, PositionFactory, SignalFactory


@pytest.fixture
def beating(db: None, settings: Any) -> None:
    settings.LANES = 2
    for name in (health.SWEEPER, "lane.0", "lane.1"):
        health.beat(name)


@pytest.fixture
def database_gone(django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with django_db_blocker.unblock():
        connection.close()
        with monkeypatch.context() as patched:
            patched.setitem(connection.settings_dict, "PORT", str(closed_port()))
            patched.setitem(connection.settings_dict, "HOST", "127.0.0.1")
            yield
        connection.close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def ready() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/ready")
    return answer.status_code, answer.json()["parts"]


def red(parts: dict[str, Any]) -> set[str]:
    return {name for name, part in parts.items() if not part["ok"]}


def test_ready_when_every_part_is_well(beating: None) -> None:
    status, parts = ready()
    assert (status, set(parts), red(parts)) == (200, {"database", "redis", "sweeper", "lane.0", "lane.1"}, set())


def test_live_asks_nobody(database_gone: None, settings: Any) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port()}"
    assert Client().get("/live").json() == {"status": "live"}


def test_database_gone(database_gone: None) -> None:
    status, parts = ready()
    assert (status, red(parts)) == (503, {"database", "sweeper", "lane.0"})
    assert parts["database"] == {"ok": False, "reason": "OperationalError"}


def test_the_api_says_503_while_the_database_is_gone(database_gone: None) -> None:
    answer = APIClient().get("/api/me/", headers={"authorization": "Token jt_0123456789"})
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")


@pytest.mark.parametrize(("how", "reason"), [("silent", "TimeoutError"), ("gone", "ConnectionError")])
def test_redis_silent_or_gone(how: str, reason: str, beating: None, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1] if how == 'silent' else closed_port()}"
        status, parts = ready()
    assert (status, red(parts)) == (503, {"redis"})
    assert parts["redis"]["reason"] == reason


@pytest.mark.parametrize("name", ["sweeper", "lane.1"])
def test_a_loop_that_stopped_or_never_ran(name: str, beating: None) -> None:
    Heartbeat.objects.filter(name=name).update(beat_at=clock.now() - timedelta(minutes=1))
    status, parts = ready()
    assert (status, red(parts), parts[name]["age_s"] >= 60) == (503, {name}, True)
    Heartbeat.objects.filter(name=name).delete()
    assert red(ready()[1]) == {name}


def test_a_lane_that_is_no_longer_configured_is_not_missed(beating: None, settings: Any) -> None:
    settings.LANES = 1
    Heartbeat.objects.filter(name="lane.1").update(beat_at=clock.now() - timedelta(days=1))
    assert ready()[0] == 200


def test_a_beat_is_one_statement_and_one_row(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        health.beat("lane.7", {"sockets": 3})
    health.beat("lane.7", {"sockets": 4})
    assert Heartbeat.objects.get().detail == {"sockets": 4}
    assert set(health.ages()) == {"lane.7"}


def gauges(client: Client) -> dict[str, float]:
    lines = client.get("/metrics").content.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_metrics_show_what_waits(hers: Chain) -> None:
    ago = clock.now() - timedelta(seconds=90)
    hers.signal.status = SignalStatus.PLANNED
    hers.signal.save()
    SignalFactory(recorder=hers.recorder, received_at=ago)
    wished = {"trader": hers.trader, "signal": hers.signal}
    OrderIntentFactory(**wished, leg="new", status=IntentStatus.NEW, created_at=ago)
    intent = OrderIntentFactory(**wished, leg="cleared", status=IntentStatus.CLEARED, cleared_at=ago)
    OrderFactory(intent=intent, status=OrderStatus.UNKNOWN.value, submit_started_at=ago)
    PositionFactory(trader=hers.trader, symbol="NQZ6", net_qty=-1, unprotected_since=ago)
    PositionFactory(trader=hers.trader, symbol="ESZ6", net_qty=0, unprotected_since=ago)
    health.beat("sweeper")
    shown = gauges(Client())
    for state in ("signal_received", "intent_new", "intent_cleared", "order_unknown"):
        assert shown[f'justtrades_oldest_unfinished_seconds{{state="{state}"}}'] >= 90
    assert shown['justtrades_oldest_unfinished_seconds{state="order_submitting"}'] == 0
    assert shown["justtrades_unprotected_positions"] == 1
    assert shown["justtrades_unprotected_seconds"] >= 90
    assert shown['justtrades_signals_last_day{status="received"}'] == 1
    assert shown['justtrades_signals_last_day{status="refused"}'] == 0
    assert shown['justtrades_heartbeat_age_seconds{loop="sweeper"}'] >= 0
    assert any(name.startswith("justtrades_webhook_unknown_token_total") for name in shown)


def test_metrics_are_for_staff_and_this_machine(cast: Cast) -> None:
    elsewhere = {"REMOTE_ADDR": "203.0.113.7"}
    assert Client(REMOTE_ADDR="::1").get("/metrics").status_code == 200
    assert Client(**elsewhere).get("/metrics").status_code == 401
    assert Client().get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 401
    assert browser_of(cast.charlie).get("/metrics", **elsewhere).status_code == 403
    assert browser_of(cast.bob).get("/metrics", **elsewhere).status_code == 200
    assert api_client_for(cast.bob).get("/metrics", **elsewhere).status_code == 200
