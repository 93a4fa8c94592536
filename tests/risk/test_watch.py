"""Bands never hide a limit: watching prices only where they leave one finds what watching every price finds."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.monitors import Figures, Kind, Terms
from risk.watch import Band, Line, PriceKey, Subject, Target, merged

D = Decimal
OWNER, ACCOUNT = UUID(int=1), UUID(int=2)
NQ, ES, CL = ("MNQZ6", "paper"), ("MESZ6", "paper"), ("MCLF7", "paper")
POINTS = {NQ: D(2), ES: D(5), CL: D(100)}
TICKS = {NQ: D("0.25"), ES: D("0.25"), CL: D("0.01")}
STARTS = {NQ: D(25_300), ES: D(6_700), CL: D("61.40")}
Tick = tuple[PriceKey, int]
Breach = tuple[int, str]


def line(key: PriceKey, net: int, average: str | Decimal) -> Line:
    return Line(*key, net, D(average), POINTS[key])


def subject(*lines: Line, terms: tuple[Terms, ...] = (), **other: object) -> Subject:
    return Subject("account:2", OWNER, (Target(ACCOUNT),), lines, terms, **other)  # type: ignore[arg-type]


class Watcher:
    """Assesses at each price, or only at one outside of the bands of the last assessment.

    With `spends` those are the bands of what was not found yet.
    """

    def __init__(self, watched: Subject, *, by_bands: bool, spends: bool = False) -> None:
        self.watched, self.by_bands, self.spends = watched, by_bands, spends
        self.bands: dict[PriceKey, Band] = {}
        self.found: list[Breach] = []
        self.assessed = 0

    def take(self, number: int, key: PriceKey, prices: dict[PriceKey, Decimal]) -> None:
        band = self.bands.get(key)
        if self.by_bands and band is not None and band.holds(prices[key]):
            return
        self.assessed += 1
        figures = self.watched.assess(prices)
        known = {name for _, name in self.found}
        self.found += [(number, gauge.terms.key) for gauge in self.watched.breached if gauge.terms.key not in known]
        self.bands = self.watched.bands(prices, figures, {name for _, name in self.found} if self.spends else ())


def random_limit(chance: Random, number: int, per_tick: Decimal) -> Terms:
    """One that a walk of a few dozen prices can reach: its amount is so many times what a tick is worth."""
    if chance.random() < 0.2:
        return Terms(f"l{number}", Kind.FLOOR, D(50_000) - per_tick * chance.randint(1, 40))
    kind = chance.choice([Kind.DAILY_LOSS, Kind.DAILY_PROFIT, Kind.WEEKLY_LOSS, *[Kind.TRAILING_DRAWDOWN] * 3])
    amount, is_percent = per_tick * chance.randint(1, 40), chance.random() < 0.3
    return Terms(
        f"l{number}",
        kind,
        amount / 500 if is_percent else amount,
        is_percent,
        from_day_end=chance.random() < 0.3,
        locks_at=chance.choice([None, D(50_000) + chance.randint(-20, 20) * per_tick]),
        start=chance.choice([None, D(50_000) + chance.randint(-20, 20) * per_tick]),
    )


def random_subject(chance: Random) -> Subject:
    """Several contracts, also several lines of one, as a user with several accounts has; averages that never end."""
    lines = []
    for _ in range(chance.randint(1, 4)):
        key = chance.choice([NQ, ES, CL])
        average = STARTS[key] + TICKS[key] * chance.randint(-9, 9) / chance.choice([1, 3, 7])
        lines.append(Line(*key, chance.choice([-5, -2, -1, 1, 2, 5]), average, POINTS[key]))
    return subject(
        *lines,
        terms=tuple(
            random_limit(chance, number, D(chance.choice([2, 5, 20]))) for number in range(chance.randint(1, 4))
        ),
        day_base=D(chance.randint(-20, 20)),
        week_base=D(chance.randint(-20, 20)),
        cash=chance.choice([None, *[D(50_000)] * 9]),
        start_equity=chance.choice([None, *[D(50_000)] * 9]),
        intraday_high=chance.choice([None, D(50_000), D(50_040)]),
    )


def random_walk(chance: Random, length: int) -> Iterator[Tick]:
    """Small steps, long runs one way, and now and then a jump."""
    drift = 0
    for _ in range(length):
        if chance.random() < 0.1:
            drift = chance.randint(-2, 2)
        jump = chance.randint(-30, 30) if chance.random() < 0.03 else 0
        yield chance.choice([NQ, ES, CL]), drift + jump + chance.randint(-2, 2)


def watch_both(seed: int) -> tuple[Watcher, Watcher]:
    """The same subject over the same walk: assessed by its bands, and at every price."""
    by_bands = Watcher(random_subject(Random(seed)), by_bands=True, spends=bool(seed % 2))
    by_ticks = Watcher(random_subject(Random(seed)), by_bands=False)
    chance, prices = Random(seed), dict(STARTS)
    if chance.random() < 0.2:
        # A contract's first price comes later than the others'.
        prices.pop(chance.choice([NQ, ES, CL]))
    for number, (key, steps) in enumerate(random_walk(chance, 60)):
        prices[key] = prices.get(key, STARTS[key]) + steps * TICKS[key]
        for watcher in (by_bands, by_ticks):
            watcher.take(number, key, prices)
    return by_bands, by_ticks


@settings(deadline=None, max_examples=400)
@given(st.integers(0, 2**32))
def test_bands_find_every_breach_at_the_same_tick(seed: int) -> None:
    by_bands, by_ticks = watch_both(seed)
    assert by_bands.found == by_ticks.found
    assert by_bands.assessed <= by_ticks.assessed
    had, true = by_bands.watched.intraday_high, by_ticks.watched.intraday_high
    if any(term.kind is Kind.TRAILING_DRAWDOWN and not term.from_day_end for term in by_bands.watched.terms):
        assert had == true
    else:
        assert had == true or (had is not None and true is not None and had < true)


def test_the_walks_above_reach_limits_and_stay_inside_of_bands() -> None:
    both = [watch_both(seed) for seed in range(100)]
    assert sum(bool(by_ticks.found) for _, by_ticks in both) > 40
    assert sum(by_bands.assessed < by_ticks.assessed for by_bands, by_ticks in both) > 40


def test_most_prices_cost_no_assessment() -> None:
    held = subject(line(NQ, 2, "25300"), terms=(Terms("l", Kind.DAILY_LOSS, D(500)),))
    watcher = Watcher(held, by_bands=True)
    prices = {NQ: D(25_300)}
    for number in range(1000):
        prices[NQ] = D(25_300) - number % 100
        watcher.take(number, NQ, prices)
    assert watcher.assessed == 1
    prices[NQ] = D(25_175)
    watcher.take(1000, NQ, prices)
    assert (watcher.assessed, watcher.found) == (2, [(1000, "l")])


def test_lines_of_one_contract_move_together() -> None:
    """Twelve contracts over two accounts reach a limit of $240 after ten points: not after sixty."""
    held = subject(line(NQ, 10, "25300"), line(NQ, 2, "25300"), terms=(Terms("l", Kind.DAILY_LOSS, D(240)),))
    prices = {NQ: D(25_300)}
    band = held.bands(prices, held.assess(prices))[NQ]
    assert not band.holds(D(25_290))
    assert band.holds(D("25290.25"))
    assert band.high is None


def test_what_is_hedged_moves_nothing_and_takes_no_part_of_the_room() -> None:
    held = subject(
        line(ES, 3, "6700"), line(ES, -3, "6710"), line(NQ, 1, "25300"), terms=(Terms("l", Kind.DAILY_LOSS, D(100)),)
    )
    prices = {ES: D(6_700), NQ: D(25_300)}
    held.assess(prices)
    bands = held.bands(prices, held.assess(prices))
    assert bands[ES] == Band(None, None)
    # The hedge won $150 for good: $250 are left.
    assert not bands[NQ].holds(D(25_175))
    assert bands[NQ].holds(D("25175.25"))


@pytest.mark.parametrize("net", [2, -2])
def test_a_band_lies_on_the_side_of_the_loss(net: int) -> None:
    held = subject(
        line(NQ, net, "25300"), terms=(Terms("l", Kind.DAILY_LOSS, D(400)), Terms("p", Kind.DAILY_PROFIT, D(40)))
    )
    prices = {NQ: D(25_300)}
    band = held.bands(prices, held.assess(prices))[NQ]
    worse, better = (D(25_200), D(25_310)) if net > 0 else (D(25_400), D(25_290))
    assert not band.holds(worse)
    assert not band.holds(better)
    assert band.holds((worse + D(25_300)) / 2)


def test_a_contract_without_a_price_makes_the_figures_unknown_and_has_no_band() -> None:
    held = subject(
        line(NQ, 1, "25300"), line(ES, 1, "6700"), terms=(Terms("l", Kind.DAILY_LOSS, D(1)),), cash=D(50_000)
    )
    prices = {NQ: D(20_000)}
    figures = held.assess(prices)
    assert figures == Figures(None)
    assert held.bands(prices, figures) == {NQ: Band(None, None)}
    assert not held.breached
    assert held.intraday_high is None


def test_what_cannot_be_valued_is_never_called_well() -> None:
    held = subject(terms=(Terms("l", Kind.DAILY_LOSS, D(1)),), day_base=D(-5), is_complete=False)
    assert held.assess({}).day is None
    assert not held.breached


def test_a_flat_subject_is_judged_by_what_it_realised() -> None:
    held = subject(terms=(Terms("l", Kind.DAILY_LOSS, D(5)),), day_base=D(-5))
    figures = held.assess({})
    assert [gauge.terms.key for gauge in held.breached] == ["l"]
    assert held.bands({}, figures) == {}


def test_the_end_of_day_mark_begins_where_the_session_began() -> None:
    held = subject(line(NQ, 1, "25300"), cash=D(50_000), start_equity=D(50_700))
    held.assess({NQ: D(25_400)})
    assert (held.end_of_day_high, held.intraday_high) == (D(50_700), D(50_200))
    held.assess({NQ: D(25_350)})
    assert (held.end_of_day_high, held.intraday_high) == (D(50_700), D(50_200))


def test_merged_bands_are_the_narrowest() -> None:
    assert merged([]) == Band(None, None)
    assert merged([Band(D(1), None), Band(D(3), D(9)), Band(None, D(7))]) == Band(D(3), D(7))
