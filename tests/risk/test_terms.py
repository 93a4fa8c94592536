"""From a stored limit to what a monitor judges by, and how much of it is used up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from risk.models import RiskLimit
from risk.monitors import Figures, Kind, gauge_of
from risk.terms import terms_of, used_percent

D = Decimal


@pytest.mark.parametrize(
    ("kind", "fields", "figures", "used"),
    [
        ("daily_loss", {}, Figures(day=D(0)), 0),
        ("daily_loss", {}, Figures(day=D(250)), 0),
        ("daily_loss", {}, Figures(day=D("-499.99")), 99),
        ("daily_loss", {}, Figures(day=D(-500)), 100),
        ("daily_loss", {}, Figures(day=None), None),
        ("daily_loss", {"unit": "percent", "amount": D(2)}, Figures(day=D(-250), start_equity=D(50_000)), 25),
        ("daily_loss", {"unit": "percent", "amount": D(2)}, Figures(day=D(-250)), None),
        ("weekly_loss", {}, Figures(day=D(0), week=D(-125)), 25),
        ("daily_profit", {}, Figures(day=D(250)), 50),
        ("daily_profit", {}, Figures(day=D(-250)), 0),
        ("trailing_drawdown", {}, Figures(day=D(0), equity=D(9_900), intraday_high=D(10_000)), 20),
        (
            "trailing_drawdown", {"basis": "end_of_day"},
            Figures(day=D(0), equity=D(9_900), intraday_high=D(10_300), end_of_day_high=D(10_000)), 20,
        ),
    ],
)  # fmt: skip
def test_a_bar_is_full_only_where_the_limit_is_reached(
    kind: str, fields: dict[str, object], figures: Figures, used: int | None
) -> None:
    limit = RiskLimit(kind=kind, **{"amount": D(500), **fields})
    terms = terms_of(limit)
    assert (terms.key, terms.kind) == (f"limit:{limit.pk}", Kind(kind))
    assert used_percent(gauge_of(terms, figures)) == used


def test_what_counts_contracts_is_not_judged_by_money() -> None:
    with pytest.raises(ValueError, match="max_contracts"):
        terms_of(RiskLimit(kind="max_contracts", amount=D(5), unit="count"))
