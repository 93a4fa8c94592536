from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from justtrades import clock
from justtrades.testing import Cast
from recorders.models import Recorder, WebhookToken
from recorders.selectors import get_recorder_for, list_live_tokens
from recorders.services import (
    clone_recorder,
    create_recorder,
    revoke_older_tokens,
    rotate_token,
    update_recorder,
    webhook_url,
)
from tests.factories import RecorderFactory


def test_a_token_is_stored_as_its_hash_only(cast: Cast, settings: Any) -> None:
    settings.BASE_URL = "https://trades.example"
    recorder, token = create_recorder(owner=cast.alice, name="Trend", settings={"stop_distance": 20})
    row = WebhookToken.objects.get()
    assert (row.recorder, row.last_four, row.expires_at) == (recorder, token[-4:], None)
    assert row.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert webhook_url(token) == f"https://trades.example/webhook/{token}/"
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text || row_to_json(r)::text FROM recorders_webhooktoken t, "
                       "recorders_recorder r")  # fmt: skip
        assert token not in cursor.fetchone()[0]


def test_tokens_are_long_and_never_the_same(cast: Cast) -> None:
    tokens = {create_recorder(owner=cast.alice, name=f"R{number}")[1] for number in range(20)}
    assert len(tokens) == 20
    assert min(len(token) for token in tokens) >= 43


@pytest.mark.parametrize(
    "bad",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"settings": {"stop_distance": -1}},
        {"settings": {"stop_distance": 2**31}},
        {"settings": {"initial_position_size": -1}},
        {"settings": {"targets": [{"distance": 10, "trim": 60}, {"distance": 20, "trim": 50}]}},
        {"settings": {"auto_flat_after_cutoff": True}},
        {"settings": {"stop_ticks": 20}},
        {"symbol_map": {"NAS": "NOTHING"}},
        {"on_desync": "sometimes"},
        {"expected_every_minutes": 10_081},
    ],
    ids=repr,
)
def test_bad_settings_name_the_field_and_change_nothing(bad: dict[str, Any], cast: Cast) -> None:
    named = list(bad.get("settings", bad))
    with pytest.raises(ValidationError) as refused:
        create_recorder(owner=cast.alice, **{"name": "Trend", **bad})
    assert list(refused.value.message_dict) == named
    recorder = RecorderFactory(owner=cast.alice)
    before = Recorder.objects.values().get()
    with pytest.raises(ValidationError) as refused:
        update_recorder(recorder=recorder, **bad)  # type: ignore[typeddict-item]
    assert list(refused.value.message_dict) == named
    assert Recorder.objects.values().get() == before
    assert WebhookToken.objects.count() == 0


def test_what_is_not_stated_stays(cast: Cast) -> None:
    recorder, _token = create_recorder(owner=cast.alice, name="Trend", settings={"stop_distance": 20})
    update_recorder(recorder=recorder, settings={"initial_position_size": 0})
    recorder.refresh_from_db()
    kept = recorder.settings
    assert (kept.stop_distance, kept.initial_position_size, kept.add_position_size) == (20, 0, 1)


def test_clones_have_names_of_their_own(cast: Cast) -> None:
    recorder, token = create_recorder(owner=cast.alice, name="x" * 80, settings={"stop_distance": 20})
    clones = [clone_recorder(recorder=recorder) for _ in range(3)]
    assert {clone.name for clone, _ in clones} == {f"{'x' * 68} (copy{number})" for number in ("", " 2", " 3")}
    assert {clone.settings for clone, _ in clones} == {recorder.settings}
    assert len({token, *(other for _, other in clones)}) == 4


def test_a_name_is_taken_per_owner(cast: Cast) -> None:
    create_recorder(owner=cast.alice, name="Trend")
    create_recorder(owner=cast.charlie, name="Trend")
    with pytest.raises(ValidationError) as refused:
        create_recorder(owner=cast.alice, name="Trend")
    assert list(refused.value.message_dict) == ["name"]
    assert WebhookToken.objects.count() == 2


def test_rotation_overlap(cast: Cast) -> None:
    recorder, _first = create_recorder(owner=cast.alice, name="Trend")
    rotate_token(recorder=recorder)
    first, second = recorder.tokens.order_by("pk")
    assert timedelta(hours=23) < first.expires_at - clock.now() <= timedelta(hours=24)
    assert second.expires_at is None
    third = rotate_token(recorder=recorder, overlap=timedelta(hours=48))
    first.refresh_from_db()
    assert first.expires_at - clock.now() <= timedelta(hours=24), "a later rotation must not prolong an older address"
    assert list_live_tokens(recorder).count() == 3
    assert revoke_older_tokens(recorder=recorder) == 2
    assert [token.last_four for token in list_live_tokens(recorder)] == [third[-4:]]


def test_an_overlap_of_nothing_ends_the_old_address_at_once(cast: Cast) -> None:
    recorder, _first = create_recorder(owner=cast.alice, name="Trend")
    second = rotate_token(recorder=recorder, overlap=timedelta(0))
    assert [token.last_four for token in list_live_tokens(recorder)] == [second[-4:]]


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=8)])
def test_an_overlap_out_of_bounds(overlap: timedelta, cast: Cast) -> None:
    recorder, _token = create_recorder(owner=cast.alice, name="Trend")
    with pytest.raises(ValidationError) as refused:
        rotate_token(recorder=recorder, overlap=overlap)
    assert list(refused.value.message_dict) == ["overlap"]
    assert recorder.tokens.count() == 1


def test_the_door_to_a_recorder(cast: Cast) -> None:
    recorder = RecorderFactory(owner=cast.alice)
    assert get_recorder_for(cast.alice, recorder.pk) == recorder
    with pytest.raises(Recorder.DoesNotExist):
        get_recorder_for(cast.charlie, recorder.pk)
