"""0 is 0, what is absent is inherited, and what cannot be is refused by the name of its field."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorders.setting_types import Target, TimeWindow, TrimUnit, Unit
from recorders.settings import FIELDS, BadSettings, Settings, defaults, merge, read_overrides, read_settings

unhurried = settings(deadline=None)
WINDOW = {"start": "08:30", "end": "15:00"}


def test_every_field_has_a_label_a_meaning_and_a_default() -> None:
    for name, field in Settings.model_fields.items():
        assert field.title and field.description, name
        assert field.is_required() is False, name
    assert set(defaults()) == set(FIELDS)
    assert read_settings(defaults()) == Settings()


@pytest.mark.parametrize(
    ("raw", "distance", "unit"),
    [
        ({"distance": 40}, 40, Unit.TICKS), ({"ticks": 40}, 40, Unit.TICKS), ({"value": 40}, 40, Unit.TICKS),
        ({"value": "1.5", "unit": "percent"}, Decimal("1.5"), Unit.PERCENT),
        ({"ticks": 40, "unit": "points"}, 40, Unit.TICKS),
        ({"distance": 0}, 0, Unit.TICKS),
    ],
)  # fmt: skip
def test_a_target_may_be_written_as_the_predecessor_did(raw: dict[str, Any], distance: Decimal, unit: Unit) -> None:
    assert Target.model_validate(raw) == Target(distance=Decimal(distance), unit=unit)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("8:45 AM", time(8, 45)), ("8:45 pm", time(20, 45)), ("08:45", time(8, 45)), ("8:45", time(8, 45)),
        ("12:30 AM", time(0, 30)), ("12:00 PM", time(12)), ("8 AM", time(8)), ("13:45", time(13, 45)),
        (" 8:45AM ", time(8, 45)), ("8:45:30", time(8, 45, 30)),
    ],
)  # fmt: skip
def test_times_of_day_are_read_as_people_write_them(text: str, wanted: time) -> None:
    assert TimeWindow.model_validate({"start": text, "end": "23:59"}).start == wanted


@pytest.mark.parametrize("text", ["", "8", "8:5", "25:00", "13:45 PM", "0:10 AM", "08:45Z", "08:45+02:00", 3600])
def test_a_time_that_cannot_be_or_has_an_offset_is_refused(text: str) -> None:
    """The time of day in the owner's zone and a time with an offset cannot even be compared."""
    with pytest.raises(BadSettings) as caught:
        read_settings({"time_windows": [{"start": text, "end": "23:59"}]})
    assert list(caught.value.errors) == ["time_windows"]


