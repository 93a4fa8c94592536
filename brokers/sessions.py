"""Whether a product trades now, and which trading day a moment belongs to. Pure and cached: the order path asks.

Moments are aware and answers are UTC; wall clocks are read in their own zone, so that a session starts at 17:00
Chicago on either side of a clock change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from brokers import calendars
from brokers.expiry import business_days_before, is_business_day
from brokers.instruments import Product

EXCHANGE_ZONE = "America/Chicago"
DEFAULT_ROLL = time(17)
SATURDAY = 5
_DAY = timedelta(days=1)
_NOON = time(12)


@dataclass(frozen=True, slots=True)
class SessionDay:
    """The trading day `day`, from `start` to just before `end`. A weekend or holiday belongs to the day after it."""

    day: date
    start: datetime
    end: datetime


def is_open(product: Product, at: datetime) -> bool:
    """Whether the exchange matches orders in `product` at `at`, by its calendar.

    Not known here: an unscheduled halt, a price limit, the hour at which a contract's last day ends, and the weekly
    maintenance of what never closes.
    """
    moment = _utc(at)
    return any(start <= moment < end for start, end in _spans(product.calendar, moment.date()))


def session_start(at: datetime, roll: time = DEFAULT_ROLL, zone: str = EXCHANGE_ZONE) -> datetime:
    """The latest moment not after `at` at which it was `roll` o'clock in `zone`: once on every day of the week."""
    moment = _utc(at)
    day = moment.astimezone(ZoneInfo(zone)).date()
    start = _instant(day, roll, zone)
    return start if start <= moment else _instant(day - _DAY, roll, zone)


def session_of(at: datetime, roll: time = DEFAULT_ROLL, zone: str = EXCHANGE_ZONE) -> SessionDay:
    """The trading day that `at` belongs to: from Friday 17:00 it is Monday's, or Tuesday's when Monday is a holiday."""
    began = session_start(at, roll, zone).astimezone(ZoneInfo(zone)).date()
    day = began + _lead(roll)
    while not is_business_day(day):
        day += _DAY
    first = business_days_before(day, 1) + _DAY
    return SessionDay(day, _instant(first - _lead(roll), roll, zone), _instant(day + _DAY - _lead(roll), roll, zone))


def week_start(day: date, roll: time = DEFAULT_ROLL, zone: str = EXCHANGE_ZONE) -> datetime:
    """Where the first trading day of the calendar week of the trading day `day` begins: Friday 17:00 by default.

    The weeks lie end to end, as the trading days do: Monday's begins with the weekend before it, and when Monday is a
    holiday Tuesday's does.
    """
    before = business_days_before(day - timedelta(days=day.weekday()), 1)
    return _instant(before + _DAY - _lead(roll), roll, zone)


def trade_date(calendar: str, day: date) -> tuple[datetime, datetime] | None:
    """From the first opening to the last close of the exchange's trade date `day`; None when nothing trades on it.

    Raises KeyError for an unknown calendar.
    """
    spans = tuple(_trade_date(calendar, day))
    return (spans[0][0], spans[-1][1]) if spans else None


def _lead(roll: time) -> timedelta:
    """How many days before its own date a trading day starts: one when it rolls in the afternoon or evening."""
    return _DAY if roll >= _NOON else timedelta()


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} says no time zone")
    return at.astimezone(UTC)


def _instant(day: date, wall_clock: time, zone: str = EXCHANGE_ZONE) -> datetime:
    return datetime.combine(day, wall_clock, ZoneInfo(zone)).astimezone(UTC)


@lru_cache(maxsize=1024)
def _spans(calendar: str, utc_day: date) -> tuple[tuple[datetime, datetime], ...]:
    """What of `utc_day` is open. Chicago's evening is the next trade date's, and on the next UTC day from 18:00 on."""
    return tuple(span for day in (utc_day, utc_day + _DAY) for span in _trade_date(calendar, day))


def _trade_date(calendar: str, day: date) -> Iterator[tuple[datetime, datetime]]:
    windows = calendars.windows(calendar)
    if windows is None:
        yield datetime.combine(day, time(), UTC), datetime.combine(day + _DAY, time(), UTC)
        return
    odd = calendars.odd_day(calendar, day)
    if day.weekday() >= SATURDAY or (odd is not None and odd.is_closed):
        return
    for window in windows:
        start = _instant(day - _DAY if window.is_overnight else day, window.opens)
        end = _instant(day, window.closes)
        if odd is not None and odd.opens is not None:
            start = max(start, _instant(day, odd.opens))
        if odd is not None and odd.closes is not None:
            end = min(end, _instant(day, odd.closes))
        if start < end:
            yield start, end
