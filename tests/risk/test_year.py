"""Two years of sessions, boundary by boundary: clock changes, holidays, early closes.

Holidays and early closes are written out here, from the exchange's notices; the product reads its own tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from brokers.sessions import DEFAULT_ROLL, EXCHANGE_ZONE, SessionDay, session_of, session_start, week_start
from execution.cutoff import cutoff_of
from recorders.settings import read_settings
from risk import packs
from risk.packfile import Pack
from tests.risk.rules import pack

CHICAGO = ZoneInfo(EXCHANGE_ZONE)
FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
Roll = tuple[time, str]
ROLLS: tuple[Roll, ...] = (
    (DEFAULT_ROLL, EXCHANGE_ZONE),
    (time(15), EXCHANGE_ZONE),
    (time(0), "Europe/Berlin"),
    (time(0), "Asia/Tokyo"),
)


def dates(year: int, *texts: str) -> list[date]:
    return [date.fromisoformat(f"{year}-{text}") for text in texts]


NO_BUSINESS = {
    *dates(2026, "01-01", "01-19", "02-16", "04-03", "05-25", "06-19", "07-03", "09-07", "11-26", "12-25"),
    *dates(2027, "01-01", "01-18", "02-15", "03-26", "05-31", "06-18", "07-05", "09-06", "11-25", "12-24"),
}
SHUT = set(dates(2026, "01-01", "12-25") + dates(2027, "01-01", "03-26", "12-24"))
"""Index futures do not trade at all; Good Friday of 2026 has a jobs report, and a morning."""
NOON = {*NO_BUSINESS} - SHUT - set(dates(2026, "04-03"))
EARLY = {
    **dict.fromkeys(NOON, time(12)),
    **dict.fromkeys(dates(2026, "11-27", "12-24") + dates(2027, "11-26"), time(12, 15)),
    date(2026, 4, 3): time(8, 15),
}
CLOCK_CHANGES = {
    EXCHANGE_ZONE: {date(2026, 3, 8): 23, date(2026, 11, 1): 25, date(2027, 3, 14): 23, date(2027, 11, 7): 25},
    "Europe/Berlin": {date(2026, 3, 29): 23, date(2026, 10, 25): 25, date(2027, 3, 28): 23, date(2027, 10, 31): 25},
    "Asia/Tokyo": {},
}
EVERY_DAY = [FIRST + number * DAY for number in range((LAST - FIRST).days + 1)]
BUSINESS_DAYS = [day for day in EVERY_DAY if day.isoweekday() <= 5 and day not in NO_BUSINESS]


def at(day: date, wall_clock: time, zone: str) -> datetime:
    return datetime.combine(day, wall_clock, ZoneInfo(zone)).astimezone(UTC)


@lru_cache(maxsize=len(ROLLS))
def sessions(roll: Roll) -> tuple[SessionDay, ...]:
    """From one to the next by its end, over both years."""

    def walk() -> Iterator[SessionDay]:
        found = session_of(at(BUSINESS_DAYS[0], time(12), roll[1]), *roll)
        while found.day <= LAST:
            yield found
            found = session_of(found.end, *roll)

    return tuple(walk())


@pytest.mark.parametrize("roll", ROLLS)
def test_sessions_tile_time_and_each_trading_day_comes_once(roll: Roll) -> None:
    found = sessions(roll)
    assert [session.day for session in found] == BUSINESS_DAYS
    for before, after in pairwise(found):
        assert before.end == after.start
    for session in found:
        middle = session.start + (session.end - session.start) / 2
        assert {session_of(moment, *roll) for moment in (session.start, middle, session.end - TICK)} == {session}


@pytest.mark.parametrize("roll", ROLLS)
def test_every_session_starts_at_exactly_its_wall_clock(roll: Roll) -> None:
    wall_clock, zone = roll
    for session in sessions(roll):
        start = session.start.astimezone(ZoneInfo(zone))
        assert start.time() == wall_clock
        assert session_start(session.start, *roll) == session.start
        assert session_start(session.start - TICK, *roll) < session.start


@pytest.mark.parametrize("roll", ROLLS)
def test_a_day_has_23_or_25_hours_when_the_clocks_change_and_24_else(roll: Roll) -> None:
    wall_clock, zone = roll
    starts = [session_start(at(day, wall_clock, zone), *roll) for day in EVERY_DAY]
    assert starts == sorted(set(starts))
    # The clocks change at night: in the session that a 17:00 roll began on the day before.
    lead = DAY if wall_clock >= time(12) else timedelta()
    lengths = {day + lead: after - start for day, start, after in zip(EVERY_DAY, starts, starts[1:], strict=False)}
    odd = {day: length / timedelta(hours=1) for day, length in lengths.items() if length != DAY}
    assert odd == CLOCK_CHANGES[zone]


@pytest.mark.parametrize("roll", ROLLS)
def test_a_weekend_or_holiday_belongs_to_the_trading_day_after_it(roll: Roll) -> None:
    following = BUSINESS_DAYS[-1]
    for day in reversed([day for day in EVERY_DAY if day <= BUSINESS_DAYS[-1]]):
        following = day if day in BUSINESS_DAYS else following
        assert session_of(at(day, time(12), roll[1]), *roll).day == following


@pytest.mark.parametrize("roll", ROLLS)
def test_a_week_starts_with_its_first_session(roll: Roll) -> None:
    first: dict[tuple[int, int], datetime] = {}
    for session in sessions(roll):
        year, week, _ = session.day.isocalendar()
        # The walk begins in the middle of a week.
        if session.day >= date(2026, 1, 5):
            assert week_start(session.day, *roll) == first.setdefault((year, week), session.start)
    assert len(first) == 104
    assert week_start(date(2026, 1, 20)) == at(date(2026, 1, 16), time(17), EXCHANGE_ZONE), "Monday was a holiday"


def closes_of(day: date) -> datetime:
    return at(day, EARLY.get(day, time(16)), EXCHANGE_ZONE)


TRADED = [day for day in EVERY_DAY if day.isoweekday() <= 5 and day not in SHUT]


def deadlines(rules: Pack) -> list[datetime]:
    def walk() -> Iterator[datetime]:
        moment = packs.next_flat_by(rules, at(TRADED[0] - DAY, time(17), EXCHANGE_ZONE))
        while moment is not None and moment.astimezone(CHICAGO).date() <= LAST:
            yield moment
            moment = packs.next_flat_by(rules, moment)

    return list(walk())


@pytest.mark.parametrize(
    ("wall_clock", "zone", "later"),
    [
        (time(15, 10), EXCHANGE_ZONE, 0),
        (time(16, 59), "America/New_York", 0),
        # The exchange's close itself, and a clock that would be later: the close comes first.
        (time(17), "America/New_York", 0),
        (time(17, 30), "America/New_York", 0),
        # 22:00 in Berlin is 15:00 in Chicago, and 16:00 while only one of them has changed its clocks.
        (time(22), "Europe/Berlin", 0),
        (time(5), "Asia/Tokyo", 1),
    ],
)
def test_one_deadline_on_each_day_that_trades_by_the_wall_clock_or_the_close(
    wall_clock: time, zone: str, later: int
) -> None:
    rules = pack(flat_by={"at": wall_clock.isoformat(), "zone": zone})
    found = deadlines(rules)
    assert found == [min(at(day + later * DAY, wall_clock, zone), closes_of(day)) for day in TRADED]
    for moment, day, next_day in zip(found, TRADED, TRADED[1:], strict=False):
        reopens = at(next_day - DAY, time(17), EXCHANGE_ZONE)
        assert packs.flat_by(rules, moment - TICK) is None, day
        assert packs.flat_by(rules, moment) == packs.flat_by(rules, reopens - TICK) == (moment, reopens), day
        assert packs.flat_by(rules, reopens) is None, day


def test_each_trading_day_has_exactly_one_deadline_of_its_own_date() -> None:
    found = {moment.astimezone(CHICAGO).date(): moment for moment in deadlines(packs.newest("topstep-50k"))}
    for session in sessions(ROLLS[0]):
        within = [day for day, moment in found.items() if session.start <= moment < session.end]
        # A holiday with a halt at noon is one more day to be flat on, in the session of the day after it.
        assert [day for day in within if day in BUSINESS_DAYS] == [session.day]
        assert all(day in NOON or day == date(2026, 4, 3) for day in within if day != session.day)


def test_the_packs_own_deadlines_on_both_sides_of_a_clock_change() -> None:
    expected = {
        "topstep-50k": ("15:10", EXCHANGE_ZONE),
        "apex-eod-50k": ("16:59", "America/New_York"),
        "take-profit-trader-50k": ("17:00", "America/New_York"),
        "mffu-core-50k": ("16:10", "America/New_York"),
    }
    for name, (wall_clock, zone) in expected.items():
        for day in (date(2026, 3, 6), date(2026, 3, 9), date(2026, 10, 30), date(2026, 11, 2)):
            found = packs.next_flat_by(packs.newest(name), at(day, time(9), EXCHANGE_ZONE))
            assert found is not None
            assert f"{found.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" == f"{day} {wall_clock}", name


@pytest.mark.parametrize(
    ("calendar", "moment", "expected"),
    [
        ("grains", "2026-11-24 09:00", "2026-11-24 13:20"), ("livestock", "2026-11-24 09:00", "2026-11-24 13:05"),
        ("grains", "2026-11-27 09:00", "2026-11-27 12:05"), ("energy_metals", "2026-11-27 09:00", "2026-11-27 13:45"),
        ("grains", "2026-11-26 09:00", "2026-11-27 12:05"), ("energy_metals", "2026-01-19 09:00", "2026-01-19 13:30"),
        ("fx", "2026-01-19 09:00", "2026-01-19 15:10"), ("rates", "2026-04-03 09:00", "2026-04-03 10:15"),
        # What never closes goes by the firm's day.
        ("crypto", "2026-11-28 09:00", "2026-11-30 15:10"), ("crypto", "2026-12-24 09:00", "2026-12-24 12:15"),
    ],
)  # fmt: skip
def test_each_product_by_its_own_hours(calendar: str, moment: str, expected: str) -> None:
    asked = datetime.fromisoformat(moment).replace(tzinfo=CHICAGO)
    found = packs.next_flat_by(packs.newest("topstep-50k"), asked, calendar)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=CHICAGO)


def test_flat_for_the_weekend_only_is_on_the_last_day_that_trades_before_it() -> None:
    rules = pack(flat_by={"at": "15:10", "zone": EXCHANGE_ZONE, "days": ["fri"]})
    found = [moment.astimezone(CHICAGO) for moment in deadlines(rules)]
    assert len({moment.isocalendar()[:2] for moment in found}) == len(found) == 105
    odd = [f"{moment:%Y-%m-%d %H:%M}" for moment in found if moment.isoweekday() != 5]
    assert odd == ["2026-12-24 12:15", "2026-12-31 15:10", "2027-03-25 15:10", "2027-12-23 15:10"]


def test_a_pack_without_such_a_rule_and_a_moment_without_a_zone() -> None:
    moment = at(date(2026, 11, 28), time(12), EXCHANGE_ZONE)
    assert (packs.flat_by(pack(), moment), packs.next_flat_by(pack(), moment)) == (None, None)
    with pytest.raises(ValueError, match="says no time zone"):
        packs.flat_by(packs.newest("topstep-50k"), datetime(2026, 11, 28, 12))  # noqa: DTZ001
    with pytest.raises(KeyError):
        packs.flat_by(packs.newest("topstep-50k"), moment, "softs")


@pytest.mark.parametrize("zone", [EXCHANGE_ZONE, "Europe/Berlin", "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("window", "end"),
    [
        (("08:45", "15:00"), time(15)), (("17:00", "03:00"), time(3)),
        # Clocks skip 02:30 in spring and pass 01:30 twice in autumn.
        (("17:00", "02:30"), time(2, 30)), (("17:00", "01:30"), time(1, 30)),
    ],
)  # fmt: skip
def test_the_cut_off_comes_once_a_day_at_the_owners_wall_clock(zone: str, window: tuple[str, str], end: time) -> None:
    fields: dict[str, Any] = {"auto_flat_after_cutoff": True, "time_windows": [{"start": window[0], "end": window[1]}]}
    settings = read_settings(fields)
    expected = [at(day, end, zone) for day in EVERY_DAY]
    assert expected == sorted(set(expected))
    for before, moment in pairwise(expected):
        assert cutoff_of(settings, zone, moment) == moment
        assert cutoff_of(settings, zone, moment - TICK) == before
