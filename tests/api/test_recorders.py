from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from justtrades.testing import Cast
from recorders.models import Recorder, Signal, SignalStatus, WebhookToken
from tests.factories import Chain, RecorderFactory, SignalFactory, TraderFactory
from traders.models import Trader

ALERT = b'{"action": "buy", "ticker": "MES1!", "price": "6021.25", "contracts": "2"}'


def test_creating_shows_the_address_once(alice: APIClient, cast: Cast) -> None:
    made = alice.post("/api/recorders/", {"name": "Trend", "target_ticks": 40, "stop_ticks": 20}, format="json")
    assert made.status_code == 201
    address = made.json().pop("webhook_url")
    token = address.rstrip("/").rpartition("/")[2]
    assert len(token) >= 43
    again = alice.get(f"/api/recorders/{made.json()['id']}/")
    assert token not in again.content.decode()
    assert [shown["last_four"] for shown in again.json()["addresses"]] == [token[-4:]]
    assert Recorder.objects.get().owner == cast.alice
    assert not WebhookToken.objects.filter(token_hash__contains=token).exists()
    received = APIClient().post(address.removeprefix("http://127.0.0.1:8000"), ALERT, content_type="text/plain")
    assert received.json()["signal_id"] == str(Signal.objects.get().pk)


def test_changing_only_what_is_given(alice: APIClient, hers: Chain) -> None:
    address = f"/api/recorders/{hers.recorder.pk}/"
    answer = alice.patch(address, {"stop_ticks": 0, "is_enabled": False}, format="json")
    assert (answer.json()["stop_ticks"], answer.json()["is_enabled"]) == (0, False)
    assert (answer.json()["target_ticks"], answer.json()["stop_type"]) == (40, "fixed")
    assert alice.put(address, {"name": "x"}, format="json").status_code == 405


def test_a_clone_has_the_settings_and_an_address_of_its_own(alice: APIClient, cast: Cast, hers: Chain) -> None:
    own = f"/api/recorders/{hers.recorder.pk}/"
    alice.patch(own, {"stop_ticks": 12, "symbol_map": {"nas": "NQ1!"}, "on_desync": "ask"}, format="json")
    made = alice.post(f"{own}clone/")
    assert made.status_code == 201
    clone, original = made.json(), alice.get(own).json()
    token = clone.pop("webhook_url").rstrip("/").rpartition("/")[2]
    assert [shown["last_four"] for shown in clone["addresses"]] == [token[-4:]]
    assert clone["name"] == f"{original['name']} (copy)"
    itself = {"id", "name", "created_at", "addresses"}
    assert {key for key in original if clone[key] != original[key]} == itself
    assert alice.post(f"{own}clone/").json()["name"] == f"{original['name']} (copy 2)"
    assert {recorder.owner for recorder in Recorder.objects.all()} == {cast.alice}
    assert Trader.objects.get() == hers.trader, "nobody follows a clone"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"symbol_map": []}, "symbol_map"),
        ({"symbol_map": {"NAS": 1.5}}, "symbol_map"),
        ({"symbol_map": {"NAS": "NOTHING"}}, "symbol_map"),
        ({"symbol_map": {"NAS": None}}, "symbol_map.NAS"),
        ({"symbol_map": {"NAS": ["NQ1!"]}}, "symbol_map.NAS"),
        ({"symbol_map": {"": "NQ1!"}}, "symbol_map"),
        ({"symbol_map": {"a\x00b": "NQ1!"}}, "symbol_map"),
        ({"symbol_map": {"\ud800": "NQ1!"}}, "symbol_map"),
        ({"symbol_map": {"x" * 65: "NQ1!"}}, "symbol_map"),
        ({"symbol_map": {f"S{number}": "NQ1!" for number in range(101)}}, "symbol_map"),
        ({"on_desync": "sometimes"}, "on_desync"),
        ({"expected_every_minutes": 10_081}, "expected_every_minutes"),
        ({"expected_every_minutes": -1}, "expected_every_minutes"),
    ],
)
def test_what_belongs_to_the_recorder_alone(given: dict[str, Any], named: str, alice: APIClient, hers: Chain) -> None:
    body = json.dumps(given)
    answer = alice.patch(f"/api/recorders/{hers.recorder.pk}/", body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [named])
    hers.recorder.refresh_from_db()
    assert (hers.recorder.symbol_map, hers.recorder.on_desync) == ({}, "converge")


def test_a_symbol_map_is_kept_upper_case(alice: APIClient, hers: Chain) -> None:
    address = f"/api/recorders/{hers.recorder.pk}/"
    given = {"symbol_map": {" nas100 ": "nq1!"}, "expected_every_minutes": 30, "on_desync": "ask"}
    answer = alice.patch(address, given, format="json").json()
    assert answer["symbol_map"] == {"NAS100": "NQ1!"}
    assert (answer["expected_every_minutes"], answer["on_desync"]) == (30, "ask")


