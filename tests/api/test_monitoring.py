"""The addresses that the operator's scripts call: with and without their slash, true figures, own rows or all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from rest_framework.test import APIClient

from execution import health
from execution.models import IntentStatus
from justtrades import clock
from justtrades.testing import Cast, api_client_for, browser_of
from recorders.models import Notice, NoticeKind, SignalStatus
from tests.factories import Chain, OrderIntentFactory, RecorderFactory, SignalFactory, make_chain

STATUS = "/api/broker-execution/status"
LISTS = {
    "/api/broker-execution/failures": "failures",
    "/api/raw-webhooks": "webhooks",
    "/api/webhook-activity": "activity",
}


@pytest.fixture
def staff(cast: Cast) -> APIClient:
    """Bob is the operator."""
    return api_client_for(cast.bob)


@pytest.fixture
def queues(settings: Any) -> Iterator[redis.Redis]:
    settings.LANES = 2
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.delete("lane.0", "lane.1")
        yield client
        client.delete("lane.0", "lane.1")


def failed(hers: Chain, **fields: Any) -> Any:
    usual = {"status": IntentStatus.FAILED, "reason_code": "REJECTED", "reason_text": "no buying power"}
    return OrderIntentFactory(trader=hers.trader, finished_at=clock.now(), **{**usual, **fields})


@pytest.mark.parametrize("address", [STATUS, *LISTS, "/api/recorders", "/api/traders", "/api/notices", "/api/signals"])
def test_each_answers_with_and_without_its_slash(address: str, alice: APIClient, hers: Chain) -> None:
    bare, slashed = alice.get(address), alice.get(f"{address}/")
    assert (bare.status_code, slashed.status_code) == (200, 200)
    assert bare.json().keys() == slashed.json().keys()
    assert bare["Content-Type"] == "application/json"


@pytest.mark.parametrize("name", ["recorders", "traders"])
def test_single_rows_answer_without_a_slash_too(name: str, alice: APIClient, charlie: APIClient, hers: Chain) -> None:
    pk = getattr(hers, name.removesuffix("s")).pk
    assert alice.get(f"/api/{name}/{pk}").json()["id"] == str(pk)
    assert charlie.get(f"/api/{name}/{pk}").status_code == 404
    assert APIClient().get(f"/api/{name}/{pk}").status_code == 401


def test_a_session_without_its_csrf_token_changes_nothing_without_a_slash_either(cast: Cast, hers: Chain) -> None:
    browser = browser_of(cast.alice)
    browser.handler.enforce_csrf_checks = True
    for address in (f"/api/traders/{hers.trader.pk}/disable", f"/api/traders/{hers.trader.pk}/disable/"):
        answer = browser.post(address)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    hers.trader.refresh_from_db()
    assert hers.trader.is_enabled
    assert api_client_for(cast.alice).post(f"/api/traders/{hers.trader.pk}/disable").status_code == 200


@pytest.mark.parametrize("address", ["/api/nothing", "/api/nothing/", "/api/recorders/x", "/api/a/\n"])
def test_what_is_not_there_is_not_there_without_a_slash(address: str, alice: APIClient) -> None:
    answer = alice.get(address)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("address", [STATUS, *LISTS])
def test_nobody_gets_in_unknown_and_nothing_can_be_written(address: str, alice: APIClient, hers: Chain) -> None:
    assert APIClient().get(address).status_code == 401
    for method in (alice.post, alice.put, alice.patch, alice.delete):
        assert method(address, {}).status_code == 405


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1.5", ""])
@pytest.mark.parametrize("address", LISTS)
def test_a_bad_limit_is_named(address: str, limit: str, alice: APIClient) -> None:
    answer = alice.get(address, {"limit": limit})
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"limit"})


@pytest.mark.parametrize("address", LISTS)
def test_limits_and_order(address: str, alice: APIClient, staff: APIClient, hers: Chain) -> None:
    for number in range(4):
        at = clock.now() + timedelta(seconds=number)
        signal = SignalFactory(recorder=hers.recorder, received_at=at, status=SignalStatus.IGNORED)
        failed(hers, signal=signal, created_at=at)
    for client in (alice, staff):
        rows = client.get(address, {"limit": 3}).json()[LISTS[address]]
        assert len(rows) == 3
        assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert len(alice.get(address, {"limit": 500}).json()[LISTS[address]]) >= 4


def test_counts_of_the_last_day_and_the_last_error(alice: APIClient, staff: APIClient, cast: Cast, hers: Chain) -> None:
    error = failed(hers)
    for status in (IntentStatus.DENIED, IntentStatus.EXPIRED, IntentStatus.UNKNOWN):
        OrderIntentFactory(trader=hers.trader, status=status, created_at=clock.now() - timedelta(minutes=1))
    failed(hers, created_at=clock.now() - timedelta(hours=25), reason_code="OLD")
    make_chain(cast.charlie)
    for client, executed in ((alice, 1), (staff, 2)):
        shown = client.get(STATUS).json()
        counts = {name: shown[name] for name in ("executed", "failed", "denied", "expired", "unknown")}
        assert counts == {"executed": executed, "failed": 1, "denied": 1, "expired": 1, "unknown": 1}
        assert shown["last_error"]["code"] == "REJECTED"
        assert shown["last_error"]["text"] == error.reason_text
    assert api_client_for(cast.charlie).get(STATUS).json()["last_error"] is None


def test_lanes_with_their_beats_logins_and_queues(
    alice: APIClient, staff: APIClient, hers: Chain, queues: redis.Redis
) -> None:
    own = hers.login.lane_slot % 2
    health.beat(f"lane.{own}", {"logins": 41})
    health.beat(f"lane.{1 - own}", {"logins": 7})
    health.Heartbeat.objects.filter(name=f"lane.{1 - own}").update(beat_at=clock.now() - timedelta(minutes=1))
    OrderIntentFactory(trader=hers.trader, status=IntentStatus.CLEARED, cleared_at=clock.now())
    queues.rpush(f"lane.{own}", "a bell", "another")
    shown = staff.get(STATUS).json()
    lanes = {lane["lane"]: lane for lane in shown["lanes"]}
    assert (lanes[own]["alive"], lanes[own]["logins"], lanes[own]["queue_depth"]) == (True, 41, 3)
    assert (lanes[1 - own]["alive"], lanes[1 - own]["logins"], lanes[1 - own]["queue_depth"]) == (False, 7, 0)
    assert lanes[1 - own]["beat_age_s"] >= 60
    assert (shown["workers_alive"], shown["workers_configured"], shown["queue_depth"]) == (1, 2, 3)
    assert shown["broker_execution"] == {"workers_configured": 2, "workers_alive": 1, "queue_size": 3}
    hers_of = {lane["lane"]: lane for lane in alice.get(STATUS).json()["lanes"]}
    assert (hers_of[own]["logins"], hers_of[own]["queue_depth"], hers_of[1 - own]["logins"]) == (1, 1, 0)


def test_a_queue_that_nobody_can_ask_is_null_and_not_empty(staff: APIClient, hers: Chain, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{port}/0"
    shown = staff.get(STATUS).json()
    assert shown["queue_depth"] is None
    assert shown["broker_execution"]["queue_size"] is None
    assert [(lane["queue_depth"], lane["intents_waiting"]) for lane in shown["lanes"]] == [(None, 0)]


def test_alerts_that_wait_for_their_plan(alice: APIClient, staff: APIClient, charlie: APIClient, hers: Chain) -> None:
    shown = [client.get(STATUS).json()["fast_webhook"]["queue_size"] for client in (alice, staff, charlie)]
    assert shown == [1, 1, 0]


def test_failures_say_whose_and_why(alice: APIClient, charlie: APIClient, hers: Chain) -> None:
    intent = failed(hers, reason_text='refused {"token": "abcdef"}')
    OrderIntentFactory(trader=hers.trader, status=IntentStatus.DONE)
    shown = alice.get("/api/broker-execution/failures").json()
    assert (shown["total_failures"], len(shown["failures"])) == (1, 1)
    (row,) = shown["failures"]
    assert (row["signal"], row["trader"], row["account"]) == (
        str(intent.signal_id), str(hers.trader.pk), hers.account.name,
    )  # fmt: skip
    assert (row["code"], row["recorder"]) == ("REJECTED", hers.recorder.name)
    assert "abcdef" not in row["text"]
    assert row["at"].endswith("Z")
    assert charlie.get("/api/broker-execution/failures").json() == {"total_failures": 0, "failures": []}


def test_every_alert_that_came_and_every_one_that_was_processed(
    alice: APIClient, charlie: APIClient, hers: Chain
) -> None:
    refused = SignalFactory(
        recorder=hers.recorder, status=SignalStatus.REFUSED, reason_code="BODY_NOT_UTF8", body=b"\xff buy",
        source_ip="52.89.214.238", resend_count=2,
    )  # fmt: skip
    waiting = hers.signal
    raw = {row["id"]: row for row in alice.get("/api/raw-webhooks").json()["webhooks"]}
    assert set(raw) == {str(refused.pk), str(waiting.pk)}
    row = raw[str(refused.pk)]
    assert (row["body"], row["source_ip"], row["resend_count"]) == ("\ufffd buy", "52.89.214.238", 2)
    assert (row["status"], row["reason_code"]) == ("refused", "BODY_NOT_UTF8")
    done = alice.get("/api/webhook-activity").json()["activity"]
    assert [row["id"] for row in done] == [str(refused.pk)]
    assert charlie.get("/api/raw-webhooks").json() == {"total": 0, "webhooks": []}


def test_activity_counts_outcomes_and_times_them(alice: APIClient, hers: Chain) -> None:
    hers.signal.status = SignalStatus.PLANNED
    hers.signal.save()
    hers.intent.sent_at = hers.signal.received_at + timedelta(milliseconds=12)
    hers.intent.save()
    (row,) = alice.get("/api/webhook-activity").json()["activity"]
    assert (row["outcomes"]["total"], row["outcomes"]["done"], row["outcomes"]["denied"]) == (1, 1, 0)
    assert (row["to_sent_ms"], row["to_filled_ms"]) == (12.0, None)


def test_many_rows_cost_no_more_queries(staff: APIClient, hers: Chain, django_assert_max_num_queries: Any) -> None:
    for _ in range(20):
        failed(hers)
    for address in LISTS:
        with django_assert_max_num_queries(6):
            staff.get(address)
    with django_assert_max_num_queries(10):
        staff.get(STATUS)


def test_notices_are_their_owners_and_the_open_ones_come_first(
    alice: APIClient, charlie: APIClient, cast: Cast
) -> None:
    recorder = RecorderFactory(owner=cast.alice)
    now = clock.now()
    made = [
        Notice.objects.create(
            owner=cast.alice, recorder=recorder, kind=kind, text=text, created_at=now - timedelta(minutes=age),
            ended_at=ended,
        )
        for kind, text, age, ended in (
            (NoticeKind.SILENT, "over", 1, now), (NoticeKind.SILENT, "still", 9, None),
            (NoticeKind.TOO_MANY, "newest", 5, None),
        )
    ]  # fmt: skip
    shown = alice.get("/api/notices/").json()["results"]
    assert [(row["text"], row["is_open"]) for row in shown] == [("newest", True), ("still", True), ("over", False)]
    assert shown[0]["recorder_name"] == recorder.name
    assert alice.get(f"/api/notices/{made[0].pk}").json()["text"] == "over"
    assert charlie.get("/api/notices/").json()["count"] == 0
    assert charlie.get(f"/api/notices/{made[0].pk}/").status_code == 404
    assert alice.post("/api/notices/", {}).status_code == 405
