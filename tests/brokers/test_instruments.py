"""Tickers as alerts write them, and the contracts that they mean."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.expiry import MONTH_CODES
from brokers.instruments import UnknownTicker, product_of, products, resolve

TODAY = date(2026, 11, 23)
unhurried = settings(deadline=None)


@pytest.mark.parametrize(
    ("ticker", "symbol"),
    [
        ("MNQ1!", "MNQZ6"), ("mnq1!", "MNQZ6"), (" MNQ ", "MNQZ6"), ("MNQ", "MNQZ6"), ("MNQ2!", "MNQH7"),
        ("CME_MINI:MNQ1!", "MNQZ6"), ("CME_MINI_DL:MNQ1!", "MNQZ6"),
        ("M2K1!", "M2KZ6"), ("M2K", "M2KZ6"), ("M2KH7", "M2KH7"), ("6E1!", "6EZ6"), ("6EH2027", "6EH7"),
        ("MNQZ6", "MNQZ6"), ("MNQZ26", "MNQZ6"), ("MNQZ2026", "MNQZ6"), ("CME:MNQH2027", "MNQH7"),
        ("NQ1!", "NQZ6"), ("ES1!", "ESZ6"), ("MES1!", "MESZ6"), ("CL1!", "CLF7"), ("MCL1!", "MCLF7"), ("ZN1!", "ZNZ6"),
    ],
)  # fmt: skip
def test_tickers(ticker: str, symbol: str) -> None:
    assert resolve(ticker, TODAY).symbol == symbol


@pytest.mark.parametrize(
    "ticker", ["", "!", "1!", "NOPE", "MNQ0!", "MNQ1", "MNQ!", "MNQA6", "MNQZ", "MNQZ6!", "MNQ1!x", "XMNQ1!", "M" * 40]
)
def test_what_is_no_ticker_is_refused_by_name(ticker: str) -> None:
    with pytest.raises(UnknownTicker):
        resolve(ticker, TODAY)


def test_a_month_in_which_nothing_is_listed_is_refused() -> None:
    with pytest.raises(UnknownTicker, match="month code F"):
        resolve("MNQF7", TODAY)


def test_the_year_digit_means_the_nearest_year() -> None:
    assert resolve("MNQZ6", TODAY).year == 2026
    assert resolve("MNQH7", TODAY).year == 2027
    assert resolve("MNQZ5", TODAY).year == 2025
    assert resolve("MNQH0", date(2029, 12, 1)).year == 2030


@pytest.mark.parametrize("root", sorted(products()))
def test_no_root_is_taken_for_another_ones_contract(root: str) -> None:
    for form in (root, f"{root}1!", f"{root}2!", f"X:{root}1!"):
        assert product_of(form).root == root
    for month in products()[root].months:
        for year in ("6", "26", "2026"):
            assert product_of(f"{root}{month}{year}").root == root


@pytest.mark.parametrize("root", sorted(products()))
def test_the_front_month_is_listed_ahead_and_resolves_to_itself(root: str) -> None:
    for day in [date(2026, month, day) for month in range(1, 13) for day in (1, 15, 28)]:
        first, second = resolve(f"{root}1!", day), resolve(f"{root}2!", day)
        assert MONTH_CODES[first.month - 1] in first.product.months
        assert (day.year, day.month) <= (first.year, first.month) < (second.year, second.month)
        assert (first.year - day.year) * 12 + first.month - day.month <= 12
        assert resolve(first.symbol, day) == first


def test_what_a_tick_and_a_point_are_worth() -> None:
    worth = {root: (item.tick, item.point_value, item.tick * item.point_value) for root, item in products().items()}
    assert worth["MNQ"] == (Decimal("0.25"), 2, Decimal("0.5"))
    assert worth["ES"] == (Decimal("0.25"), 50, Decimal("12.5"))
    assert worth["CL"] == (Decimal("0.01"), 1000, 10)
    assert worth["6J"] == (Decimal("0.0000005"), 12_500_000, Decimal("6.25"))
    assert worth["6E"] == (Decimal("0.00005"), 125_000, Decimal("6.25"))


@unhurried
@given(st.sampled_from(sorted(products())), st.decimals(-100_000, 100_000, allow_nan=False, places=9))
def test_rounding_moves_a_price_to_a_tick_and_by_half_a_tick_at_most(root: str, price: Decimal) -> None:
    contract = resolve(f"{root}1!", TODAY)
    rounded = contract.round(price)
    assert rounded % contract.tick == 0
    assert abs(rounded - price) * 2 <= contract.tick
    assert contract.round(rounded) == rounded