@pytest.mark.parametrize(
    ("given", "field", "text"),
    [
        ({"initial_position_size": -1}, "initial_position_size", "had -1"),
        ({"initial_position_size": "2.5"}, "initial_position_size", "had '2.5'"),
        ({"initial_position_size": 10_001}, "initial_position_size", "had 10001"),
        ({"risk_percent": "100.1"}, "risk_percent", "had '100.1'"),
        ({"stop_distance": "Infinity"}, "stop_distance", "finite"),
        ({"stop_distance": "NaN"}, "stop_distance", "finite"),
        ({"every_nth_signal": 0}, "every_nth_signal", "had 0"),
        ({"entry_delay_s": 26}, "entry_delay_s", "had 26"),
        ({"limit_timeout_s": 0}, "limit_timeout_s", "had 0"),
        ({"direction_filter": "Long Only"}, "direction_filter", "had 'Long Only'"),
        ({"targets": [{"ticks": 40, "trim": 101}]}, "targets", "had 101 percent, limit 100"),
        ({"targets": [{"ticks": 40, "trim": 0}]}, "targets", "greater than 0"),
        ({"targets": [{"ticks": 40, "trim": "1.5", "trim_unit": "contracts"}]}, "targets", "wants whole contracts"),
        ({"targets": [{"ticks": 4, "trim": 60}, {"ticks": 8, "trim": 41}]}, "targets", "sum to 101 percent, limit 100"),
        ({"targets": [{"trim": 60}]}, "targets", "distance"),
        ({"targets": [{"ticks": 1}] * 21}, "targets", "20"),
        ({"time_windows": [{"start": "8:00", "end": "8:00"}]}, "time_windows", "same as start"),
        ({"time_windows": [WINDOW] * 6}, "time_windows", "5"),
        ({"auto_flat_after_cutoff": True}, "auto_flat_after_cutoff", "needs a time window"),
        ({"stop_los": 4}, "stop_los", "There is no such field."),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(given: dict[str, Any], field: str, text: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings(given)
    assert list(caught.value.errors) == [field]
    assert text in " ".join(caught.value.errors[field])


def test_all_errors_are_told_at_once() -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings({"initial_position_size": -1, "stop_distance": "x", "nonsense": 1})
    assert set(caught.value.errors) == {"initial_position_size", "stop_distance", "nonsense"}


def test_trims_in_contracts_may_exceed_a_hundred() -> None:
    read = read_settings({"targets": [{"ticks": 4, "trim": 150, "trim_unit": "contracts"}, {"ticks": 8, "trim": 100}]})
    assert [target.trim_unit for target in read.targets] == [TrimUnit.CONTRACTS, TrimUnit.PERCENT]


def test_an_override_of_none_is_no_override_and_zero_is_one() -> None:
    assert read_overrides({"stop_distance": None, "initial_position_size": 0}) == {"initial_position_size": 0}
    assert read_overrides({"stop_distance": 0, "targets": []}) == {"targets": [], "stop_distance": "0"}


def test_an_override_may_rely_on_the_recorders_time_window() -> None:
    overrides = read_overrides({"auto_flat_after_cutoff": True})
    assert overrides == {"auto_flat_after_cutoff": True}
    assert merge(read_settings({"time_windows": [WINDOW]}), [overrides]).auto_flat_after_cutoff
    with pytest.raises(BadSettings, match="auto_flat_after_cutoff"):
        merge(Settings(), [overrides])


@pytest.mark.parametrize("name", FIELDS)
def test_the_last_layer_that_states_a_field_has_it(name: str) -> None:
    layers = [{name: value} for value in OTHER_VALUES[name]]
    base = Settings(time_windows=(TimeWindow.model_validate(WINDOW),))
    read = [read_settings(base.dump() | layer).dump()[name] for layer in layers]
    assert read[0] != read[1] != base.dump()[name]
    assert merge(base, []).dump() == base.dump()
    assert merge(base, [{}, layers[1], {}]).dump()[name] == read[1]
    assert merge(base, layers).dump()[name] == read[1]
    assert merge(base, layers[::-1]).dump()[name] == read[0]


OTHER_VALUES: dict[str, tuple[Any, Any]] = {
    **{name: (2, 3) for name in FIELDS},
    **{name: ("7.5", "0.5") for name in ("risk_dollars", "risk_percent", "equity_percent", "stop_distance")},
    "initial_position_size": (2, 0),
    "add_position_size": (2, 0),
    "at_least_one": (False, True),
    "targets": ([], [{"distance": "40", "unit": "points", "trim": None, "trim_unit": "percent"}]),
    "stop_unit": ("points", "price"),
    "stop_type": ("fixed", "trailing"),
    "entry_type": ("market", "limit"),
    "same_direction": ("add", "ignore"),
    "opposite_direction": ("ignore", "block_while_dca"),
    "inverse_signals": (False, True),
    "direction_filter": ("long_only", "short_only"),
    "signal_blocking": (False, True),
    "time_windows": ([], [{"start": "18:00:00", "end": "02:00:00"}]),
    "auto_flat_after_cutoff": (False, True),
}


WAYS = ("risk_dollars", "risk_percent", "equity_percent")


@pytest.mark.parametrize("below", WAYS)
@pytest.mark.parametrize("above", WAYS)
def test_sizing_in_one_way_switches_the_other_ways_of_lower_layers_off(below: str, above: str) -> None:
    merged = merge(read_settings({below: 50}), [{above: "2"}])
    assert {name: getattr(merged, name) for name in WAYS} == {name: 2 if name == above else 0 for name in WAYS}


@pytest.mark.parametrize("off", [0, "0", "0.00"])
def test_switching_one_way_off_leaves_the_other_ways_on(off: Any) -> None:
    merged = merge(read_settings({"risk_percent": 1}), [{"risk_dollars": off}])
    assert (merged.risk_dollars, merged.risk_percent) == (0, 1)
    assert merge(read_settings({"risk_percent": 1}), [{"risk_percent": off}]).risk_percent == 0


def test_what_is_no_number_is_told_by_its_field_also_in_a_layer() -> None:
    with pytest.raises(BadSettings) as caught:
        merge(Settings(), [{"risk_dollars": "much"}])
    assert list(caught.value.errors) == ["risk_dollars"]


@unhurried
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "initial_position_size": st.integers(0, 10_000),
            "stop_distance": st.decimals(0, 10_000, places=4),
            "risk_dollars": st.decimals(0, 10_000, places=2),
            "targets": st.lists(
                st.fixed_dictionaries({"distance": st.decimals(0, 1000, places=3), "unit": st.sampled_from(Unit)}),
                max_size=4,
            ),
            "time_windows": st.just([WINDOW]),
            "stop_type": st.sampled_from(["fixed", "trailing"]),
        },
    )
)
def test_what_was_read_reads_the_same_again(given_fields: dict[str, Any]) -> None:
    read = read_settings(given_fields)
    assert read_settings(read.dump()) == read
    overrides = read_overrides(given_fields)
    assert set(overrides) == set(given_fields)
    assert read_overrides(overrides) == overrides
    assert merge(Settings(), [overrides]) == read
