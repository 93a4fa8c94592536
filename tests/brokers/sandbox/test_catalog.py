from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from brokers import expiry
from brokers.sandbox.market.catalog import Catalog
from brokers.sandbox.tradovate.timeline import stamp, trade_date

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog(lambda: TODAY)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("MNQ", "MNQZ6"),
        ("MNQ1!", "MNQZ6"),
        ("MNQ2!", "MNQH7"),
        ("CME_MINI:MNQ1!", "MNQZ6"),
        ("MNQZ2026", "MNQZ6"),
        ("mnqh7", "MNQH7"),
        ("M2K1!", "M2KZ6"),
        ("6E", "6EZ6"),
        ("CL", "CLF7"),
        ("GC", "GCZ6"),
        ("BTC1!", "BTCX6"),
    ],
)
def test_symbols_resolve_to_the_front_month(catalog, symbol, name):
    assert catalog.resolve(symbol).name == name


@pytest.mark.parametrize("symbol", ["", "NOPE", "MNQ0!", "MNQA6", "MNQZ1", "1!"])
def test_unknown_symbols_resolve_to_nothing(catalog, symbol):
    assert catalog.resolve(symbol) is None


@pytest.mark.parametrize(("day", "name"), [(date(2026, 12, 13), "ESZ6"), (date(2026, 12, 14), "ESH7")])
def test_equity_index_rolls_on_the_monday_before_the_third_friday(day, name):
    assert Catalog(lambda: day).front("ES").name == name


@pytest.mark.parametrize(
    ("rule", "year", "month", "expected"),
    [
        ("3FRI", 2026, 12, date(2026, 12, 18)),
        ("2FRI-1", 2026, 12, date(2026, 12, 10)),
        ("CL", 2027, 1, date(2026, 12, 21)),
        ("NG", 2027, 1, date(2026, 12, 29)),
        ("LBD-prev", 2027, 1, date(2026, 12, 31)),
        ("LFRI", 2026, 11, date(2026, 11, 27)),
        ("3WED-2", 2026, 12, date(2026, 12, 14)),
        ("10BD", 2026, 12, date(2026, 12, 14)),
    ],
)
def test_last_trade_dates(rule, year, month, expected):
    assert expiry.last_trade_date(rule, year, month) == expected


def test_every_product_has_a_front_month_and_consistent_numbers(catalog):
    assert len(catalog.products) == 60
    for root, product in catalog.products.items():
        assert catalog.front(root).roll > TODAY
        assert product.on_tick(product.base_price)
        assert product.tick * product.point_value > 0


def test_tick_grid_is_exact(catalog):
    yen = catalog.products["6J"]
    assert yen.on_tick(Decimal("0.0065005"))
    assert not yen.on_tick(Decimal("0.00650051"))


def test_expired_contracts_are_not_tradable(catalog):
    assert catalog.tradable("MNQZ6") is not None
    assert catalog.tradable("MNQU6") is None


def test_ids_are_the_same_on_every_start(catalog):
    later = Catalog(lambda: date(2027, 3, 1))
    assert later.by_name["MNQH7"].id == catalog.by_name["MNQH7"].id


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 23, 22, 59, tzinfo=UTC), 23),
        (datetime(2026, 11, 23, 23, 0, tzinfo=UTC), 24),
        (datetime(2026, 11, 20, 23, 0, tzinfo=UTC), 23),
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), 23),
    ],
)
def test_trade_date_turns_at_17_chicago_and_skips_the_weekend(moment, day):
    assert trade_date(moment)["day"] == day


def test_stamps_have_milliseconds_and_z():
    assert stamp(datetime(2026, 11, 23, 1, 2, 3, 4000, tzinfo=UTC)) == "2026-11-23T01:02:03.004Z"
