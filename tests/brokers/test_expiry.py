"""The futures calendar, against dates that the exchanges published."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from brokers import expiry
from brokers.instruments import product_of, products, resolve

RULES = sorted({product.last_trade for product in products().values()})
MONTHS = [(year, month) for year in range(2024, 2034) for month in range(1, 13)]


@pytest.mark.parametrize(
    ("symbol", "day", "why"),
    [
        ("ESZ6", date(2026, 12, 18), "third Friday"),
        ("ESH6", date(2026, 3, 20), "third Friday"),
        ("MNQM6", date(2026, 6, 18), "the third Friday, the 19th, is Juneteenth"),
        ("NKDZ6", date(2026, 12, 10), "the day before the second Friday"),
        ("6EZ6", date(2026, 12, 14), "two business days before Wednesday the 16th"),
        ("6CZ6", date(2026, 12, 15), "one business day before Wednesday the 16th"),
        ("6EM4", date(2024, 6, 17), "two business days before the third Wednesday, which is Juneteenth itself"),
        ("CLZ6", date(2026, 11, 20), "25 November is a Wednesday: 24, 23, 20"),
        ("MCLZ6", date(2026, 11, 19), "a business day before CL"),
        ("CLF7", date(2026, 12, 21), "Christmas is none: four before it, 24, 23, 22, 21"),
        ("CLF6", date(2025, 12, 19), "Christmas is none: 24, 23, 22, 19"),
        ("CLN5", date(2025, 6, 20), "25 June is a Wednesday: 24, 23, 20"),
        ("CLN3", date(2023, 6, 20), "25 June is a Sunday: 23, 22, 21, 20"),
        ("CLH4", date(2024, 2, 20), "25 February is a Sunday: 23, 22, 21, 20, the day after Presidents' Day"),
        ("NGF7", date(2026, 12, 29), "third-last business day of December: 31, 30, 29"),
        ("NGZ5", date(2025, 11, 25), "28, 26 and 25 November: Thanksgiving is none"),
        ("QGF7", date(2026, 12, 28), "a business day before NG"),
        ("RBF7", date(2026, 12, 31), "last business day of the month before"),
        ("GCZ6", date(2026, 12, 29), "third-last business day: 31, 30, 29"),
        ("QOG7", date(2027, 1, 27), "third-last business day of the month before: 29, 28, 27"),
        ("ZNZ6", date(2026, 12, 21), "seven before the 31st, Christmas is none: 30, 29, 28, 24, 23, 22, 21"),
        ("ZFZ6", date(2026, 12, 31), "last business day"),
        ("10YX6", date(2026, 11, 30), "last business day"),
        ("MBTX6", date(2026, 11, 27), "last Friday"),
        ("BTCZ6", date(2026, 12, 24), "the last Friday is Christmas"),
        ("BTCH4", date(2024, 3, 28), "the last Friday is Good Friday"),
        ("ZCZ6", date(2026, 12, 14), "the business day before the 15th"),
        ("MZCK5", date(2025, 4, 25), "the Friday before 28 April, two business days before the 30th"),
        ("HEZ6", date(2026, 12, 14), "tenth business day"),
        ("GFX5", date(2025, 11, 20), "the Thursday before Thanksgiving's"),
        ("GFK5", date(2025, 5, 22), "the week up to the last Thursday, the 29th, holds Memorial Day"),
    ],
)
def test_last_trade_dates(symbol: str, day: date, why: str) -> None:
    contract = resolve(symbol, day)
    assert expiry.last_trade_date(contract.product.last_trade, contract.year, contract.month) == day, why


@pytest.mark.parametrize(
    ("symbol", "day"),
    [
        ("GCZ6", date(2026, 11, 30)), ("GCG7", date(2027, 1, 29)), ("ZNZ6", date(2026, 11, 30)),
        ("ZCH7", date(2027, 2, 26)), ("SIK6", date(2026, 4, 30)), ("MGCM6", date(2026, 5, 29)),
    ],
)  # fmt: skip
def test_first_notice_dates(symbol: str, day: date) -> None:
    contract = resolve(symbol, day)
    assert expiry.first_notice_date(contract.product.last_trade, contract.year, contract.month) == day


@pytest.mark.parametrize(
    ("root", "last", "first"),
    [
        # The last day on which the earlier month is the front, and the day on which the later one is.
        ("ES", ("ESZ6", date(2026, 12, 11)), ("ESH7", date(2026, 12, 14))),
        ("ES", ("ESM6", date(2026, 6, 12)), ("ESU6", date(2026, 6, 15))),
        ("6E", ("6EZ6", date(2026, 12, 11)), ("6EH7", date(2026, 12, 14))),
        ("CL", ("CLF7", date(2026, 12, 11)), ("CLG7", date(2026, 12, 14))),
        ("GC", ("GCZ6", date(2026, 11, 23)), ("GCG7", date(2026, 11, 24))),
        ("ZN", ("ZNZ6", date(2026, 11, 23)), ("ZNH7", date(2026, 11, 24))),
    ],
)
def test_when_the_front_month_rolls(root: str, last: tuple[str, date], first: tuple[str, date]) -> None:
    for symbol, day in (last, first):
        assert resolve(f"{root}1!", day).symbol == symbol


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


@pytest.mark.parametrize(
    ("day", "count", "found"),
    [
        (date(2026, 11, 22), 0, date(2026, 11, 20)), (date(2026, 11, 23), 1, date(2026, 11, 20)),
        (date(2026, 11, 22), 1, date(2026, 11, 20)), (date(2026, 11, 27), 1, date(2026, 11, 25)),
        (date(2026, 11, 26), 0, date(2026, 11, 25)), (date(2026, 11, 26), 1, date(2026, 11, 25)),
        (date(2026, 11, 27), 0, date(2026, 11, 27)), (date(2027, 1, 4), 3, date(2026, 12, 29)),
    ],
)  # fmt: skip
def test_business_days_before_a_weekend_or_a_holiday(day: date, count: int, found: date) -> None:
    assert expiry.business_days_before(day, count) == found


def test_outside_the_known_years_every_weekday_is_a_business_day() -> None:
    assert expiry.is_business_day(date(2040, 12, 25))
    assert not expiry.is_business_day(date(2040, 12, 23))


def test_a_rule_that_no_product_has_is_refused() -> None:
    with pytest.raises(KeyError):
        expiry.last_trade_date("3MON", 2026, 12)
    assert product_of("ES").last_trade in RULES
