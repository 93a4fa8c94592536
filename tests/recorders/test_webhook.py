"""The webhook door: one committed row before the answer, whatever comes in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.test import Client

from justtrades.supervisor.ports import any_free_port
from recorders.models import Recorder, Signal, SignalStatus
from recorders.parse import MAX_BODY_BYTES
from recorders.receive import KEPT_OF_OVERSIZE_BODY
from recorders.services import hash_token, rotate_token
from recorders.webhook import UNKNOWN_TOKENS
from tests.recorders.door import BUY, Door, make_door

T0 = datetime(2026, 11, 23, 14, 35, 2, tzinfo=UTC)
TIMED = BUY[:-1] + b', "fired_at": "2026-11-23T14:35:00Z"}'


def test_an_alert_is_stored_whole_before_it_is_answered(door: Door) -> None:
    status, answer = door.post()
    assert (status, answer["status"]) == (200, "received")
    signal = Signal.objects.get(pk=UUID(answer["signal_id"]))
    assert bytes(signal.body) == BUY
    assert (signal.owner_id, signal.recorder_id) == (door.recorder.owner_id, door.recorder.pk)
    assert (signal.action, signal.ticker, signal.quantity, signal.price) == ("buy", "MNQ1!", 1, 25_300)
    assert signal.source_ip == "127.0.0.1"


@pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-8", "nonsense"])
def test_content_type_is_no_argument(door: Door, content_type: str) -> None:
    assert door.post(content_type=content_type)[1]["status"] == "received"


def test_a_form_that_django_would_parse_is_read_as_bytes(door: Door) -> None:
    assert door.post(content_type="application/x-www-form-urlencoded")[1]["status"] == "received"
    assert bytes(door.signals()[0].body) == BUY


def test_with_and_without_the_slash(door: Door) -> None:
    without = door.path.rstrip("/")
    first, second = door.post(path=without), door.post(path=door.path)
    assert (first[0], second[0]) == (200, 200)
    assert first[1]["signal_id"] == second[1]["signal_id"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_get_answers_readiness_and_stores_nothing(door: Door, slash: str) -> None:
    path = door.path.rstrip("/") + slash
    assert Client().get(path).json() == {"ready": True}
    Recorder.objects.update(is_enabled=False)
    assert Client().get(path).json() == {"ready": False}
    assert door.signals() == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_token_is_404_and_leaves_nothing_but_a_count(door: Door, method: str) -> None:
    before = UNKNOWN_TOKENS._value.get()
    reply = getattr(Client(), method)("/webhook/" + "x" * 43 + "/")
    assert reply.status_code == 404
    assert Signal.objects.count() == 0
    assert UNKNOWN_TOKENS._value.get() == before + 1


def test_the_token_itself_is_stored_nowhere(door: Door) -> None:
    door.post()
    with connection.cursor() as cursor:
        cursor.execute("SELECT token_hash || last_four FROM recorders_webhooktoken")
        assert door.token not in cursor.fetchone()[0]
    assert door.recorder.tokens.get().token_hash == hash_token(door.token)


def test_after_a_rotation_both_tokens_work_until_the_overlap_ends(door: Door) -> None:
    newer = Door(door.recorder, rotate_token(recorder=door.recorder))
    assert (door.post()[0], newer.post(b"{}")[0]) == (200, 200)
    # The database's own clock decides when a token ends.
    door.recorder.tokens.filter(expires_at__isnull=False).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert (door.post()[0], newer.post()[0]) == (404, 200)


def test_resends_get_the_first_signals_id_and_are_counted(door: Door) -> None:
    answers = []
    for seconds in (0, 5, 10, 15):
        with time_machine.travel(T0 + timedelta(seconds=seconds), tick=False):
            answers.append(door.post())
    assert [status for status, _ in answers] == [200] * 4
    assert len({answer["signal_id"] for _, answer in answers}) == 1
    assert [answer.get("resend", False) for _, answer in answers] == [False, True, True, True]
    assert [signal.resend_count for signal in door.signals()] == [3]


@pytest.mark.parametrize(("apart", "signals"), [(0, 1), (14.9, 1), (15.1, 1), (29.9, 1), (30.1, 2), (300, 2)])
@pytest.mark.parametrize("phase", [0, 7, 14, 29])
def test_a_body_without_its_fire_time_may_come_again_after_the_window(
    door: Door, apart: float, signals: int, phase: int
) -> None:
    for seconds in (0.0, apart):
        with time_machine.travel(T0 + timedelta(seconds=phase + seconds), tick=False):
            assert door.post()[0] == 200
    assert len(door.signals()) == signals


def test_a_body_with_its_fire_time_never_comes_again_by_right(door: Door) -> None:
    for seconds in (0, 3600, 86_400):
        with time_machine.travel(T0 + timedelta(seconds=seconds), tick=False):
            assert door.post(TIMED)[0] == 200
    assert [signal.resend_count for signal in door.signals()] == [2]


def test_the_same_alert_for_another_recorder_is_another_signal(door: Door) -> None:
    other = make_door()
    assert door.post()[1]["signal_id"] != other.post()[1]["signal_id"]


def test_forty_identical_alerts_at_once_have_one_winner(committed_door: Door) -> None:
    barrier = threading.Barrier(40)

    def post(_: int) -> tuple[int, str]:
        try:
            barrier.wait(20)
            status, answer = committed_door.post()
            return status, answer["signal_id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(post, range(40)))
    assert {status for status, _ in answers} == {200}
    signal = Signal.objects.get(recorder=committed_door.recorder)
    assert {name for _, name in answers} == {str(signal.pk)}
    assert signal.resend_count == 39


def test_a_disabled_recorder_stores_and_does_not_act(door: Door) -> None:
    Recorder.objects.update(is_enabled=False)
    status, answer = door.post()
    assert (status, answer["status"], answer["reason"]["code"]) == (200, "ignored", "RECORDER_DISABLED")
    assert [signal.status for signal in door.signals()] == [SignalStatus.IGNORED]


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (b'{"action": "hodl", "ticker": "MNQ1!"}', "UNKNOWN_ACTION", "action: had 'hodl', wants one of"),
        (b'{"action": "buy", "ticker": "NOPE"}', "UNKNOWN_TICKER", "'NOPE'"),
        (b'{"action": "buy", "ticker": "MNQ1!", "contracts": 1e12}', "QUANTITY_ABOVE_LIMIT", "had 1E+12, limit 10000"),
        (b'{"action": "buy", "ticker": "\\ud800:MNQ1!"}', "UNKNOWN_TICKER", "ticker"),
        (b'{"action": "buy", "ticker": "<script>alert(1)</script>"}', "UNKNOWN_TICKER", "<script>"),
        (b'{"action": "<img src=x onerror=alert(1)>", "ticker": "MNQ1!"}', "UNKNOWN_ACTION", "<img"),
        (b'{"action": "buy", "ticker": "MNQ1!", "fired_at": "0001-01-01T00:00:00+14:00"}', "NOT_A_TIME", "fired_at"),
        (b"\x00\xff\xfe", "NOT_UTF8", "byte 1"),
        (b"\x00\x00", "NOT_JSON", "body"),
        (b"[" * 10_000, "TOO_DEEP", "nested"),
        (b"", "EMPTY_BODY", "empty"),
    ],
)
def test_what_cannot_be_understood_is_stored_with_its_reason(door: Door, body: bytes, code: str, text: str) -> None:
    status, answer = door.post(body)
    assert (status, answer["status"], answer["reason"]["code"]) == (200, "refused", code)
    (signal,) = door.signals()
    assert (signal.status, signal.reason_code, bytes(signal.body)) == (SignalStatus.REFUSED, code, body)
    assert text in signal.reason_text
    assert answer["reason"]["text"] == signal.reason_text


def test_an_oversize_body_is_refused_and_only_its_beginning_kept(door: Door) -> None:
    body = b'{"action": "buy", "x": "' + b"a" * (65 * 1024) + b'"}'
    status, answer = door.post(body)
    assert (status, answer["reason"]["code"]) == (200, "BODY_TOO_LARGE")
    assert f"limit {MAX_BODY_BYTES}" in answer["reason"]["text"]
    assert bytes(door.signals()[0].body) == body[:KEPT_OF_OVERSIZE_BODY]


def test_a_refusal_is_shown_to_its_owner_without_becoming_html(door: Door) -> None:
    door.post(b'{"action": "<script>alert(1)</script>", "ticker": "MNQ1!"}')
    browser = Client()
    browser.force_login(door.recorder.owner)
    for path in ("/signals/", f"/signals/{door.signals()[0].pk}/"):
        page = browser.get(path).content.decode()
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page


@contextmanager
def database_at(port: int) -> Iterator[None]:
    """New connections of this process go to `port`."""
    usual = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = port
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["PORT"] = usual


def test_while_the_database_is_down_the_answer_is_503_and_nothing_is_lost_after(committed_door: Door) -> None:
    with database_at(any_free_port()):
        reply = Client().post(committed_door.path, data=BUY, content_type="application/json")
        assert reply.status_code == 503
        assert "send it again" in json.loads(reply.content)["detail"]
        assert Client().get(committed_door.path).status_code == 503
    assert committed_door.signals() == []
    assert committed_door.post()[0] == 200
    assert len(committed_door.signals()) == 1


def test_a_connection_that_the_server_dropped_is_replaced_within_the_request(committed_door: Door) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (mine,) = cursor.fetchone()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(terminate, mine).result()
    assert committed_door.post()[0] == 200
    assert len(committed_door.signals()) == 1


def terminate(backend: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [backend])
            assert cursor.fetchone()[0]
    finally:
        connection.close()
