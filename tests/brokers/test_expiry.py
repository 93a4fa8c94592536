"""The futures calendar, against dates that the exchanges published."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from brokers import expiry
from brokers.instruments import products

RULES = sorted({product.last_trade for product in products().values()})
MONTHS = [(year, month) for year in (2025, 2026, 2027) for month in range(1, 13)]


@pytest.mark.parametrize(
    ("rule", "year", "month", "day"),
    [
        ("3FRI", 2026, 12, date(2026, 12, 18)), ("3FRI", 2026, 3, date(2026, 3, 20)),
        ("CL", 2026, 12, date(2026, 11, 20)), ("NG", 2027, 1, date(2026, 12, 29)),
        ("3WED-2", 2026, 12, date(2026, 12, 14)), ("LFRI", 2026, 11, date(2026, 11, 27)),
    ],
)  # fmt: skip
def test_last_trade_dates(rule: str, year: int, month: int, day: date) -> None:
    assert expiry.last_trade_date(rule, year, month) == day


@pytest.mark.parametrize("rule", RULES)
def test_nobody_is_left_in_a_contract_on_its_last_or_first_notice_day(rule: str) -> None:
    for year, month in MONTHS:
        last_trade, roll = expiry.last_trade_date(rule, year, month), expiry.roll_date(rule, year, month)
        notice = expiry.first_notice_date(rule, year, month)
        assert expiry.is_business_day(last_trade)
        assert expiry.is_business_day(roll)
        assert roll <= last_trade
        assert notice is None or roll < notice
        assert last_trade - roll < timedelta(days=62)


@pytest.mark.parametrize("rule", RULES)
def test_roll_dates_follow_the_months(rule: str) -> None:
    rolls = [expiry.roll_date(rule, year, month) for year, month in MONTHS]
    assert rolls == sorted(set(rolls))


def test_months_shift_over_the_years_end() -> None:
    assert expiry.shift_month(2026, 12, 1) == (2027, 1)
    assert expiry.shift_month(2026, 1, -1) == (2025, 12)
    assert expiry.shift_month(2026, 5, -17) == (2024, 12)


def test_business_days_before_a_weekend() -> None:
    assert expiry.business_days_before(date(2026, 11, 22), 0) == date(2026, 11, 20)
    assert expiry.business_days_before(date(2026, 11, 23), 1) == date(2026, 11, 20)
