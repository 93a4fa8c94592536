"""Tickers as alerts write them, and the contracts that they mean."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product as every

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers import calendars
from brokers.expiry import MONTH_CODES
from brokers.instruments import (
    Instrument,
    TickerKind,
    UnknownTicker,
    classify,
    conversion_ratio,
    instrument_of,
    product_of,
    products,
    resolve,
)

TODAY = date(2026, 11, 23)
ROOTS = sorted(products())
unhurried = settings(deadline=None)

# Dollars per tick of one contract, as the exchange's specifications give them, to catch a slip in the table's two
# columns.
TICK_VALUES = {
    "ES": "12.5", "MES": "1.25", "NQ": "5", "MNQ": "0.5", "RTY": "5", "M2K": "0.5", "YM": "5", "MYM": "0.5",
    "EMD": "10", "NKD": "25", "CL": "10", "MCL": "1", "QM": "12.5", "NG": "10", "QG": "12.5", "MNG": "1",
    "RB": "4.2", "HO": "4.2", "BZ": "10", "GC": "10", "MGC": "1", "QO": "12.5", "SI": "25", "SIL": "5",
    "QI": "31.25", "HG": "12.5", "MHG": "1.25", "QC": "25", "PL": "5", "PA": "50", "ZB": "31.25", "UB": "31.25",
    "ZN": "15.625", "TN": "15.625", "ZF": "7.8125", "ZT": "7.8125", "2YY": "1", "5YY": "1", "10Y": "1", "30Y": "1",
    "6E": "6.25", "6J": "6.25", "6B": "6.25", "6A": "5", "6C": "5", "6S": "6.25", "6N": "5", "6M": "5",
    "M6E": "1.25", "M6A": "1", "M6B": "0.625", "MCD": "1", "MSF": "1.25", "MJY": "1.25", "E7": "6.25", "J7": "6.25",
    "BTC": "25", "MBT": "0.5", "ETH": "25", "MET": "0.05", "SOL": "25", "MSL": "1.25", "XRP": "25", "MXP": "1.25",
    "ZC": "12.5", "ZS": "12.5", "ZW": "12.5", "KE": "12.5", "ZO": "12.5", "ZM": "10", "ZL": "6",
    "XC": "1.25", "XK": "1.25", "XW": "1.25", "MZC": "2.5", "MZS": "2.5", "MZW": "2.5", "MZM": "2", "MZL": "1.2",
    "LE": "10", "HE": "10", "GF": "12.5",
}  # fmt: skip
FORMS = [
    "{root}{code}{year:%y}", "{root}{code}{year:%Y}", "CME_MINI_DL:{root}{code}{year:%Y}", "/{root}{code}{year:%y}",
    "/{root}{code}{year:%y}:XCME", "{root}{code}{year:%y}.CME", "{root} {year:%m}-{year:%y}",
    "{root} {year:%m}-{year:%Y}",
]  # fmt: skip


@pytest.mark.parametrize(
    ("ticker", "symbol"),
    [
        ("MNQ1!", "MNQZ6"), ("mnq1!", "MNQZ6"), (" MNQ ", "MNQZ6"), ("MNQ", "MNQZ6"), ("MNQ2!", "MNQH7"),
        ("CME_MINI:MNQ1!", "MNQZ6"), ("CME_MINI_DL:MNQ1!", "MNQZ6"), ("CBOT_MINI:YM1!", "YMZ6"),
        ("M2K1!", "M2KZ6"), ("M2K", "M2KZ6"), ("M2KH7", "M2KH7"), ("6E1!", "6EZ6"), ("6EH2027", "6EH7"),
        ("6EZ6", "6EZ6"), ("10Y1!", "10YX6"), ("CBOT:10YZ2026", "10YZ6"), ("E71!", "E7Z6"), ("2YYZ6", "2YYZ6"),
        ("MNQZ6", "MNQZ6"), ("MNQZ26", "MNQZ6"), ("MNQZ2026", "MNQZ6"), ("CME:MNQH2027", "MNQH7"),
        ("NQ1!", "NQZ6"), ("ES1!", "ESZ6"), ("MES1!", "MESZ6"), ("CL1!", "CLF7"), ("MCL1!", "MCLF7"), ("ZN1!", "ZNZ6"),
        ("NYMEX:NG1!", "NGF7"), ("COMEX:SIL1!", "SILZ6"), ("SI1!", "SIZ6"), ("BTC1!", "BTCX6"),
        ("MNQ 12-26", "MNQZ6"), ("MNQ 12-2026", "MNQZ6"), ("M2K 03-27", "M2KH7"), ("6E 12-26", "6EZ6"),
        ("/MNQ", "MNQZ6"), ("/MNQZ26", "MNQZ6"), ("/MNQZ26:XCME", "MNQZ6"), ("MNQZ26.CME", "MNQZ6"),
    ],
)  # fmt: skip
def test_tickers(ticker: str, symbol: str) -> None:
    assert resolve(ticker, TODAY).symbol == symbol


@pytest.mark.parametrize(
    "ticker",
    [
        "", "!", "1!", "NOPE", "MNQ0!", "MNQ1", "MNQ!", "MNQA6", "MNQZ", "MNQZ6!", "MNQ1!x", "XMNQ1!", "M" * 40,
        "MNQZ206", "MNQZ20266", "MNQ 13-26", "MNQ 00-26", "MNQ 12/26", "MNQ  12-26", "//MNQ", "MNQ.", ":MNQ",
        "MNQZ\N{FULLWIDTH DIGIT SIX}", "SPX", "DX1!", "KC1!", "BTCUSD", "AAPL", "BRK.B",
    ],
)  # fmt: skip
def test_what_is_no_ticker_is_refused_by_name(ticker: str) -> None:
    with pytest.raises(UnknownTicker, match="names no product"):
        resolve(ticker, TODAY)
    with pytest.raises(UnknownTicker):
        classify(ticker)


@pytest.mark.parametrize("ticker", ["NYSE:ES", "CRYPTOCAP:BTC", "NASDAQ:GC", "MCX:GOLD1!", "ICEUS:CL1!", "NQ.NASDAQ"])
def test_a_known_root_from_elsewhere_is_no_future(ticker: str) -> None:
    with pytest.raises(UnknownTicker):
        product_of(ticker)


@pytest.mark.parametrize(("ticker", "near"), [("MNX1!", "MN"), ("NQQZ6", "NQ"), ("MEZ6", "MES")])
def test_a_refusal_names_what_is_near(ticker: str, near: str) -> None:
    with pytest.raises(UnknownTicker, match=f"{ticker}.*did you mean .*{near}"):
        product_of(ticker)


def test_a_month_in_which_nothing_is_listed_is_refused() -> None:
    with pytest.raises(UnknownTicker, match="month code F"):
        resolve("MNQF7", TODAY)


def test_the_year_digit_means_the_nearest_year() -> None:
    assert resolve("MNQZ6", TODAY).year == 2026
    assert resolve("MNQH7", TODAY).year == 2027
    assert resolve("MNQZ5", TODAY).year == 2025
    assert resolve("MNQH0", date(2029, 12, 1)).year == 2030


@pytest.mark.parametrize("root", ROOTS)
def test_no_root_is_taken_for_another_ones_contract(root: str) -> None:
    for form in (root, f"{root}1!", f"{root}2!", f"CME:{root}1!", f"/{root}", f"{root}.CBOT"):
        assert product_of(form).root == root
        assert classify(form) is TickerKind.FUTURE


def test_every_dated_form_of_every_root_is_one_text_of_its_own() -> None:
    months = [date(year, month, 1) for year in range(2020, 2034) for month in range(1, 13)]
    seen: dict[str, tuple[str, date]] = {}
    for root, day, form in every(ROOTS, months, FORMS):
        ticker = form.format(root=root, code=MONTH_CODES[day.month - 1], year=day)
        assert seen.setdefault(ticker, (root, day)) == (root, day)
        if MONTH_CODES[day.month - 1] in products()[root].months:
            contract = resolve(ticker, TODAY)
            assert (contract.root, contract.year, contract.month) == (root, day.year, day.month)


@pytest.mark.parametrize("root", ROOTS)
def test_the_front_month_is_listed_ahead_and_resolves_to_itself(root: str) -> None:
    for day in [date(2026, month, day) for month in range(1, 13) for day in (1, 15, 28)]:
        first, second = resolve(f"{root}1!", day), resolve(f"{root}2!", day)
        assert MONTH_CODES[first.month - 1] in first.product.months
        assert (day.year, day.month) <= (first.year, first.month) < (second.year, second.month)
        assert (first.year - day.year) * 12 + first.month - day.month <= 12
        assert resolve(first.symbol, day) == first


def test_what_a_tick_is_worth() -> None:
    assert {root: item.tick * item.point_value for root, item in products().items()} == {
        root: Decimal(value) for root, value in TICK_VALUES.items()
    }


def test_the_table_is_whole() -> None:
    assert len(products()) >= 60
    for root, item in products().items():
        assert item.exchange in {"CME", "CBOT", "NYMEX", "COMEX"}
        assert item.months == "".join(sorted(set(item.months)))
        assert set(item.months) <= set(MONTH_CODES)
        assert item.family in products()
        assert products()[item.family].family == item.family
        calendars.windows(item.calendar)
        assert item.calendar == products()[item.family].calendar, root


@pytest.mark.parametrize(
    ("signal", "traded", "ratio"),
    [
        ("NQ", "MNQ", "10"), ("MNQ", "NQ", "0.1"), ("ES", "MES", "10"), ("NQ", "NQ", "1"), ("CL", "QM", "2"),
        ("QM", "MCL", "5"), ("SI", "SIL", "5"), ("QI", "SIL", "2.5"), ("BTC", "MBT", "50"), ("ETH", "MET", "500"),
        ("6E", "M6E", "10"), ("E7", "M6E", "5"), ("6J", "MJY", "10"), ("ZC", "MZC", "10"), ("ZL", "MZL", "10"),
        ("ES", "NQ", None), ("ZN", "TN", None), ("ZN", "10Y", None), ("ZW", "KE", None), ("CL", "BZ", None),
    ],
)  # fmt: skip
def test_how_many_contracts_one_is_worth(signal: str, traded: str, ratio: str | None) -> None:
    expected = None if ratio is None else Decimal(ratio)
    assert conversion_ratio(products()[signal], products()[traded]) == expected


def test_every_conversion_ratio_is_exact() -> None:
    for signal, traded in every(products().values(), repeat=2):
        ratio = conversion_ratio(signal, traded)
        assert (ratio is None) == (signal.family != traded.family)
        assert ratio is None or ratio * traded.point_value == signal.point_value


@pytest.mark.parametrize(
    ("ticker", "kind", "symbol", "exchange"),
    [
        ("NASDAQ:AAPL", TickerKind.STOCK, "AAPL", "NASDAQ"), ("nyse:brk.b", TickerKind.STOCK, "BRK.B", "NYSE"),
        ("NYSE:ES", TickerKind.STOCK, "ES", "NYSE"), ("AMEX:SPY", TickerKind.STOCK, "SPY", "AMEX"),
        ("AAPL261218C00250000", TickerKind.OPTION, "AAPL261218C00250000", ""),
        ("AAPL 261218C250", TickerKind.OPTION, "AAPL261218C00250000", ""),
        ("AAPL  261218P00002500", TickerKind.OPTION, "AAPL261218P00002500", ""),
        ("OPRA:SPY261218P612.5", TickerKind.OPTION, "SPY261218P00612500", ""),
        ("CME_MINI:MNQ1!", TickerKind.FUTURE, "MNQ1!", "CME"), ("MNQ 12-26", TickerKind.FUTURE, "MNQZ26", "CME"),
        ("/CLF27:XNYM", TickerKind.FUTURE, "CLF27", "NYMEX"),
    ],
)  # fmt: skip
def test_kinds(ticker: str, kind: TickerKind, symbol: str, exchange: str) -> None:
    assert classify(ticker) is kind
    assert instrument_of(ticker) == Instrument(kind, symbol, exchange)


@pytest.mark.parametrize("ticker", ["AAPL", "TSLA", "LSE:VOD", "AAPL261318C00250000", "AAPL260230C250", "NASDAQ:", "C"])
def test_nothing_is_guessed_to_be_a_stock(ticker: str) -> None:
    with pytest.raises(UnknownTicker, match="names no product"):
        classify(ticker)


@unhurried
@given(st.sampled_from(ROOTS), st.decimals(-100_000, 100_000, allow_nan=False, places=9))
def test_rounding_moves_a_price_to_a_tick_and_by_half_a_tick_at_most(root: str, price: Decimal) -> None:
    contract = resolve(f"{root}1!", TODAY)
    rounded = contract.round(price)
    assert rounded % contract.tick == 0
    assert abs(rounded - price) * 2 <= contract.tick
    assert contract.round(rounded) == rounded


@pytest.mark.parametrize(
    ("price", "entry", "placed"),
    [
        ("20010.30", "20000", "20010.25"), ("20010.25", "20000", "20010.25"), ("19989.70", "20000", "19989.75"),
        ("20000.10", "20000", "20000.25"), ("19999.99", "20000", "19999.75"),
        # An average entry may lie between ticks: the price stays on its own side, and no farther than asked.
        ("20000.60", "20000.10", "20000.50"), ("19999.60", "20000.10", "19999.75"),
        ("20000.20", "20000.10", "20000.25"), ("20000.05", "20000.10", "20000.00"),
    ],
)  # fmt: skip
def test_a_protective_price_moves_toward_the_entry(price: str, entry: str, placed: str) -> None:
    assert resolve("MNQ1!", TODAY).toward_entry(Decimal(price), Decimal(entry)) == Decimal(placed)


def test_a_protective_price_at_the_entry_has_no_side() -> None:
    with pytest.raises(ValueError, match="entry's own"):
        resolve("MNQ1!", TODAY).toward_entry(Decimal(20000), Decimal(20000))


@unhurried
@given(
    st.sampled_from(ROOTS),
    st.integers(-200_000, 200_000),
    st.decimals(-2000, 2000, allow_nan=False, places=3).filter(bool),
)
def test_a_protective_price_is_never_farther_than_asked(root: str, entry_ticks: int, asked_ticks: Decimal) -> None:
    contract = resolve(f"{root}1!", TODAY)
    entry = entry_ticks * contract.tick
    placed = contract.toward_entry(entry + asked_ticks * contract.tick, entry)
    distance = contract.ticks(placed - entry)
    assert distance == distance.to_integral_value()
    assert (distance > 0) == (asked_ticks > 0)
    assert 1 <= abs(distance) <= max(1, abs(asked_ticks))
    assert abs(asked_ticks) - abs(distance) < 1


@unhurried
@given(st.sampled_from(ROOTS), st.decimals(0, 2000, allow_nan=False, places=3))
def test_a_distance_is_whole_ticks_and_never_more_than_asked(root: str, asked_ticks: Decimal) -> None:
    contract = resolve(f"{root}1!", TODAY)
    placed = contract.ticks(contract.distance_on_tick(asked_ticks * contract.tick))
    assert placed == (max(1, int(asked_ticks)) if asked_ticks else 0)


def test_a_distance_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="below 0"):
        resolve("MNQ1!", TODAY).distance_on_tick(Decimal("-0.25"))
