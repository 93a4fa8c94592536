"""The two shifted grids of time behind a weak resend key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from recorders.dedupe import WEAK_WINDOW_S, ResendKeys, resend_keys

unhurried = settings(deadline=None)
RECORDER = UUID(int=7)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone
seconds = st.floats(0, 3600, allow_nan=False)


def weak(at: datetime, body: bytes = b"alert") -> ResendKeys:
    return resend_keys(RECORDER, body, at, has_fire_time=False)


def collide(one: ResendKeys, other: ResendKeys) -> bool:
    return one.key == other.key or one.offset_key == other.offset_key


@unhurried
@given(moments, seconds)
def test_half_a_window_apart_always_collides_a_whole_one_never(at: datetime, apart: float) -> None:
    first, second = weak(at), weak(at + timedelta(seconds=apart))
    if apart < WEAK_WINDOW_S / 2 - 0.001:
        assert collide(first, second)
    if apart >= WEAK_WINDOW_S:
        assert not collide(first, second)


@unhurried
@given(moments, seconds)
def test_a_key_never_stands_for_another_grids_cell(at: datetime, apart: float) -> None:
    assert weak(at).key != weak(at + timedelta(seconds=apart)).offset_key


@unhurried
@given(moments, seconds)
def test_a_body_with_its_fire_time_is_the_same_for_ever(at: datetime, apart: float) -> None:
    later = resend_keys(RECORDER, b"alert", at + timedelta(seconds=apart), has_fire_time=True)
    assert resend_keys(RECORDER, b"alert", at, has_fire_time=True) == later
    assert not later.is_weak


def test_another_body_or_another_recorder_never_collides() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    assert not collide(weak(at), weak(at, b"alert "))
    assert not collide(weak(at), resend_keys(UUID(int=8), b"alert", at, has_fire_time=False))
