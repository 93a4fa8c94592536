"""When products trade, and which trading day a moment belongs to: regular weeks, holidays, clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers import calendars, expiry
from brokers.instruments import product_of, products
from brokers.sessions import SessionDay, is_open, session_of, session_start

CHICAGO = ZoneInfo("America/Chicago")
moments = st.datetimes(datetime(2023, 12, 1), datetime(2033, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001


def chicago(text: str) -> datetime:
    """A Chicago wall clock, such as `2026-11-23 16:30`, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO).astimezone(UTC)


@pytest.mark.parametrize(
    ("root", "open_at", "closed_at"),
    [
        # An ordinary week: Sunday 17:00 to Friday 16:00 with an hour's break.
        ("MNQ", "2026-11-22 17:00", "2026-11-22 16:59"), ("MNQ", "2026-11-23 15:59", "2026-11-23 16:00"),
        ("MNQ", "2026-11-23 17:00", "2026-11-23 16:59"), ("MNQ", "2026-11-20 15:59", "2026-11-20 16:00"),
        ("ES", "2026-11-19 03:00", "2026-11-21 03:00"), ("CL", "2026-11-18 08:00", "2026-11-18 16:30"),
        # In summer Chicago is five hours behind, in winter six: the wall clock is what counts.
        ("GC", "2026-07-14 15:59", "2026-07-14 16:00"), ("6E", "2026-01-13 15:59", "2026-01-13 16:00"),
        ("ES", "2026-03-08 17:00", "2026-03-08 16:59"), ("ES", "2026-11-01 17:00", "2026-11-01 16:59"),
        # Grains have a night and a day session, livestock a day session only.
        ("ZC", "2026-11-22 19:00", "2026-11-22 18:59"), ("ZC", "2026-11-23 07:44", "2026-11-23 07:45"),
        ("ZS", "2026-11-23 08:30", "2026-11-23 08:29"), ("MZW", "2026-11-23 13:19", "2026-11-23 13:20"),
        ("LE", "2026-11-23 08:30", "2026-11-23 08:29"), ("HE", "2026-11-23 13:04", "2026-11-23 13:05"),
        # A holiday's halt, and the reopening in its evening.
        ("ES", "2026-01-19 11:59", "2026-01-19 12:00"), ("ES", "2026-01-19 17:00", "2026-01-19 16:59"),
        ("ZN", "2026-05-25 11:59", "2026-05-25 12:00"), ("CL", "2026-09-07 13:29", "2026-09-07 13:30"),
        ("6E", "2026-02-16 15:59", "2026-02-16 16:00"), ("ZC", "2026-01-19 19:00", "2026-01-18 20:00"),
        # On a Friday nothing reopens.
        ("ES", "2026-06-19 11:59", "2026-06-19 12:00"), ("GC", "2026-07-03 11:59", "2026-07-03 12:00"),
        ("6J", "2026-06-19 11:59", "2026-06-19 12:00"), ("ZW", "2026-06-18 13:19", "2026-06-18 19:30"),
        # Good Friday: closed, but for the jobs report of 3 April 2026.
        ("ES", "2025-04-17 15:59", "2025-04-17 17:30"), ("ES", "2026-04-03 08:14", "2026-04-03 08:15"),
        ("ZN", "2026-04-03 10:14", "2026-04-03 10:15"), ("CL", "2026-04-02 15:59", "2026-04-02 17:30"),
        # The day before Independence Day.
        ("NQ", "2025-07-03 12:14", "2025-07-03 12:15"), ("NQ", "2026-07-02 15:59", "2026-07-03 12:15"),
        # Thanksgiving and the day after.
        ("ES", "2026-11-26 11:59", "2026-11-26 12:00"), ("ES", "2026-11-26 17:00", "2026-11-26 16:59"),
        ("ES", "2026-11-27 12:14", "2026-11-27 12:15"), ("CL", "2026-11-26 13:29", "2026-11-26 13:30"),
        ("CL", "2026-11-27 13:44", "2026-11-27 13:45"), ("6B", "2026-11-27 13:44", "2026-11-27 13:45"),
        ("ZC", "2026-11-25 13:19", "2026-11-25 19:30"), ("ZC", "2026-11-27 08:30", "2026-11-26 19:30"),
        ("ZC", "2026-11-27 12:04", "2026-11-27 12:05"), ("LE", "2026-11-27 12:04", "2026-11-27 12:05"),
        # Christmas and New Year.
        ("ES", "2026-12-24 12:14", "2026-12-24 12:15"), ("CL", "2026-12-24 12:44", "2026-12-24 12:45"),
        ("ES", "2025-12-25 17:00", "2025-12-25 16:59"), ("ZC", "2025-12-26 08:30", "2025-12-25 19:30"),
        ("ES", "2026-12-31 15:59", "2026-12-31 17:30"), ("ES", "2026-01-01 17:00", "2026-01-01 16:59"),
    ],
)  # fmt: skip
def test_hours(root: str, open_at: str, closed_at: str) -> None:
    assert is_open(product_of(root), chicago(open_at)), open_at
    assert not is_open(product_of(root), chicago(closed_at)), closed_at


