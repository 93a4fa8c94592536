"""Futures calendar: last trade, first notice and roll dates by rule code.

Rule codes and roll customs are the "symbols, front month, roll" part of the Tradovate wire facts, and the termination
of trading in the exchange's contract specifications. Deadlines are counted in the exchange's business days.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta

from brokers import calendars

MONTH_CODES = "FGHJKMNQUVXZ"
MONDAY, WEDNESDAY, THURSDAY, FRIDAY = 0, 2, 3, 4
NOVEMBER = 11


def month_code(month: int) -> str:
    return MONTH_CODES[month - 1]


def shift_month(year: int, month: int, by: int) -> tuple[int, int]:
    index = year * 12 + month - 1 + by
    return index // 12, index % 12 + 1


def is_business_day(day: date) -> bool:
    return day.weekday() < calendar.SATURDAY and day not in calendars.holidays()


def business_days_before(day: date, count: int) -> date:
    """The ``count``-th business day before ``day``, which may be none itself.

    ``count`` 0 is the day itself, or the last business day before it.
    """
    if count == 0 and is_business_day(day):
        return day
    for _ in range(max(count, 1)):
        day -= timedelta(days=1)
        while not is_business_day(day):
            day -= timedelta(days=1)
    return day


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def last_weekday(year: int, month: int, weekday: int) -> date:
    last = date(year, month, calendar.monthrange(year, month)[1])
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def last_business_day(year: int, month: int) -> date:
    return business_days_before(date(year, month, calendar.monthrange(year, month)[1]), 0)


def _crude(year: int, month: int, earlier: int) -> date:
    """Three business days before the 25th of the prior month, four when the 25th is none (NYMEX rulebook 200)."""
    the_25th = date(*shift_month(year, month, -1), 25)
    return business_days_before(the_25th, (3 if is_business_day(the_25th) else 4) + earlier)


def _feeder_cattle(year: int, month: int) -> date:
    """The last Thursday with no holiday in its week up to it; in November the one before Thanksgiving's."""
    if month == NOVEMBER:
        return nth_weekday(year, month, THURSDAY, 3)
    day = last_weekday(year, month, THURSDAY)
    while business_days_before(day + timedelta(days=1), 5) != day - timedelta(days=6):
        day -= timedelta(days=7)
    return day


def _agricultural_option(year: int, month: int) -> date:
    """The last Friday at least two business days before the prior month's last business day: micro grains."""
    latest = business_days_before(last_business_day(*shift_month(year, month, -1)), 2)
    friday = latest - timedelta(days=(latest.weekday() - FRIDAY) % 7)
    return business_days_before(friday, 0)


def _tenth_business_day(year: int, month: int) -> date:
    days = [date(year, month, n) for n in range(1, 20)]
    return [day for day in days if is_business_day(day)][9]


_LAST_TRADE: dict[str, Callable[[int, int], date]] = {
    "3FRI": lambda y, m: business_days_before(nth_weekday(y, m, FRIDAY, 3), 0),
    "2FRI-1": lambda y, m: business_days_before(nth_weekday(y, m, FRIDAY, 2), 1),
    "CL": lambda y, m: _crude(y, m, 0),
    "CL-1": lambda y, m: _crude(y, m, 1),
    "NG": lambda y, m: business_days_before(date(y, m, 1), 3),
    "NG-1": lambda y, m: business_days_before(date(y, m, 1), 4),
    "LBD": last_business_day,
    "LBD-prev": lambda y, m: last_business_day(*shift_month(y, m, -1)),
    "LBD-prev2": lambda y, m: last_business_day(*shift_month(y, m, -2)),
    "3LBD/FND": lambda y, m: business_days_before(last_business_day(y, m), 2),
    "FND-ish": lambda y, m: business_days_before(last_business_day(*shift_month(y, m, -1)), 2),
    "LBD-7/FND": lambda y, m: business_days_before(last_business_day(y, m), 7),
    "LBD/FND": last_business_day,
    "3WED-2": lambda y, m: business_days_before(nth_weekday(y, m, WEDNESDAY, 3), 2),
    "3WED-1": lambda y, m: business_days_before(nth_weekday(y, m, WEDNESDAY, 3), 1),
    "LFRI": lambda y, m: business_days_before(last_weekday(y, m, FRIDAY), 0),
    "LFRI-prev2": _agricultural_option,
    "15-1/FND": lambda y, m: business_days_before(date(y, m, 15), 1),
    "10BD": _tenth_business_day,
    "LTHU": _feeder_cattle,
}

# The week's Monday of the third of these weekdays is when index and currency traders move on.
_ROLLED_ON_MONDAY = {"3FRI": FRIDAY, "3WED-1": WEDNESDAY, "3WED-2": WEDNESDAY}
_BUSINESS_DAYS_ROLLED_EARLY = {"CL": 5, "CL-1": 5, "NG": 5, "NG-1": 5, "LBD-prev": 5, "LBD-prev2": 5}


def last_trade_date(rule: str, year: int, month: int) -> date:
    """Raises KeyError for a rule code that the product table does not use."""
    return _LAST_TRADE[rule](year, month)


def first_notice_date(rule: str, year: int, month: int) -> date | None:
    """Last business day of the month before delivery for physically delivered products, else None."""
    if not rule.endswith("/FND"):
        return None
    return last_business_day(*shift_month(year, month, -1))


def roll_date(rule: str, year: int, month: int) -> date:
    """First day on which the contract is no longer the front month."""
    last_trade = last_trade_date(rule, year, month)
    if rule in _ROLLED_ON_MONDAY:
        third = nth_weekday(year, month, _ROLLED_ON_MONDAY[rule], 3)
        return min(business_days_before(third - timedelta(days=third.weekday() - MONDAY), 0), last_trade)
    notice = first_notice_date(rule, year, month)
    if notice is not None:
        return business_days_before(min(notice, last_trade), 3)
    return business_days_before(last_trade, _BUSINESS_DAYS_ROLLED_EARLY.get(rule, 1))
