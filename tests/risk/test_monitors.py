"""How a limit stands: every kind at its edge, what is not known, and what a bar on a screen shows."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.monitors import Figures, Gauge, Kind, Terms, gauge_of, is_loss, money

D = Decimal
KNOWN = Figures(
    day=D(-300), week=D(-700), equity=D(50_200), start_equity=D(50_500),
    intraday_high=D(51_000), end_of_day_high=D(50_600),
)  # fmt: skip
UNKNOWN = Figures(day=None)


def terms(kind: Kind, amount: str, **other: object) -> Terms:
    return Terms("limit:1", kind, D(amount), **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limit", "had", "allowed", "room", "span"),
    [
        (terms(Kind.DAILY_LOSS, "1000"), -300, -1000, 700, 1000),
        (terms(Kind.DAILY_LOSS, "300"), -300, -300, 0, 300),
        (terms(Kind.DAILY_LOSS, "200"), -300, -200, -100, 200),
        (terms(Kind.DAILY_LOSS, "2", is_percent=True), -300, -1010, 710, 1010),
        (terms(Kind.WEEKLY_LOSS, "1000"), -700, -1000, 300, 1000),
        (terms(Kind.DAILY_PROFIT, "500"), -300, 500, 800, 800),
        (terms(Kind.FLOOR, "48000"), 50_200, 48_000, 2200, 2200),
        (terms(Kind.FLOOR, "48000", start=D(50_500)), 50_200, 48_000, 2200, 2500),
        # From the best moment, and from the best end of a day.
        (terms(Kind.TRAILING_DRAWDOWN, "2000"), 50_200, 49_000, 1200, 2000),
        (terms(Kind.TRAILING_DRAWDOWN, "2000", from_day_end=True), 50_200, 48_600, 1600, 2000),
        (terms(Kind.TRAILING_DRAWDOWN, "10", is_percent=True), 50_200, 45_950, 4250, 5050),
        # The floor stops rising; it counts from the firm's own start although nobody saw that high.
        (terms(Kind.TRAILING_DRAWDOWN, "500", locks_at=D(50_000)), 50_200, 50_000, 200, 500),
        (terms(Kind.TRAILING_DRAWDOWN, "500", locks_at=D(60_000)), 50_200, 50_500, -300, 500),
        (terms(Kind.TRAILING_DRAWDOWN, "2000", start=D(52_000)), 50_200, 50_000, 200, 2000),
        (terms(Kind.TRAILING_DRAWDOWN, "2000", start=D(40_000)), 50_200, 49_000, 1200, 2000),
    ],
)  # fmt: skip
def test_what_was_had_what_is_allowed_and_the_room(limit: Terms, had: int, allowed: int, room: int, span: int) -> None:
    gauge = gauge_of(limit, KNOWN)
    assert (gauge.had, gauge.allowed, gauge.room, gauge.span) == (had, allowed, room, span)
    assert gauge.is_breached == (room <= 0)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("is_percent", [False, True])
def test_what_is_not_known_is_neither_reached_nor_well(kind: Kind, is_percent: bool) -> None:  # noqa: FBT001
    gauge = gauge_of(terms(kind, "1", is_percent=is_percent), UNKNOWN)
    assert gauge == Gauge(gauge.terms)
    assert (gauge.is_breached, gauge.span) == (False, None)
    assert gauge.text.endswith("not known")


def test_a_percentage_of_nothing_known_is_not_known() -> None:
    for start in (None, D(0), D(-5)):
        figures = Figures(day=D(-5000), start_equity=start)
        assert gauge_of(terms(Kind.DAILY_LOSS, "1", is_percent=True), figures).room is None


def test_a_drawdown_without_a_high_water_mark_is_not_known() -> None:
    figures = Figures(day=D(0), equity=D(50_000), intraday_high=D(50_000))
    assert gauge_of(terms(Kind.TRAILING_DRAWDOWN, "2000", from_day_end=True), figures).room is None


def test_only_a_profit_target_is_reached_by_winning() -> None:
    assert [kind for kind in Kind if not is_loss(kind)] == [Kind.DAILY_PROFIT]


def test_a_gauge_says_what_was_had_and_the_limit() -> None:
    assert gauge_of(terms(Kind.DAILY_LOSS, "1000"), KNOWN).text == "daily loss: had -$300.00, limit -$1,000.00"
    assert gauge_of(terms(Kind.FLOOR, "48000", label="Topstep"), KNOWN).text.startswith("Topstep: had $50,200.00")
    assert [money(D(text)) for text in ("0", "-0.004", "-1234.5", "999999.999")] == [
        "$0.00", "$0.00", "-$1,234.50", "$1,000,000.00"
    ]  # fmt: skip


amounts = st.decimals(D("0.01"), D(10_000), places=2)
results = st.decimals(D(-20_000), D(20_000), places=2)


@given(st.sampled_from(list(Kind)), amounts, results, results)
def test_losing_a_dollar_costs_a_dollar_of_room(kind: Kind, amount: Decimal, day: Decimal, loss: Decimal) -> None:
    """Whatever the kind: room falls by what is lost, and rises by it for a target; the marks stay where they were."""

    def room(result: Decimal) -> Decimal:
        high = D(100_000)
        figures = Figures(result, result, D(50_000) + result, D(50_000), high, high)
        found = gauge_of(Terms("k", kind, amount), figures).room
        assert found is not None
        return found

    assert room(day) - room(day - abs(loss)) == (abs(loss) if is_loss(kind) else -abs(loss))


@given(amounts, st.lists(results, min_size=1, max_size=8), st.one_of(st.none(), results))
def test_a_trailing_floor_never_falls_and_never_passes_its_lock(
    amount: Decimal, equities: list[Decimal], lock: Decimal | None
) -> None:
    floors: list[Decimal] = []
    high = equities[0]
    for equity in equities:
        high = max(high, equity)
        gauge = gauge_of(
            Terms("k", Kind.TRAILING_DRAWDOWN, amount, locks_at=lock),
            Figures(equity, equity=equity, intraday_high=high),
        )
        assert gauge.allowed is not None
        floors.append(gauge.allowed)
    assert floors == sorted(floors)
    assert lock is None or max(floors) <= lock