def test_what_trades_around_the_clock_never_closes() -> None:
    for moment in ("2026-11-21 03:00", "2026-11-23 16:30", "2026-12-25 12:00"):
        assert is_open(product_of("MBT"), chicago(moment))


def test_outside_the_known_years_the_regular_hours_hold() -> None:
    assert is_open(product_of("ES"), chicago("2040-12-25 10:00"))
    assert not is_open(product_of("ES"), chicago("2040-12-25 16:30"))


def test_any_time_zone_will_do_but_none_will_not() -> None:
    assert is_open(product_of("ES"), datetime(2026, 11, 23, 10, tzinfo=CHICAGO))
    for ask in (lambda at: is_open(product_of("ES"), at), session_start, session_of):
        with pytest.raises(ValueError, match="no time zone"):
            ask(datetime(2026, 11, 23, 10))  # noqa: DTZ001


@given(st.sampled_from(sorted(products())), moments)
def test_an_open_moment_is_on_a_weekday_or_a_sunday_evening_of_chicago(root: str, at: datetime) -> None:
    product = product_of(root)
    local = at.astimezone(CHICAGO)
    if product.calendar != "crypto" and is_open(product, at):
        assert local.isoweekday() <= 5 or (local.isoweekday() == 7 and local.hour >= 17)
        assert local.hour != 16
        assert not (local.isoweekday() == 5 and local.hour >= 16)


def test_every_year_has_its_ten_holidays() -> None:
    for year in range(2024, 2033):
        # New Year's Day of 2028 is a Saturday, and no Friday makes up for it.
        assert sum(day.year == year for day in calendars.holidays()) == (9 if year == 2028 else 10)
    assert all(day.isoweekday() <= 5 for day in calendars.holidays())
    assert date(2025, 1, 9) not in calendars.holidays(), "a day of mourning is a trade date"


def test_an_unknown_calendar_is_refused() -> None:
    with pytest.raises(KeyError):
        calendars.windows("softs")


@pytest.mark.parametrize(
    ("at", "start"),
    [
        ("2026-11-23 16:59", "2026-11-22 17:00"), ("2026-11-23 17:00", "2026-11-23 17:00"),
        ("2026-11-21 12:00", "2026-11-20 17:00"), ("2026-11-21 17:00", "2026-11-21 17:00"),
        # Over both clock changes of 2026.
        ("2026-03-08 16:59", "2026-03-07 17:00"), ("2026-03-08 17:00", "2026-03-08 17:00"),
        ("2026-11-01 16:59", "2026-10-31 17:00"), ("2026-11-01 17:00", "2026-11-01 17:00"),
    ],
)  # fmt: skip
def test_a_session_starts_at_17_chicago(at: str, start: str) -> None:
    assert session_start(chicago(at)) == chicago(start)
    assert session_start(chicago(at)).tzinfo is UTC


