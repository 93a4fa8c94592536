"""Prop firms' rules: how far each limit is, how many contracts are allowed, and which news keep entries out."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.instruments import UnknownTicker
from risk import news, packs
from risk.monitors import Figures, Kind, gauge_of
from risk.news import Release
from tests.risk.rules import NEWS, pack

D = Decimal
MORNING = datetime(2026, 11, 24, 15, tzinfo=UTC)


def test_a_static_drawdown_is_a_floor_under_the_start_balance() -> None:
    (terms,) = packs.terms_of(pack(trailing_drawdown=None, static_drawdown={"amount": 625}), D(100_000), "pack:7")
    assert (terms.key, terms.kind, terms.amount) == ("pack:7:static_drawdown", Kind.FLOOR, D(99_375))
    gauge = gauge_of(terms, Figures(D(0), equity=D(99_500)))
    assert (gauge.room, gauge.span) == (D(125), D(625))


@pytest.mark.parametrize(
    ("basis", "plus", "equity", "intraday_high", "day_end_high", "floor"),
    [
        # An account of which we saw no high yet counts from its start all the same.
        ("intraday", None, 49_000, 49_000, 49_000, 48_000),
        ("intraday", None, 51_000, 52_500, 50_000, 50_500),
        ("intraday", 0, 51_000, 52_500, 50_000, 50_000),
        ("intraday", 100, 51_000, 52_500, 50_000, 50_100),
        ("intraday", 100, 51_000, 52_050, 50_000, 50_050),
        ("end_of_day", 0, 51_000, 52_500, 50_500, 48_500),
        ("end_of_day", 0, 51_000, 52_500, 52_500, 50_000),
        ("end_of_day", None, 51_000, 52_500, 53_000, 51_000),
    ],
)
def test_a_trailing_drawdown_follows_its_high_and_stops_at_the_start(
    basis: str, plus: int | None, equity: int, intraday_high: int, day_end_high: int, floor: int
) -> None:
    one = pack(trailing_drawdown={"amount": 2000, "basis": basis, "stops_at_plus": plus})
    (terms,) = packs.terms_of(one, D(50_000), "pack:7")
    assert terms.key == "pack:7:trailing_drawdown"
    figures = Figures(D(0), None, D(equity), None, D(intraday_high), D(day_end_high))
    assert gauge_of(terms, figures).allowed == floor


def test_a_daily_loss_is_of_the_day() -> None:
    one = pack(trailing_drawdown=None, daily_loss=1000)
    (terms,) = packs.terms_of(one, D(50_000), "pack:7")
    assert terms.key == "pack:7:daily_loss"
    assert gauge_of(terms, Figures(D(-400))).room == D(600)
    assert gauge_of(terms, Figures(D(-400))).text == "Firm daily loss: had -$400.00, limit -$1,000.00"


def test_a_pack_without_money_has_no_terms() -> None:
    assert packs.terms_of(pack(trailing_drawdown=None, profit_target=3000), D(50_000), "pack:7") == ()


@pytest.mark.parametrize(
    ("days", "percent", "is_kept", "missing"),
    [
        ([], None, False, 0),
        ([-100], None, False, 100),
        ([1500], "100.0", False, 1500),
        ([1500, 1500], "50.0", True, 0),
        ([1500, 1000, -100], "62.5", False, 600),
        ([500, 600, 400, 500], "30.0", True, 0),
        ([1000, -1000], None, False, 2000),
    ],
)
def test_the_best_day_is_at_most_its_part_of_the_profit(
    days: list[int], percent: str | None, is_kept: bool, missing: int  # noqa: FBT001
) -> None:  # fmt: skip
    found = packs.consistency(pack(consistency_percent=50), map(D, days))
    assert found is not None
    assert (None if found.percent is None else f"{found.percent:.1f}") == percent
    assert (found.is_kept, found.missing) == (is_kept, D(missing))


def test_without_the_rule_there_is_no_consistency() -> None:
    assert packs.consistency(pack(), [D(1)]) is None


@given(st.integers(1, 5000), st.integers(-5000, 9000), st.sampled_from([20, 25, 30, 35, 40, 50]))
def test_earning_what_is_missing_keeps_the_rule_and_a_cent_less_does_not(best: int, total: int, limit: int) -> None:
    found = packs.Consistency(D(best), D(total), D(limit))
    after = packs.Consistency(D(best), D(total) + found.missing, D(limit))
    assert after.is_kept
    assert found.is_kept == (found.missing == 0)
    if not found.is_kept:
        assert not packs.Consistency(D(best), after.total - D("0.01"), D(limit)).is_kept


@pytest.mark.parametrize(
    ("symbol", "contracts", "count"),
    [
        ("NQ", 3, "3"), ("MNQ", 3, "0.3"), ("MNQZ6", 10, "1"), ("M2K", 10, "1"), ("MCL", 1, "0.1"), ("M6E", 2, "0.2"),
        ("MBT", 10, "1"), ("MET", 10, "1"), ("SIL", 10, "1"), ("MZC", 10, "1"), ("QM", 2, "2"), ("E7", 1, "1"),
        ("6M", 1, "1"), ("XC", 1, "1"), ("10Y", 1, "1"), ("ES", 0, "0"),
    ],
)  # fmt: skip
def test_a_micro_counts_a_tenth(symbol: str, contracts: int, count: str) -> None:
    assert packs.minis(symbol, contracts) == D(count)


def test_what_is_no_product_counts_nothing() -> None:
    with pytest.raises(UnknownTicker):
        packs.minis("AAPL", 1)


@pytest.mark.parametrize(
    ("profit", "most"), [(None, 2), (-500, 2), (0, 2), ("1499.99", 2), (1500, 3), (1999, 3), (2000, 5), (90_000, 5)]
)
def test_contracts_scale_with_the_profit(profit: str | int | None, most: int) -> None:
    one = packs.newest("topstep-xfa-50k")
    assert packs.most_contracts(one, None if profit is None else D(profit)) == most


def test_a_pack_without_scaling_sets_no_limit() -> None:
    assert packs.most_contracts(pack(), D(0)) is None


@pytest.mark.parametrize(
    ("now", "found"),
    [
        # 9 December 2026, 14:00 New York is 19:00 UTC; in summer it is 18:00.
        (datetime(2026, 12, 9, 18, 57, 59, tzinfo=UTC), None),
        (datetime(2026, 12, 9, 18, 58, tzinfo=UTC), Release.FOMC),
        (datetime(2026, 12, 9, 19, 2, tzinfo=UTC), Release.FOMC),
        (datetime(2026, 12, 9, 19, 2, 1, tzinfo=UTC), None),
        (datetime(2027, 6, 9, 18, 0, tzinfo=UTC), Release.FOMC),
        (datetime(2027, 6, 9, 19, 0, tzinfo=UTC), None),
        (datetime(2026, 12, 10, 13, 30, tzinfo=UTC), Release.CPI),
        # The jobs report is none of this pack's.
        (datetime(2026, 12, 4, 13, 30, tzinfo=UTC), None),
    ],
)
def test_the_window_around_a_release(now: datetime, found: Release | None) -> None:
    event = packs.in_news(pack(news=NEWS), now)
    assert (None if event is None else event.release) == found


def test_the_next_release_of_the_packs_own() -> None:
    one = pack(news=NEWS)
    event = packs.next_news(one, datetime(2026, 12, 1, tzinfo=UTC))
    assert event is not None
    assert (event.at, event.label) == (datetime(2026, 12, 9, 19, tzinfo=UTC), "FOMC decision")
    assert packs.next_news(one, datetime(2029, 1, 1, tzinfo=UTC)) is None
    assert (packs.next_news(pack(), MORNING), packs.in_news(pack(), MORNING)) == (None, None)


def test_where_a_schedule_ends_the_pack_says_so() -> None:
    one = pack(news=NEWS)
    assert packs.unknown_news(one, datetime(2026, 12, 31, 23, tzinfo=UTC)) == ()
    # It is still 31 December in New York.
    assert packs.unknown_news(one, datetime(2027, 1, 1, 4, tzinfo=UTC)) == ()
    assert packs.unknown_news(one, datetime(2027, 1, 1, 12, tzinfo=UTC)) == (Release.CPI,)
    assert packs.unknown_news(one, datetime(2028, 1, 1, 12, tzinfo=UTC)) == (Release.FOMC, Release.CPI)
    assert packs.unknown_news(pack(), datetime(2028, 1, 1, tzinfo=UTC)) == ()


def test_the_calendar_of_releases_is_whole_and_in_order() -> None:
    known = news.calendar()
    assert set(known.releases) == set(Release)
    for release, schedule in known.releases.items():
        assert list(schedule.dates) == sorted(set(schedule.dates)), release
        assert all(day.isoweekday() <= 5 for day in schedule.dates), release
        assert schedule.dates[-1] <= schedule.known_until
        per_year = 8 if release in {Release.FOMC, Release.FOMC_MINUTES} else 12
        years = {day.year for day in schedule.dates}
        assert all(sum(day.year == year for day in schedule.dates) == per_year for year in years), release
    assert [event.at for event in news.events()] == sorted(event.at for event in news.events())
