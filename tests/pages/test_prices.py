"""Prices and money as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.instruments import contract_of
from execution.prices import format_money, format_price, format_ticks
from execution.valuation import known_contract, open_pnl, open_ticks


@pytest.mark.parametrize(
    ("symbol", "price", "text"),
    [
        ("MNQZ6", "24811.75", "24,811.75"),
        ("MNQZ6", "24811.5", "24,811.50"),
        ("MNQZ6", "24811.6250", "24,811.625"),
        ("ESZ6", "6021.3333333333", "6,021.3333"),
        ("ZNZ6", "112.515625", "112'165"),
        ("ZNZ6", "112", "112'000"),
        ("ZBZ6", "118.96875", "118'31"),
        ("ZFZ6", "107.1796875", "107'057"),
        ("ZCZ6", "450.25", "450'2"),
    ],
)
def test_a_price_is_in_its_contracts_tick_format(symbol: str, price: str, text: str) -> None:
    assert format_price(Decimal(price), contract_of(symbol)) == text


def test_a_price_of_an_unknown_contract_is_shown_as_it_is() -> None:
    assert known_contract("WHATEVER") is None
    assert format_price(Decimal("12.3400"), None) == "12.34"
    assert format_price(None, None) == "—"


@pytest.mark.parametrize(
    ("amount", "text"), [("1250", "+$1,250.00"), ("-75.5", "\N{MINUS SIGN}$75.50"), ("0", "$0.00"), ("-0.001", "$0.00")]
)
def test_money_has_sign_currency_and_cents(amount: str, text: str) -> None:
    assert format_money(Decimal(amount)) == text


def test_what_nobody_knows_is_a_dash_and_not_a_zero() -> None:
    assert format_money(None) == "—"
    assert format_ticks(None) == "—"


@pytest.mark.parametrize(
    ("net", "average", "last", "dollars", "ticks"),
    [
        (2, "24800.00", "24810.25", "41.00", 41),
        (-2, "24800.00", "24810.25", "-41.00", -41),
        (-1, "24800.00", "24790.00", "20.00", 40),
    ],
)
def test_open_pnl_follows_the_side(net: int, average: str, last: str, dollars: str, ticks: int) -> None:
    contract = contract_of("MNQZ6")
    assert open_pnl(net, net * Decimal(average), Decimal(last), contract) == Decimal(dollars)
    assert open_ticks(net, Decimal(average), Decimal(last), contract) == ticks


def test_open_pnl_is_never_a_guess() -> None:
    contract = contract_of("MNQZ6")
    assert open_pnl(1, None, Decimal(1), contract) is None
    assert open_pnl(1, Decimal(1), None, contract) is None
    assert open_pnl(1, Decimal(1), Decimal(1), None) is None
    assert open_ticks(1, None, Decimal(1), contract) is None