def test_a_session_starts_at_a_users_own_midnight() -> None:
    at = datetime(2026, 11, 23, 4, 59, tzinfo=UTC)
    assert session_start(at, time(0), "America/New_York") == datetime(2026, 11, 22, 5, tzinfo=UTC)
    assert session_start(at, time(0), "Asia/Tokyo") == datetime(2026, 11, 22, 15, tzinfo=UTC)


def test_a_roll_that_the_clock_change_skips_or_repeats_happens_once() -> None:
    skipped = [session_start(chicago(f"2026-03-0{day} 12:00"), time(2, 30)) for day in (7, 8, 9)]
    assert [chicago(text) for text in ("2026-03-07 02:30", "2026-03-08 03:30", "2026-03-09 02:30")] == skipped
    repeated = [session_start(chicago(f"2026-11-01 {clock}"), time(1, 30)) for clock in ("01:30", "02:00", "12:00")]
    assert set(repeated) == {datetime(2026, 11, 1, 6, 30, tzinfo=UTC)}


@given(
    moments,
    st.times().map(lambda at: at.replace(microsecond=0)),
    st.sampled_from(["America/Chicago", "UTC", "Europe/Berlin", "Asia/Tokyo", "Australia/Lord_Howe"]),
)
def test_a_session_start_is_the_latest_one(at: datetime, roll: time, zone: str) -> None:
    start = session_start(at, roll, zone)
    assert start <= at < start + timedelta(hours=25)
    assert session_start(start, roll, zone) == start
    assert session_start(start - timedelta(microseconds=1), roll, zone) < start
    of_day = session_of(at, roll, zone)
    assert of_day.start <= start <= at < of_day.end
    assert expiry.is_business_day(of_day.day)
    assert session_of(of_day.start, roll, zone) == of_day
    assert session_of(of_day.end - timedelta(microseconds=1), roll, zone) == of_day
    assert session_of(of_day.end, roll, zone).start == of_day.end


@pytest.mark.parametrize(
    ("at", "day", "start", "end"),
    [
        ("2026-11-23 12:00", date(2026, 11, 23), "2026-11-20 17:00", "2026-11-23 17:00"),
        ("2026-11-20 17:00", date(2026, 11, 23), "2026-11-20 17:00", "2026-11-23 17:00"),
        ("2026-11-23 17:00", date(2026, 11, 24), "2026-11-23 17:00", "2026-11-24 17:00"),
        # What trades on a holiday has the next business day's date.
        ("2026-11-26 09:00", date(2026, 11, 27), "2026-11-25 17:00", "2026-11-27 17:00"),
        ("2026-01-19 09:00", date(2026, 1, 20), "2026-01-16 17:00", "2026-01-20 17:00"),
    ],
)  # fmt: skip
def test_trading_days(at: str, day: date, start: str, end: str) -> None:
    assert session_of(chicago(at)) == SessionDay(day, chicago(start), chicago(end))


def test_a_trading_day_that_rolls_at_midnight_is_the_date_itself() -> None:
    found = session_of(chicago("2026-11-24 09:00"), time(0))
    assert found == SessionDay(date(2026, 11, 24), chicago("2026-11-24 00:00"), chicago("2026-11-25 00:00"))


def test_asking_500_times_costs_less_than_a_millisecond() -> None:
    listed, at = list(products().values()), chicago("2026-11-23 10:00")
    every = [listed[number % len(listed)] for number in range(500)]
    assert all(is_open(product, at) for product in every)

    def once() -> float:
        began = perf_counter()
        for product in every:
            is_open(product, at)
        return perf_counter() - began

    # The best of several: other processes share the machine.
    assert min(once() for _ in range(20)) < 0.001
