"""Whatever comes in, the answer is a 4xx that names the field, and nothing is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from brokers.models import BrokerLogin
from justtrades.testing import Cast
from recorders.models import Recorder
from tests.factories import BrokerAccountFactory, Chain, RecorderFactory
from traders.models import Trader

BAD_NUMBERS: list[Any] = [-1, "NaN", 1e12, "", "two", 2.5, True, [], {}, "1" * 5000, "\x00"]
BAD_NAMES: list[Any] = ["", "   ", "x" * 81, None, [], {"a": 1}, True, "a\x00b", "\ud800"]


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=repr)
@pytest.mark.parametrize("field", ["initial_position_size", "target_ticks", "stop_ticks"])
def test_recorder_numbers(field: str, value: Any, alice: APIClient) -> None:
    answer = alice.post("/api/recorders/", {"name": "x", field: value}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert answer.json()["detail"].startswith(f"{field}: ")
    assert Recorder.objects.count() == 0


@pytest.mark.parametrize("value", BAD_NAMES, ids=repr)
def test_recorder_names(value: Any, alice: APIClient) -> None:
    answer = alice.post("/api/recorders/", json.dumps({"name": value}), content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["name"])


def test_html_in_a_name_stays_text(alice: APIClient) -> None:
    answer = alice.post("/api/recorders/", {"name": "<script>alert(1)</script>"}, format="json")
    assert answer.json()["name"] == "<script>alert(1)</script>"
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("multiplier", "-1"),
        ("multiplier", "NaN"),
        ("multiplier", "Infinity"),
        ("multiplier", "1000.001"),
        ("multiplier", "0.00001"),
        ("max_contracts", -1),
        ("stop_ticks", "2.5"),
        ("recorder", "not-a-uuid"),
        ("recorder", None),
        ("account", "00000000-0000-0000-0000-000000000000"),
        ("account", ["x"]),
    ],
)
def test_trader_fields(field: str, value: Any, alice: APIClient, cast: Cast) -> None:
    recorder, account = RecorderFactory(owner=cast.alice), BrokerAccountFactory(login__owner=cast.alice)
    given = {"recorder": str(recorder.pk), "account": str(account.pk), field: value}
    answer = alice.post("/api/traders/", given, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert Trader.objects.count() == 0


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b"[" * 10_000, b'{"a":' * 5_000, b'{"name": NaN}']
)
def test_bodies_that_are_no_object(body: bytes, alice: APIClient) -> None:
    answer = alice.post("/api/recorders/", body, content_type="application/json")
    assert answer.status_code == 400
    assert {"code", "detail"} <= set(answer.json())
    assert Recorder.objects.count() == 0


def test_a_body_too_big(alice: APIClient) -> None:
    body = json.dumps({"name": "x" * 70_000}).encode()
    assert alice.post("/api/recorders/", body, content_type="application/json").json()["code"] == "body_too_big"


def test_only_json_is_read(alice: APIClient) -> None:
    answer = alice.post("/api/recorders/", "name=x", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("value", ["", "x", "\x00", "1; drop table", "None", "🙂"])
@pytest.mark.parametrize("name", ["signals", "intents", "orders", "fills", "positions", "traders", "accounts"])
def test_filters_with_nonsense(name: str, value: str, alice: APIClient, hers: Chain) -> None:
    for field in ("status", "recorder", "account", "since", "symbol", "limit", "offset"):
        assert alice.get(f"/api/{name}/", {field: value}).status_code in {200, 400}


@pytest.mark.parametrize("field", ["recorder", "since", "status"])
def test_a_filter_that_cannot_be_read_is_named(field: str, alice: APIClient) -> None:
    assert list(alice.get("/api/signals/", {field: "x"}).json()["errors"]) == [field]


FOREIGN: dict[str, Any] = {
    "id": "00000000-0000-0000-0000-000000000001",
    "created_at": "2001-01-01T00:00:00Z",
    "addresses": [{"last_four": "0000"}],
    "webhook_url": "http://example.com",
    "owner": "00000000-0000-0000-0000-000000000002",
    "owner_id": "00000000-0000-0000-0000-000000000002",
    "tokens": [],
    "pk": 7,
    "is_staff": True,
    "recorder__owner": "x",
    "": "x",
    "__class__": "x",
}


@pytest.mark.parametrize("field", FOREIGN)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_no_field_but_the_settings_can_be_set(
    method: str, field: str, alice: APIClient, cast: Cast, hers: Chain
) -> None:
    """What a reading shows is ignored when it comes back; any other field is refused by name."""
    before = Recorder.objects.values().get()
    own = f"/api/recorders/{hers.recorder.pk}/" if method == "patch" else "/api/recorders/"
    answer = getattr(alice, method)(own, {"name": before["name"] + "!", field: FOREIGN[field]}, format="json")
    if field in {"id", "created_at", "addresses"}:
        assert answer.status_code in {200, 201}
        made = Recorder.objects.exclude(pk=before["id"]).values().first() or Recorder.objects.values().get()
        assert made["owner_id"] == cast.alice.pk
        assert str(made["id"]) != FOREIGN["id"]
        assert made["created_at"].year != 2001
    else:
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
        assert Recorder.objects.values().get() == before


def test_what_was_read_can_be_sent_back(alice: APIClient, hers: Chain) -> None:
    address = f"/api/recorders/{hers.recorder.pk}/"
    shown = alice.get(address).json()
    assert alice.patch(address, shown, format="json").json() == shown


def test_broker_secrets_never_leave(alice: APIClient, hers: Chain) -> None:
    for address in ("/api/logins/", f"/api/logins/{hers.login.pk}/", "/api/accounts/"):
        text = alice.get(address).content.decode()
        assert "a-broker-password" not in text
        assert "password" not in text
        assert "secret" not in text
    assert alice.patch(f"/api/logins/{hers.login.pk}/", {"password": "x"}, format="json").status_code == 405
    assert BrokerLogin.objects.get().secrets["password"] == "a-broker-password"


def test_an_unknown_address_answers_in_the_apis_shape(alice: APIClient) -> None:
    for address in ("/api/nothing/", "/api/recorders/not-a-uuid/", "/api/"):
        for method in (alice.get, alice.post, alice.delete):
            assert (method(address).status_code, method(address).json()["code"]) == (404, "not_found")
