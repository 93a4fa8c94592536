"""None inherits, 0 is 0."""

from __future__ import annotations

from decimal import Decimal

import pytest

from traders.settings import EffectiveSettings, RecorderSettings, TraderOverrides, resolve

RECORDER = RecorderSettings(initial_position_size=2, target_ticks=40, stop_ticks=20)
NAMES = ("initial_position_size", "target_ticks", "stop_ticks")


def overrides(**given: int | None) -> TraderOverrides:
    return TraderOverrides(multiplier=Decimal(1), max_contracts=9, **given)


def test_an_override_left_empty_is_inherited() -> None:
    assert resolve(RECORDER, overrides()) == EffectiveSettings(
        initial_position_size=2, multiplier=Decimal(1), max_contracts=9, target_ticks=40, stop_ticks=20
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, 1, 7])
def test_an_override_wins_also_when_it_is_zero(name: str, value: int) -> None:
    effective = resolve(RECORDER, overrides(**{name: value}))
    assert getattr(effective, name) == value
    for other in set(NAMES) - {name}:
        assert getattr(effective, other) == getattr(RECORDER, other)
