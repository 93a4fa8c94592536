"""Too quiet, too loud: the sentences by table, and the notices that come and go by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from justtrades import clock
from justtrades.ids import new_id
from recorders import cadence, silence
from recorders.models import Notice, NoticeKind, Recorder, SignalStatus
from recorders.silence import Watch
from tests.factories import RecorderFactory, SignalFactory

WEDNESDAY = datetime(2026, 10, 14, 15, 0, tzinfo=UTC)
FRIDAY_CLOSE = datetime(2026, 10, 16, 21, 0, tzinfo=UTC)
SUNDAY_OPEN = datetime(2026, 10, 18, 22, 0, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "now", "minutes"),
    [
        (at(14, 15), at(14, 15, 43), 43),
        (at(14, 15), at(14, 15), 0),
        (at(14, 15), at(14, 14), 0),  # a clock that went back
        (FRIDAY_CLOSE, SUNDAY_OPEN, 0),
        (at(16, 20, 50), at(16, 21, 30), 10),  # ten minutes before the close, and on into the weekend
        (at(16, 20, 50), at(18, 22, 20), 30),
        (at(17, 3), at(17, 9), 0),
        (at(14, 15), at(28, 15), (14 * 24 - 2 * 49) * 60),  # two weekends
        # Chicago's clocks go back on 1 November: that weekend is an hour longer.
        (datetime(2026, 10, 30, 21, tzinfo=UTC), datetime(2026, 11, 1, 23, tzinfo=UTC), 0),
    ],
)
def test_what_counts_as_quiet(since: datetime, now: datetime, minutes: int) -> None:
    assert cadence.quiet_time(since, now) == timedelta(minutes=minutes)


@given(hours=st.integers(0, 2 * 365 * 24), seconds=st.integers(0, 3599), minutes=st.integers(1, 10_080))
def test_heard_since_is_where_that_much_quiet_began(hours: int, seconds: int, minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours, seconds=seconds)
    assert cadence.quiet_time(cadence.heard_since(now, minutes), now) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(minutes=1), "1 minute"), (timedelta(minutes=43, seconds=59), "43 minutes"),
        (timedelta(minutes=119), "119 minutes"), (timedelta(hours=2), "2 hours"), (timedelta(hours=47), "47 hours"),
        (timedelta(hours=48), "2 days"), (timedelta(0), "0 minutes"),
    ],
)  # fmt: skip
def test_spans_in_words(span: timedelta, words: str) -> None:
    assert cadence.words_for(span) == words


def test_the_sentences() -> None:
    heard = WEDNESDAY - timedelta(minutes=43)
    assert cadence.silence_text(heard, heard, WEDNESDAY, 30) == (
        "silent for 43 minutes, expected every 30 minutes; TradingView stops an alert after 15 triggers in 3 minutes"
    )
    assert cadence.silence_text(None, heard, WEDNESDAY, 30).startswith("no alert yet in 43 minutes, expected every 30")
    assert cadence.burst_text(22).startswith("22 alerts in 3 minutes; TradingView stops an alert after 15 triggers")


def test_recent_rows_are_a_range_of_ids() -> None:
    made = new_id()
    now = clock.now()
    assert cadence.first_id_at(now - timedelta(seconds=5)) < made < cadence.first_id_at(now + timedelta(seconds=5))


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[datetime], None]]:
    """Sets the clock of the watch."""

    def set_now(moment: datetime) -> None:
        monkeypatch.setattr(silence.clock, "now", lambda: moment)

    set_now(WEDNESDAY)
    yield set_now


def recorder_heard(minutes_ago: int | None, expected: int = 30, **fields: Any) -> Recorder:
    made = RecorderFactory(created_at=WEDNESDAY - timedelta(days=30), expected_every_minutes=expected, **fields)
    if minutes_ago is not None:
        SignalFactory(recorder=made, received_at=WEDNESDAY - timedelta(minutes=minutes_ago))
    return made


def open_texts(recorder: Recorder) -> list[str]:
    return [notice.text for notice in Notice.objects.filter(recorder=recorder, ended_at=None)]


def looked(watch: Watch | None = None) -> set[Any]:
    watch = watch or Watch()
    watch._looked_at = float("-inf")
    return watch.look()


@pytest.mark.django_db
def test_a_silent_recorder_gets_one_notice_that_is_reworded_and_ends_with_the_next_alert(now: Any) -> None:
    recorder = recorder_heard(minutes_ago=43)
    watch = Watch()
    assert looked(watch) == {recorder.owner_id}
    assert open_texts(recorder)[0].startswith("silent for 43 minutes, expected every 30 minutes")
    assert looked(watch) == set()
    now(WEDNESDAY + timedelta(minutes=2))
    assert looked(watch) == {recorder.owner_id}
    assert looked() == set()  # a sweeper that has just started words it alike
    assert [text[:21] for text in open_texts(recorder)] == ["silent for 45 minutes"]
    SignalFactory(recorder=recorder, action="heartbeat", status=SignalStatus.IGNORED, received_at=WEDNESDAY)
    assert looked(watch) == {recorder.owner_id}
    assert open_texts(recorder) == []
    assert Notice.objects.get().ended_at == WEDNESDAY + timedelta(minutes=2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("minutes_ago", "fields"),
    [
        (29, {}), (43, {"expected": 0}), (43, {"is_enabled": False}), (43, {"expected": 44}),
    ],
)  # fmt: skip
def test_no_notice(minutes_ago: int, fields: dict[str, Any], now: Any) -> None:
    recorder = recorder_heard(minutes_ago, **fields)
    assert looked() == set()
    assert open_texts(recorder) == []


@pytest.mark.django_db
def test_each_recorder_by_its_own_cadence_and_its_own_alerts(now: Any) -> None:
    quiet, busy = recorder_heard(43), recorder_heard(43)
    patient = recorder_heard(43, expected=60)
    SignalFactory(recorder=busy, received_at=WEDNESDAY - timedelta(minutes=1), status=SignalStatus.REFUSED)
    never = recorder_heard(None)
    assert looked() == {quiet.owner_id, never.owner_id}
    assert open_texts(never)[0].startswith("no alert yet in ")
    assert open_texts(busy) == open_texts(patient) == []


@pytest.mark.django_db
def test_the_weekend_is_no_silence_and_a_recorder_made_just_now_is_not_silent(now: Any) -> None:
    recorder = RecorderFactory(created_at=at(1, 0), expected_every_minutes=30)
    SignalFactory(recorder=recorder, received_at=at(16, 20, 45))
    RecorderFactory(created_at=at(18, 22, 1), expected_every_minutes=30)
    now(at(18, 22, 10))
    assert looked() == set()
    now(at(18, 22, 16))
    assert looked() == {recorder.owner_id}
    assert open_texts(recorder)[0].startswith("silent for 31 minutes")


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"is_enabled": False}, {"expected_every_minutes": 0}])
def test_a_recorder_that_expects_nothing_any_more_is_not_silent(change: dict[str, Any], now: Any) -> None:
    recorder = recorder_heard(43)
    watch = Watch()
    looked(watch)
    Recorder.objects.filter(pk=recorder.pk).update(**change)
    assert looked(watch) == {recorder.owner_id}
    assert open_texts(recorder) == []


@pytest.mark.django_db
def test_a_burst_is_told_of_for_an_hour(now: Any) -> None:
    moment = clock.now()
    now(moment)
    recorder = RecorderFactory()
    for number in range(14):
        SignalFactory(recorder=recorder, received_at=moment - timedelta(seconds=10 * number))
    SignalFactory(recorder=recorder, received_at=moment - timedelta(minutes=4))
    assert looked() == set()
    SignalFactory(recorder=recorder, received_at=moment)
    assert looked() == {recorder.owner_id}
    notice = Notice.objects.get()
    assert (notice.kind, notice.text[:22]) == (NoticeKind.TOO_MANY, "15 alerts in 3 minutes")
    now(moment + timedelta(minutes=59))
    assert looked() == set()
    now(moment + timedelta(minutes=61))
    assert looked() == {recorder.owner_id}
    assert open_texts(recorder) == []


@pytest.mark.django_db
def test_it_looks_every_fifteen_seconds_whatever_the_number_of_recorders(
    now: Any, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        recorder_heard(minutes_ago=5)
    watch = Watch()
    with django_assert_num_queries(5):
        watch.look()
    with django_assert_num_queries(0):
        assert watch.look() == set()