def test_deleting_only_without_history(alice: APIClient, cast: Cast, hers: Chain) -> None:
    refused = alice.delete(f"/api/recorders/{hers.recorder.pk}/")
    assert (refused.status_code, "disable it" in refused.json()["detail"]) == (400, True)
    assert WebhookToken.objects.filter(pk=hers.token.pk).exists()
    unused = RecorderFactory(owner=cast.alice)
    assert alice.delete(f"/api/recorders/{unused.pk}/").status_code == 204
    assert list(Recorder.objects.all()) == [hers.recorder]
    followed = TraderFactory(recorder__owner=cast.alice).recorder
    assert alice.delete(f"/api/recorders/{followed.pk}/").status_code == 400


def test_both_addresses_work_during_an_overlap_and_one_after(transactional_db: None, alice: APIClient) -> None:
    first = alice.post("/api/recorders/", {"name": "Trend"}, format="json").json()
    own = f"/api/recorders/{first['id']}"
    second = alice.post(f"{own}/rotate-token/", {"overlap_hours": 2}, format="json").json()["webhook_url"]
    assert second != first["webhook_url"]
    assert [status_of(first["webhook_url"]), status_of(second)] == [200, 200]
    assert len(alice.get(f"{own}/").json()["addresses"]) == 2
    assert alice.post(f"{own}/revoke-older-tokens/").status_code == 204
    assert [status_of(first["webhook_url"]), status_of(second)] == [404, 200]
    third = alice.post(f"{own}/rotate-token/", {"overlap_hours": 0}, format="json").json()["webhook_url"]
    assert [status_of(second), status_of(third)] == [404, 200]


def status_of(address: str) -> int:
    return int(APIClient().get(address.removeprefix("http://127.0.0.1:8000")).status_code)


@pytest.mark.parametrize("hours", [-1, 169, "NaN", None, "1.5"])
def test_overlap_has_bounds(hours: object, alice: APIClient, hers: Chain) -> None:
    answer = alice.post(f"/api/recorders/{hers.recorder.pk}/rotate-token/", {"overlap_hours": hours}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["overlap_hours"])
    assert hers.recorder.tokens.count() == 1


def test_a_test_alert_is_a_real_signal(alice: APIClient, hers: Chain) -> None:
    address = f"/api/recorders/{hers.recorder.pk}/test-alert/"
    answer = alice.post(address, ALERT, content_type="application/json")
    signal = Signal.objects.get(pk=answer.json()["signal_id"])
    assert (signal.recorder, signal.status, bytes(signal.body)) == (hers.recorder, SignalStatus.RECEIVED, ALERT)
    assert alice.get(f"/api/signals/{signal.pk}/").json()["body"] == ALERT.decode()
    again = alice.post(address, ALERT, content_type="application/json").json()
    assert (again["signal_id"], again["is_resend"]) == (str(signal.pk), True)


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"[" * 10_000, b"\xff\xfe", b'{"action": "juggle"}', b"x" * (64 * 1024 + 1)]
)
def test_a_bad_test_alert_is_stored_and_refused_with_a_reason(body: bytes, alice: APIClient, hers: Chain) -> None:
    address = f"/api/recorders/{hers.recorder.pk}/test-alert/"
    answer = alice.post(address, body, content_type="application/json").json()
    assert answer["status"] == SignalStatus.REFUSED
    assert answer["reason_code"] != ""
    shown = alice.get(f"/api/signals/{answer['signal_id']}/").json()
    assert (shown["reason_code"], shown["reason_text"]) == (answer["reason_code"], answer["reason_text"])


def test_signals_are_filtered_and_paged(alice: APIClient, hers: Chain) -> None:
    for number in range(5):
        SignalFactory(recorder=hers.recorder, ticker=f"T{number}", status=SignalStatus.REFUSED)
    pages = [alice.get("/api/signals/", {"status": "refused", "limit": 3, "offset": at}).json() for at in (0, 3)]
    tickers = [row["ticker"] for page in pages for row in page["results"]]
    assert tickers == ["T4", "T3", "T2", "T1", "T0"]
    assert [page["count"] for page in pages] == [5, 5]
    assert alice.get("/api/signals/", {"symbol": "t3"}).json()["count"] == 1
    assert alice.get("/api/signals/", {"recorder": str(hers.recorder.pk)}).json()["count"] == 6
    assert alice.get("/api/signals/", {"since": "2999-01-01T00:00:00Z"}).json()["count"] == 0
    assert len(alice.get("/api/signals/", {"limit": 10**9}).json()["results"]) == 6
    assert alice.get("/api/signals/", {"offset": 10**30}).json()["results"] == []


def test_a_list_does_not_carry_the_bodies(alice: APIClient, hers: Chain) -> None:
    assert "body" not in alice.get("/api/signals/").json()["results"][0]
