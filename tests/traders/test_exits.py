"""Exit legs sum to the position, grow one by one, and rest on the tick toward the entry."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.base import Side, Trail
from brokers.instruments import Contract, products
from recorders.setting_types import WHOLE
from recorders.settings import read_settings
from tests.traders.cases import CL, DAY, GC, MNQ, NOTE, YEN, targets
from traders.exits import (
    ExitTarget,
    ExitTemplate,
    Level,
    ReferenceMissing,
    added_sizes,
    bracket_places,
    brackets,
    leg_prices,
    leg_sizes,
    template_from,
    template_of,
)

unhurried = settings(deadline=None)
D = Decimal
FAR = Level(points=D(10))
Trims = list[tuple[str, int | str | None]]


def template(*trims: int | str | None) -> ExitTemplate:
    """`"2c"` are two contracts, a number percent, None all that is left."""
    return ExitTemplate(targets=tuple(_target(trim) for trim in trims), stop=Level(points=D(5)))


def _target(trim: int | str | None) -> ExitTarget:
    if isinstance(trim, str):
        return ExitTarget(level=FAR, contracts=int(trim[:-1]))
    return ExitTarget(level=FAR, share=None if trim is None else D(trim))


def wanted(contract: Contract = MNQ, multiplier: str = "1", **fields: Any) -> ExitTemplate:
    return template_of(read_settings(fields), contract, D(multiplier))


TEMPLATES: list[tuple[int | str | None, ...]] = [
    (), (None,), (100,), (50,), (1,), (50, 50), (50, 30, 20), (50, 30), (33, 33, 34), (33, 33, None), (None, None),
    (None, None, None), (20, None, None), (100, None), ("1c",), ("1c", "1c", "1c"), ("2c", None), ("1c", 50, 50),
    ("3c", 50), (50, "1c"), (60, "2c", None), ("5c", "5c", 10, 20, 30), (5,) * 20, (0.5, 99), (7, 11, 13, 17, 19),
]  # fmt: skip


@pytest.mark.parametrize("trims", TEMPLATES, ids=str)
def test_legs_sum_to_the_position_and_grow_by_one_leg_at_a_time(trims: tuple[int | str | None, ...]) -> None:
    one = template(*trims)
    before = (0,) * (len(trims) + 1)
    for qty in range(1, 61):
        sizes = leg_sizes(one, qty)
        assert sum(sizes) == qty
        assert sorted(now - then for now, then in zip(sizes, before, strict=True)) == [0] * len(trims) + [1]
        before = sizes


@pytest.mark.parametrize(
    ("trims", "qty", "sizes"),
    [
        ((), 3, (3,)), ((None,), 3, (3, 0)), ((100,), 3, (3, 0)), ((50,), 4, (2, 2)),
        ((50,), 1, (1, 0)), ((50,), 3, (2, 1)), ((50, 30, 20), 10, (5, 3, 2, 0)),
        ((50, 30, 20), 20, (10, 6, 4, 0)), ((50, 30, 20), 1, (1, 0, 0, 0)),
        ((50, 30, 20), 2, (1, 1, 0, 0)), ((50, 30, 20), 3, (1, 1, 1, 0)), ((50, 30), 10, (5, 3, 2)),
        ((30, 30), 10, (3, 3, 4)), ((10,), 1, (0, 1)), ((None, None), 5, (3, 2, 0)),
        ((None, None, None), 3, (1, 1, 1, 0)), ((50, None), 4, (2, 2, 0)), ((100, None), 4, (4, 0, 0)),
        (("1c", "1c"), 1, (1, 0, 0)), (("1c", "1c"), 2, (1, 1, 0)), (("1c", "1c"), 5, (1, 1, 3)),
        (("2c", None), 5, (2, 3, 0)), (("2c", 50), 6, (2, 2, 2)), ((50, "2c"), 6, (2, 2, 2)), (("9c",), 4, (4, 0)),
    ],
)  # fmt: skip
def test_leg_sizes(trims: tuple[int | str | None, ...], qty: int, sizes: tuple[int, ...]) -> None:
    assert leg_sizes(template(*trims), qty) == sizes


@st.composite
def templates(draw: st.DrawFn) -> ExitTemplate:
    trims: list[int | str | None] = []
    left = 100
    for kind in draw(st.lists(st.sampled_from("pcn"), max_size=8)):
        if kind == "p" and left > 0:
            trims.append(draw(st.integers(1, left)))
            left -= int(trims[-1])
        else:
            trims.append(f"{draw(st.integers(1, 9))}c" if kind == "c" else None)
    return template(*trims)


@unhurried
@given(templates(), st.integers(1, 150))
def test_any_template_is_exact_and_never_shrinks_a_leg(one: ExitTemplate, qty: int) -> None:
    sizes, more = leg_sizes(one, qty), leg_sizes(one, qty + 1)
    assert (sum(sizes), sum(more), min(sizes) >= 0) == (qty, qty + 1, True)
    assert sorted(now - then for now, then in zip(more, sizes, strict=True)) == [0] * len(one.targets) + [1]
    for target, size in zip(one.targets, sizes, strict=False):
        assert target.contracts is None or size <= target.contracts


@unhurried
@given(
    st.lists(st.integers(1, 100), min_size=1, max_size=8).filter(lambda shares: sum(shares) <= 100), st.integers(1, 120)
)
def test_shares_that_come_to_whole_contracts_are_those(shares: list[int], qty: int) -> None:
    quotas = [D(share) * qty / WHOLE for share in (*shares, 100 - sum(shares))]
    sizes = leg_sizes(template(*shares), qty)
    assert all(size < quota + 1 for size, quota in zip(sizes, quotas, strict=True))
    if all(quota == int(quota) for quota in quotas):
        assert list(sizes) == quotas
    assert list(leg_sizes(template(*shares), 100)) == [*shares, 100 - sum(shares)]


@unhurried
@given(templates(), st.integers(1, 60), st.data())
def test_an_add_is_spread_exactly_and_takes_nothing_away(one: ExitTemplate, qty: int, data: st.DataObject) -> None:
    held = tuple(data.draw(st.integers(0, 30)) for _ in range(len(one.targets) + 1))
    added = added_sizes(one, held, qty)
    assert sum(added) == qty
    assert min(added) >= 0


@unhurried
@given(templates(), st.integers(0, 60), st.integers(1, 60))
def test_an_add_to_a_whole_position_is_as_if_all_had_been_entered_at_once(
    one: ExitTemplate, held: int, qty: int
) -> None:
    sizes = leg_sizes(one, held)
    assert tuple(map(sum, zip(sizes, added_sizes(one, sizes, qty), strict=True))) == leg_sizes(one, held + qty)


def test_an_add_fills_the_leg_that_a_target_has_emptied() -> None:
    assert added_sizes(template(50, 30, 20), (0, 3, 2, 0), 5) == (5, 0, 0, 0)
    assert added_sizes(template(50, 30, 20), (5, 3, 2, 0), 10) == (5, 3, 2, 0)
    assert added_sizes(template("1c", None), (0, 4, 0), 2) == (1, 1, 0)


@pytest.mark.parametrize(
    ("multiplier", "contracts"), [("1", 3), ("2", 6), ("1.5", 4), ("0.5", 1), ("0.1", 1), ("2.999", 8)]
)
def test_trims_in_contracts_grow_with_the_multiplier(multiplier: str, contracts: int) -> None:
    one = wanted(multiplier=multiplier, targets=targets((40, 3), trim="contracts"))
    assert one.targets == (ExitTarget(level=FAR, contracts=contracts),)


def test_a_distance_of_zero_places_nothing() -> None:
    assert wanted(targets=targets((0, 50), (0, None))) == ExitTemplate()
    one = wanted(targets=targets((0, 50), (40, 50)), stop_distance=0, break_even_ticks=8, stop_type="trailing")
    assert one == ExitTemplate(targets=(ExitTarget(level=FAR, share=D(50)),))
    assert brackets(ExitTemplate(), (4,), MNQ, None) == ()
    assert brackets(wanted(targets=targets((40, 50))), (2, 2), MNQ, None)[1].target_distance is None


UNITS: list[tuple[Contract, str, str, str]] = [
    (MNQ, "ticks", "40", "10"), (MNQ, "points", "10.1", "10"), (MNQ, "dollars", "50", "25"),
    (MNQ, "points", "0.1", "0.25"), (MNQ, "percent", "0.1", "25"), (MNQ, "price", "25025.10", "25"),
    (MNQ, "price", "24974.90", "25"), (CL, "ticks", "20", "0.20"), (CL, "points", "0.155", "0.15"),
    (CL, "dollars", "150", "0.15"), (CL, "percent", "0.0011", "0.27"), (GC, "ticks", "30", "3"),
    (GC, "dollars", "255", "2.5"), (GC, "points", "3.19", "3.1"), (YEN, "ticks", "20", "0.00001"),
    (YEN, "dollars", "62.5", "0.000005"), (YEN, "points", "0.0000012", "0.000001"), (NOTE, "ticks", "8", "0.125"),
    (NOTE, "dollars", "31.25", "0.03125"), (NOTE, "points", "0.02", "0.015625"), (NOTE, "dollars", "15.62", "0.015625"),
]  # fmt: skip


@pytest.mark.parametrize(("contract", "unit", "given_distance", "points"), UNITS)
def test_every_unit_is_a_distance_in_whole_ticks(
    contract: Contract, unit: str, given_distance: str, points: str
) -> None:
    one = wanted(
        contract, targets=targets((given_distance, None), unit=unit), stop_distance=given_distance, stop_unit=unit
    )
    [leg] = brackets(one, (2, 0), contract, D("25000.10") if contract is MNQ else D(25_000))
    assert (leg.qty, leg.target_distance, leg.stop_distance) == (2, D(points), D(points))


@pytest.mark.parametrize("unit", ["percent", "price"])
def test_percent_and_prices_need_to_know_where_the_entry_will_fill(unit: str) -> None:
    for fields in ({"targets": targets((3, None), unit=unit)}, {"stop_distance": 3, "stop_unit": unit}):
        with pytest.raises(ReferenceMissing):
            brackets(wanted(**fields), (1, 0) if "targets" in fields else (1,), MNQ, None)


def test_brackets_are_one_leg_for_each_target_that_has_contracts_and_one_for_the_rest() -> None:
    one = wanted(targets=targets((40, 50), (80, 20), (120, 20)), stop_distance=20)
    sizes = leg_sizes(one, 2)
    legs = brackets(one, sizes, MNQ, None)
    assert [(leg.qty, leg.target_distance, leg.stop_distance) for leg in legs] == [(1, 10, 5), (1, 20, 5)]
    assert bracket_places(one, sizes) == (0, 1)
    rest = brackets(one, (1, 0, 0, 3), MNQ, None)
    assert [(leg.qty, leg.target_distance, leg.stop_distance) for leg in rest] == [(1, 10, 5), (3, None, 5)]
    assert bracket_places(one, (1, 0, 0, 3)) == (0, 3)
    no_stop = wanted(targets=targets((40, 50)))
    assert bracket_places(no_stop, (0, 3)) == ()
    assert bracket_places(no_stop, (1, 3)) == (0, 1)


@pytest.mark.parametrize(
    ("trigger", "step", "trail"), [(0, 0, Trail(D(5))), (40, 0, Trail(D(5), D(10))), (8, 4, Trail(D(5), D(2), D(1)))]
)
def test_a_trailing_stop_keeps_its_distance_trigger_and_step(trigger: int, step: int, trail: Trail) -> None:
    one = wanted(stop_distance=20, stop_type="trailing", trail_trigger_ticks=trigger, trail_step_ticks=step)
    assert one.is_trailing
    assert [leg.trail for leg in brackets(one, (2,), MNQ, None)] == [trail]
    fixed = wanted(stop_distance=20, trail_trigger_ticks=trigger, trail_step_ticks=step)
    assert not fixed.is_trailing
    assert [leg.trail for leg in brackets(fixed, (2,), MNQ, None)] == [None]


ENTRY = D("25057.6503485454")


@pytest.mark.parametrize(
    ("side", "target", "stop"), [(Side.BUY, "25067.50", "25052.75"), (Side.SELL, "25047.75", "25062.50")]
)
def test_prices_of_an_average_off_the_tick_move_toward_the_entry(side: Side, target: str, stop: str) -> None:
    prices = leg_prices(template(None), side, ENTRY, MNQ, at_break_even=False)
    assert (prices.targets, prices.stop) == ((D(target),), D(stop))


@pytest.mark.parametrize(
    ("side", "entry", "what", "price"),
    [
        (Side.BUY, "25050", "target", "25057.50"), (Side.SELL, "25065", "target", "25057.75"),
        (Side.BUY, "25065", "stop", "25057.75"), (Side.SELL, "25050", "stop", "25057.50"),
        # A stated price is kept where the average has moved beyond it: that stop secures a profit.
        (Side.SELL, "25050", "target", "25057.75"), (Side.BUY, "25050", "stop", "25057.75"),
        (Side.BUY, str(ENTRY), "target", "25057.50"), (Side.BUY, str(ENTRY), "stop", "25057.75"),
    ],
)  # fmt: skip
def test_a_price_off_the_tick_moves_toward_the_entry(side: Side, entry: str, what: str, price: str) -> None:
    level = Level(price=ENTRY)
    one = ExitTemplate(targets=(ExitTarget(level=level),)) if what == "target" else ExitTemplate(stop=level)
    prices = leg_prices(one, side, D(entry), MNQ, at_break_even=False)
    assert (prices.targets[0] if what == "target" else prices.stop) == D(price)


@pytest.mark.parametrize(
    ("side", "offset", "price"),
    [(Side.BUY, 0, "25057.75"), (Side.BUY, 8, "25059.75"), (Side.SELL, 0, "25057.5"), (Side.SELL, 8, "25055.5")],
)
def test_at_break_even_the_stop_rests_at_the_entry_and_its_offset(side: Side, offset: int, price: str) -> None:
    one = wanted(targets=targets((40, None)), stop_distance=20, break_even_ticks=12, break_even_offset_ticks=offset)
    assert (one.break_even_after, one.break_even_offset) == (3, D(offset) / 4)
    moved = leg_prices(one, side, ENTRY, MNQ, at_break_even=True)
    assert moved.stop == D(price)
    assert moved.targets == leg_prices(one, side, ENTRY, MNQ, at_break_even=False).targets


@unhurried
@given(st.sampled_from(sorted(products())), st.sampled_from(Side), st.decimals(1, 60_000, places=10), st.data())
def test_exits_are_on_the_tick_on_their_own_side_and_never_farther_than_asked(
    root: str, side: Side, average: Decimal, data: st.DataObject
) -> None:
    product = products()[root]
    contract = Contract(product, DAY.year, 12)
    points = data.draw(st.decimals(0, 500, places=10)) + product.tick
    one = ExitTemplate(targets=(ExitTarget(level=Level(points=points)),), stop=Level(points=points))
    prices = leg_prices(one, side, average, contract, at_break_even=False)
    for price, direction in ((prices.targets[0], side.sign), (prices.stop, -side.sign)):
        assert price is not None
        assert price % product.tick == 0
        assert 0 < (price - average) * direction <= points


@unhurried
@given(templates(), st.decimals(0, 100, places=6), st.booleans())
def test_a_template_survives_as_text(one: ExitTemplate, points: Decimal, is_trailing: bool) -> None:  # noqa: FBT001
    full = one.model_copy(update={"trail_trigger": points if is_trailing else None, "break_even_after": points})
    assert template_from(full.text) == full
    assert template_from(full.text).text == full.text
