"""Futures calendar: last trade, first notice and roll dates by rule code.

Rule codes and roll customs are the "symbols, front month, roll" part of the Tradovate wire facts. A business day is a
weekday here: exchange holidays are left out, which moves a date by at most a day in the few months that have one.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta

MONTH_CODES = "FGHJKMNQUVXZ"
MONDAY, WEDNESDAY, THURSDAY, FRIDAY = 0, 2, 3, 4


def month_code(month: int) -> str:
    return MONTH_CODES[month - 1]


def shift_month(year: int, month: int, by: int) -> tuple[int, int]:
    index = year * 12 + month - 1 + by
    return index // 12, index % 12 + 1


def is_business_day(day: date) -> bool:
    return day.weekday() < calendar.SATURDAY


def business_days_before(day: date, count: int) -> date:
    """The ``count``-th business day before ``day``; ``count`` 0 is the day itself, or the last one before a weekend."""
    while not is_business_day(day):
        day -= timedelta(days=1)
    for _ in range(count):
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
    prior = shift_month(year, month, -1)
    return business_days_before(date(*prior, 25), 3 + earlier)


def _tenth_business_day(year: int, month: int) -> date:
    days = [date(year, month, n) for n in range(1, 20)]
    return [day for day in days if is_business_day(day)][9]


_LAST_TRADE: dict[str, Callable[[int, int], date]] = {
    "3FRI": lambda y, m: nth_weekday(y, m, FRIDAY, 3),
    "2FRI-1": lambda y, m: nth_weekday(y, m, FRIDAY, 2) - timedelta(days=1),
    "CL": lambda y, m: _crude(y, m, 0),
    "CL-1": lambda y, m: _crude(y, m, 1),
    "NG": lambda y, m: business_days_before(date(y, m, 1) - timedelta(days=1), 2),
    "NG-1": lambda y, m: business_days_before(date(y, m, 1) - timedelta(days=1), 3),
    "LBD-prev": lambda y, m: last_business_day(*shift_month(y, m, -1)),
    "LBD-prev2": lambda y, m: last_business_day(*shift_month(y, m, -2)),
    "3LBD/FND": lambda y, m: business_days_before(last_business_day(y, m), 2),
    "FND-ish": lambda y, m: business_days_before(last_business_day(*shift_month(y, m, -1)), 2),
    "LBD-7/FND": lambda y, m: business_days_before(last_business_day(y, m), 7),
    "LBD/FND": last_business_day,
    "3WED-2": lambda y, m: business_days_before(nth_weekday(y, m, WEDNESDAY, 3), 2),
    "3WED-1": lambda y, m: business_days_before(nth_weekday(y, m, WEDNESDAY, 3), 1),
    "LFRI": lambda y, m: last_weekday(y, m, FRIDAY),
    "15-1/FND": lambda y, m: business_days_before(date(y, m, 14), 0),
    "10BD": _tenth_business_day,
    "LTHU": lambda y, m: last_weekday(y, m, THURSDAY),
}

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
    if rule == "3FRI":
        return last_trade - timedelta(days=FRIDAY - MONDAY)
    if rule in {"3WED-1", "3WED-2"}:
        return nth_weekday(year, month, WEDNESDAY, 3) - timedelta(days=WEDNESDAY - MONDAY)
    notice = first_notice_date(rule, year, month)
    if notice is not None:
        return business_days_before(min(notice, last_trade), 3)
    return business_days_before(last_trade, _BUSINESS_DAYS_ROLLED_EARLY.get(rule, 1))
